from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient
from tests.unit.git.repositories import RepositoryBuilder


@pytest.fixture(autouse=True)
def no_user_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the one who runs the tests has configured changes nothing."""
    configuration = tmp_path / "user.gitconfig"
    configuration.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path: Path) -> RepositoryBuilder:
    return RepositoryBuilder(tmp_path / "repository")


@pytest.fixture
def open_client() -> Iterator[Callable[[Path], GitClient]]:
    clients: list[GitClient] = []

    def open_one(folder: Path) -> GitClient:
        clients.append(GitClient.discover(folder))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


@pytest.fixture
def client(repository: RepositoryBuilder, open_client: Callable[[Path], GitClient]) -> GitClient:
    return open_client(repository.root)
