"""What a question quotes: `"connection reset by peer"` is looked for as it stands.

Words between quotes are words of the question like all others; places that hold them letter by
letter then stand first. Invariant: where nothing holds the phrase, the answer is that without
quotes.
"""

import re
from collections.abc import Sequence
from typing import Final

from codeintel_ls.search.presenting import FileReader
from codeintel_ls.search.ranking import Candidate

_QUOTED: Final = re.compile(r'"([^"]+)"')
_SHORTEST: Final = 2


def phrases_of(text: str) -> tuple[str, ...]:
    """The phrases that a question quotes."""
    found = (phrase.strip() for phrase in _QUOTED.findall(text))
    return tuple(phrase for phrase in found if len(phrase) >= _SHORTEST)


def mark_quoted(
    candidates: Sequence[Candidate], phrases: Sequence[str], reader: FileReader
) -> Sequence[Candidate]:
    """The candidates, those marked that hold all of the phrases.

    Letters are compared in any case, unless a phrase has a capital one; white space as any other.
    """
    if not phrases:
        return candidates
    patterns = [_pattern(phrase) for phrase in phrases]

    def holds(candidate: Candidate) -> bool:
        text = reader.text(candidate.place)
        return text is not None and all(pattern.search(text) for pattern in patterns)

    return [
        candidate._replace(chunk=candidate.chunk._replace(quoted=True))
        if holds(candidate)
        else candidate
        for candidate in candidates
    ]


def _pattern(phrase: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.compile(words, re.IGNORECASE if phrase == phrase.lower() else 0)
