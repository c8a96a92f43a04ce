"""What a commit did to one file, as a unified diff.

Invariant: git compares two trees, so no filter runs; textconv and external programs are off.
See git-diff-tree(1).
"""

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.errors import FileTooLargeError
from codeintel_ls.git.objects import LARGEST_FILE
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.text import decode

_FLAGS = (
    "-r",
    "-p",
    "-M",
    "--follow",
    "--root",
    "--no-commit-id",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--unified=3",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


def file_diff(
    runner: GitRunner, commit: str, path: str, cancellation: Cancellation | None = None
) -> str:
    """The change of `path` from the first parent of `commit`; all of it where there is none.

    A rename or copy is shown as one; of a binary file only that it is one. Empty where nothing was
    changed. Raises `FileTooLargeError` above `LARGEST_FILE`.
    """
    parents = runner.output(
        "rev-list", "--no-walk", "--parents", commit, cancellation=cancellation
    ).split()[1:2]
    trees = (*(parent.decode("ascii") for parent in parents), commit)
    content = bytearray()
    with runner.stream(
        "diff-tree", *_FLAGS, *trees, "--", path, cancellation=cancellation
    ) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > LARGEST_FILE:
                raise FileTooLargeError(path, len(content), LARGEST_FILE)
    return decode(bytes(content))
