"""What two pieces of code have in common, in words: the identifiers that both use.

Invariant: what nearly all code says (keywords, `self`) is no likeness.
"""

from functools import partial
from typing import Final

from codeintel_ls.embedding import count_tokens
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.terms import identifier_terms
from codeintel_ls.search.candidates import document_frequency

_MOST: Final = 8
_SHORTEST: Final = 3
_COMMON: Final = 0.1
_FEW: Final = 20
"""Of fewer chunks than this a share says nothing."""


class SharedIdentifiers:
    """Finds what other pieces of code share with one."""

    def __init__(self, text: str, generation: Generation) -> None:
        """`text` is what others are compared with, `generation` tells how rare an identifier is."""
        frequency = partial(_frequency, generation)
        tokens = [token for token in count_tokens(text) if _is_name(token)]
        most = max(generation.chunks * _COMMON, _FEW)
        held = {token: count for token in tokens if (count := frequency(token)) <= most}
        # The rarest says most; of equally rare ones the longer.
        self._telling = sorted(held, key=lambda token: (held[token], -len(token), token))

    def within(self, text: str) -> tuple[str, ...]:
        """Those that `text` has, too: the most telling first, eight at most."""
        others = count_tokens(text)
        return tuple(token for token in self._telling if token in others)[:_MOST]


def _is_name(token: str) -> bool:
    return len(token) >= _SHORTEST and not token.isdigit()


def _frequency(generation: Generation, token: str) -> int:
    """In how many chunks it occurs, or the rarest of its words."""
    return min(
        (document_frequency(generation, term) for term in identifier_terms([token])), default=0
    )
