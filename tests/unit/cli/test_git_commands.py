"""`blame` and `history` from the command line."""

import re
import time
from pathlib import Path

import pytest

from codeintel_ls.cli.dates import age_colour
from codeintel_ls.git.dates import iso_date, relative_date
from tests.unit.cli.command_line import CommandLine
from tests.unit.cli.conftest import RETRY, Call
from tests.unit.git.repositories import RepositoryBuilder, grow

LINES = (RETRY + "\n\nLIMIT = 3\n").splitlines()
LAST = len(LINES)


def test_blame_shows_every_line_with_its_commit(call: Call, project: RepositoryBuilder) -> None:
    shown = call("blame", "src/retry.py").out.splitlines()
    assert len(shown) == LAST
    head = project.head()[:10]
    assert re.fullmatch(rf"{head}  Brian  \d+ years ago  {LAST}  LIMIT = 3", shown[-1])
    assert "  Ada    " in shown[1]
    assert shown[1].endswith(LINES[1])


@pytest.mark.parametrize(
    ("place", "numbers"),
    [
        ("src/retry.py:3", [3]),
        ("src/retry.py:3-5", [3, 4, 5]),
        ("src/retry.py:3,5", [3, 4, 5]),
        ("src/retry.py:3:7", [3]),
        ("src/retry.py:3:", [3]),
        (f"src/retry.py:{LAST}-{LAST + 90}", [LAST]),
    ],
)
def test_lines_are_counted_from_one(call: Call, place: str, numbers: list[int]) -> None:
    shown = call("blame", place).out.splitlines()
    assert len(shown) == len(numbers)
    for line, number in zip(shown, numbers, strict=True):
        assert re.search(rf"  +{number}  {re.escape(LINES[number - 1])}$", line)


@pytest.fixture
def repository(tmp_path: Path) -> RepositoryBuilder:
    return RepositoryBuilder(tmp_path / "repository")


def test_paths_with_colons_are_not_taken_apart(call: Call, repository: RepositoryBuilder) -> None:
    repository.write("a", "one\n")
    repository.commit_file("a:2", "first\nsecond\n")
    root = repository.root
    assert call("blame", "a:2", folder=root).out.splitlines()[1].endswith("second")
    assert call("blame", "a:2:2", folder=root).out.endswith("  2  second\n")
    assert call("blame", "a:1", folder=root).out.endswith("  1  one\n")


def test_uncommitted_lines_say_so(call: Call, repository: RepositoryBuilder) -> None:
    repository.commit_file("a.py", "one = 1\n")
    repository.write("a.py", "zero = 0\none = 1\n")
    shown = call("blame", "a.py", folder=repository.root).out.splitlines()
    assert "Not committed" in shown[0]
    assert "Ada" in shown[1]
    document = call("blame", "--json", "a.py", folder=repository.root).document()
    assert [hunk["commit"] for hunk in document["hunks"]] == [None, repository.head()]
    path = {"originalPath": "a.py"}
    assert document["lines"] == [
        {"line": 0, "commit": None, "originalLine": -1, "text": "zero = 0", **path},
        {"line": 1, "commit": repository.head(), "originalLine": 0, "text": "one = 1", **path},
    ]


def test_blame_json_has_the_fields_of_the_protocol(call: Call, project: RepositoryBuilder) -> None:
    document = call("blame", "--json", f"src/retry.py:{LAST - 1}-{LAST}").document()
    assert document["uri"] == (project.root / "src/retry.py").as_uri()
    (hunk,) = document["hunks"]
    assert (hunk["startLine"], hunk["endLine"]) == (LAST - 2, LAST - 1)
    commit = document["commits"][hunk["commit"]]
    assert (commit["author"]["name"], commit["author"]["offset"]) == ("Brian", 90)
    assert (commit["summary"], commit["shortId"]) == ("Limit", project.head()[:10])
    assert {"id", "message", "committer", "parents"} <= commit.keys()
    assert {"name", "email", "time", "offset"} == commit["committer"].keys()


def test_blame_json_says_of_each_line_what_git_does(
    call: Call, repository: RepositoryBuilder
) -> None:
    grow(repository, seed=5, steps=12)
    repository.git("remote", "add", "origin", "https://github.com/example/project.git")
    document = call("blame", "--json", "file.txt", folder=repository.root).document()
    told = [(one["commit"], one["originalLine"], one["originalPath"]) for one in document["lines"]]
    assert told == repository.porcelain_blame("HEAD", "--", "file.txt")
    assert {one[0] for one in told} == document["commits"].keys()
    for commit_id, commit in document["commits"].items():
        assert commit["url"].endswith(f"/commit/{commit_id}")


def test_blame_on_a_terminal_shows_the_age_by_its_colour(
    repository: RepositoryBuilder, home: dict[str, str]
) -> None:
    repository.commit_file("a.py", "old = 1\n")
    repository.time = int(time.time()) - 86_400
    repository.commit_file("a.py", "old = 1\nnew = 2\n")
    repository.write("a.py", "old = 1\nnew = 2\nnow = 3\n")
    terminal = CommandLine(repository.root, home)
    shown = terminal.on_terminal("blame", "a.py").out.splitlines()
    colours = [line.split("m", 1)[0] for line in shown]
    assert colours == ["\x1b[38;5;103", "\x1b[38;5;209", "\x1b[2"]
    assert all(line.count("\x1b[0m") == 1 for line in shown)
    plain = terminal.on_terminal("blame", "a.py", NO_COLOR="1").out
    assert "\x1b" not in plain
    assert plain.splitlines()[1].endswith("  2  new = 2")


def test_whitespace_and_moves_can_be_overlooked(call: Call, repository: RepositoryBuilder) -> None:
    old = repository.commit_file("a.py", "one = 1\ntwo = 2\n")
    repository.commit_file("a.py", "one   = 1\ntwo = 2\n", author="Brian")
    root = repository.root
    assert "Brian" in call("blame", "a.py:1", folder=root).out
    assert old[:10] in call("blame", "-w", "a.py:1", folder=root).out


def test_dates_are_as_the_settings_say(call: Call, repository: RepositoryBuilder) -> None:
    repository.write(".codeintel.toml", '[blame]\ndate_format = "iso"\n')
    repository.commit_file("a.py", "one = 1\n")
    assert "  2020-09-13  " in call("blame", "a.py", folder=repository.root).out
    assert "  2020-09-13  " in call("history", "a.py", folder=repository.root).out


def test_an_empty_file_has_no_lines(call: Call, repository: RepositoryBuilder) -> None:
    repository.commit_file("empty.py", "")
    shown = call("blame", "empty.py", folder=repository.root)
    assert (shown.status, shown.out, shown.err) == (0, "", "")


def test_names_that_are_no_utf8_are_understood(call: Call, repository: RepositoryBuilder) -> None:
    name = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    repository.commit_file(name, "brew = 1\n")
    root = repository.root
    document = call("blame", "--json", f"{name}:1", folder=root).document()
    assert document["uri"].endswith("/caf%E9.py")
    assert document["hunks"][0]["originalPath"] == "caf\ufffd.py"
    assert call("history", name, folder=root).status == 0
    assert "does not exist" in call("blame", f"{name}x", folder=root).err
    call("index", folder=root)
    (status,) = call("status", "--json", folder=root).document()["folders"]
    assert (status["pending"], status["skipped"]) == (0, {"undecodable-name": 1})


def test_nothing_in_a_file_or_commit_steers_the_terminal(
    call: Call, repository: RepositoryBuilder
) -> None:
    repository.commit_file("a.py", "x = '\x1b]0;owned\x07'\n", "Title \x1b[2J", author="Eve\x9b31m")
    for command in ("blame", "history"):
        shown = call(command, "a.py", folder=repository.root).out
        assert "Eve" in shown
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown) is None


def test_history_follows_renames(call: Call) -> None:
    shown = call("history", "src/retry.py").out.splitlines()
    summaries = [line for line in shown if not line.startswith(" ")]
    assert [line.rpartition("  ")[2] for line in summaries] == ["Limit", "Rename", "Retry"]
    assert "src/old_retry.py → src/retry.py" in "\n".join(shown)
    alone = call("history", "--no-follow", "src/retry.py").out
    assert "Retry" not in alone


def test_history_in_pages(call: Call, project: RepositoryBuilder) -> None:
    first = call("history", "--json", "-n", "1", "src/retry.py").document()
    (entry,) = first["entries"]
    assert (entry["id"], entry["status"], entry["additions"]) == (project.head(), "M", 3)
    rest = call("history", "--json", "--cursor", first["nextCursor"], "src/retry.py").document()
    assert [entry["summary"] for entry in rest["entries"]] == ["Rename", "Retry"]
    assert rest["entries"][0]["previousPath"] == "src/old_retry.py"
    assert "nextCursor" not in rest
    assert "There may be more" in call("history", "-n", "1", "src/retry.py").err


def test_history_of_lines(call: Call) -> None:
    limit = call("history", "--json", f"src/retry.py:{LAST}").document()
    assert [entry["summary"] for entry in limit["entries"]] == ["Limit"]


def test_history_of_what_is_gone(call: Call, repository: RepositoryBuilder) -> None:
    repository.commit_file("lost/a.py", "one = 1\n", "Come")
    repository.git("rm", "-q", "lost/a.py")
    repository.commit("Go")
    shown = call("history", "--json", "lost/a.py", folder=repository.root).document()
    assert [entry["status"] for entry in shown["entries"]] == ["D", "A"]


def test_uncommitted_lines_have_no_history(call: Call, repository: RepositoryBuilder) -> None:
    repository.commit_file("a.py", "one = 1\n")
    repository.write("a.py", "one = 1\ntwo = 2\n")
    shown = call("history", "a.py:2", folder=repository.root)
    assert (shown.status, shown.out) == (1, "")
    assert "Nothing of a.py:2 is committed" in shown.err


def test_any_time_that_a_commit_claims_has_a_text() -> None:
    assert iso_date(10**18, 0) == "1970-01-01"
    assert iso_date(0, 10**6) == "1970-01-01"
    assert relative_date(100, 100) == "just now"
    assert relative_date(0, 3 * 86400) == "3 days ago"
    assert relative_date(86400, 0) == "1 day from now"
    assert age_colour(0, 86400) != age_colour(0, 10**9)


def test_history_of_a_folder_and_of_the_repository(call: Call, project: RepositoryBuilder) -> None:
    whole = call("history", "--json", ".", folder=project.root).document()
    assert whole["uri"] == project.root.as_uri()
    told = project.git("log", "--format=%H").decode().split()
    assert [entry["id"] for entry in whole["entries"]] == told
    below = call("history", "--json", "src", folder=project.root).document()
    assert {entry["path"] for entry in below["entries"]} == {"src"}
    assert "Limit" in call("history", ".", folder=project.root).out
    refused = call("history", ".:3", folder=project.root)
    assert refused.status != 0


def test_history_says_where_a_shallow_clone_ends(
    call: Call, repository: RepositoryBuilder, tmp_path: Path
) -> None:
    for number in range(3):
        repository.commit_file("a.py", f"one = {number}\n")
    clone = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth=2", repository.root.as_uri(), str(clone))
    shown = call("history", "a.py", folder=clone)
    assert len(shown.out.splitlines()) == 2
    assert "The clone is shallow" in shown.err
    document = call("history", "--json", "a.py", folder=clone).document()
    assert document["boundary"] == "shallow"
