"""How well searches find: `python -m tests.benchmarks.retrieval`.

Questions with known answers are asked through the product's public door, and only there. Nothing
here asserts a score.
"""
