"""`search` and `index`: the main job, from the command line."""

import os
from pathlib import Path

import pytest

from codeintel_ls.settings import load_settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.cli.command_line import CommandLine
from tests.unit.cli.conftest import COLOUR, RETRY, Call
from tests.unit.git.repositories import START, RepositoryBuilder

QUESTION = ("send", "a", "failed", "request", "again")


def test_the_first_search_indexes_and_answers(project: RepositoryBuilder, tmp_path: Path) -> None:
    program = CommandLine(project.root, {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)})
    found = program.run("search", *QUESTION)
    assert found.status == 0
    first = found.out.splitlines()[0]
    assert first.startswith("src/retry.py:")
    assert "retry_with_backoff" in first
    assert "    def retry_with_backoff(request, attempts):" in found.out
    assert "the index is up to date" in found.err
    assert "\x1b" not in found.out + found.err


def test_paths_are_seen_from_where_one_stands(call: Call, project: RepositoryBuilder) -> None:
    assert call("search", *QUESTION).out.startswith("src/retry.py:")
    assert call("search", *QUESTION, folder=project.root / "src").out.startswith("retry.py:")
    assert call("search", *QUESTION, folder=project.root / "web").out.startswith("../src/retry.py:")


def test_json_has_the_fields_of_the_protocol(call: Call, project: RepositoryBuilder) -> None:
    document = call("search", "--json", "--explain", "-n", "1", *QUESTION).document()
    (hit,) = document["hits"]
    assert hit["uri"] == (project.root / "src/retry.py").as_uri()
    assert (hit["path"], hit["symbol"], hit["language"]) == (
        "src/retry.py",
        "retry_with_backoff",
        "python",
    )
    lines = (project.root / "src/retry.py").read_text().splitlines()
    start, end = hit["range"]["start"], hit["range"]["end"]
    assert lines[start["line"]].startswith("def ") or "def " in lines[start["line"] + 1]
    assert end["character"] == len(lines[end["line"]])
    assert {"denseRank", "lexicalRank", "fusedScore", "boosts"} <= hit["explanation"].keys()
    assert document["freshness"] == {
        "generation": document["freshness"]["generation"],
        "pending": 0,
        "complete": True,
        "refined": 0.0,
    }


def test_limit_globs_and_languages_narrow(call: Call) -> None:
    def paths(*options: str) -> set[str]:
        answer = call("search", "--json", *options, *QUESTION).document()
        return {hit["path"] for hit in answer["hits"]}

    assert len(call("search", "--json", "-n", "1", *QUESTION).document()["hits"]) == 1
    assert paths("--glob", "*.js") == {"web/search.js"}
    assert paths("--glob", "!src/**") == {"web/search.js"}
    assert paths("--language", "Python") == {"src/retry.py", "src/colour.py"}


def test_snippets_can_be_left_out(call: Call) -> None:
    lines = call("search", "--snippet-lines", "0", *QUESTION).out.splitlines()
    assert [line for line in lines if line.startswith(" ")] == []


def test_explaining_says_why(call: Call) -> None:
    assert "meaning #1" in call("search", "--explain", "-n", "1", *QUESTION).out


def test_nothing_found_is_said_and_told_by_the_status(call: Call) -> None:
    found = call("search", "--mode", "lexical", "zzqqxx")
    assert (found.status, found.out) == (1, "")
    assert "Nothing found for 'zzqqxx'" in found.err
    as_json = call("search", "--json", "--mode", "lexical", "zzqqxx")
    assert (as_json.status, as_json.document()["hits"]) == (1, [])


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder outside any repository, not indexed yet."""
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "retry.py").write_text(RETRY)
    (folder / "colour.py").write_text(COLOUR)
    for file in folder.iterdir():
        # A file written this very moment is read again: its time may not tell a second write.
        os.utime(file, (START, START))
    return folder


def test_a_change_is_found_by_the_next_search_alone(call: Call, plain: Path) -> None:
    assert call("search", "mix", "two", "colours", folder=plain).out.startswith("colour.py")
    (plain / "colour.py").unlink()
    (plain / "sound.py").write_text("def mute(speaker):\n    speaker.volume = 0\n")
    question = ("search", "--mode", "lexical", "--json", "mute speaker blend")
    stale = call(*question, "--no-update", folder=plain).document()
    assert stale["hits"] == []
    fresh = call(*question, folder=plain).document()
    assert [hit["path"] for hit in fresh["hits"]] == ["sound.py"]


def test_a_place_that_is_gone_is_marked_stale(call: Call, plain: Path) -> None:
    call("index", folder=plain)
    (plain / "retry.py").write_text("nothing = 'of it is left'\n")
    question = ("--no-update", "--mode", "lexical", "retry_with_backoff")
    shown = call("search", *question, folder=plain)
    assert "[stale: changed since it was indexed]" in shown.out
    (hit,) = call("search", "--json", *question, folder=plain).document()["hits"]
    assert (hit["stale"], hit["snippet"]) == (True, "")


def test_index_says_what_it_did(call: Call, plain: Path) -> None:
    (plain / "picture.png").write_bytes(b"\x89PNG\0")
    first = call("index", folder=plain)
    assert first.status == 0
    assert "2 files read" in first.out
    assert "1 (binary 1)" in first.out
    assert "Indexing 2 files of plain" in first.err
    assert "nothing has changed" in call("index", folder=plain).out
    assert call("index", "--json", folder=plain).document()["indexed"] == 0
    full = call("index", "--full", "--json", str(plain)).document()
    assert full["indexed"] == 2
    (folder,) = full["folders"]
    assert (folder["uri"], folder["state"], folder["files"]) == (plain.as_uri(), "ready", 2)


def test_no_update_without_an_index_says_how_to_make_one(call: Call, plain: Path) -> None:
    refused = call("search", "--no-update", "colours", folder=plain)
    assert refused.status == 2
    assert "codeintel-ls index" in refused.err


def test_a_long_indexing_is_told_in_tenths(call: Call, plain: Path) -> None:
    for number in range(200):
        (plain / f"file_{number}.txt").write_text(f"text {number}\n")
    told = call("search", "colours", folder=plain).err.splitlines()
    assert told[0] == "Indexing 202 files of plain"
    percents = [line for line in told if "%" in line]
    assert 1 <= len(percents) <= 9
    assert told[-2].startswith("Indexed 202 files in ")


def test_an_index_kept_by_another_process_answers_without_a_word(
    call: Call, plain: Path, program: CommandLine
) -> None:
    owner = WorkspaceFolder.open(plain, load_settings(None).settings)
    try:
        owner.update()
        found = program.run("search", "mix two colours", folder=plain)
        status = program.run("status", folder=plain)
    finally:
        owner.close()
    assert found.out.startswith("colour.py")
    assert "Another process" not in found.err
    assert "Another process" in status.err


def test_switched_off_indexing_is_respected(call: Call, plain: Path) -> None:
    call("index", folder=plain)
    (plain / ".codeintel.toml").write_text("[index]\nenabled = false\n")
    refused = call("index", folder=plain)
    assert (refused.status, "index.enabled" in refused.err) == (2, True)
    (plain / "sound.py").write_text("def mute(): ...\n")
    answer = call("search", "--json", "--mode", "lexical", "mute", folder=plain)
    assert answer.document()["hits"] == []


def test_places_by_who_changed_them_and_when(call: Call, project: RepositoryBuilder) -> None:
    def paths(*options: str) -> set[str]:
        answer = call("search", "--json", *options, *QUESTION).document()
        assert answer["stoppedEarly"] is False
        return {hit["path"] for hit in answer["hits"]}

    assert paths("--author", "brian") >= {"src/colour.py", "web/search.js"}
    assert "src/retry.py" in paths("--author", "ada")
    assert paths("--author", "ada") != paths("--author", "brian")
    assert paths("--since", "1d") == set()
    assert paths("--before", "1d") == paths("--before", "2h")
    wrong = call("search", "--since", "tomorrow", *QUESTION)
    assert wrong.status == 2
    assert "--since must be a date" in wrong.err


def test_commits_are_found_by_what_they_say(call: Call, project: RepositoryBuilder) -> None:
    shown = call("search", "--commits", "networks that fail")
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert "  Ada  (" in lines[0]
    assert lines[1:3] == ["    Retry", "    src/old_retry.py"]
    found = call("search", "--commits", "--json", "--author", "brian", "retry").document()
    (only,) = found["commits"]
    assert (only["id"], only["summary"]) == (project.head(), "Limit")
    assert "src/retry.py" in only["paths"]
    assert (found["complete"], found["indexed"]) == (True, 3)
    nothing = call("search", "--commits", "--author", "nobody", "retry")
    assert nothing.status == 1
    assert "Nothing found in 3 commits" in nothing.err


def test_there_are_no_commits_outside_a_repository(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def one():\n    return 1\n")
    for options in (["--commits"], ["--author", "ada"]):
        told = call("search", *options, "one", folder=tmp_path)
        assert told.status == 2
        assert "in no git repository" in told.err
