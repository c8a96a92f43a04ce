"""What commits hold: resolving revisions, finding a path in a tree, reading blobs and commits.

Invariant: git is given full object ids only; a revision typed by somebody is resolved first, and
one that looks like an option never reaches git. Nothing read here passes a filter or textconv.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.commit_log import CommitFormat, CommitText
from codeintel_ls.git.errors import BadRevisionError, FileTooLargeError, GitFailedError, shown
from codeintel_ls.git.object_stream import ObjectStream, StoredObject, StreamBrokenError
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.values import Commit

LARGEST_FILE = 50_000_000
LARGEST_COMMIT = 10_000_000

_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BLOB = re.compile(rb"([0-9a-f]{40,64}) blob (\d+)\n")
_LONGEST_REVISION = 1000


@frozen
class TreeFile:
    """A file of a commit: its blob's id and bytes."""

    blob: str
    content: bytes


def is_object_id(text: str) -> bool:
    """Whether `text` is a full object id."""
    return _OBJECT_ID.fullmatch(text) is not None


class ObjectReader:
    """Reads commits, trees and blobs through the runner."""

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner
        self._stream = ObjectStream(runner)

    def close(self) -> None:
        """End what waits for questions."""
        self._stream.close()

    def commit_texts(self, ids: Iterable[str], cancellation: Cancellation) -> dict[str, CommitText]:
        """What the objects of commits say; without those that are not there."""
        asked = tuple(ids)
        for identity in asked:
            if not is_object_id(identity):
                raise BadRevisionError(identity)
        try:
            names = [identity.encode("ascii") for identity in asked]
            read = self._stream.read_all(names, cancellation, largest=LARGEST_COMMIT)
        except (StreamBrokenError, FileTooLargeError):
            return {}
        return {
            identity: CommitText.of(one.content)
            for identity, one in zip(asked, read, strict=True)
            if one is not None and one.kind == "commit"
        }

    def resolve(self, revision: str, cancellation: Cancellation | None = None) -> str:
        """The id of the commit that `revision` names. Raises `BadRevisionError`."""
        sound = 0 < len(revision) <= _LONGEST_REVISION and revision.isprintable()
        if not sound or revision.startswith("-"):
            raise BadRevisionError(revision)
        try:
            answer = self._runner.output(
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                revision + "^{commit}",
                cancellation=cancellation,
            )
        except GitFailedError as error:
            raise BadRevisionError(revision) from error
        identity = answer.decode("ascii", "replace").strip()
        if not is_object_id(identity):
            raise BadRevisionError(revision)
        return identity

    def file(
        self, commit: str, path: str, cancellation: Cancellation | None = None
    ) -> TreeFile | None:
        """The file or symbolic link `path` of `commit`; None for a folder, a submodule, nothing.

        Raises `FileTooLargeError` above `LARGEST_FILE`.
        """
        if "\n" not in path:
            asked = f"{commit}:{path}".encode("utf-8", "surrogateescape")
            with suppress(StreamBrokenError):
                read = self._stream.read(
                    asked, cancellation or Cancellation(), largest=LARGEST_FILE, shown=path
                )
                if read is not None and read.kind == "blob":
                    return TreeFile(read.identity, read.content)
        return self._listed_file(commit, path, cancellation)

    def stored(
        self, names: Sequence[bytes], cancellation: Cancellation
    ) -> list[StoredObject | None]:
        """The objects of those names (ids, or `<commit>:<path>`), without line ends in them.

        None where there is none; everywhere, if git breaks off or one is above `LARGEST_FILE`.
        """
        try:
            return self._stream.read_all(names, cancellation, largest=LARGEST_FILE)
        except (StreamBrokenError, FileTooLargeError):
            return [None for _ in names]

    def _file(self, asked: bytes, path: str, cancellation: Cancellation | None) -> TreeFile | None:
        with self._runner.stream(
            "cat-file", "--batch", given=asked, cancellation=cancellation
        ) as chunks:
            answer = b""
            while (described := _BLOB.match(answer)) is None:
                chunk = next(chunks, b"")
                if not chunk:
                    return None
                answer += chunk
            blob, size = described[1].decode("ascii"), int(described[2])
            if size > LARGEST_FILE:
                raise FileTooLargeError(path, size, LARGEST_FILE)
            content = b"".join((answer[described.end() :], *chunks))
        return TreeFile(blob, content[:size])

    def _listed_file(
        self, commit: str, path: str, cancellation: Cancellation | None
    ) -> TreeFile | None:
        """As `file`, slower: for names of two lines, and to tell no file from no content."""
        listed = self._runner.output(
            "ls-tree", "-z", "--full-tree", commit, "--", path, cancellation=cancellation
        )
        for entry in listed.split(b"\0"):
            described, _, name = entry.partition(b"\t")
            if name == path.encode("utf-8", "surrogateescape"):
                _, kind, blob = described.split()
                if kind != b"blob":
                    return None
                found = self._file(blob + b"\n", path, cancellation)
                if found is None:
                    raise GitFailedError("cat-file", f"{shown(path)} is not in this partial clone")
                return found
        return None

    def commits(
        self, ids: Iterable[str], cancellation: Cancellation | None = None
    ) -> Mapping[str, Commit]:
        """The commits of full `ids`. Raises `BadRevisionError` for one that is not there."""
        wanted: Sequence[str] = tuple(dict.fromkeys(ids))
        for identity in wanted:
            if not is_object_id(identity):
                raise BadRevisionError(identity)
        if not wanted:
            return {}
        written = CommitFormat.new()
        arguments = ("log", "--no-walk=unsorted", "--stdin", "--no-patch", "-z", *written.flags)
        try:
            with self._runner.stream(
                *arguments, given="\n".join(wanted).encode() + b"\n", cancellation=cancellation
            ) as chunks:
                found = {commit.id: commit for commit, _ in written.records(chunks)}
        except GitFailedError as error:
            raise BadRevisionError(_named_in(error.detail, wanted)) from error
        return {identity: found[identity] for identity in wanted if identity in found}


def _named_in(detail: str, ids: Sequence[str]) -> str:
    return next((identity for identity in ids if identity in detail), ids[0])
