"""Texts become batches that a server takes in one request.

Invariant: the batches, put together, are the texts in their order; each has at least one text,
and is within all limits unless a single text is beyond them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

_BYTES_PER_TOKEN: Final = 3
"""Code has fewer bytes in a token than prose; estimating too many tokens is the safe side."""

_MOST_BYTES: Final = 1 << 20


def batches(
    texts: Sequence[str], *, most_tokens: int, most_texts: int, most_bytes: int = _MOST_BYTES
) -> Iterator[slice]:
    """Which texts go together. What a model will see as tokens is estimated, rather too high."""
    first = tokens = size = 0
    for number, text in enumerate(texts):
        more_bytes = len(text.encode("utf-8", "replace"))
        more = more_bytes // _BYTES_PER_TOKEN + 1
        full = (
            tokens + more > most_tokens
            or size + more_bytes > most_bytes
            or number - first >= most_texts
        )
        if full and number > first:
            yield slice(first, number)
            first, tokens, size = number, 0, 0
        tokens += more
        size += more_bytes
    if first < len(texts):
        yield slice(first, len(texts))
