import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient, NotARepositoryError, UntrustedRepositoryError
from tests.unit.git.repositories import RepositoryBuilder

Open = Callable[[Path], GitClient]


def test_the_work_tree_around_a_folder_or_file_is_found(
    repository: RepositoryBuilder, open_client: Open
):
    place = repository.write("src/deep/a.txt", "one\n")
    for start in (repository.root, place.parent, place, place.parent / "not yet there.txt"):
        client = open_client(start)
        assert client.root == repository.root
        assert client.git_dir == client.common_dir == repository.root / ".git"


def test_places_without_a_work_tree(repository: RepositoryBuilder, open_client: Open):
    repository.commit()
    bare = repository.root.parent / "bare.git"
    repository.git("clone", "-q", "--bare", ".", str(bare))
    broken = repository.root.parent / "broken"
    broken.mkdir()
    (broken / ".git").write_text("gitdir: nowhere\n")
    for place in (
        repository.root.parent,
        repository.root.parent / "missing" / "folder",
        repository.root / ".git",
        repository.root / ".git" / "refs",
        bare,
        broken,
    ):
        with pytest.raises(NotARepositoryError) as caught:
            open_client(place)
        assert str(repository.root.parent) not in str(caught.value)


def test_head_is_read_wherever_git_keeps_it(repository: RepositoryBuilder, client: GitClient):
    assert client.head() is None
    first = repository.commit()
    assert client.head() == first
    repository.git("pack-refs", "--all")
    assert client.head() == first
    second = repository.commit()
    assert client.head() == second
    repository.git("pack-refs", "--all")
    assert client.head() == second
    repository.git("checkout", "-q", "--detach", first)
    assert client.head() == first
    repository.git("checkout", "-q", "-b", "feature/deep/er")
    assert client.head() == first
    repository.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    repository.git("symbolic-ref", "HEAD", "refs/heads/alias")
    assert client.head() == second
    repository.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    assert client.head() is None


def test_a_linked_work_tree_has_its_own_head(repository: RepositoryBuilder, open_client: Open):
    first = repository.commit_file("a.txt", "one\n")
    linked = repository.root.parent / "linked"
    repository.git("worktree", "add", "-q", "-b", "linked", str(linked))
    second = repository.commit_file("a.txt", "two\n")
    client = open_client(linked)
    assert (client.root, client.head()) == (linked, first)
    assert client.common_dir == repository.root / ".git"
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == first
    assert open_client(repository.root).head() == second


def test_a_submodule_is_a_repository_of_its_own(repository: RepositoryBuilder, open_client: Open):
    library = RepositoryBuilder(repository.root.parent / "library")
    identity = library.commit_file("lib.txt", "one\n")
    repository.git("submodule", "--quiet", "add", str(library.root), "vendor")
    repository.commit()
    client = open_client(repository.root / "vendor")
    assert client.root == repository.root / "vendor"
    assert client.blame_range("lib.txt", 0, 0).hunks[0].commit == identity
    assert client.list_files(client.root).paths == ("lib.txt",)


def test_a_shallow_clone_ends_at_its_boundary(repository: RepositoryBuilder, open_client: Open):
    for number in range(4):
        repository.commit_file("a.txt", "old\n" + f"{number}\n")
    shallow = repository.root.parent / "shallow"
    repository.git("clone", "-q", "--depth", "2", f"file://{repository.root}", str(shallow))
    client = open_client(shallow)
    boundary = repository.git("rev-parse", "HEAD~1").decode().strip()
    assert [hunk.commit for hunk in client.blame_range("a.txt", 0, 1).hunks] == [
        boundary,
        repository.head(),
    ]
    assert len(client.file_history("a.txt").entries) == 2
    with pytest.raises(NotARepositoryError):
        open_client(repository.root.parent)
    (shallow / ".git" / "config").open("a").write("[blame]\n\tignoreRevsFile = missing\n")
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == boundary


def test_a_repository_of_sha256_ids(tmp_path: Path, open_client: Open):
    repository = RepositoryBuilder(tmp_path / "repository")
    (tmp_path / "other").mkdir()
    repository.root = tmp_path / "other"
    repository.git("init", "-q", "-b", "main", "--object-format=sha256")
    identity = repository.commit_file("a.txt", "one\n")
    client = open_client(repository.root)
    assert len(identity) == 64
    assert client.blame_range("a.txt", 0, 0).commits[identity].summary == "Change"
    assert client.file_at_revision("a.txt", identity) == "one\n"
    repository.git("config", "blame.ignoreRevsFile", "missing")
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == identity


def test_our_own_environment_points_nowhere_else(
    repository: RepositoryBuilder, open_client: Open, monkeypatch: pytest.MonkeyPatch
):
    identity = repository.commit_file("a.txt", "one\n")
    other = RepositoryBuilder(repository.root.parent / "other")
    other.commit_file("b.txt", "two\n")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.root / ".git/objects"))
    client = open_client(repository.root)
    assert client.head() == identity
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == identity
    assert client.list_files(client.root).paths == ("a.txt",)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_needs_trust(
    repository: RepositoryBuilder, open_client: Open, tmp_path: Path
):
    identity = repository.commit_file("a.txt", "one\n")
    for place in (repository.root, repository.root / ".git"):
        os.chown(place, 12345, 12345)
    with pytest.raises(UntrustedRepositoryError, match=r"safe\.directory"):
        open_client(repository.root)
    (tmp_path / "user.gitconfig").write_text(f"[safe]\n\tdirectory = {repository.root}\n")
    assert open_client(repository.root).blame_range("a.txt", 0, 0).hunks[0].commit == identity
