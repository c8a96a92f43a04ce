import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import (
    ChangeStatus,
    GitClient,
    HistoryBoundary,
    HistoryEntry,
    ProcessSlots,
)
from tests.unit.git.generated_histories import all_pages
from tests.unit.git.repositories import RepositoryBuilder, grow

TEN = [f"line number {number}\n" for number in range(10)]


def git_log(repository: RepositoryBuilder, *arguments: str) -> list[str]:
    return repository.git("log", "--format=%H", *arguments).decode().split()


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
@pytest.mark.parametrize("follow", [True, False])
def test_pages_join_to_what_git_lists(
    repository: RepositoryBuilder, client: GitClient, limit: int, follow: bool
):
    grow(repository, 1, steps=14)
    entries = all_pages(client, "file.txt", limit, follow)
    # git looks at no merge while it follows.
    told = [entry for entry in entries if not follow or len(entry.commit.parents) < 2]
    flags = ("--follow",) if follow else ()
    assert [entry.commit.id for entry in told] == git_log(repository, *flags, "--", "file.txt")
    names = ("file.txt", "old.txt") if follow else ("file.txt",)
    merges = {entry.commit.id for entry in entries if len(entry.commit.parents) > 1}
    assert merges == set(git_log(repository, "--merges", "--", *names))
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


def test_a_rename_is_found_with_a_single_process_at_a_time(repository: RepositoryBuilder):
    repository.commit_file("old.txt", "".join(TEN))
    repository.git("mv", "old.txt", "new.txt")
    repository.commit()
    with closing(GitClient.discover(repository.root, slots=ProcessSlots(1))) as client:
        told = [entry.path for entry in client.file_history("new.txt").entries]
    assert told == ["new.txt", "old.txt"]


def test_a_file_that_was_added_again_goes_on_before_its_deletion(
    repository: RepositoryBuilder, client: GitClient
):
    repository.commit_file("first.txt", "".join(TEN))
    repository.git("mv", "first.txt", "a.txt")
    repository.commit()
    repository.git("rm", "-q", "a.txt")
    repository.commit()
    repository.commit_file("a.txt", "quite another text\n" * 3)
    entries = client.file_history("a.txt").entries
    assert [(entry.status.value, entry.path) for entry in entries] == [
        ("A", "a.txt"),
        ("D", "a.txt"),
        ("R", "a.txt"),
        ("A", "first.txt"),
    ]


def test_a_copy_goes_on_under_the_name_of_its_source(
    repository: RepositoryBuilder, client: GitClient
):
    repository.commit_file("a.txt", "".join(TEN))
    copied = repository.commit_file("b.txt", "".join(TEN))
    repository.commit_file("a.txt", "other\n")
    told = client.file_history("b.txt").entries
    assert [(entry.status.value, entry.previous_path) for entry in told] == [
        ("C", "a.txt"),
        ("A", None),
    ]
    assert told[0].commit.id == copied


def test_a_branch_that_knew_the_file_by_its_old_name(
    repository: RepositoryBuilder, client: GitClient
):
    repository.commit_file("old.txt", "".join(TEN))
    repository.git("checkout", "-q", "-b", "side")
    side = repository.commit_file("old.txt", "side\n" + "".join(TEN[1:]))
    repository.git("checkout", "-q", "main")
    repository.git("mv", "old.txt", "new.txt")
    renamed = repository.commit_file("new.txt", "".join(TEN[:-1]) + "main\n")
    repository.git("merge", "-q", "--no-edit", "side")
    entries = client.file_history("new.txt").entries
    places = [(entry.commit.id, entry.path) for entry in entries]
    assert places[:2] == [(repository.head(), "new.txt"), (renamed, "new.txt")]
    assert (side, "old.txt") in places
    assert len(set(places)) == len(places) == 4


def test_entries_are_told_as_they_are_found(repository: RepositoryBuilder, client: GitClient):
    grow(repository, 3, steps=8)
    told: list[HistoryEntry] = []
    page = client.file_history("file.txt", limit=5, tell=told.append)
    assert tuple(told) == page.entries
    line = client.file_history("file.txt", lines=(0, 0), limit=2, tell=told.append)
    assert tuple(told[5:]) == line.entries


def test_the_history_ends_at_a_shallow_boundary(
    repository: RepositoryBuilder, tmp_path: Path, open_client: Callable[[Path], GitClient]
):
    repository.commit_file("a.txt", "".join(TEN))
    repository.commit_file("a.txt", "".join(TEN[1:]))
    repository.commit_file("b.txt", "one\n")
    url = repository.root.as_uri()
    repository.git("clone", "-q", "--depth=2", url, str(tmp_path / "shallow"))
    shallow = open_client(tmp_path / "shallow")
    page = shallow.file_history("a.txt")
    assert [entry.status for entry in page.entries] == [ChangeStatus.ADDED]
    assert page.boundary is HistoryBoundary.SHALLOW
    assert shallow.file_history("a.txt", lines=(0, 0)).boundary is HistoryBoundary.SHALLOW
    assert shallow.folder_history(".", limit=1).boundary is None
    assert shallow.folder_history(".").boundary is HistoryBoundary.SHALLOW
    assert shallow.file_history("b.txt").boundary is None
    whole = open_client(repository.root)
    assert whole.file_history("a.txt").boundary is None


def test_a_partial_clone_says_what_it_cannot_know(
    repository: RepositoryBuilder, tmp_path: Path, open_client: Callable[[Path], GitClient]
):
    repository.commit_file("old.txt", "".join(TEN))
    repository.git("mv", "old.txt", "moved.txt")
    repository.commit()
    repository.git("mv", "moved.txt", "new.txt")
    repository.commit_file("new.txt", "".join(TEN[1:]))
    repository.commit_file("new.txt", "".join(TEN[2:]))
    repository.git("config", "uploadpack.allowFilter", "true")
    url = repository.root.as_uri()
    repository.git("clone", "-q", "--filter=blob:none", url, str(tmp_path / "partial"))
    page = open_client(tmp_path / "partial").file_history("new.txt")
    assert [entry.status.value for entry in page.entries] == ["M", "A"]
    assert [entry.additions for entry in page.entries] == [None, None]
    assert page.boundary is HistoryBoundary.PARTIAL
    # A rename without a change is told by the ids alone.
    moved = open_client(tmp_path / "partial").file_history("moved.txt")
    assert [entry.path for entry in moved.entries] == ["moved.txt", "moved.txt", "old.txt"]


def test_a_cursor_of_another_process_goes_on(repository: RepositoryBuilder, client: GitClient):
    ids = [repository.commit_file("a.txt", f"{number}\n") for number in range(4)]
    script = (
        "import sys; from pathlib import Path; from codeintel_ls.git import GitClient;"
        "print(GitClient.discover(Path(sys.argv[1])).file_history('a.txt', limit=1).next_cursor)"
    )
    asked = [sys.executable, "-c", script, str(repository.root)]
    cursor = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    rest = client.file_history("a.txt", cursor=cursor)
    assert [entry.commit.id for entry in rest.entries] == ids[2::-1]


def test_the_counts_are_those_of_git(repository: RepositoryBuilder, client: GitClient):
    grow(repository, 4, steps=20)
    told = repository.git("log", "--numstat", "--format=", "--no-merges", "--", "file.txt")
    counts = [tuple(map(int, row.split()[:2])) for row in told.decode().splitlines() if row]
    entries = client.file_history("file.txt", follow=False).entries
    counted = [(one.additions, one.deletions) for one in entries if len(one.commit.parents) < 2]
    assert counted == counts


def test_without_counts_the_rest_is_the_same(repository: RepositoryBuilder, client: GitClient):
    grow(repository, 5)
    for follow in (True, False):
        counted = client.file_history("file.txt", follow=follow).entries
        bare = client.file_history("file.txt", follow=follow, counts=False).entries
        assert [(one.commit.id, one.path, one.status) for one in bare] == [
            (one.commit.id, one.path, one.status) for one in counted
        ]
        assert any(one.additions for one in counted)
        modified = [one for one in bare if one.status == "M"]
        assert modified
        assert {one.additions for one in modified} == {None}
    folder = client.folder_history(".", counts=False).entries
    assert [one.commit for one in folder] == [
        one.commit for one in client.folder_history(".").entries
    ]
    assert {one.additions for one in folder} == {None}
