import pytest

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import (
    BadRevisionError,
    ChangeStatus,
    GitClient,
    HistoryEntry,
    PathNotTrackedError,
)
from tests.unit.git.repositories import RepositoryBuilder, grow

TEN = [f"line number {number}\n" for number in range(10)]


def all_pages(client: GitClient, path: str, limit: int, follow: bool) -> list[HistoryEntry]:
    entries: list[HistoryEntry] = []
    cursor = None
    while True:
        page = client.file_history(path, limit=limit, cursor=cursor, follow=follow)
        entries += page.entries
        assert len(page.entries) == limit or page.next_cursor is None
        cursor = page.next_cursor
        if cursor is None:
            return entries


def git_log(repository: RepositoryBuilder, *arguments: str) -> list[str]:
    return repository.git("log", "--format=%H", *arguments).decode().split()


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
@pytest.mark.parametrize("follow", [True, False])
def test_pages_join_to_what_git_lists(
    repository: RepositoryBuilder, client: GitClient, limit: int, follow: bool
):
    grow(repository, 1, steps=14)
    entries = all_pages(client, "file.txt", limit, follow)
    flags = ("--follow",) if follow else ()
    assert [entry.commit.id for entry in entries] == git_log(repository, *flags, "--", "file.txt")
    assert ({entry.path for entry in entries} == {"file.txt", "old.txt"}) == follow


def test_each_entry_tells_what_its_commit_did(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "".join(TEN))
    repository.commit_file("a.txt", "".join(TEN[2:]) + "more\n")
    repository.git("mv", "a.txt", "b.txt")
    repository.commit()
    (repository.root / "b.txt").unlink()
    repository.commit()
    repository.commit_file("b.txt", b"bin\0ary")
    told = [
        (entry.status, entry.path, entry.previous_path, entry.additions, entry.deletions)
        for entry in client.file_history("b.txt").entries
    ]
    assert told == [
        (ChangeStatus.ADDED, "b.txt", None, None, None),
        (ChangeStatus.DELETED, "b.txt", None, 0, 9),
        (ChangeStatus.RENAMED, "b.txt", "a.txt", 0, 0),
        (ChangeStatus.MODIFIED, "a.txt", None, 1, 2),
        (ChangeStatus.ADDED, "a.txt", None, 10, 0),
    ]


def test_a_deleted_file_keeps_its_history(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "one\n")
    (repository.root / "a.txt").unlink()
    repository.commit()
    statuses = [entry.status for entry in client.file_history("a.txt").entries]
    assert statuses == [ChangeStatus.DELETED, ChangeStatus.ADDED]


def test_a_merge_that_changed_the_file_itself(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "".join(TEN))
    repository.git("checkout", "-q", "-b", "side")
    repository.commit_file("a.txt", "side\n" + "".join(TEN[1:]))
    repository.git("checkout", "-q", "main")
    repository.commit_file("a.txt", "".join(TEN[:-1]) + "main\n")
    repository.git("merge", "-q", "--no-commit", "side")
    merge = repository.commit_file("a.txt", "side\n" + "".join(TEN[1:5]) + "merged\nmain\n")
    entries = client.file_history("a.txt", follow=False).entries
    assert [entry.commit.id for entry in entries] == git_log(repository, "--", "a.txt")
    assert (entries[0].commit.id, entries[0].status) == (merge, ChangeStatus.MODIFIED)
    assert len(entries[0].commit.parents) == 2
    assert entries[0].additions is not None


def test_messages_that_look_like_the_format(repository: RepositoryBuilder, client: GitClient):
    message = "Evil\n\n:100644 100644 a b M\n1\t2\ta.txt\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n-x"
    repository.commit_file("a.txt", "one\n", message)
    for lines in (None, (0, 0)):
        (entry,) = client.file_history("a.txt", lines=lines).entries
        assert entry.commit.message == message
        assert (entry.status, entry.additions, entry.deletions) == (ChangeStatus.ADDED, 1, 0)


def test_the_history_of_lines_goes_through_the_buffer(
    repository: RepositoryBuilder, client: GitClient
):
    first = repository.commit_file("a.txt", "".join(TEN))
    repository.commit_file("a.txt", "".join([*TEN[:9], "last\n"]))
    third = repository.commit_file("a.txt", "".join(["top\n", *TEN[:3], "3a\n3b\n", *TEN[4:9]]))
    buffer = "typed\ntyped\n" + (repository.root / "a.txt").read_text()
    entries = client.file_history("a.txt", lines=(5, 7), text=buffer).entries
    told = [(entry.commit.id, entry.additions, entry.deletions) for entry in entries]
    assert told == [(third, 2, 1), (first, 2, 0)]
    assert [entry.status for entry in entries] == [ChangeStatus.MODIFIED, ChangeStatus.ADDED]
    assert client.file_history("a.txt", lines=(0, 1), text=buffer).entries == ()


def test_the_history_of_lines_follows_renames_over_pages(
    repository: RepositoryBuilder, client: GitClient
):
    for number in range(3):
        repository.commit_file("old.txt", f"version {number}\n" + "".join(TEN))
    repository.git("mv", "old.txt", "new.txt")
    repository.commit_file("new.txt", "version 3\n" + "".join(TEN))
    repository.commit_file("new.txt", "version 4\n" + "".join(TEN))
    told: list[tuple[str, str, str | None]] = []
    cursor = None
    for _ in range(3):
        page = client.file_history("new.txt", lines=(0, 0), limit=2, cursor=cursor)
        told += [(entry.status.value, entry.path, entry.previous_path) for entry in page.entries]
        cursor = page.next_cursor
    assert cursor is None
    assert told == [
        ("M", "new.txt", None),
        ("R", "new.txt", "old.txt"),
        ("M", "old.txt", None),
        ("M", "old.txt", None),
        ("A", "old.txt", None),
    ]


def test_new_commits_do_not_shift_the_pages(repository: RepositoryBuilder, client: GitClient):
    ids = [repository.commit_file("a.txt", f"{number}\n") for number in range(4)]
    page = client.file_history("a.txt", limit=2)
    repository.commit_file("a.txt", "new\n")
    rest = client.file_history("a.txt", limit=9, cursor=page.next_cursor)
    assert [entry.commit.id for entry in (*page.entries, *rest.entries)] == ids[::-1]


def test_cursors_that_were_not_given_for_the_question(
    repository: RepositoryBuilder, client: GitClient
):
    for number in range(3):
        repository.write("b.txt", f"{number}\n")
        repository.commit_file("a.txt", f"{number}\n")
    cursor = client.file_history("a.txt", limit=1).next_cursor
    assert cursor is not None
    forged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for wrong in ("", "!", "ü", "AAAA", forged, cursor[:-4], cursor + "AAAA"):
        with pytest.raises(InvalidRequestError, match="cursor"):
            client.file_history("a.txt", cursor=wrong)
    with pytest.raises(InvalidRequestError):
        client.file_history("b.txt", cursor=cursor)
    with pytest.raises(InvalidRequestError):
        client.file_history("a.txt", cursor=cursor, follow=False)
    with pytest.raises(InvalidRequestError):
        client.file_history("a.txt", cursor=cursor, lines=(0, 0))


def test_limits(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "one\n")
    assert client.file_history("a.txt", limit=0).entries == ()
    assert len(client.file_history("a.txt", limit=10**9).entries) == 1
    with pytest.raises(InvalidRequestError):
        client.file_history("a.txt", limit=-1)


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
