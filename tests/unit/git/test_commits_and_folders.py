"""History of folders, and what commits hold and did: texts, diffs, themselves."""

import pytest

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import BadRevisionError, ChangeStatus, GitClient, PathNotTrackedError
from tests.unit.git.repositories import RepositoryBuilder, grow
from tests.unit.git.test_history import TEN, git_log


def test_a_file_at_a_revision(repository: RepositoryBuilder, client: GitClient):
    first = repository.commit_file("a.txt", "öne\r\n")
    repository.git("tag", "-a", "v1", "-m", "annotated")
    repository.git("mv", "a.txt", "b.txt")
    second = repository.commit()
    for revision in (first, first[:12], "v1", "HEAD~1", "main^", "v1^{commit}"):
        assert client.file_at_revision("a.txt", revision) == "öne\r\n"
    with pytest.raises(PathNotTrackedError, match=second[:10]):
        client.file_at_revision("a.txt", second)


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "-",
        "--help",
        "--output=/tmp/x",
        "nope",
        "1" * 40,
        "HEAD:a.txt",
        "a\nb",
        "\0",
        "x" * 9999,
    ],
)
def test_revisions_that_name_no_commit(
    repository: RepositoryBuilder, client: GitClient, revision: str
):
    repository.commit_file("a.txt", "one\n")
    with pytest.raises(BadRevisionError):
        client.file_at_revision("a.txt", revision)
    with pytest.raises(BadRevisionError):
        client.commits([revision])


def test_commits_by_id(repository: RepositoryBuilder, client: GitClient):
    ids = [repository.commit(f"Message {number}") for number in range(3)]
    found = client.commits([*ids[::-1], ids[0]])
    assert list(found) == ids[::-1]
    assert [commit.summary for commit in found.values()] == ["Message 2", "Message 1", "Message 0"]
    assert client.commits([]) == {}


def test_the_history_of_a_folder(repository: RepositoryBuilder, client: GitClient):
    for number in range(3):
        repository.write("src/a.txt", f"{number}\n" * (number + 1))
        repository.write("src/deep/b.txt", f"{number}\n")
        repository.commit_file("top.txt", f"{number}\n", f"Both {number}")
        repository.commit_file("top.txt", f"again {number}\n")
    repository.git("mv", "src/a.txt", "src/c.txt")
    moved = repository.commit()
    page = client.folder_history("src", limit=2)
    assert page.entries[0].commit.id == moved
    rest = client.folder_history("src", limit=9, cursor=page.next_cursor)
    assert rest.next_cursor is None
    entries = [*page.entries, *rest.entries]
    assert [one.commit.id for one in entries] == git_log(repository, "--", "src")
    assert [(one.additions, one.deletions) for one in entries] == [(0, 0), (4, 3), (3, 2), (2, 0)]
    assert {(one.path, one.status) for one in entries} == {("src", ChangeStatus.MODIFIED)}
    with pytest.raises(InvalidRequestError):
        client.folder_history("src/deep", cursor=page.next_cursor)


def test_the_history_of_the_repository_has_every_commit(
    repository: RepositoryBuilder, client: GitClient
):
    grow(repository, 2, steps=9)
    repository.commit("Empty")
    page = client.folder_history(".", limit=1000)
    assert [entry.commit.id for entry in page.entries] == git_log(repository)
    assert (page.entries[0].additions, page.entries[0].path) == (0, ".")
    merges = [entry for entry in page.entries if len(entry.commit.parents) > 1]
    assert merges
    assert {entry.additions for entry in merges} == {None}


def test_what_is_a_folder(repository: RepositoryBuilder, client: GitClient):
    repository.write("here/a.txt", "one\n")
    repository.write("gone/b.txt", "two\n")
    repository.commit_file("file.txt", "three\n")
    repository.git("rm", "-q", "-r", "gone", "file.txt")
    repository.commit()
    asked = (".", "here", "gone", "here/a.txt", "file.txt", "never")
    assert [client.is_folder(path) for path in asked] == [True, True, True, False, False, False]
    assert len(client.folder_history("gone").entries) == 2


def test_the_diff_of_a_commit_for_a_file(repository: RepositoryBuilder, client: GitClient):
    root = repository.commit_file("a.txt", "öne\ntwo\n" + "".join(TEN))
    repository.write("logo.png", b"\x89PNG\0")
    second = repository.commit_file("a.txt", "öne\nthree\n" + "".join(TEN))
    repository.git("mv", "a.txt", "b.txt")
    third = repository.commit()
    repository.git("rm", "-q", "b.txt")
    repository.commit()
    added = client.file_diff("a.txt", root)
    assert added.startswith("diff --git a/a.txt b/a.txt\nnew file mode 100644\n")
    assert "\n+öne\n+two\n" in added
    assert "\n-two\n+three\n" in client.file_diff("a.txt", second[:12])
    assert "rename from a.txt\nrename to b.txt\n" in client.file_diff("b.txt", third)
    assert "\n-three\n" in client.file_diff("b.txt", "HEAD")
    assert "Binary files /dev/null and b/logo.png differ\n" in client.file_diff("logo.png", second)
    assert client.file_diff("logo.png", third) == ""
    with pytest.raises(PathNotTrackedError):
        client.file_diff("never.txt", third)
    with pytest.raises(BadRevisionError):
        client.file_diff("a.txt", "--output=x")


def test_the_diff_of_a_merge_is_against_its_first_parent(
    repository: RepositoryBuilder, client: GitClient
):
    repository.commit_file("a.txt", "".join(TEN))
    repository.git("checkout", "-q", "-b", "side")
    repository.commit_file("a.txt", "side\n" + "".join(TEN[1:]))
    repository.git("checkout", "-q", "main")
    repository.commit_file("a.txt", "".join(TEN[:-1]) + "main\n")
    repository.git("merge", "-q", "--no-edit", "side")
    diff = client.file_diff("a.txt", "HEAD")
    assert "\n+side\n" in diff
    assert "main" not in diff.replace(" main", "")
