"""What is known of a file's blame at one commit, carried over to a later one.

`git blame OLD..NEW` looks at the commits in between only: whatever it leaves at OLD is as OLD's
blame has it. Invariant: only what is proven equal to a full blame is carried; the rest stays
unknown, to be blamed anew.

The proofs. A file that no commit on the chain of first parents from NEW down to OLD touched is
passed on whole to the first parent each time (pass_blame in git's blame.c tries the parents in
order, and takes the first that has the same blob), so its blame is OLD's. Of a file that was
touched, lines whose commit is in between are final; lines left at OLD itself, under the same path,
come from where OLD's blame says, since without -M and -C each line goes its own way. Lines left at
any other commit prove nothing.

Where git would go from NEW down to OLD one commit at a time, with the whole of the file, it need
not be asked: each commit's own changes are read from the two versions (see `lineage`).

Revisions to ignore change that only where one of them is in between: at any other commit git does
with a list what it does without (it asks the list when a commit is about to be blamed, see
blame_origin and pass_blame), so a line comes to OLD by the same way, and OLD's blame, which was
made with the same lists, knows the rest.
"""

import secrets
from collections.abc import Iterable, Iterator, Set
from typing import Final

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame import BlameEntry, BlameStream, FileBlame, blame_arguments
from codeintel_ls.git.blame_cache import BoundedCache
from codeintel_ls.git.blame_rules import BlameRules
from codeintel_ls.git.errors import GitFailedError
from codeintel_ls.git.lineage import Edit, Lineage, Step, blame_behind
from codeintel_ls.git.objects import ObjectReader
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.values import BlameOptions

_MOST_STEPS: Final = 2_000
_REMEMBERED: Final = 64


@frozen
class _Between:
    """The way from one commit to a later one.

    `is_chain`: the older is reached by first parents alone, and `touched` are the paths that any
    step on this way changed. `is_ancestor`: it is reached at all.
    """

    is_ancestor: bool
    is_chain: bool
    touched: frozenset[str]


class Carrier:
    """Carries blames between the commits of one repository. Thread-safe."""

    def __init__(self, runner: GitRunner, objects: ObjectReader) -> None:
        self._runner = runner
        self._lineage = Lineage(objects)
        self._between = BoundedCache[tuple[str, str], _Between](_REMEMBERED)
        self._listed = BoundedCache[tuple[str, str], frozenset[str]](_REMEMBERED)
        self._ignored = BoundedCache[frozenset[str], frozenset[str]](_REMEMBERED)

    def carry(
        self,
        known: FileBlame,
        path: str,
        step: Step,
        options: BlameOptions,
        rules: BlameRules,
        stream: BlameStream,
        cancellation: Cancellation,
    ) -> FileBlame:
        """What is proven of the blame of `path` behind the step, given what is known before it.

        People of new commits are told by `stream`, if git is asked.
        """
        old, new, ignored = step.old, step.new, rules.ignored
        is_same = step.old_blob == step.new_blob
        by_line = rules.configuration_usable and not (options.detect_moves or options.detect_copies)
        compared = by_line and not options.ignore_whitespace
        if rules.plain and (is_same or compared):

            def is_ignored(commit: str) -> bool:
                return bool(ignored) and commit in self._ignored_commits(ignored, cancellation)

            edits = self._lineage.edits(path, step, is_ignored, cancellation)
            if edits is not None and (compared or not edits):
                return _behind(edits, known, path)
        if is_same:
            between = self._way(old, new, cancellation)
            if between.is_chain and path not in between.touched:
                return known
            by_line = by_line and between.is_ancestor
        if not by_line or (ignored and self._holds_one(old, new, ignored, cancellation)):
            return FileBlame()
        arguments = blame_arguments(f"{old}..{new}", path, options, ())
        with self._runner.stream(*arguments, cancellation=cancellation) as chunks:
            entries = list(stream.entries(chunks))
        return FileBlame.of(_proven(entries, known, path, old, stream.boundaries))

    def _holds_one(self, old: str, new: str, ignored: Set[str], cancellation: Cancellation) -> bool:
        """Whether one of the revisions to ignore is, or may be, among the commits in between."""
        commits = self._ignored_commits(ignored, cancellation)
        between = self._listed.get((old, new))
        if between is None:
            range_ = (f"--max-count={_MOST_STEPS + 1}", f"{old}..{new}", "--")
            between = _ids(self._runner.output("rev-list", *range_, cancellation=cancellation))
            self._listed.put((old, new), between, 1)
        return len(between) > _MOST_STEPS or not commits.isdisjoint(between)

    def _ignored_commits(self, ids: Set[str], cancellation: Cancellation) -> frozenset[str]:
        """The commits that git takes the ids of a list for: those of tags are peeled."""
        key = frozenset(ids)
        commits = self._ignored.get(key)
        if commits is None:
            asked = ("rev-list", "--no-walk=unsorted", "--ignore-missing", "--stdin")
            given = "".join(f"{identity}\n" for identity in sorted(ids)).encode("ascii")
            told = self._runner.output(*asked, given=given, cancellation=cancellation)
            commits = _ids(told) | key
            self._ignored.put(key, commits, 1)
        return commits

    def _way(self, old: str, new: str, cancellation: Cancellation) -> _Between:
        found = self._between.get((old, new))
        if found is None:
            found = self._find_way(old, new, cancellation)
            self._between.put((old, new), found, 1)
        return found

    def _find_way(self, old: str, new: str, cancellation: Cancellation) -> _Between:
        try:
            chain = self._chain(old, new, cancellation)
            if chain is not None:
                return _Between(is_ancestor=True, is_chain=True, touched=chain)
            self._runner.output("merge-base", "--is-ancestor", old, new, cancellation=cancellation)
        except GitFailedError:
            # It is none, or it is gone from the repository.
            return _Between(is_ancestor=False, is_chain=False, touched=frozenset())
        return _Between(is_ancestor=True, is_chain=False, touched=frozenset())

    def _chain(self, old: str, new: str, cancellation: Cancellation) -> frozenset[str] | None:
        """Paths touched on the way down the first parents; None if it does not lead to `old`."""
        mark = secrets.token_hex(12)
        told = self._runner.output(
            "log",
            "-z",
            "--first-parent",
            "-m",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=none",
            f"--max-count={_MOST_STEPS}",
            f"--format=%x00{mark} %P",
            f"{old}..{new}",
            "--",
            cancellation=cancellation,
        )
        last_parent = b""
        touched: set[str] = set()
        begins = False
        for token in told.split(b"\0"):
            if token.startswith(mark.encode("ascii")):
                last_parent = (token.split(b" ")[1:] or [b""])[0]
                begins = True
                continue
            # A line end parts a commit from its first path; any other is part of a path.
            name = token.removeprefix(b"\n") if begins else token
            begins = begins and not name
            if name:
                touched.add(name.decode("utf-8", "surrogateescape"))
        return frozenset(touched) if last_parent == old.encode("ascii") else None


def _ids(listed: bytes) -> frozenset[str]:
    return frozenset(listed.decode("ascii").split())


def _behind(edits: Iterable[Edit], known: FileBlame, path: str) -> FileBlame:
    for edit in edits:
        known = FileBlame.of(blame_behind(edit, known, path))
    return known


def _proven(
    entries: Iterable[BlameEntry], known: FileBlame, path: str, old: str, boundaries: set[str]
) -> Iterator[BlameEntry]:
    for entry in entries:
        if entry.commit not in boundaries:
            yield entry
        elif entry.commit == old and entry.original_path == path:
            end = entry.original_line + entry.count
            for part in known.between(entry.original_line, end):
                yield part.moved(entry.first_line - entry.original_line)
