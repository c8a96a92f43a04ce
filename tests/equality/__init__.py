"""Proof that blame equals git's own, on repositories of any size.

`python -m tests.equality REPOSITORY...` clones each one, asks one long-lived client while HEAD
moves, and compares every line with what plain git says in a trusted copy. Invariant: the
repositories named are only read; git's answers come from processes that know neither our code, nor
our caches, nor any commit-graph.
"""
