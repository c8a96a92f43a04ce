"""The files of a folder as git sees them: tracked or not, never ignored.

Invariant: one process, no look at the files themselves; nothing is refreshed or written.
See git-ls-files(1).
"""

import os
from pathlib import Path

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.values import FileListing

_SUBMODULE_MODE = b"160000"


def list_files(
    runner: GitRunner, folder: Path, cancellation: Cancellation | None = None
) -> FileListing:
    """What `folder` holds, sorted as git does; files outside a sparse checkout are left out."""
    listed = runner.output(
        "ls-files",
        "-z",
        "-t",
        "--stage",
        "--cached",
        "--others",
        "--exclude-standard",
        folder=folder,
        cancellation=cancellation,
    )
    paths: dict[bytes, None] = {}
    repositories: dict[bytes, None] = {}
    for entry in listed.split(b"\0"):
        tag, _, rest = entry.partition(b" ")
        if tag == b"?":
            if rest.endswith(b"/"):
                repositories[rest[:-1]] = None
            else:
                paths[rest] = None
        elif tag and tag != b"S":
            mode, path = rest[:6], rest.partition(b"\t")[2]
            # A merge conflict lists a path up to three times: the dictionary keeps one.
            (repositories if mode == _SUBMODULE_MODE else paths)[path] = None
    return FileListing(
        paths=tuple(map(os.fsdecode, paths)),
        repositories=tuple(
            name for name in map(os.fsdecode, repositories) if (folder / name / ".git").exists()
        ),
    )
