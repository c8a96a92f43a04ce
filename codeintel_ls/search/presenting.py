"""A ranked chunk becomes a hit: checked against the file as it is now, with a snippet.

Invariant: the lines of a hit are the lines that were indexed. A file that changed since is
searched for the same lines; where they are gone the hit says that it is stale and shows nothing.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from attrs import frozen

from codeintel_ls.embedding import words_of
from codeintel_ls.index.embedded_text import text_digest
from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.index.source import ReadLimits, split_lines
from codeintel_ls.index.terms import telling_tokens
from codeintel_ls.search.phrases import Phrases
from codeintel_ls.search.ranking import Candidate
from codeintel_ls.search.recent_texts import RecentText, RecentTexts
from codeintel_ls.search.values import Explanation, Hit

_MOST_WINDOWS: Final = 4_000


@frozen
class PlacedLines:
    """Where a chunk's lines stand now: `lines` are they, from `start_line` on."""

    lines: Sequence[str]
    start_line: int

    @property
    def end_line(self) -> int:
        """The line behind the last one."""
        return self.start_line + len(self.lines)


class FileReader:
    """Reads each file at most once for one answer, and remembers which had changed."""

    def __init__(self, root: Path, limits: ReadLimits, recent: RecentTexts) -> None:
        """`root` is the folder that paths are relative to; `limits` are those of indexing."""
        self._root = root
        self._limits = limits
        self._recent = recent
        self._texts: dict[str, RecentText | None] = {}
        self.changed: set[str] = set()

    def place(self, place: ChunkPlace) -> PlacedLines | None:
        """The chunk's lines in the file as it is now; None when they cannot be found.

        Raises FileNotFoundError when the file itself is gone.
        """
        if place.path not in self._texts:
            # Joining paths as objects takes as long as asking for the file's state.
            path = f"{self._root}/{place.path}"
            self._texts[place.path] = self._recent.read(path, self._limits.max_file_bytes)
        read = self._texts[place.path]
        if read is None:
            self.changed.add(place.path)
            raise FileNotFoundError(place.path)
        if read.digest == place.file_digest:
            return PlacedLines(read.lines(place.start_line, place.end_line), place.start_line)
        self.changed.add(place.path)
        lines = split_lines(read.text)
        start = _find_lines(place, lines)
        if start is None:
            return None
        return PlacedLines(lines[start : start + place.end_line - place.start_line], start)

    def text(self, place: ChunkPlace) -> str | None:
        """The text of the chunk's lines as they are now; None when they cannot be found."""
        with suppress(FileNotFoundError):
            now = self.place(place)
            return "\n".join(now.lines) if now is not None else None
        return None


@frozen
class Telling:
    """What of a question chooses the lines that are shown of its hits."""

    words: frozenset[str]
    phrases: Phrases

    @classmethod
    def of(cls, text: str) -> Self:
        """The parts of `text`."""
        words = (word for token in telling_tokens(text) for word in words_of(token))
        return cls(frozenset(words), Phrases.of(text))


def present(
    candidate: Candidate,
    score: float,
    reader: FileReader,
    asked: Telling,
    snippet_lines: int,
    *,
    explain: bool,
) -> Hit | None:
    """The hit for a candidate with this score, or None when its file is gone."""
    place = candidate.place
    try:
        now = reader.place(place)
    except FileNotFoundError:
        return None
    start, end = (now.start_line, now.end_line) if now else (place.start_line, place.end_line)
    first = _snippet_start(now, asked, snippet_lines) if now else start
    shown = now.lines[first - start : first - start + snippet_lines] if now else ()
    return Hit(
        path=place.path,
        start_line=start,
        end_line=end,
        last_line=now.lines[-1] if now and now.lines else "",
        symbol=place.symbol,
        kind=place.kind,
        language=place.language,
        score=round(min(score, 1.0), 4),
        snippet="\n".join(shown),
        snippet_start_line=first,
        stale=now is None,
        explanation=_explanation(candidate) if explain else None,
    )


def _find_lines(place: ChunkPlace, lines: Sequence[str]) -> int | None:
    """The nearest start of lines with the chunk's digest, looking outwards from where it was."""
    height = place.end_line - place.start_line
    last = len(lines) - height
    if last < 0:
        return None
    middle = min(max(place.start_line, 0), last)
    for distance in range(max(middle, last - middle) + 1):
        if distance > _MOST_WINDOWS:
            return None
        for start in {middle - distance, middle + distance}:
            if 0 <= start <= last:
                body = "\n".join(lines[start : start + height])
                if text_digest(body) == place.digest:
                    return start
    return None


def _snippet_start(now: PlacedLines, asked: Telling, height: int) -> int:
    """The first line of the window that holds what is quoted, or says most of the words.

    The chunk's own beginning, which names and describes it, gives way only to two words more.
    """
    lines = now.lines
    start = 0
    while start < len(lines) - 1 and not lines[start].strip():
        start += 1
    if len(lines) - start <= height or height <= 0:
        return now.start_line + start
    last = len(lines) - start - height
    # Few questions quote, and this is done for each hit.
    quoted = asked.phrases.line_in("\n".join(lines[start:])) if asked.phrases else None
    if quoted is not None:
        first = 0 if quoted < height else min(quoted - height // 3, last)
        return now.start_line + start + first
    said = _said(lines[start:], asked.words)
    # A window says more than the one before it only where a line that says something comes in.
    firsts = {0, *(min(max(line - height + 1, 0), last) for line in said)}
    best, best_count = start, -1
    for first in sorted(firsts):
        window = [said[line] for line in range(first, first + height) if line in said]
        count = len(set[str]().union(*window)) + (first == 0)
        if count > best_count:
            best, best_count = start + first, count
    return now.start_line + best


def _said(lines: Sequence[str], asked: frozenset[str]) -> dict[int, set[str]]:
    """Which of the words are said by the lines that say any."""
    lowered = "\n".join(lines).lower()
    # Most lines say none of them, and taking a line apart is dear.
    near: set[int] = set()
    for word in asked:
        at = lowered.find(word)
        while at >= 0:
            near.add(lowered.count("\n", 0, at))
            end = lowered.find("\n", at)
            at = lowered.find(word, end) if end >= 0 else -1
    return {number: set(asked.intersection(words_of(lines[number]))) for number in near}


def _explanation(candidate: Candidate) -> Explanation:
    chunk = candidate.chunk
    return Explanation(
        dense_rank=chunk.dense_rank,
        dense_score=chunk.dense_score,
        lexical_rank=chunk.lexical_rank,
        lexical_score=chunk.lexical_score,
        fused_score=chunk.fused,
        boosts=candidate.boosts,
    )
