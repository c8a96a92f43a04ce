import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient, PathOutsideRepositoryError
from tests.unit.git.repositories import RepositoryBuilder


@pytest.fixture
def tree(repository: RepositoryBuilder) -> RepositoryBuilder:
    repository.write(".gitignore", "*.log\nbuild/\n")
    repository.write("src/.gitignore", "local.txt\n!keep.log\n")
    for path in ("src/a.py", "src/deep/b.py", "build/out.o", "x.log", "src/keep.log", "top.txt"):
        repository.write(path, "x\n")
    repository.commit()
    repository.write("src/untracked ü.txt", "x\n")
    repository.write("src/local.txt", "x\n")
    return repository


def test_tracked_and_untracked_files_are_listed_ignored_ones_not(
    tree: RepositoryBuilder, client: GitClient
):
    listing = client.list_files(client.root)
    assert sorted(listing.paths) == [
        ".gitignore",
        "src/.gitignore",
        "src/a.py",
        "src/deep/b.py",
        "src/keep.log",
        "src/untracked ü.txt",
        "top.txt",
    ]
    assert listing.repositories == ()


def test_a_folder_lists_relative_to_itself(tree: RepositoryBuilder, client: GitClient):
    listing = client.list_files(client.root / "src")
    assert sorted(listing.paths) == [
        ".gitignore",
        "a.py",
        "deep/b.py",
        "keep.log",
        "untracked ü.txt",
    ]
    with pytest.raises(PathOutsideRepositoryError):
        client.list_files(client.root.parent)


def test_odd_names_come_through(repository: RepositoryBuilder, client: GitClient):
    names = [b"new\nline", b'quo"te', b"-dash", b"100644 blob 0\tx", b"bytes \xff", b"? x"]
    for name in names:
        Path(os.fsdecode(os.fsencode(repository.root) + b"/" + name)).write_text("x\n")
    assert sorted(client.list_files(client.root).paths) == sorted(map(os.fsdecode, names))
    repository.commit()
    assert sorted(client.list_files(client.root).paths) == sorted(map(os.fsdecode, names))


def test_submodules_and_nested_repositories_list_their_own(
    repository: RepositoryBuilder, client: GitClient, tmp_path: Path
):
    library = RepositoryBuilder(tmp_path / "library")
    library.commit_file("lib.txt", "x\n")
    repository.git("submodule", "--quiet", "add", str(library.root), "vendor/lib")
    repository.git("submodule", "--quiet", "add", str(library.root), "vendor/absent")
    repository.commit()
    repository.git("submodule", "--quiet", "deinit", "-f", "vendor/absent")
    nested = RepositoryBuilder(repository.root / "nested")
    nested.commit_file("inner.txt", "x\n")
    listing = client.list_files(client.root)
    assert listing.paths == (".gitmodules",)
    assert sorted(listing.repositories) == ["nested", "vendor/lib"]


def test_a_conflict_lists_its_file_once(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "base\n")
    blob = repository.git("rev-parse", "HEAD:a.txt").decode().strip()
    stages = "".join(f"100644 {blob} {stage}\ta.txt\n" for stage in (1, 2, 3))
    repository.git("rm", "-q", "--cached", "a.txt")
    repository.git("update-index", "--index-info", given=stages.encode())
    assert client.list_files(client.root).paths == ("a.txt",)


def test_files_outside_a_sparse_checkout_are_left_out(
    tree: RepositoryBuilder, open_client: Callable[[Path], GitClient]
):
    tree.git("sparse-checkout", "set", "src/deep")
    paths = open_client(tree.root).list_files(tree.root).paths
    assert "src/deep/b.py" in paths
    assert "src/keep.log" not in [path for path in paths if not (tree.root / path).exists()]
    assert all((tree.root / path).exists() for path in paths)
