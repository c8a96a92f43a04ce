"""`blame` and `history` from the command line."""

import re
from pathlib import Path

import pytest

from codeintel_ls.cli.dates import age_colour
from codeintel_ls.git.dates import iso_date, relative_date
from tests.unit.cli.conftest import RETRY, Call
from tests.unit.git.repositories import RepositoryBuilder

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
    assert document["lines"] == ["zero = 0", "one = 1"]


def test_blame_json_has_the_fields_of_the_protocol(call: Call, project: RepositoryBuilder) -> None:
    document = call("blame", "--json", f"src/retry.py:{LAST - 1}-{LAST}").document()
    assert document["uri"] == (project.root / "src/retry.py").as_uri()
    (hunk,) = document["hunks"]
    assert (hunk["startLine"], hunk["endLine"]) == (LAST - 2, LAST - 1)
    commit = document["commits"][hunk["commit"]]
    assert (commit["author"]["name"], commit["author"]["offset"]) == ("Brian", 90)
    assert (commit["summary"], commit["shortId"]) == ("Limit", project.head()[:10])


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
    assert "There is more" in call("history", "-n", "1", "src/retry.py").err


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
