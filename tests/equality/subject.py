"""A work tree whose HEAD is moved about, with one client that lives through all of it."""

import os
import random
from collections.abc import Iterable
from pathlib import Path

from codeintel_ls.git import BlameOptions, GitClient, GitError
from tests.equality.answers import EVERYTHING, Answer, Tally, difference, told_by
from tests.equality.lines import editor_lines, git_lines, is_binary
from tests.equality.plain_git import PlainGit
from tests.equality.trusted import TrustedCopy

_SECONDS = 600.0


class Subject:
    """The work tree `root`, which belongs to the proof: it is written to, and never read twice.

    `incomplete` is whether objects are missing from it, so that a typed error is an answer too.
    """

    def __init__(
        self,
        root: Path,
        trusted_folder: Path,
        *,
        more_objects: Iterable[Path] = (),
        incomplete: bool = False,
    ) -> None:
        self.root = root
        self.incomplete = incomplete
        self.git = PlainGit(root)
        self.git.time = int(self.git.word("log", "-1", "--format=%ct")) + 60
        self.trusted = TrustedCopy(trusted_folder, self.git, more_objects)
        self.client = GitClient.discover(root, timeout=_SECONDS)
        self.client.use_commit_graph(trusted_folder.parent / "graph")
        self.client.keep_blames_in(trusted_folder.parent / "blames")
        if self.client.commit_graph is not None:
            self.client.commit_graph.refresh()
        known = self.git.run("rev-list", "--all", "HEAD").decode().split()
        self.revisions = known if not incomplete else [self.head]

    @property
    def head(self) -> str:
        """The id of HEAD's commit, as git says."""
        return self.git.word("rev-parse", "HEAD")

    def check_out(self, revision: str) -> None:
        """Detach HEAD at `revision`, whatever stands in the work tree."""
        self.git.run("checkout", "-q", "-f", "--detach", revision)

    def is_staged(self, path: str) -> bool:
        """Whether the index has `path`."""
        return bool(self.git.run("--literal-pathspecs", "ls-files", "-z", "--", path))

    def blamable(self, commit: str, path: str) -> bytes | None:
        """The bytes of `path` in `commit`, if that is a file of text that is checked out."""
        content = self.trusted.content(commit, path)
        if content is None or is_binary(content) or not os.path.lexists(self.root / path):
            return None
        return content

    def cleaned(self, path: str) -> bytes | None:
        """What `git add` would store of the file on the disk; None if there is none."""
        place = self.root / path
        if place.is_symlink():
            return os.fsencode(place.readlink())
        if not place.is_file():
            return None
        stored = self.git.word("hash-object", "-w", f"--path={path}", str(place))
        return self.git.run("cat-file", "blob", stored)

    def draw_path(self, chance: random.Random, commit: str, known: list[str]) -> str:
        """A file of `commit`: half of the time one that was asked before, if it is there."""
        paths = self.trusted.paths(commit)
        common = sorted(set(known) & set(paths))
        return chance.choice(common if common and chance.random() < 0.5 else paths)

    def lately_changed(self, commit: str) -> list[str]:
        """Files of `commit` that it or one of the commits before it has changed."""
        asked = ("log", "--max-count=8", "-m", "--name-only", "-z", "--format=", commit)
        changed = set(map(os.fsdecode, self.git.run(*asked).split(b"\0")))
        return sorted(changed & set(self.trusted.paths(commit)))

    def compare(
        self,
        tally: Tally,
        what: str,
        expected: Answer,
        path: str,
        first_line: int = 0,
        last_line: int = EVERYTHING,
        *,
        text: str | None = None,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
    ) -> Answer | None:
        """Ask our client and count; `what` is the question in words. Our answer if it differs."""
        tally.compared += 1
        tally.lines += len(expected.lines)
        told = None
        try:
            told = told_by(self.client, path, first_line, last_line, text=text, options=options)
            found = difference(expected, told, first_line)
        except GitError as error:
            if self.incomplete:
                tally.refused += 1
                return None
            found = f"{type(error).__name__}: {error}"
        # A crash is a difference like any other, and the rest is still wanted.
        except Exception as error:  # noqa: BLE001
            found = f"{type(error).__name__}: {error}"
        if found is not None:
            again = self._asked_afresh(expected, path, first_line, last_line, text, options)
            tally.differences.append(f"{what}: {found}; {again}")
        return told if found is not None else None

    def refuses(self, tally: Tally, what: str, path: str) -> None:
        """Count that our client has no answer for a file that git does not know."""
        tally.compared += 1
        try:
            told = told_by(self.client, path)
        except GitError:
            tally.refused += 1
        else:
            tally.differences.append(f"{what}: git knows no such file, we say {told}")

    def close(self) -> None:
        """End the client."""
        self.client.close()

    def _asked_afresh(
        self,
        expected: Answer,
        path: str,
        first_line: int,
        last_line: int,
        text: str | None,
        options: BlameOptions,
    ) -> str:
        """Whether a client that knows nothing yet says what git says."""
        client = GitClient.discover(self.root, timeout=_SECONDS)
        try:
            told = told_by(client, path, first_line, last_line, text=text, options=options)
            wrong = difference(expected, told, first_line) is not None
        # See above: here it is only to be told from a wrong cache.
        except Exception:  # noqa: BLE001
            wrong = True
        finally:
            client.close()
        return "a fresh client is wrong too" if wrong else "a fresh client is right"


def for_editor(answer: Answer, content: bytes) -> Answer:
    """A blame of git's lines as one of an editor's, for whom a lone CR ends a line too."""
    lines = git_lines(content)
    repeated = [
        line
        for line, shown in zip(answer.lines, lines, strict=True)
        for _ in range(editor_lines(shown))
    ]
    return Answer(repeated, answer.authors)


def scratch_of(source: Path, folder: Path) -> Subject:
    """A clone of `source` in `folder` that borrows its objects and is free to be moved about."""
    folder.mkdir(parents=True)
    git = PlainGit(folder)
    git.run("clone", "-q", "--shared", "--no-hardlinks", os.fspath(source.absolute()), "work")
    return Subject(folder / "work", folder / "trusted")
