"""Trains the project's own embedding models: mining, tokenizer, teacher, table, export.

Never imported by the product. See the README beside this file.
"""
