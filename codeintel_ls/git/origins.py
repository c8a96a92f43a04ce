"""Where a file came from at the commit that added it, as `git log --follow` would say.

Invariant: git looks at one commit and one of its parents only, within the limits that it sets
itself (`diff.renameLimit`). See git-diff(1), "--follow", "--find-copies-harder".
"""

from collections.abc import Iterable

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame_cache import BoundedCache
from codeintel_ls.git.errors import GitFailedError
from codeintel_ls.git.file_changes import FileChange, file_change
from codeintel_ls.git.runner import GitRunner

KnownOrigins = BoundedCache[tuple[str, str, str], tuple[FileChange | None]]
"""What was found for a parent, a commit and a path."""


class Origins:
    """Asks for the sake of one page of a history, and remembers in `known` what was found.

    `uncertain` tells afterwards that contents were missing (a partial clone), so that only
    unchanged files were recognized.
    """

    def __init__(self, runner: GitRunner, known: KnownOrigins, cancellation: Cancellation) -> None:
        self._runner = runner
        self._known = known
        self._cancellation = cancellation
        self._ids: dict[tuple[tuple[str, ...], str], frozenset[str]] = {}
        self.uncertain = False

    def find(self, parent: str, commit: str, path: str) -> FileChange | None:
        """The rename or copy that made `path` of `commit`, which `parent` does not have."""
        known = self._known.get((parent, commit, path))
        if known is not None:
            return known[0]
        try:
            found = self._renamed(parent, commit, path, "-M")
        except GitFailedError:
            self.uncertain = True
            return self._renamed(parent, commit, path, "-M100%")
        self._known.put((parent, commit, path), (found,), 1)
        return found

    def _renamed(self, parent: str, commit: str, path: str, similarity: str) -> FileChange | None:
        counts = ("--numstat",) if similarity == "-M" else ()
        told = self._runner.output(
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            *counts,
            "--follow",
            similarity,
            "--no-ext-diff",
            "--no-textconv",
            parent,
            commit,
            "--",
            path,
            cancellation=self._cancellation,
        )
        change = file_change(told, path)
        return change if change is not None and change.previous_path is not None else None

    def commits_of(self, tips: Iterable[str], path: str) -> frozenset[str]:
        """The ids that `git log TIPS -- PATH` lists."""
        key = (tuple(tips), path)
        if key not in self._ids:
            ids = (
                self._runner.output(
                    "rev-list", *key[0], "--", path, cancellation=self._cancellation
                )
                if key[0]
                else b""
            )
            self._ids[key] = frozenset(ids.decode("ascii").split())
        return self._ids[key]
