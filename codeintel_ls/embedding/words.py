"""Text becomes words: identifiers split the way programmers join them.

Both sides of a search, the meaning and the letters, start from here, so that a question and a
chunk are always taken apart in the same way.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

_TOKEN = re.compile(r"\w+")
_PART = re.compile(
    r"""
    [A-Z]{2,}(?=[A-Z][a-z]|\b|\d|$)   # HTTP in HTTPServer, at a word's end or before a digit
    | [A-Z]?[^\W\d_A-Z]+              # a word; letters outside ASCII count as lower case
    | [A-Z]+
    | \d+
    """,
    re.VERBOSE,
)
_LONGEST_TOKEN = 100
_SHORT, _LONG = 100, 4_000


def count_tokens(text: str) -> Mapping[str, int]:
    """The identifiers, words and numbers of `text` as written, with how often each occurs.

    Runs longer than 100 characters (keys, encoded data) carry no words and are left out.
    """
    # A chunk is asked for its terms first and for its vector soon after; what is shorter is counted
    # as fast as it is found, and what is longer takes too much memory.
    return _recent_counts(text) if _SHORT < len(text) <= _LONG else _counts(text)


@lru_cache(maxsize=2_048)
def _recent_counts(text: str) -> Mapping[str, int]:
    return _counts(text)


def _counts(text: str) -> Mapping[str, int]:
    counts = Counter(_TOKEN.findall(text))
    for token in [token for token in counts if len(token) > _LONGEST_TOKEN]:
        del counts[token]
    return counts


@lru_cache(maxsize=100_000)
def split_token(token: str) -> tuple[str, ...]:
    """The lower-case words of one token: `parseHTTPRequest_v2` → parse, http, request, v, 2."""
    return tuple(part.lower() for part in _PART.findall(token))


def words_of(text: str) -> list[str]:
    """The lower-case words of `text` in order, identifiers split."""
    return [word for token in _TOKEN.findall(text) for word in split_token(token)]
