import random
from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import BlameOptions, BlameResult, GitClient
from tests.unit.git.repositories import RepositoryBuilder, edit, grow

EVERYTHING = 10**9


def by_line(result: BlameResult) -> list[tuple[str | None, int, str]]:
    answer: list[tuple[str | None, int, str]] = []
    for hunk in result.hunks:
        assert hunk.start_line == len(answer), "hunks follow one another without gaps"
        for line in range(hunk.end_line - hunk.start_line + 1):
            known = hunk.commit is not None
            answer.append(
                (hunk.commit, hunk.original_line + line if known else -1, hunk.original_path)
            )
    return answer


@pytest.mark.parametrize("seed", range(3))
def test_blame_equals_git_over_merges_renames_and_authors(
    repository: RepositoryBuilder, client: GitClient, seed: int
):
    grow(repository, seed)
    result = client.blame_range("file.txt", 0, EVERYTHING)
    assert by_line(result) == repository.porcelain_blame("HEAD", "--", "file.txt")
    assert {hunk.original_path for hunk in result.hunks} == {"file.txt", "old.txt"}
    assert set(result.commits) == {hunk.commit for hunk in result.hunks}
    assert result.head == repository.head()


@pytest.mark.parametrize("seed", range(3))
def test_an_edited_buffer_is_blamed_as_git_blames_its_contents(
    repository: RepositoryBuilder, client: GitClient, seed: int
):
    grow(repository, seed, steps=8)
    chance = random.Random(seed)
    lines = (repository.root / "file.txt").read_text().splitlines()
    for edits in range(12):
        edit(lines, chance, f"buffer {edits}")
        text = "\n".join(lines) + "\n"
        ours = by_line(client.blame_range("file.txt", 0, EVERYTHING, text=text))
        theirs = repository.porcelain_blame(
            "--contents", "-", "--", "file.txt", given=text.encode()
        )
        assert ours == theirs


def test_a_range_is_the_same_as_in_the_whole(repository: RepositoryBuilder, client: GitClient):
    grow(repository, 5, steps=10)
    whole = by_line(client.blame_range("file.txt", 0, EVERYTHING))
    part = client.blame_range("file.txt", 7, 11)
    assert part.hunks[0].start_line == 7
    assert part.hunks[-1].end_line == 11
    lines = [
        (hunk.commit, hunk.original_line + line, hunk.original_path)
        for hunk in part.hunks
        for line in range(hunk.end_line - hunk.start_line + 1)
    ]
    assert lines == whole[7:12]


def test_commits_tell_people_times_and_the_whole_message(
    repository: RepositoryBuilder, client: GitClient
):
    parent = repository.commit("Begin")
    identity = repository.commit_file("a.txt", "one\n", "Summary\n\nBody\nof it", author="Chloé")
    commit = client.blame_range("a.txt", 0, 0).commits[identity]
    assert (commit.id, commit.short_id, commit.parents) == (identity, identity[:10], (parent,))
    assert (commit.summary, commit.message) == ("Summary", "Summary\n\nBody\nof it")
    assert (commit.author.name, commit.author.email) == ("Chloé", "chloé@example.org")
    assert (commit.author.time, commit.author.offset) == (repository.time, 90)
    assert commit.committer.name == "Committer"
    assert client.commits([identity])[identity] == commit


def test_a_new_commit_is_seen_at_once(repository: RepositoryBuilder, client: GitClient):
    first = repository.commit_file("a.txt", "one\ntwo\n")
    assert [line[0] for line in by_line(client.blame_range("a.txt", 0, 1))] == [first, first]
    second = repository.commit_file("a.txt", "one\n2\n")
    assert [line[0] for line in by_line(client.blame_range("a.txt", 0, 1))] == [first, second]
    repository.git("checkout", "-q", first)
    assert [line[0] for line in by_line(client.blame_range("a.txt", 0, 1))] == [first, first]


def test_typing_runs_no_git(
    repository: RepositoryBuilder, client: GitClient, monkeypatch: pytest.MonkeyPatch
):
    identity = repository.commit_file("a.txt", "one\ntwo\n")
    assert not client.blame_is_cached("a.txt")
    client.blame_range("a.txt", 0, 1)
    assert client.blame_is_cached("a.txt")

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(arguments)

    monkeypatch.setattr("subprocess.Popen", refuse)
    for text in ("one\nnew\ntwo\n", "one\nnewer\ntwo\n", "two\n"):
        assert by_line(client.blame_range("a.txt", 0, EVERYTHING, text=text))[-1][0] == identity


def test_options_overlook_white_space_and_moves(repository: RepositoryBuilder, client: GitClient):
    function = "def function(argument):\n    return argument * 1000 + 1\n"
    other = "".join(f"line number {number} of the rest\n" for number in range(5))
    first = repository.commit_file("a.py", function + other)
    indented = repository.commit_file("a.py", function.replace("    ", "\t\t") + other)
    plain = client.blame_range("a.py", 1, 1)
    loose = client.blame_range("a.py", 1, 1, options=BlameOptions(ignore_whitespace=True))
    assert (plain.hunks[0].commit, loose.hunks[0].commit) == (indented, first)
    moved = repository.commit_file("a.py", other + function.replace("    ", "\t\t"))
    plain = client.blame_range("a.py", 5, 6)
    loose = client.blame_range("a.py", 5, 6, options=BlameOptions(detect_moves=True))
    assert plain.hunks[0].commit == moved
    assert moved not in loose.commits


@pytest.fixture
def reformatted(repository: RepositoryBuilder) -> tuple[str, str]:
    """A file whose second commit is to be ignored."""
    first = repository.commit_file("a.txt", "some line of text\n")
    return first, repository.commit_file("a.txt", "some  line  of  text\n", "Reformat")


def test_the_conventional_list_of_ignored_revisions_is_obeyed(
    repository: RepositoryBuilder, client: GitClient, reformatted: tuple[str, str]
):
    first, second = reformatted
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == second
    repository.write(".git-blame-ignore-revs", f"# formatting\n\n{second}  # all of it\n")
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == first


@pytest.mark.parametrize("content", ["no object name\n", "HEAD\n", "\0\0\n", "12ab\n"])
def test_a_malformed_list_is_left_out(
    repository: RepositoryBuilder, client: GitClient, reformatted: tuple[str, str], content: str
):
    repository.write(".git-blame-ignore-revs", content)
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == reformatted[1]


def test_an_unknown_commit_in_the_list_does_no_harm(
    repository: RepositoryBuilder, client: GitClient, reformatted: tuple[str, str]
):
    first, second = reformatted
    repository.write(".git-blame-ignore-revs", f"{'1' * 40}\n{second}\n")
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == first


def test_a_configured_list_is_obeyed_and_a_missing_one_does_no_harm(
    repository: RepositoryBuilder, client: GitClient, reformatted: tuple[str, str]
):
    first, second = reformatted
    repository.git("config", "blame.ignoreRevsFile", "list of mine")
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == second
    repository.write("list of mine", second)
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == first
    repository.git("config", "--add", "blame.ignoreRevsFile", "/missing/list")
    assert client.blame_range("a.txt", 0, 0).hunks[0].commit == first
    assert client.blame_range("a.txt", 0, 0).commits[first].author.name == "Ada"


def test_a_list_missing_from_the_users_configuration_does_no_harm(
    repository: RepositoryBuilder,
    open_client: Callable[[Path], GitClient],
    reformatted: tuple[str, str],
    tmp_path: Path,
):
    (tmp_path / "user.gitconfig").write_text("[blame]\n\tignoreRevsFile = .nowhere\n")
    result = open_client(repository.root).blame_range("a.txt", 0, 0)
    assert result.hunks[0].commit == reformatted[1]


def test_mailmap_names_people(repository: RepositoryBuilder, client: GitClient):
    identity = repository.commit_file("a.txt", "one\n")
    assert client.blame_range("a.txt", 0, 0).commits[identity].author.name == "Ada"
    repository.write(".mailmap", "Ada Lovelace <countess@example.org> <ada@example.org>\n")
    author = client.blame_range("a.txt", 0, 0).commits[identity].author
    assert (author.name, author.email) == ("Ada Lovelace", "countess@example.org")
    history = client.file_history("a.txt").entries[0]
    assert history.commit.author.name == "Ada Lovelace"


def test_a_configured_mailmap_that_changes_is_obeyed(
    repository: RepositoryBuilder, client: GitClient, tmp_path: Path
):
    commit = repository.commit_file("a.txt", "one\n")
    people = tmp_path / "people"
    repository.git("config", "mailmap.file", str(people))
    for name in ("Ada Lovelace", "Countess of Lovelace"):
        people.write_text(f"{name} <ada@example.org>\n")
        blame = client.blame_range("a.txt", 0, 0)
        assert blame.commits[commit].author.name == name


def test_authors_and_messages_that_are_no_utf8_are_shown_as_far_as_they_are(
    repository: RepositoryBuilder, client: GitClient
):
    repository.write("a.txt", "one\n")
    repository.git("add", "-A")
    tree = repository.git("write-tree").decode().strip()
    raw = (
        f"tree {tree}\nauthor Andr\xe9 <a@example.org> 1600000000 -0330\n"
        "committer Andr\xe9 <a@example.org> 1600000000 +0000\n\ncaf\xe9\n"
    ).encode("latin-1")
    identity = (
        repository.git("hash-object", "-t", "commit", "-w", "--stdin", given=raw).decode().strip()
    )
    repository.git("update-ref", "refs/heads/main", identity)
    commit = client.blame_range("a.txt", 0, 0).commits[identity]
    assert commit.author.name == "Andr\ufffd"
    assert commit.author.offset == -210
    assert commit.summary == "caf\ufffd"


@pytest.mark.parametrize(
    "name",
    [
        "with space.txt",
        'quo"te\\.txt',
        "new\nline.txt",
        "tab\t.txt",
        "ünï 漢.txt",
        "-dash.txt",
        "sub/--",
        ":(glob)*.txt",
        "*.txt",
        " padded ",
    ],
)
def test_names_that_need_care(repository: RepositoryBuilder, client: GitClient, name: str):
    repository.write("a.txt", "other\n")
    identity = repository.commit_file(name, "one\ntwo\n")
    assert by_line(client.blame_range(name, 0, 1)) == [(identity, 0, name), (identity, 1, name)]
    assert [entry.path for entry in client.file_history(name).entries] == [name]
    lines = client.file_history(name, lines=(1, 1)).entries
    assert [(entry.path, entry.additions) for entry in lines] == [(name, 1)]
    assert client.file_at_revision(name, identity) == "one\ntwo\n"
    assert name in client.list_files(client.root).paths
