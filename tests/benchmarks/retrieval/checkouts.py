"""Checkouts of the benchmark's repositories: found, and at the revision that was annotated?

A checkout of NAME is the folder NAME, with a `.git` of its own or with a file `NAME.revision`
beside it that holds the commit it was exported from. Nothing is fetched here.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.benchmarks.retrieval.reading import Repository


@frozen(kw_only=True)
class Checkout:
    """A repository's files; `remark` says what is not as pinned."""

    repository: Repository
    tree: Path
    remark: str = ""

    @property
    def indexed(self) -> Path:
        """The folder that is indexed."""
        return self.tree / self.repository.root


@frozen(kw_only=True)
class Found:
    """The checkouts that can be used, and why each other one cannot."""

    usable: Sequence[Checkout]
    left_out: Sequence[str]


def find_checkouts(
    repositories: Sequence[Repository], folder: Path, *, any_revision: bool = False
) -> Found:
    """Those in `folder`; another revision than the pinned one is left out unless it may be any."""
    usable: list[Checkout] = []
    left_out: list[str] = []
    for repository in repositories:
        name = repository.name
        checkout = Checkout(repository=repository, tree=folder / name)
        if not checkout.tree.is_dir():
            left_out.append(f"{name}: no checkout ({repository.url} at {repository.revision})")
            continue
        if not checkout.indexed.is_dir():
            left_out.append(f"{name}: its checkout has no folder {repository.root}")
            continue
        revision = revision_of(checkout.tree)
        if revision == repository.revision:
            usable.append(checkout)
            continue
        is_at = f"at {revision[:12]}" if revision else "at an unknown revision"
        remark = f"{name}: {is_at} instead of {repository.revision[:12]}"
        if any_revision:
            usable.append(Checkout(repository=repository, tree=checkout.tree, remark=remark))
        else:
            left_out.append(remark)
    return Found(usable=usable, left_out=left_out)


def revision_of(tree: Path) -> str | None:
    """The commit that a tree holds; None where nothing tells."""
    note = tree.with_name(f"{tree.name}.revision")
    if note.is_file():
        return note.read_text().strip() or None
    # Without its own, git would answer for a repository further up.
    if not (tree / ".git").exists():
        return None
    done = subprocess.run(
        ["git", "-C", str(tree), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None
