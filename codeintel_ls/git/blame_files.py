"""Blames of recently used files on disk, so that reopening a workspace need not blame anew.

One file for each question (path, rules, options) holds the latest commit's answer. Invariant: a
file that is damaged, or is another question's, counts as not there; what is kept has a bound.
"""

import os
import tempfile
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import orjson

from codeintel_ls.git.blame import BlameEntry, FileBlame

_FORMAT: Final = 1
_SUM_BYTES: Final = 16
_MOST_FILES: Final = 500
_MOST_BYTES: Final = 50_000_000
_LARGEST: Final = 5_000_000
_SUFFIX: Final = ".blame"


class BlameFiles:
    """The folder of one repository's blames. Safe between threads and processes."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when there is something to keep."""
        self._folder = folder
        self._writes = 0

    def read(self, question: str) -> tuple[str, FileBlame] | None:
        """The commit and the blame that were last kept for a question."""
        place = self._place(question)
        try:
            if place.stat().st_size > _LARGEST:
                return None
            content = place.read_bytes()
            os.utime(place)
        except OSError:
            return None
        digest, body = content[:_SUM_BYTES], content[_SUM_BYTES:]
        if _sum(body) != digest:
            return None
        try:
            told = orjson.loads(body)
            if told["format"] != _FORMAT or told["question"] != _text(question):
                return None
            commits: list[str] = told["commits"]
            paths = [_path(path) for path in told["paths"]]
            rows: list[tuple[int, int, int, int, int]] = told["entries"]
            entries = tuple(
                BlameEntry(commits[commit], first, count, original, paths[path])
                for commit, first, count, original, path in rows
            )
            return str(told["head"]), FileBlame(entries)
        except (ValueError, KeyError, IndexError, TypeError):
            return None

    def write(self, question: str, head: str, blame: FileBlame) -> None:
        """Keep the blame that a question has at the commit `head`; what cannot be kept is not."""
        commits = {commit: n for n, commit in enumerate(sorted(blame.commits))}
        names = {entry.original_path for entry in blame.entries}
        paths = {path: n for n, path in enumerate(sorted(names))}
        body = orjson.dumps(
            {
                "format": _FORMAT,
                "question": _text(question),
                "head": head,
                "commits": list(commits),
                "paths": [_text(path) for path in paths],
                "entries": [
                    (
                        commits[entry.commit],
                        entry.first_line,
                        entry.count,
                        entry.original_line,
                        paths[entry.original_path],
                    )
                    for entry in blame.entries
                ],
            }
        )
        if len(body) <= _LARGEST:
            with suppress(OSError):
                self._write(self._place(question), _sum(body) + body)

    def _write(self, place: Path, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, staged = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(staged).replace(place)
        except OSError:
            Path(staged).unlink(missing_ok=True)
            raise
        self._writes += 1
        if self._writes % 32 == 1:
            self._bound()

    def _bound(self) -> None:
        """Remove what was not used for longest while there is too much."""
        found: list[tuple[int, int, Path]] = []
        for place in self._folder.iterdir():
            with suppress(OSError):
                state = place.stat()
                found.append((state.st_mtime_ns, state.st_size, place))
        found.sort(key=lambda one: one[0], reverse=True)
        kept = 0
        for number, (_, size, place) in enumerate(found):
            kept += size
            if number >= _MOST_FILES or kept > _MOST_BYTES:
                with suppress(OSError):
                    place.unlink()

    def _place(self, question: str) -> Path:
        name = blake2b(question.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        return self._folder / f"{name}{_SUFFIX}"


def _sum(body: bytes) -> bytes:
    return blake2b(body, digest_size=_SUM_BYTES).digest()


def _text(name: str) -> str:
    # JSON holds no lone surrogates, which stand for bytes that are no UTF-8.
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def _path(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogateescape")
