"""The rest of a file is blamed after the lines that were asked for."""

import time
from pathlib import Path
from threading import Event, Thread

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import BlameOptions, GitClient, ProcessSlots
from codeintel_ls.git.blame_ahead import BlameAhead
from tests.unit.git.fakes import LOGGING, SLOW, alive, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder
from tests.waiting import until

LINES = "".join(f"line {number}\n" for number in range(200))
PLAIN = BlameOptions()


def test_the_asked_lines_come_first_and_the_rest_by_itself(
    repository: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    commit = repository.commit_file("a.txt", LINES)
    log = tmp_path / "log"
    fake_git = fake_program(tmp_path / "logging" / "git", LOGGING, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    client = GitClient.discover(repository.root)
    assert client.blame_range("a.txt", 50, 59).hunks[0].commit == commit
    assert " -L51,60 " in log.read_text()
    assert client.blame_is_cached("a.txt", lines=(52, 55))
    assert not client.blame_is_cached("a.txt", lines=(58, 61))
    assert not client.blame_is_cached("a.txt")
    client.blame_ahead("a.txt")
    until(lambda: client.blame_is_cached("a.txt"))
    before = log.read_text()
    assert client.blame_range("a.txt", 0, 199).hunks[0].commit == commit
    assert client.blame_is_cached("a.txt", lines=(0, 2), text="new\n" + LINES)
    assert log.read_text() == before
    client.close()


def test_what_was_blamed_ahead_outlives_the_process(
    repository: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = repository.commit_file("a.txt", LINES)
    client = GitClient.discover(repository.root)
    client.keep_blames_in(tmp_path / "blames")
    client.blame_ahead("a.txt")
    until(lambda: client.blame_is_cached("a.txt"))
    until(lambda: any((tmp_path / "blames").glob("*.blame")))
    client.close()
    log = tmp_path / "log"
    fake_git = fake_program(tmp_path / "logging" / "git", LOGGING, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    client = GitClient.discover(repository.root)
    client.keep_blames_in(tmp_path / "blames")
    assert client.blame_range("a.txt", 3, 12).hunks[0].commit == first
    assert " blame " not in log.read_text()
    second = repository.commit_file("a.txt", "new\n" + LINES + "newer\n")
    hunks = client.blame_range("a.txt", 0, 12).hunks
    assert [hunk.commit for hunk in hunks] == [second, first]
    assert " blame " not in log.read_text()
    client.close()


def test_the_newest_wish_goes_first_and_old_ones_are_forgotten():
    done: list[str] = []
    begun, go_on = Event(), Event()

    def blame(path: str, options: BlameOptions, cancellation: Cancellation) -> None:
        begun.set()
        assert go_on.wait(60)
        done.append(path)

    ahead = BlameAhead(blame)
    ahead.add("first", PLAIN)
    assert begun.wait(60)
    for number in range(20):
        ahead.add(f"{number}", PLAIN)
    ahead.add("15", PLAIN)
    go_on.set()
    until(lambda: len(done) == 9)
    assert done == ["first", "15", "19", "18", "17", "16", "14", "13", "12"]
    ahead.close()


def test_closing_ends_what_runs(
    repository: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    repository.commit_file("a.txt", LINES)
    log = tmp_path / "log"
    fake_git = fake_program(tmp_path / "slow" / "git", SLOW, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    client = GitClient.discover(repository.root)
    client.blame_ahead("a.txt")
    processes = started(log, 2)
    client.close()
    assert not any(map(alive, processes))


def test_what_is_done_ahead_leaves_a_slot_and_waits_for_who_waits():
    slots = ProcessSlots(2)
    order: list[str] = []
    with slots.slot(Cancellation()):

        def ahead() -> None:
            with slots.slot(Cancellation(), background=True):
                order.append("ahead")

        thread = Thread(target=ahead)
        thread.start()
        time.sleep(0.05)
        assert order == [], "the last free slot is for what somebody waits for"
        with slots.slot(Cancellation()):
            order.append("visible")
    thread.join(10)
    assert order == ["visible", "ahead"]
    with ProcessSlots(1).slot(Cancellation(), background=True):
        pass
