"""What can go wrong when git is asked, as errors that a person can act on.

Invariant: no message holds an absolute path, a traceback or source text; paths in messages are
relative to the repository's root.
"""

from codeintel_ls.errors import CodeIntelError, InvalidRequestError

_SHOWN_PATH = 200


def shown(path: str) -> str:
    """`path` as it may stand in a message: printable, in quotes, not endless."""
    printable = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if len(printable) > _SHOWN_PATH:
        printable = printable[:_SHOWN_PATH] + "…"
    return repr(printable)


class GitError(CodeIntelError):
    """The root of everything that the git room reports."""


class NotARepositoryError(GitError):
    """The folder is in no git work tree."""

    def __init__(self, why: str = "The folder is not inside a git work tree.") -> None:
        super().__init__(f"{why} Blame and history need one: run `git init` or open another.")


class UntrustedRepositoryError(GitError):
    """git refuses the repository because another user owns it (`safe.directory`)."""

    def __init__(self) -> None:
        super().__init__(
            "The repository belongs to another user, so git refuses to read it. If you trust it, "
            "run `git config --global --add safe.directory` with its folder."
        )


class NoCommitsYetError(GitError):
    """HEAD names a branch that has no commit."""

    def __init__(self) -> None:
        super().__init__("The repository has no commits yet. Commit something first.")


class PathNotTrackedError(GitError):
    """The path is no file of the commit (or index) that was asked."""

    def __init__(self, path: str, where: str = "") -> None:
        place = f" in {where}" if where else ""
        super().__init__(f"{shown(path)} is not a file tracked by git{place}.")


class PathOutsideRepositoryError(GitError):
    """The path lies outside the work tree."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{shown(name)} is outside the repository's work tree.")


class BadRevisionError(GitError):
    """The revision names no commit of this repository."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"{shown(revision)} names no commit of this repository. "
            "Give a commit id, a branch or a tag."
        )


class BinaryFileError(GitError):
    """The file has no lines of text."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{shown(path)} is a binary file: it has no lines to show.")


class LfsPointerError(GitError):
    """git holds a pointer in the place of the file's content."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{shown(path)} is kept in Git LFS: the repository knows of it only a pointer, so its "
            "lines have no history."
        )


class FileTooLargeError(GitError):
    """The file is larger than what is read into memory."""

    def __init__(self, path: str, size: int, limit: int) -> None:
        super().__init__(
            f"{shown(path)} has {size} bytes; files of more than {limit} bytes are not shown."
        )


class LineOutOfRangeError(InvalidRequestError, GitError):
    """A line was asked that the text does not have. Lines are told as people count them, from 1."""

    def __init__(self, path: str, first_line: int, last_line: int, count: int) -> None:
        super().__init__(
            f"{shown(path)} has {count} lines; lines {first_line + 1} to "
            f"{last_line + 1} are not all in it."
        )


class GitMissingError(GitError):
    """There is no git that can be used."""


class GitTimedOutError(GitError):
    """git was stopped because it took too long."""

    def __init__(self, command: str, seconds: float) -> None:
        super().__init__(f"git {command} was stopped after {seconds:g} seconds.")


class GitFailedError(GitError):
    """git ended with an error that has no type of its own; `detail` is what it said."""

    def __init__(self, command: str, detail: str) -> None:
        super().__init__(f"git {command} failed: {detail or 'it gave no reason'}")
        self.detail = detail
