"""git's own answers, taken in a repository of our own that borrows the objects of the scratch.

Invariant: nothing of the work tree takes part but its index (a staged rename is known there only),
its `.mailmap` and its list of ignored revisions, all handed over explicitly.
"""

import ast
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from codeintel_ls.git import BlameOptions
from tests.equality.answers import Answer, Author, Line
from tests.equality.plain_git import GitRefusedError, PlainGit

IGNORED_REVISIONS = ".git-blame-ignore-revs"


class TrustedCopy:
    """Blames any commit of the work tree `work`, whose objects it sees as they come."""

    def __init__(self, folder: Path, work: PlainGit, more_objects: Iterable[Path] = ()) -> None:
        self._work = work.folder
        self._index = Path(work.word("rev-parse", "--absolute-git-dir")) / "index"
        common = work.folder / work.word("rev-parse", "--git-common-dir")
        folder.mkdir(parents=True)
        self._git = PlainGit(folder)
        self._git.run("init", "-q", "-b", "main")
        self._git_dir = folder / ".git"
        places = [common / "objects", *more_objects]
        borrowed = "".join(f"{place.resolve()}\n" for place in places)
        (self._git_dir / "objects" / "info" / "alternates").write_text(borrowed)
        # Above every .gitattributes: what is blamed has been cleaned already.
        (self._git_dir / "info" / "attributes").write_text(
            "* -text -working-tree-encoding -ident -filter\n"
        )
        if (common / "shallow").exists():
            shutil.copy(common / "shallow", self._git_dir / "shallow")

    def blame(
        self,
        commit: str,
        path: str,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
        lines: range | None = None,
    ) -> Answer:
        """`git blame` of `lines` (0-based; all for None) of a file of `commit`."""
        chosen = (f"-L{lines.start + 1},{lines.stop}",) if lines is not None else ()
        return self._ask(options, chosen, commit, path, None)

    def blame_contents(
        self,
        head: str,
        path: str,
        content: bytes,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
    ) -> Answer:
        """`git blame --contents` of `content`, which may become `path` of the child of `head`."""
        self._git.run("update-ref", "--no-deref", "HEAD", head)
        return self._ask(options, ("--contents", "-"), None, path, content)

    def content(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file of `commit`; None if it is not there."""
        entry = self._git.run("--literal-pathspecs", "ls-tree", "-z", commit, "--", path)
        described = entry.partition(b"\t")[0].split()
        if len(described) != 3 or described[1] != b"blob":
            return None
        return self._git.run("cat-file", "blob", described[2].decode())

    def paths(self, commit: str) -> list[str]:
        """Files and links of `commit`."""
        listed = self._git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")
        entries = (entry.partition(b"\t") for entry in listed if entry)
        return [os.fsdecode(name) for kind, _, name in entries if kind.split()[1] == b"blob"]

    def _ask(
        self,
        options: BlameOptions,
        chosen: tuple[str, ...],
        commit: str | None,
        path: str,
        content: bytes | None,
    ) -> Answer:
        flags = ["-w"] * options.ignore_whitespace + ["-M"] * options.detect_moves
        flags += ["-C"] * options.detect_copies
        revision = (commit,) if commit is not None else ()
        index = self._git_dir / "index"
        if self._index.exists():
            shutil.copy(self._index, index)
        ignored = self._work / IGNORED_REVISIONS
        lists = (f"--ignore-revs-file={ignored}",) if ignored.is_file() else ()
        asked = ("blame", "--line-porcelain", *flags, *chosen)
        configured = ("-c", "core.commitGraph=false", "-c", f"mailmap.file={self._work}/.mailmap")
        configured += ("-c", "i18n.logOutputEncoding=UTF-8")
        try:
            told = self._git.run(*configured, *asked, *lists, *revision, "--", path, given=content)
        except GitRefusedError:
            # A malformed list is to be left out; anything else is refused again.
            told = self._git.run(*configured, *asked, *revision, "--", path, given=content)
        return _read(told, path)


def _read(told: bytes, path: str) -> Answer:
    """The output of `--line-porcelain`, see git-blame(1), "THE PORCELAIN FORMAT"."""
    lines: list[Line] = []
    authors: dict[str, Author] = {}
    fields: dict[bytes, bytes] = {}
    for row in told.split(b"\n"):
        if row.startswith(b"\t"):
            identity, original = fields[b""].split(b" ")[:2]
            commit = identity.decode()
            if set(commit) == {"0"}:
                lines.append(Line(None, -1, path))
            else:
                at = int(original) - 1
                lines.append(Line(commit, at, _unquoted(fields[b"filename"])))
                authors[commit] = _author(fields)
            fields = {}
        elif not fields:
            fields[b""] = row
        else:
            name, _, value = row.partition(b" ")
            fields[name] = value
    return Answer(lines, authors)


def _author(fields: dict[bytes, bytes]) -> Author:
    email = fields[b"author-mail"].removeprefix(b"<").removesuffix(b">")
    return Author(
        fields[b"author"].decode("utf-8", "replace"),
        email.decode("utf-8", "replace"),
        int(fields[b"author-time"]),
    )


def _unquoted(name: bytes) -> str:
    # git's escapes, all of them ASCII by core.quotePath, are those of Python's bytes.
    if name.startswith(b'"'):
        name = ast.literal_eval("b" + name.decode("ascii"))
    return os.fsdecode(name)
