import asyncio
from pathlib import Path

import pytest

from codeintel_ls.git import AsyncGitClient, GitClient, PathNotTrackedError
from tests.unit.git.fakes import SLOW, all_end, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder


async def test_the_same_answers_as_the_client(repository: RepositoryBuilder, client: GitClient):
    identity = repository.commit_file("a.txt", "one\ntwo\n")
    asked = await AsyncGitClient.discover(repository.root)
    assert (asked.root, asked.git_dir, asked.common_dir) == (
        client.root,
        client.git_dir,
        client.common_dir,
    )
    assert await asked.head() == identity
    assert await asked.relative_path(repository.root / "a.txt") == "a.txt"
    assert await asked.list_files(client.root) == client.list_files(client.root)
    for _ in range(2):
        assert await asked.blame_range("a.txt", 0, 1) == client.blame_range("a.txt", 0, 1)
    assert await asked.file_history("a.txt") == client.file_history("a.txt")
    assert await asked.file_at_revision("a.txt", "HEAD") == "one\ntwo\n"
    assert await asked.commits([identity]) == client.commits([identity])
    assert await asked.commit_url(identity) is None
    with pytest.raises(PathNotTrackedError):
        await asked.blame_range("missing.txt", 0, 0)
    await asked.close()


@pytest.fixture
def slow_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: RepositoryBuilder
) -> Path:
    """Where a git that never answers notes its processes."""
    repository.commit_file("a.txt", "one\n")
    log = tmp_path / "log"
    fake_git = fake_program(tmp_path / "slow" / "git", SLOW, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    return log


async def test_cancelling_a_coroutine_ends_its_processes(
    repository: RepositoryBuilder, slow_log: Path
):
    asked = await AsyncGitClient.discover(repository.root)
    task = asyncio.create_task(asked.list_files(repository.root))
    processes = await asyncio.to_thread(started, slow_log, 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(all_end, processes)
    await asked.close()


async def test_a_busy_pool_holds_up_neither_the_loop_nor_quick_answers(
    repository: RepositoryBuilder, slow_log: Path
):
    asked = await AsyncGitClient.discover(repository.root)
    tasks = [asyncio.create_task(asked.list_files(repository.root)) for _ in range(20)]
    processes = await asyncio.to_thread(started, slow_log, 8)
    assert await asyncio.wait_for(asked.head(), 10) is not None
    await asked.close()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, BaseException) for answer in ended)
    assert len(processes) == 8, "no more than four at once, two of each"
    assert await asyncio.to_thread(all_end, processes)
