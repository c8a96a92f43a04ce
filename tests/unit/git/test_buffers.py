import pytest

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import (
    BinaryFileError,
    GitClient,
    LineOutOfRangeError,
    NoCommitsYetError,
    PathNotTrackedError,
    PathOutsideRepositoryError,
)
from tests.unit.git.repositories import RepositoryBuilder

EVERYTHING = 10**9


def commits(client: GitClient, path: str, text: str | None = None) -> list[str | None]:
    hunks = client.blame_range(path, 0, EVERYTHING, text=text).hunks
    return [hunk.commit for hunk in hunks for _ in range(hunk.start_line, hunk.end_line + 1)]


@pytest.mark.parametrize(
    ("committed", "buffer"),
    [
        (b"one\ntwo\n", "one\r\ntwo\r\n"),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"one\ntwo\n", "\ufeffone\ntwo\n"),
        (b"\xef\xbb\xbfone\ntwo\n", "one\ntwo\n"),
        (b"one\ntwo", "one\ntwo\n"),
        (b"one\ntwo\n", "one\ntwo"),
        ("one\ntwö €\n".encode(), "one\ntwö €\n"),
        ("one\ntwö\n".encode("latin-1"), "one\ntwö\n"),
        ("one\ntwö\n".encode("latin-1"), "one\ntw\ufffd\n"),
        (b"one\x0c\ntwo \xe2\x80\xa8 still two\n", "one\x0c\ntwo \u2028 still two\n"),
    ],
)
def test_line_ends_marks_and_encodings_change_no_line(
    repository: RepositoryBuilder, client: GitClient, committed: bytes, buffer: str
):
    identity = repository.commit_file("a.txt", committed)
    assert commits(client, "a.txt", buffer) == [identity, identity]
    assert commits(client, "a.txt") == [identity, identity]


def test_lone_carriage_returns_are_line_ends_to_editors_and_none_to_git(
    repository: RepositoryBuilder, client: GitClient
):
    first = repository.commit_file("a.txt", "one\rhalf\ntwo\r\nthree\n")
    second = repository.commit_file("a.txt", "one\rhalf\n2\r\nthree\n")
    assert commits(client, "a.txt") == [first, first, second, first]
    entries = client.file_history("a.txt", lines=(2, 2)).entries
    assert [entry.commit.id for entry in entries] == [second, first]


def test_inserted_changed_and_moved_lines_are_not_committed(
    repository: RepositoryBuilder, client: GitClient
):
    identity = repository.commit_file("a.txt", "one\ntwo\nthree\n")
    result = client.blame_range("a.txt", 0, 4, text="zero\none\nTWO\nnew\nthree\n")
    told = [(hunk.start_line, hunk.end_line, hunk.commit) for hunk in result.hunks]
    assert told == [(0, 0, None), (1, 1, identity), (2, 3, None), (4, 4, identity)]
    assert [hunk.original_line for hunk in result.hunks] == [-1, 0, -1, 2]
    assert set(result.commits) == {identity}


def test_an_empty_file(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("empty.txt", "")
    assert client.blame_range("empty.txt", 0, 0).hunks == ()
    assert commits(client, "empty.txt", "typed\n") == [None]
    with pytest.raises(LineOutOfRangeError, match="has 0 lines"):
        client.blame_range("empty.txt", 1, 1)


def test_a_staged_file_is_not_committed(repository: RepositoryBuilder, client: GitClient):
    repository.commit()
    repository.write("new.txt", "one\ntwo\n")
    with pytest.raises(PathNotTrackedError, match=r"new\.txt"):
        client.blame_range("new.txt", 0, 0)
    repository.git("add", "new.txt")
    result = client.blame_range("new.txt", 0, 1)
    assert [(hunk.start_line, hunk.end_line, hunk.commit) for hunk in result.hunks] == [
        (0, 1, None)
    ]
    assert result.commits == {}
    assert client.file_history("new.txt").entries == ()


def test_a_staged_rename_keeps_its_blame_and_history(
    repository: RepositoryBuilder, client: GitClient
):
    content = "".join(f"line {number}\n" for number in range(9))
    repository.write("other.txt", "something else\n")
    identity = repository.commit_file("old.txt", content)
    repository.git("mv", "old.txt", "new.txt")
    repository.write("new.txt", content + "typed\n")
    assert commits(client, "new.txt") == [identity] * 9 + [None]
    assert client.blame_range("new.txt", 0, 0).hunks[0].original_path == "old.txt"
    assert [entry.path for entry in client.file_history("new.txt").entries] == ["old.txt"]


def test_lines_past_the_end(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", "one\ntwo\nthree")
    assert client.blame_range("a.txt", 1, 500).hunks[-1].end_line == 2
    with pytest.raises(LineOutOfRangeError, match="has 3 lines"):
        client.blame_range("a.txt", 3, 3)
    assert client.blame_range("a.txt", 3, 3, text="one\ntwo\nthree\n").hunks == ()
    with pytest.raises(LineOutOfRangeError, match="has 1 lines"):
        client.blame_range("a.txt", 2, 2, text="one\n")
    for first, last in ((-1, 0), (2, 1)):
        with pytest.raises(InvalidRequestError):
            client.blame_range("a.txt", first, last)


def test_what_has_no_lines(repository: RepositoryBuilder, client: GitClient):
    repository.write("folder/inner.txt", "x\n")
    repository.commit_file("image.bin", b"\x89PNG\0\1\2")
    with pytest.raises(BinaryFileError, match=r"image\.bin"):
        client.blame_range("image.bin", 0, 0)
    with pytest.raises(BinaryFileError):
        client.file_at_revision("image.bin", "HEAD")
    for path in ("folder", "missing.txt", "folder/missing.txt", ".git/config"):
        with pytest.raises(PathNotTrackedError):
            client.blame_range(path, 0, 0)
        with pytest.raises(PathNotTrackedError):
            client.file_history(path)
        with pytest.raises(PathNotTrackedError):
            client.file_at_revision(path, "HEAD")


@pytest.mark.parametrize("path", ["", ".", "/etc/passwd", "../outside", "a/../../b", "nul\0"])
def test_a_path_that_can_name_no_file_of_the_repository(
    repository: RepositoryBuilder, client: GitClient, path: str
):
    repository.commit()
    with pytest.raises(InvalidRequestError):
        client.blame_range(path, 0, 0)


def test_a_repository_without_commits(repository: RepositoryBuilder, client: GitClient):
    repository.write("a.txt", "one\n")
    repository.git("add", "-A")
    assert client.head() is None
    for ask in (
        lambda: client.blame_range("a.txt", 0, 0),
        lambda: client.file_history("a.txt"),
        lambda: client.file_at_revision("a.txt", "HEAD"),
    ):
        with pytest.raises(NoCommitsYetError):
            ask()
    assert client.list_files(client.root).paths == ("a.txt",)


def test_a_declared_encoding_of_the_work_tree(repository: RepositoryBuilder, client: GitClient):
    repository.write(".gitattributes", "*.txt working-tree-encoding=UTF-16LE-BOM\n")
    content = b"\xff\xfe" + "one\ntwö\n".encode("utf-16-le")
    identity = repository.commit_file("a.txt", content)
    repository.write("a.txt", content + "new\n".encode("utf-16-le"))
    assert commits(client, "a.txt") == [identity, identity, None]
    assert client.file_at_revision("a.txt", identity) == "one\ntwö\n"


def test_paths_are_relative_to_the_root_through_links(
    repository: RepositoryBuilder, client: GitClient
):
    repository.commit_file("src/a.txt", "one\n")
    (repository.root / "link").symlink_to("src")
    (repository.root.parent / "entrance").symlink_to(repository.root)
    assert client.relative_path(repository.root / "src" / "a.txt") == "src/a.txt"
    assert client.relative_path(repository.root / "link" / "a.txt") == "src/a.txt"
    assert client.relative_path(repository.root.parent / "entrance/src/a.txt") == "src/a.txt"
    assert client.relative_path(repository.root / "src" / "gone.txt") == "src/gone.txt"
    with pytest.raises(PathOutsideRepositoryError, match=r"^'other\.txt'"):
        client.relative_path(repository.root.parent / "other.txt")
