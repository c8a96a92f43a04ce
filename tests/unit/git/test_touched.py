"""What commits say and touch, read in lots by their ids."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient, GitFailedError
from codeintel_ls.git.touched import MOST_PATHS, symbol_of
from tests.unit.git.repositories import RepositoryBuilder


def test_paths_message_and_author_as_they_were_written(
    repository: RepositoryBuilder, client: GitClient
) -> None:
    repository.write(".mailmap", "Ada Lovelace <countess@example.org> <ada@example.org>\n")
    names = ["plain.txt", "with space.txt", "-dash", 'quo"te', "line\nbreak", "ünï.txt"]
    for name in names:
        repository.write(name, "1\n")
    first = repository.commit("Summary\n\nBody\x01\n\n--- a/fake\n@@ -1 +1 @@ void fake(")
    repository.git("mv", "plain.txt", "moved.txt")
    second = repository.commit("Move")
    one, two = client.log.touched([first, second], symbols=True)
    assert (one.id, one.parents, one.name, one.email) == (first, 0, "Ada", "ada@example.org")
    assert one.time == repository.time - 60
    assert one.message.startswith("Summary\n\nBody")
    assert set(one.paths) == {".mailmap", *names}
    assert set(two.paths) == {"plain.txt", "moved.txt"}
    assert "fake" not in one.symbols + two.symbols


def test_symbols_are_those_around_the_changes(
    repository: RepositoryBuilder, client: GitClient
) -> None:
    body = "".join(f"    step({number});\n" for number in range(9))
    repository.commit_file("a.c", f"int resize_table(int n)\n{{\n{body}}}\n", "Add")
    changed = body.replace("step(5)", "leap(5)") + "x" * 100_000 + "\n@@ -1 +1 @@ int fake(void)\n"
    identity = repository.commit_file("a.c", f"int resize_table(int n)\n{{\n{changed}}}\n")
    (commit,) = client.log.touched([identity], symbols=True)
    assert commit.symbols == ("resize_table",)
    assert client.log.touched([identity], symbols=False)[0].symbols == ()


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("static int dict_resize(dict *d, int n)", "dict_resize"),
        ("def parse(self, text):", "parse"),
        ("class ExpiringCache:", "ExpiringCache"),
        ("func (limiter *RateLimiter) Allow(request *http.Request) bool {", "Allow"),
        ("void Table::insert(Key key) {", "Table::insert"),
        ("struct client {", "client"),
        ("if (x) {", None),
        ("## How to install", None),
    ],
)
def test_the_name_in_a_line_of_code(header: str, name: str | None) -> None:
    assert symbol_of(header) == name


def test_a_merge_has_no_paths_and_an_enormous_commit_a_bounded_number(
    repository: RepositoryBuilder, client: GitClient
) -> None:
    for number in range(MOST_PATHS + 20):
        repository.write(f"many/{number}", "")
    many = repository.commit("Many")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit_file("side.txt", "1\n")
    repository.git("checkout", "-q", "main")
    repository.commit_file("main.txt", "1\n")
    repository.git("merge", "-q", "--no-edit", "side")
    commits = client.log.touched([many, repository.head()], symbols=True)
    assert [len(commit.paths) for commit in commits] == [MOST_PATHS, 0]
    assert [commit.parents for commit in commits] == [0, 2]


def test_what_is_reachable_and_what_moved(repository: RepositoryBuilder, client: GitClient) -> None:
    ids = [repository.commit_file("a.txt", f"{number}\n") for number in range(4)]
    assert client.log.reachable(ids[3], 3) == ids[:0:-1]
    repository.git("reset", "-q", "--hard", ids[1])
    other = repository.commit_file("a.txt", "other\n")
    assert client.log.moved(ids[3], other) == ([ids[3], ids[2]], [other])
    with pytest.raises(GitFailedError):
        client.log.moved("0" * 39 + "1", other)


def test_paths_that_were_touched_since(repository: RepositoryBuilder, client: GitClient) -> None:
    repository.commit_file("old.txt", "1\n")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit_file("ünï\nside.txt", "1\n")
    since = repository.time
    repository.git("checkout", "-q", "main")
    repository.commit_file("main.txt", "1\n")
    repository.time += 60
    repository.git("merge", "-q", "--no-commit", "side")
    repository.write("evil.txt", "1\n")
    head = repository.commit("Merge")
    assert client.log.paths_since(head, since, 10) == {"ünï\nside.txt", "main.txt", "evil.txt"}
    assert client.log.paths_since(head, repository.time, 10) == {"evil.txt"}
    assert client.log.paths_since(head, since, 2) is None


def test_people_are_as_the_mailmap_has_them_now(
    repository: RepositoryBuilder, client: GitClient
) -> None:
    repository.commit_file("a.txt", "1\n")
    people = [("Ada", "ada@example.org"), ("<odd>\n", ""), ("", "nobody@example.org")]
    assert client.log.people(people)[0] == ("Ada", "ada@example.org")
    repository.write(".mailmap", "Ada Lovelace <countess@example.org> <ada@example.org>\n")
    mapped = client.log.people(people)
    assert mapped[0] == ("Ada Lovelace", "countess@example.org")
    assert mapped[2][1] == "nobody@example.org"
    assert len(mapped) == 3


def test_what_a_partial_clone_lacks_is_left_out(
    repository: RepositoryBuilder, open_client: Callable[[Path], GitClient], tmp_path: Path
) -> None:
    repository.commit_file("a.c", "int one(void)\n{\n}\n", "First")
    repository.commit_file("a.c", "int one(void)\n{\n  1;\n}\n", "Second")
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    source = f"file://{repository.root}"
    repository.git("clone", "-q", "--filter=tree:0", "--no-checkout", source, str(clone))
    commits = open_client(clone).log.touched([repository.head()], symbols=True)
    assert [(commit.message, commit.paths, commit.symbols) for commit in commits] == [
        ("Second", (), ())
    ]
