"""How fast it is, beside what people use today: `python -m tests.benchmarks`.

Nothing here asserts a time: a row says whether its goal was reached, and only what could not be
measured at all is an error.
"""
