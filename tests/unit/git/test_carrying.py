"""After HEAD has moved: what is carried over equals what git says, and costs what it must."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import BlameOptions, GitClient
from tests.unit.git.fakes import LOGGING, fake_program
from tests.unit.git.repositories import RepositoryBuilder, grow

PLAIN = BlameOptions()
LINES = "".join(f"line {number}\n" for number in range(40))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def logged(
    repository: RepositoryBuilder,
    log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_client: Callable[[Path], GitClient],
) -> GitClient:
    fake_git = fake_program(tmp_path / "logging" / "git", LOGGING, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    return open_client(repository.root)


def blames(log: Path) -> list[str]:
    """The arguments of each blame that was run since this was last asked."""
    parts = [line.partition(" blame --incremental ") for line in log.read_text().splitlines()]
    told = [rest for _, found, rest in parts if found]
    log.write_text("")
    return told


def answer(
    client: GitClient, path: str, count: int, options: BlameOptions = PLAIN
) -> list[tuple[str | None, int, str]]:
    hunks = client.blame_range(path, 0, count - 1, options=options).hunks
    return [
        (hunk.commit, hunk.original_line + line, hunk.original_path)
        for hunk in hunks
        for line in range(hunk.end_line - hunk.start_line + 1)
    ]


def assert_as_git(client: GitClient, repository: RepositoryBuilder, path: str) -> None:
    expected = repository.porcelain_blame("HEAD", "--", path)
    assert answer(client, path, len(expected)) == expected


@pytest.mark.parametrize("seed", range(4))
def test_over_merges_and_renames(repository: RepositoryBuilder, client: GitClient, seed: int):
    """Every step of a history is asked, so that each answer comes from the one before."""
    grow(repository, seed)
    commits = repository.git("rev-list", "--reverse", "HEAD").decode().split()
    for commit in commits:
        repository.git("checkout", "-q", commit)
        for path in ("old.txt", "file.txt"):
            if (repository.root / path).exists():
                assert_as_git(client, repository, path)


def test_a_change_that_was_taken_back_is_not_forgotten(
    repository: RepositoryBuilder, logged: GitClient, log: Path
):
    """The blob is as it was, and yet the line is the reverting commit's."""
    repository.commit_file("a.txt", LINES)
    assert_as_git(logged, repository, "a.txt")
    repository.commit_file("a.txt", LINES.replace("line 7\n", "other\n"))
    back = repository.commit_file("a.txt", LINES)
    blames(log)
    assert_as_git(logged, repository, "a.txt")
    assert answer(logged, "a.txt", 40)[7][0] == back
    assert blames(log) == []


def test_only_what_is_new_is_blamed(repository: RepositoryBuilder, logged: GitClient, log: Path):
    first = repository.commit_file("a.txt", LINES)
    answer(logged, "a.txt", 40)
    second = repository.merge_of("a.txt", "first\n" + LINES, LINES + "more\n")
    blames(log)
    assert_as_git(logged, repository, "a.txt")
    assert [f" {first}..{second} " in told for told in blames(log)] == [True]
    repository.commit_file("b.txt", "another\n")
    assert_as_git(logged, repository, "a.txt")
    assert blames(log) == []


def test_commits_one_after_the_other_are_compared_without_git(
    repository: RepositoryBuilder, logged: GitClient, log: Path
):
    """Among them one that changes what another did, and a merge of what did not touch the file."""
    path = "folder/a.txt"
    repository.commit_file(path, LINES)
    answer(logged, path, 40)
    for text in (
        LINES.replace("line 7\n", "line 7\n\n\nline 7\n").replace("line 30\n", "}\n}\n"),
        LINES.replace("line 7\n", "line 7\n\n\n\nline 7\n").replace("line 3", "line three"),
        LINES.replace("line 20\n", "line 21\nline 20\n").replace("line 39\n", ""),
    ):
        repository.commit_file(path, text)
    repository.commit_file("b.txt", LINES)
    repository.merge_of("b.txt", "first\n" + LINES, LINES + "more\n")
    repository.git("update-index", "--chmod=+x", path)
    repository.commit()
    blames(log)
    assert_as_git(logged, repository, path)
    assert blames(log) == []


@pytest.mark.parametrize(("path", "count"), [("a.txt", 13), ("b.txt", 65)])
def test_what_many_commits_did_is_git_s_to_tell(
    repository: RepositoryBuilder, logged: GitClient, log: Path, path: str, count: int
):
    repository.commit_file("a.txt", LINES)
    repository.commit_file("b.txt", LINES)
    assert_as_git(logged, repository, "a.txt")
    for number in range(count):
        repository.commit_file(path, LINES.replace("line 7", f"line {number}"))
    repository.commit_file("a.txt", LINES.replace("line 9", "line nine"))
    blames(log)
    assert_as_git(logged, repository, "a.txt")
    assert len(blames(log)) == 1


EDITS = {
    "inserted": LINES.replace("line 7\n", "line 7\nnew\n\nlines\n"),
    "deleted": LINES.replace("line 7\nline 8\n", ""),
    "replaced": LINES.replace("line 7\nline 8\n", "one\ntwo\nthree\n"),
    "at the end": LINES + "no line end",
}


@pytest.mark.parametrize("text", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("author", ["Ada", "Bob"])
@pytest.mark.parametrize("mailmap", ["", "Grace <grace@example.org> <ada@example.org>\n"])
def test_one_commit_that_changed_one_place_needs_no_git(
    repository: RepositoryBuilder,
    logged: GitClient,
    log: Path,
    text: str,
    mailmap: str,
    author: str,
):
    """But for whom `.mailmap` makes of somebody of whom nobody has asked before."""
    if mailmap:
        repository.write(".mailmap", mailmap)
    repository.commit_file("folder/a.txt", LINES)
    answer(logged, "folder/a.txt", 40)
    new = repository.commit_file("folder/a.txt", text, "What it is\n\nand why", author=author)
    expected = repository.porcelain_blame("HEAD", "--", "folder/a.txt")
    log.write_text("")
    result = logged.blame_range("folder/a.txt", 0, len(expected) - 1)
    is_new = author == "Bob" and new in result.commits
    assert len(log.read_text().splitlines()) == bool(mailmap and is_new)
    assert_as_git(logged, repository, "folder/a.txt")
    assert result.commits == logged.commits(list(result.commits))


@pytest.mark.parametrize(
    ("author", "encoding"),
    [
        (b"Ada  <ada@example.org> 1600000000 +0130", b""),
        (b"Z\xfcrich\xc2\xa0 <z\xfc@example.org> 1600000000 -0500", b""),
        (b"Z\xfcrich <z@example.org> 1600000000 +0000", b"encoding ISO-8859-1\n"),
        (b"\xc3\x84rger <a@example.org> 1600000000 +0000", b"encoding UTF-8\n"),
        (b" <> 0 +0000", b""),
        (b"<only@example.org> 99999999999999 +0000", b""),
        (b"A <B> <c@example.org> 1600000000 +0000", b""),
        (b"Nobody nowhere", b""),
        (b"Ada <ada@example.org>", b""),
    ],
)
def test_people_are_read_as_git_reads_them(
    repository: RepositoryBuilder, client: GitClient, author: bytes, encoding: bytes
):
    first = repository.commit_file("a.txt", LINES)
    answer(client, "a.txt", 40)
    repository.write("a.txt", LINES + "more\n")
    repository.git("add", "-A")
    tree = repository.git("write-tree").strip()
    committer = b"Committer <committer@example.org> 1600000000 +0000"
    said = b"tree %b\nparent %b\nauthor %b\ncommitter %b\n%b\n  Caf\xe9 \n and\n\nmore\n\n"
    made = said % (tree, first.encode(), author, committer, encoding)
    asked = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    new = repository.git(*asked, given=made).decode().strip()
    repository.git("reset", "-q", new)
    result = client.blame_range("a.txt", 0, 40)
    assert result.hunks[-1].commit == new
    assert result.commits[new] == client.commits([new])[new]


def test_what_one_commit_did_is_git_s_to_tell_where_it_may_see_it_otherwise(
    repository: RepositoryBuilder, logged: GitClient, log: Path, monkeypatch: pytest.MonkeyPatch
):
    loose = BlameOptions(ignore_whitespace=True)
    repository.commit_file("a.txt", LINES)
    for options in (PLAIN, loose):
        answer(logged, "a.txt", 40, options)
    repository.commit_file("a.txt", LINES.replace("line 7", "  line  7"))
    blames(log)
    expected = repository.porcelain_blame("-w", "HEAD", "--", "a.txt")
    assert answer(logged, "a.txt", 40, loose) == expected
    assert len(blames(log)) == 1
    assert_as_git(logged, repository, "a.txt")
    assert blames(log) == []
    # How lines are compared is configured.
    for option, value in (("diff.algorithm", "patience"), ("diff.indentHeuristic", "false")):
        repository.git("config", option, value)
        assert_as_git(logged, repository, "a.txt")
        repository.commit_file("a.txt", LINES.replace("line 7", value))
        blames(log)
        assert_as_git(logged, repository, "a.txt")
        assert len(blames(log)) == 1
        repository.git("config", "--unset", option)


def test_a_link_that_becomes_a_file_is_new(repository: RepositoryBuilder, client: GitClient):
    (repository.root / "a.txt").symlink_to("target\n")
    repository.commit()
    assert_as_git(client, repository, "a.txt")
    (repository.root / "a.txt").unlink()
    added = repository.commit_file("a.txt", "target\nmore\n")
    assert_as_git(client, repository, "a.txt")
    assert {commit for commit, *_ in answer(client, "a.txt", 2)} == {added}


def test_lines_that_came_by_another_way_are_blamed_anew(
    repository: RepositoryBuilder, client: GitClient
):
    """A side branch from before what is known brings lines that it knows nothing of."""
    repository.commit_file("a.txt", LINES)
    repository.git("checkout", "-q", "-b", "side")
    repository.commit_file("a.txt", "side first\n" + LINES)
    repository.git("checkout", "-q", "main")
    repository.commit_file("a.txt", LINES + "main last\n")
    assert_as_git(client, repository, "a.txt")
    repository.time += 60
    repository.git("merge", "-q", "--no-edit", "side")
    assert_as_git(client, repository, "a.txt")
    repository.git("checkout", "-q", "side")
    assert_as_git(client, repository, "a.txt")


def test_a_merge_whose_first_parent_is_the_other_branch(
    repository: RepositoryBuilder, client: GitClient
):
    """The same text on both sides, from different commits: git goes to the first parent."""
    repository.commit_file("base.txt", "base\n")
    repository.git("checkout", "-q", "-b", "side")
    on_side = repository.commit_file("a.txt", LINES)
    repository.git("checkout", "-q", "main")
    on_main = repository.commit_file("a.txt", LINES)
    assert {commit for commit, *_ in answer(client, "a.txt", 40)} == {on_main}
    repository.git("checkout", "-q", "side")
    repository.time += 60
    repository.git("merge", "-q", "--no-edit", "main")
    assert_as_git(client, repository, "a.txt")
    assert {commit for commit, *_ in answer(client, "a.txt", 40)} == {on_side}


def test_a_rewritten_history(repository: RepositoryBuilder, client: GitClient):
    repository.commit_file("a.txt", LINES)
    repository.commit_file("a.txt", LINES + "two\n")
    assert_as_git(client, repository, "a.txt")
    repository.time += 60
    repository.git("commit", "-q", "--amend", "-m", "Another message")
    assert_as_git(client, repository, "a.txt")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    assert_as_git(client, repository, "a.txt")


@pytest.mark.parametrize("changed", [True, False])
def test_a_commit_that_is_gone(repository: RepositoryBuilder, client: GitClient, changed: bool):
    first = repository.commit_file("a.txt", LINES)
    repository.commit_file("a.txt", LINES + ("two\n" if changed else ""))
    assert_as_git(client, repository, "a.txt")
    client.close()
    repository.git("reset", "-q", "--hard", first)
    repository.commit_file("b.txt", "another way\n")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "-q", "--prune=now")
    assert_as_git(client, repository, "a.txt")


def test_a_name_that_begins_with_a_line_end(repository: RepositoryBuilder, client: GitClient):
    """git parts a commit from its paths by a line end."""
    names = ("\nodd.txt", "b\nodd.txt")
    for name in names:
        repository.write(name, LINES)
    repository.commit()
    for name in names:
        answer(client, name, 40)
    for name in names:
        repository.write(name, "new\n" + LINES)
    changed = repository.commit()
    for name in names:
        assert answer(client, name, 41)[0][0] == changed


@pytest.mark.parametrize(
    "options",
    [BlameOptions(detect_moves=True), BlameOptions(detect_copies=True)],
    ids=["moves", "copies"],
)
def test_moves_and_copies_are_blamed_whole(
    repository: RepositoryBuilder, logged: GitClient, log: Path, options: BlameOptions
):
    block = "".join(f"a long line of the block, number {number}\n" for number in range(10))
    first = repository.commit_file("a.txt", block + LINES)
    logged.blame_range("a.txt", 0, 49, options=options)
    repository.write("a.txt", LINES + block)
    repository.write("b.txt", block)
    repository.commit()
    blames(log)
    for path, count in (("a.txt", 50), ("b.txt", 10)):
        flag = "-M" if options.detect_moves else "-C"
        expected = repository.porcelain_blame(flag, "HEAD", "--", path)
        assert answer(logged, path, count, options) == expected
    assert all(".." not in told and " -L" not in told for told in blames(log))
    copied = answer(logged, "b.txt", 10, options)
    assert (copied[0][0] == first) == options.detect_copies


def test_lists_of_revisions_to_ignore(repository: RepositoryBuilder, logged: GitClient, log: Path):
    """Lines are carried past a list as long as nothing of it lies in between."""
    repository.commit_file("a.txt", LINES)
    ugly = repository.commit_file("a.txt", LINES.replace("line 3", "LINE 3"))
    repository.commit_file(".git-blame-ignore-revs", f"# shouting\n{ugly}\n")
    assert_as_git_ignoring(logged, repository)
    old = repository.commit_file("b.txt", "another\n")
    assert_as_git_ignoring(logged, repository)
    changed = LINES.replace("line 3", "LINE 3")
    new = repository.commit_file("a.txt", "first\n" + changed + "last\n")
    blames(log)
    assert_as_git_ignoring(logged, repository)
    assert blames(log) == []
    text = "first\n" + changed + "last\n"
    old, new = new, repository.merge_of("a.txt", "zeroth\n" + text, text + "more\n")
    assert_as_git_ignoring(logged, repository)
    assert [f" {old}..{new} " in told for told in blames(log)] == [True]
    repository.commit_file("a.txt", "first\nsecond\n" + changed + "last\n")
    assert_as_git_ignoring(logged, repository)
    assert blames(log) == []
    # One in the list is looked through.
    repository.commit_file("a.txt", "first\nsecond\n" + LINES + "last\n")
    repository.write(".git-blame-ignore-revs", f"{ugly}\n{repository.head()}\n")
    assert_as_git_ignoring(logged, repository)


def test_an_ignored_revision_in_between_is_noticed(
    repository: RepositoryBuilder, logged: GitClient, log: Path
):
    """The list is in no commit: its digest is the same before and after."""
    repository.commit_file("a.txt", LINES)
    repository.git("checkout", "-q", "-b", "ahead")
    ugly = repository.commit_file("a.txt", LINES.replace("line", "LINE"))
    repository.git("tag", "-a", "-m", "Shouting", "shouting")
    tag = repository.git("rev-parse", "shouting").decode().strip()
    assert tag != ugly
    for identity in (ugly, tag):
        repository.git("checkout", "-q", "main")
        repository.write(".git-blame-ignore-revs", f"{identity}\n")
        assert_as_git_ignoring(logged, repository)
        repository.git("checkout", "-q", "ahead")
        assert_as_git_ignoring(logged, repository)
        assert ugly not in {commit for commit, *_ in answer(logged, "a.txt", 40)}


@pytest.mark.parametrize("seed", range(4))
def test_ignored_revisions_over_merges_and_renames(
    repository: RepositoryBuilder, client: GitClient, seed: int
):
    grow(repository, seed)
    commits = repository.git("rev-list", "--reverse", "HEAD").decode().split()
    repository.write(".git-blame-ignore-revs", "".join(f"{one}\n" for one in commits[::4]))
    for commit in commits:
        repository.git("checkout", "-q", commit)
        for path in ("old.txt", "file.txt"):
            if (repository.root / path).exists():
                assert_as_git_ignoring(client, repository, path)


def assert_as_git_ignoring(
    client: GitClient, repository: RepositoryBuilder, path: str = "a.txt"
) -> None:
    ignoring = ("--ignore-revs-file", ".git-blame-ignore-revs")
    expected = repository.porcelain_blame(*ignoring, "HEAD", "--", path)
    assert answer(client, path, len(expected)) == expected
