"""A history, and clients that keep a graph of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient, ShadowGraph
from tests.unit.git.commit_graph.graphs import Open
from tests.unit.git.repositories import RepositoryBuilder, grow


@pytest.fixture
def history(repository: RepositoryBuilder) -> RepositoryBuilder:
    """`file.txt` and a few others, with merges."""
    grow(repository, seed=7)
    for number in range(30):
        repository.commit_file(f"other{number % 3}.txt", f"{number}\n")
    return repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "repositories" / "name-0" / "commit-graph"


@pytest.fixture
def open_graph(open_client: Open, folder: Path) -> Callable[..., tuple[GitClient, ShadowGraph]]:
    def open_one(root: Path, place: Path = folder) -> tuple[GitClient, ShadowGraph]:
        client = open_client(root)
        client.use_commit_graph(place)
        assert client.commit_graph is not None
        return client, client.commit_graph

    return open_one
