"""What is known of blames by (commit, path, rules, options), and the latest of each path.

Invariant: for one key more and more becomes known, and nothing that is known changes.
"""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from codeintel_ls.git.blame import BlameEntry, FileBlame
from codeintel_ls.git.blame_cache import BoundedCache
from codeintel_ls.git.blame_files import BlameFiles
from codeintel_ls.git.values import BlameOptions

_BYTES: Final = 64_000_000
_BYTES_PER_ENTRY: Final = 250
_PATHS: Final = 50_000


class Question(NamedTuple):
    """Whose blame: a path under rules (by their digest) and options, at whatever commit."""

    path: str
    digest: str
    options: BlameOptions


class BlameKey(NamedTuple):
    """A question at one commit."""

    head: str
    question: Question


class KnownBlames:
    """Blames by their keys, the latest of each question also on disk. Thread-safe."""

    def __init__(self) -> None:
        self._files: BlameFiles | None = None
        self._lock = Lock()
        self._blames = BoundedCache[BlameKey, FileBlame](_BYTES)
        self._latest = BoundedCache[Question, str](_PATHS)

    def keep_in(self, folder: Path) -> None:
        """Keep the latest blames in this folder too."""
        self._files = BlameFiles(folder)

    def get(self, key: BlameKey) -> FileBlame:
        """What is known; nothing, if so."""
        return self._blames.get(key) or FileBlame()

    def older(self, question: Question) -> tuple[str, FileBlame] | None:
        """The commit that the question was last answered for, and that answer."""
        head = self._latest.get(question)
        if head is not None:
            known = self._blames.get(BlameKey(head, question))
            if known is not None:
                return head, known
        files = self._files
        return files.read(question_name(question)) if files is not None else None

    def add(self, key: BlameKey, entries: Iterable[BlameEntry]) -> FileBlame:
        """Learn more of a key; returns all that is known of it."""
        with self._lock:
            known = self.get(key).joined(entries)
            self._put(key, known)
        return known

    def begin(self, key: BlameKey, blame: FileBlame) -> FileBlame:
        """Learn as `add` does, faster where nothing is known yet."""
        with self._lock:
            known = self.get(key)
            known = known.joined(blame.entries) if known.entries else blame
            self._put(key, known)
        return known

    def _put(self, key: BlameKey, known: FileBlame) -> None:
        self._blames.put(key, known, _BYTES_PER_ENTRY * (len(known.entries) + 1))
        self._latest.put(key.question, key.head, 1)

    def keep(self, key: BlameKey) -> None:
        """Have what is known of a key outlive the process."""
        files = self._files
        if files is not None:
            files.write(question_name(key.question), key.head, self.get(key))


def question_name(question: Question) -> str:
    """A question as text, the same in every process."""
    options = question.options
    flags = (options.ignore_whitespace, options.detect_moves, options.detect_copies)
    return "\0".join((question.path, question.digest, *map(str, flags)))
