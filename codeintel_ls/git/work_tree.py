"""Files that are not committed: their text on the disk, and where a staged path came from.

Invariant: the disk is read by us, never through git, so no clean filter runs; and the index is
compared with a commit, never with the work tree.
"""

import codecs
import os
import stat
from pathlib import Path
from threading import Lock

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.errors import BinaryFileError, FileTooLargeError, PathNotTrackedError
from codeintel_ls.git.objects import LARGEST_FILE
from codeintel_ls.git.repository import FileState, Repository, file_state
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.text import decode, is_binary, is_utf8

_KEPT_ANSWERS = 1000


class WorkTree:
    """Reads one work tree and its index. Thread-safe."""

    def __init__(self, repository: Repository, runner: GitRunner) -> None:
        self._repository = repository
        self._runner = runner
        self._lock = Lock()
        self._origins_state: tuple[str, FileState] | None = None
        self._origins: dict[str, str | PathNotTrackedError | None] = {}

    def text(self, path: str, cancellation: Cancellation | None = None) -> str:
        """The text of `path` on the disk, in its declared `working-tree-encoding` if it needs one.

        Raises `PathNotTrackedError` where no file is there, `BinaryFileError`.
        """
        content = _read(self._repository.root / path, path)
        if not is_binary(content) and is_utf8(content):
            return decode(content)
        declared = self._declared_encoding(path, cancellation)
        if declared is not None:
            return content.decode(declared, "replace").removeprefix("\ufeff")
        if is_binary(content) and not content.startswith(
            (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        ):
            raise BinaryFileError(path)
        return decode(content)

    def origin(self, head: str, path: str, cancellation: Cancellation | None = None) -> str | None:
        """The file of `head` that was renamed to the staged `path`; None if `path` is all new.

        Raises `PathNotTrackedError` where `path` is not in the index. Runs git only when the index
        or HEAD has changed since it was last asked.
        """
        state = (head, file_state(self._repository.git_dir / "index"))
        with self._lock:
            if state != self._origins_state or len(self._origins) > _KEPT_ANSWERS:
                self._origins_state, self._origins = state, {}
            if path in self._origins:
                return _answer(self._origins[path])
        found = self._find_origin(head, path, cancellation)
        with self._lock:
            if state == self._origins_state:
                self._origins[path] = found
        return _answer(found)

    def _find_origin(
        self, head: str, path: str, cancellation: Cancellation | None
    ) -> str | PathNotTrackedError | None:
        asked = path.encode("utf-8", "surrogateescape")
        staged = self._runner.output(
            "ls-files", "-z", "--cached", "--", path, cancellation=cancellation
        )
        if asked not in staged.split(b"\0"):
            return PathNotTrackedError(path)
        changed = self._runner.output(
            "diff-index", "--cached", "--raw", "-z", "-M", head, cancellation=cancellation
        ).split(b"\0")
        for place, told in enumerate(changed):
            renamed = told.startswith(b":") and told.rpartition(b" ")[2].startswith(b"R")
            if renamed and changed[place + 2] == asked:
                return changed[place + 1].decode("utf-8", "surrogateescape")
        return None

    def _declared_encoding(self, path: str, cancellation: Cancellation | None) -> str | None:
        """The name of Python's codec for the attribute of gitattributes(5)."""
        answer = self._runner.output(
            "check-attr", "-z", "working-tree-encoding", "--", path, cancellation=cancellation
        ).split(b"\0")
        name = answer[2].decode("latin-1") if len(answer) > 2 else ""
        try:
            return codecs.lookup(name.upper().removesuffix("-BOM")).name
        except LookupError:
            return None


def _answer(found: str | PathNotTrackedError | None) -> str | None:
    if isinstance(found, PathNotTrackedError):
        raise found.with_traceback(None)
    return found


def _read(place: Path, path: str) -> bytes:
    try:
        state = place.lstat()
        if stat.S_ISLNK(state.st_mode):
            return os.fsencode(place.readlink())
        if not stat.S_ISREG(state.st_mode):
            raise PathNotTrackedError(path, "the work tree")
        if state.st_size > LARGEST_FILE:
            raise FileTooLargeError(path, state.st_size, LARGEST_FILE)
        return place.read_bytes()
    except OSError as error:
        raise PathNotTrackedError(path, "the work tree") from error
