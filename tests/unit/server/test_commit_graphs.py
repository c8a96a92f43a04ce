"""A session builds commit-graphs for the repositories that it is asked about, in the background."""

import os
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from codeintel_ls.git import GitClient, GraphState
from codeintel_ls.server import commit_graphs, wire
from codeintel_ls.server.debug_information import print_debug_information
from codeintel_ls.server.repositories import Repositories
from codeintel_ls.settings import CacheSettings, Settings
from codeintel_ls.workspace.pruning import Reason, prune
from tests.unit.git.fakes import SLOW, all_end, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder, grow
from tests.unit.server.windows import Window
from tests.waiting import eventually


@pytest.fixture
def repository(tmp_path: Path) -> RepositoryBuilder:
    builder = RepositoryBuilder(tmp_path / "repository")
    grow(builder, seed=3)
    return builder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=CacheSettings(directory=str(tmp_path / "cache")))


@pytest.fixture
def repositories() -> Iterator[Repositories]:
    opened = Repositories()
    yield opened
    opened.close()


def switched_off(settings: Settings) -> Settings:
    return attrs.evolve(settings, git=attrs.evolve(settings.git, commit_graph=False))


def state_of(client: GitClient) -> GraphState:
    assert client.commit_graph is not None
    return client.commit_graph.status.state


def test_a_graph_is_built_in_the_cache(
    repository: RepositoryBuilder, repositories: Repositories, settings: Settings, tmp_path: Path
) -> None:
    client = repositories.of(repository.root / "file.txt", settings)
    assert eventually(lambda: state_of(client) is GraphState.IN_USE)
    (line,) = repositories.graphs.describe()
    commits = int(repository.git("rev-list", "--count", "HEAD"))
    assert line.startswith(f"git graph of repository: in use, {commits} commits, ")
    before = client.blame_range("file.txt", 0, 10**9)
    # No folder of the editor refers to the store that it is in.
    removed = prune(tmp_path / "cache", cap_bytes=10**9).removed
    assert [one.reason for one in removed] == [Reason.UNREFERENCED]
    assert state_of(client) is GraphState.ABSENT
    assert client.file_history("file.txt").entries
    assert client.blame_range("file.txt", 0, 10**9) == before


def test_it_is_built_again_after_many_commits(
    repository: RepositoryBuilder,
    repositories: Repositories,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = repositories.of(repository.root, settings)
    assert eventually(lambda: state_of(client) is GraphState.IN_USE)
    repository.import_commits("file.txt", 100)
    commits = f" {int(repository.git('rev-list', '--count', 'HEAD'))} commits"
    repositories.of(repository.root, settings)
    assert commits not in next(repositories.graphs.describe())
    monkeypatch.setattr(commit_graphs, "SECONDS_BETWEEN", 0.0)

    def built() -> bool:
        repositories.of(repository.root, settings)
        return commits in next(repositories.graphs.describe())

    assert eventually(built)


def test_none_is_used_where_the_setting_says_so(
    repository: RepositoryBuilder, repositories: Repositories, settings: Settings, tmp_path: Path
) -> None:
    client = repositories.of(repository.root, switched_off(settings))
    assert client.commit_graph is None
    assert not (tmp_path / "cache").exists()
    assert repositories.of(repository.root, settings) is client
    assert eventually(lambda: state_of(client) is GraphState.IN_USE)
    repositories.of(repository.root, switched_off(settings))
    assert client.commit_graph is None
    assert client.file_history("file.txt").entries


def test_closing_ends_what_is_being_built(
    repository: RepositoryBuilder,
    repositories: Repositories,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = fake_program(tmp_path / "slow" / "git", SLOW, tmp_path / "log")
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    repositories.of(repository.root, settings)
    processes = started(tmp_path / "log", 2)
    repositories.close()
    assert all_end(processes)


async def test_a_report_tells_of_it(window: Window, settings: Settings) -> None:
    RepositoryBuilder(window.root).commit()
    client = window.session.repositories.of(window.root, settings)
    assert eventually(lambda: state_of(client) is GraphState.IN_USE)
    told = await print_debug_information(window.session, wire.NoParams())
    assert "\ngit graph of app: in use, 1 commits, " in told.text
