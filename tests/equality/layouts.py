"""The same history in the forms in which a work tree can come."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.equality.plain_git import PlainGit
from tests.equality.subject import Subject

_DEPTH = 12


def plain(origin: Path, folder: Path) -> Subject:
    """The repository itself."""
    return Subject(origin, folder / "trusted")


def linked(origin: Path, folder: Path) -> Subject:
    """A work tree beside the first one."""
    PlainGit(origin).run("worktree", "add", "-q", "--detach", str(folder / "linked"))
    return Subject(folder / "linked", folder / "trusted")


def submodule(origin: Path, folder: Path) -> Subject:
    """A submodule, whose git directory is the outer repository's."""
    outer = folder / "outer"
    outer.mkdir()
    git = PlainGit(outer)
    git.run("init", "-q", "-b", "main")
    git.run("submodule", "--quiet", "add", os.fspath(origin), "inner")
    return Subject(outer / "inner", folder / "trusted")


def sparse(origin: Path, folder: Path) -> Subject:
    """A clone of which a part is checked out."""
    PlainGit(folder).run("clone", "-q", os.fspath(origin), "sparse")
    git = PlainGit(folder / "sparse")
    git.run("sparse-checkout", "set", "src", "sub")
    return Subject(folder / "sparse", folder / "trusted")


def shallow(origin: Path, folder: Path) -> Subject:
    """A clone whose history ends after some commits."""
    PlainGit(folder).run("clone", "-q", f"--depth={_DEPTH}", origin.as_uri(), "shallow")
    return Subject(folder / "shallow", folder / "trusted")


def partial(origin: Path, folder: Path) -> Subject:
    """A clone without the files of old commits; git itself is given those of the origin."""
    PlainGit(origin).run("config", "uploadpack.allowFilter", "true")
    PlainGit(folder).run("clone", "-q", "--filter=blob:none", origin.as_uri(), "partial")
    objects = [origin / ".git" / "objects"]
    return Subject(folder / "partial", folder / "trusted", more_objects=objects, incomplete=True)


LAYOUTS: Mapping[str, Callable[[Path, Path], Subject]] = {
    "plain": plain,
    "linked": linked,
    "submodule": submodule,
    "sparse": sparse,
    "shallow": shallow,
    "partial": partial,
}
"""Each makes a subject of the repository `origin` in the existing folder `folder`."""
