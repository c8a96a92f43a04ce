"""What a question quotes: `"connection reset by peer"` is looked for as it stands.

Words between quotes are words of the question like all others; places that hold them letter by
letter then stand first. Invariant: where nothing holds the phrase, the answer is that without
quotes.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, Self

from attrs import frozen

from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.search.ranking import Candidate

_QUOTED: Final = re.compile(r'"([^"]+)"')
_SHORTEST: Final = 2


@frozen
class Phrases:
    """The phrases that a question quotes; false where it quotes none.

    Letters are compared in any case, unless a phrase has a capital one; white space as any other.
    """

    patterns: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, text: str) -> Self:
        """Those of a question."""
        found = (phrase.strip() for phrase in _QUOTED.findall(text))
        return cls(tuple(_pattern(phrase) for phrase in found if len(phrase) >= _SHORTEST))

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def line_in(self, text: str) -> int | None:
        """The line (0-based) on which the first begins; None for a text that lacks one of them."""
        places = [pattern.search(text) for pattern in self.patterns]
        if not places or None in places:
            return None
        return min(text.count("\n", 0, place.start()) for place in places if place is not None)

    def mark(
        self, candidates: Sequence[Candidate], text_of: Callable[[ChunkPlace], str | None]
    ) -> Sequence[Candidate]:
        """The candidates, those marked that hold all of the phrases."""
        if not self:
            return candidates

        def holds(candidate: Candidate) -> bool:
            text = text_of(candidate.place)
            return text is not None and self.line_in(text) is not None

        return [
            candidate._replace(chunk=candidate.chunk._replace(quoted=True))
            if holds(candidate)
            else candidate
            for candidate in candidates
        ]


def _pattern(phrase: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.compile(words, re.IGNORECASE if phrase == phrase.lower() else 0)
