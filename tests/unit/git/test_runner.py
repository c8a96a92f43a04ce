import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import (
    GitClient,
    GitFailedError,
    GitMissingError,
    GitTimedOutError,
    ProcessSlots,
)
from tests.unit.git.fakes import COUNTING, MARKING, OLD, SLOW, all_end, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def slow_client(
    repository: RepositoryBuilder, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> GitClient:
    repository.commit_file("a.txt", "one\n")
    fake_git = fake_program(tmp_path / "slow" / "git", SLOW, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    return GitClient.discover(repository.root, slots=ProcessSlots(1))


def test_cancelling_ends_the_process_and_its_children(slow_client: GitClient, log: Path):
    cancellation = Cancellation()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(slow_client.list_files, slow_client.root, cancellation)
        processes = started(log, 2)
        cancellation.cancel()
        with pytest.raises(CancelledError):
            answer.result(timeout=10)
    assert all_end(processes)


def test_who_waits_for_a_slot_can_be_cancelled(slow_client: GitClient, log: Path):
    first, second = Cancellation(), Cancellation()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(slow_client.list_files, slow_client.root, first)
        started(log, 2)
        waiting = pool.submit(slow_client.list_files, slow_client.root, second)
        second.cancel()
        with pytest.raises(CancelledError):
            waiting.result(timeout=10)
        assert not running.done()
        assert len(started(log, 2)) == 2
        first.cancel()
    assert all_end(started(log, 2))


def test_cancelled_before_it_began_starts_nothing(slow_client: GitClient, log: Path):
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        slow_client.list_files(slow_client.root, cancellation)
    assert not log.exists()


@pytest.mark.usefixtures("slow_client")
def test_a_process_that_takes_too_long_is_ended(repository: RepositoryBuilder, log: Path):
    client = GitClient.discover(repository.root, timeout=0.2)
    with pytest.raises(GitTimedOutError, match=r"0\.2 seconds"):
        client.list_files(client.root)
    assert all_end(started(log, 2))


def test_no_more_processes_than_slots(
    repository: RepositoryBuilder, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
):
    fake_git = fake_program(tmp_path / "counting" / "git", COUNTING, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    slots = ProcessSlots(2)
    clients = [GitClient.discover(repository.root, slots=slots) for _ in range(2)]
    threads = [
        Thread(target=client.list_files, args=[client.root]) for client in clients for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running, most = 0, 0
    for sign in log.read_text().split():
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert most == 2
    assert running == 0


def test_git_must_be_there_and_new_enough(
    repository: RepositoryBuilder, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError, match="not found"):
        GitClient.discover(repository.root)
    monkeypatch.setenv("PATH", str(fake_program(tmp_path / "old" / "git", OLD, log).parent))
    with pytest.raises(GitMissingError, match=r"2\.29 is too old"):
        GitClient.discover(repository.root)


def test_a_git_of_the_users_choice_is_run(repository: RepositoryBuilder, tmp_path: Path, log: Path):
    chosen = fake_program(tmp_path / "chosen" / "my-git", COUNTING, log)
    client = GitClient.discover(repository.root, command=str(chosen))
    client.list_files(client.root)
    assert log.exists()
    missing = str(tmp_path / "missing-git")
    with pytest.raises(GitMissingError, match=r"git\.path.*missing-git"):
        GitClient.discover(repository.root, command=missing)


def test_a_git_inside_the_workspace_is_not_run_even_if_named(
    repository: RepositoryBuilder, log: Path
):
    planted = fake_program(repository.root / "git", MARKING, log)
    with pytest.raises(GitMissingError):
        GitClient.discover(repository.root, command=str(planted))
    assert not log.exists()


def test_git_is_never_taken_from_the_workspace(
    repository: RepositoryBuilder, log: Path, monkeypatch: pytest.MonkeyPatch
):
    repository.commit_file("a.txt", "one\n")
    fake_program(repository.root / "git", MARKING, log)
    fake_program(repository.root / "bin" / "git", MARKING, log)
    outside = repository.root.parent / "outside"
    outside.mkdir()
    (outside / "git").symlink_to(repository.root / "git")
    monkeypatch.chdir(repository.root)
    for entry in (".", "bin", "", str(repository.root / "bin"), str(outside)):
        monkeypatch.setenv("PATH", entry, prepend=":")
    client = GitClient.discover(repository.root)
    assert client.blame_range("a.txt", 0, 0).head == client.head()
    assert not log.exists()


def test_git_is_never_taken_from_a_relative_entry_of_the_path(
    repository: RepositoryBuilder, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
):
    fake_program(tmp_path / "elsewhere" / "bin" / "git", MARKING, log)
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("PATH", "bin", prepend=":")
    assert GitClient.discover(repository.root).head() is None
    assert not log.exists()


def test_importing_the_room_runs_nothing(tmp_path: Path, log: Path):
    fake_git = fake_program(tmp_path / "marking" / "git", MARKING, log)
    done = subprocess.run(
        [sys.executable, "-c", "import codeintel_ls.git, git; git.Repo('.').head.commit"],
        env={"PATH": str(fake_git.parent), "PYTHONPATH": str(Path(__file__).parents[3])},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
    )
    assert b"codeintel_ls" not in done.stderr
    assert not log.exists()


def test_what_git_says_is_shown_without_absolute_paths(
    repository: RepositoryBuilder, client: GitClient
):
    repository.commit_file("a.txt", "one\n")
    repository.write(".git/index", "broken")
    with pytest.raises(GitFailedError) as caught:
        client.list_files(client.root)
    assert "index" in str(caught.value)
    assert str(repository.root.parent) not in str(caught.value)
