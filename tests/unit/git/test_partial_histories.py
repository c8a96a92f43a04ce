"""Clones that lack a part of the history, and files kept elsewhere: said, never fetched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import BlameOptions, GitClient, LfsPointerError
from tests.unit.git.repositories import RepositoryBuilder

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n"
)

OpenClient = Callable[[Path], GitClient]


def shallow_clone(repository: RepositoryBuilder, target: Path, depth: int) -> None:
    url = repository.root.as_uri()
    repository.git("clone", "-q", f"--depth={depth}", url, str(target))


def test_a_shallow_clone_says_where_its_history_ends(
    repository: RepositoryBuilder, tmp_path: Path, open_client: OpenClient
):
    first = repository.commit_file("a.txt", "one\n")
    second = repository.commit_file("a.txt", "one\ntwo\n")
    third = repository.commit_file("a.txt", "one\ntwo\nthree\n")
    shallow_clone(repository, tmp_path / "clone", 2)
    client = open_client(tmp_path / "clone")
    blame = client.blame_range("a.txt", 0, 2)
    assert [hunk.commit for hunk in blame.hunks] == [second, third]
    assert blame.cut_off == {second}, "line one may be older"
    repository.git("-C", str(tmp_path / "clone"), "fetch", "-q", "--unshallow")
    blame = client.blame_range("a.txt", 0, 2)
    assert [hunk.commit for hunk in blame.hunks] == [first, second, third]
    assert blame.cut_off == frozenset()


def test_a_whole_history_is_cut_off_nowhere(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "one\n")
    assert client.blame_range("a.txt", 0, 0).cut_off == frozenset()


def test_replaced_commits_are_seen(repository: RepositoryBuilder, client: GitClient):
    """`git replace` makes another history from the same commit on."""
    repository.commit_file("a.txt", "one\n")
    second = repository.commit_file("a.txt", "one\ntwo\n")
    third = repository.commit_file("a.txt", "one\ntwo\nthree\n")
    assert client.blame_range("a.txt", 1, 1).hunks[0].commit == second
    repository.git("replace", "--graft", third)
    expected = repository.porcelain_blame("HEAD", "--", "a.txt")[1][0]
    assert client.blame_range("a.txt", 1, 1).hunks[0].commit == expected == third


def test_a_pointer_of_git_lfs_is_named_as_such(repository: RepositoryBuilder, client: GitClient):
    commit = repository.commit_file("model.bin", POINTER)
    assert client.blame_range("model.bin", 0, 2).hunks[0].commit == commit, "it is what is shown"
    repository.write("model.bin", "the real content\nof two lines\n")
    with pytest.raises(LfsPointerError, match="Git LFS"):
        client.blame_range("model.bin", 0, 1)
    repository.commit_file("about.txt", "Our pointers say:\n" + POINTER)
    repository.write("about.txt", "other\n")
    assert client.blame_range("about.txt", 0, 0).hunks[0].commit is None


def test_copies_from_other_files(repository: RepositoryBuilder, client: GitClient):
    block = "".join(f"a long line of the block, number {number}\n" for number in range(10))
    first = repository.commit_file("a.txt", block)
    repository.write("a.txt", "now it is elsewhere\n")
    moved = repository.commit_file("b.txt", block)
    assert client.blame_range("b.txt", 0, 9).hunks[0].commit == moved
    hunks = client.blame_range("b.txt", 0, 9, options=BlameOptions(detect_copies=True)).hunks
    assert (hunks[0].commit, hunks[0].original_path) == (first, "a.txt")
