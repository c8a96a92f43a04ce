"""What became of a file from one commit to a later one, read from the commits themselves.

git's blame takes one commit at a time. If one of its parents has the same file, everything is
passed to the first that has; else its only parent gets the lines that the two files share
(pass_blame and find_origin in git's blame.c). Where it comes down to the older commit so, these are
all changes in between, and no git was started. Invariant: whatever git might see otherwise (a merge
that changed the file, a rename, a link) is left to git, and so is what would take long.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame import BlameEntry, FileBlame
from codeintel_ls.git.commit_log import CommitText
from codeintel_ls.git.object_stream import StoredObject
from codeintel_ls.git.objects import ObjectReader
from codeintel_ls.git.only_change import Change
from codeintel_ls.git.xdiff import changes, unchanged

# Some 5 ms of reading, and fewer comparisons than would be worth a git of their own.
_MOST_COMMITS: Final = 64
_MOST_EDITS: Final = 12

_FILE_MODES: Final = (b"100644", b"100755")

_NO_END: Final = 1 << 40


@frozen
class Step:
    """From one commit to a later one, and the blobs that a path is there."""

    old: str
    new: str
    old_blob: str
    new_blob: str


@frozen
class Edit:
    """What a commit changed in a file that its parent has, too."""

    commit: str
    changes: Sequence[Change]


@frozen
class _Entry:
    """What a name is in a tree: its mode, as git writes it, and the id of the object."""

    mode: bytes
    identity: str

    @property
    def is_file(self) -> bool:
        """Whether it is a file, executable or not: no link, no folder, no submodule."""
        return self.mode in _FILE_MODES


class Lineage:
    """Follows the files of one repository. Thread-safe."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def edits(
        self, path: str, step: Step, is_ignored: Callable[[str], bool], stop: Cancellation
    ) -> list[Edit] | None:
        """The edits that made `path` of the step's commit of that of the older, the oldest first.

        None where only git can tell, as for a commit that `is_ignored`.
        """
        if "\n" in path:
            return None
        objects = _Objects(self._objects, path, stop)
        # Most steps are one commit: read at once what that takes.
        blobs = (step.new_blob, step.old_blob) if step.old_blob != step.new_blob else ()
        objects.read(step.new, *map(objects.tree, (step.new, step.old)), *filter(None, blobs))
        entry = objects.entry(step.new)
        found: list[tuple[str, _Entry, _Entry]] = []
        commit = step.new
        for _ in range(_MOST_COMMITS):
            if commit == step.old:
                return _compared(objects, found)
            if entry is None or not entry.is_file:
                return None
            parents = objects.parents(commit)
            objects.read(*map(objects.tree, parents), *parents)
            before = [objects.entry(parent) for parent in parents]
            same = next((at for at, one in enumerate(before) if _is_same(one, entry)), None)
            if same is not None:
                commit, entry = parents[same], before[same]
                continue
            if len(parents) != 1 or before[0] is None or not before[0].is_file:
                return None
            if len(found) == _MOST_EDITS or is_ignored(commit):
                return None
            found.append((commit, before[0], entry))
            commit, entry = parents[0], before[0]
        return None


class _Objects:
    """The objects that tell what became of one path, each read once."""

    def __init__(self, objects: ObjectReader, path: str, stop: Cancellation) -> None:
        self._objects = objects
        self._stop = stop
        self._folder, _, self._name = path.rpartition("/")
        self._read: dict[str, StoredObject | None] = {}

    def tree(self, commit: str) -> str:
        """How git calls the path's folder in `commit`."""
        return f"{commit}:{self._folder}"

    def read(self, *names: str) -> list[StoredObject | None]:
        """Those objects, of which all that are not known yet are read together."""
        missing = [name for name in names if name not in self._read]
        if missing:
            asked = [name.encode("utf-8", "surrogateescape") for name in missing]
            self._read.update(zip(missing, self._objects.stored(asked, self._stop), strict=True))
        return [self._read[name] for name in names]

    def parents(self, commit: str) -> Sequence[str]:
        """The parents of a commit; none of what is no commit."""
        (found,) = self.read(commit)
        return CommitText.of(found.content).parents if found and found.kind == "commit" else ()

    def entry(self, commit: str) -> _Entry | None:
        """What the path is in a commit: see git-mktree(1) for what stands in a tree."""
        (found,) = self.read(self.tree(commit))
        if found is None or found.kind != "tree":
            return None
        width = len(found.identity) // 2
        name = re.escape(self._name.encode("utf-8", "surrogateescape"))
        told = re.match(
            rb"(?:[0-7]+ [^\0]+\0.{%d})*?([0-7]+) %b\0(.{%d})" % (width, name, width),
            found.content,
            re.DOTALL,
        )
        return _Entry(told[1], told[2].hex()) if told is not None else None


def _compared(objects: _Objects, found: Sequence[tuple[str, _Entry, _Entry]]) -> list[Edit] | None:
    objects.read(*{entry.identity for _, *entries in found for entry in entries})
    edits: list[Edit] = []
    for commit, before, behind in reversed(found):
        old, new = objects.read(before.identity, behind.identity)
        told = changes(old.content, new.content) if old is not None and new is not None else None
        if told is None:
            return None
        edits.append(Edit(commit, told))
    return edits


def blame_behind(edit: Edit, known: FileBlame, path: str) -> Iterator[BlameEntry]:
    """The blame once `edit` has been made, in order, given what is known of that before it."""
    made = iter(edit.changes)
    for old_first, new_first, length in unchanged(edit.changes, _NO_END):
        for entry in known.between(old_first, old_first + length):
            yield entry.moved(new_first - old_first)
        change = next(made, None)
        if change is not None and change.new_end > change.new_first:
            count = change.new_end - change.new_first
            yield BlameEntry(edit.commit, change.new_first, count, change.new_first, path)


def _is_same(one: _Entry | None, other: _Entry) -> bool:
    return one is not None and one.is_file and one.identity == other.identity
