"""The commit-graph of the cache on the command line: used if it is there, never waited for."""

import os
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient, GraphState
from codeintel_ls.settings import CacheSettings, commit_graph_directory
from tests.unit.cli.conftest import Call
from tests.unit.git.fakes import TELLING, fake_program
from tests.unit.git.repositories import RepositoryBuilder


def test_a_graph_is_used_but_not_built(
    call: Call, project: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    before = call("history", "src/retry.py").out
    assert not cache.exists()
    client = GitClient.discover(project.root)
    folder = commit_graph_directory(CacheSettings(), client.common_dir)
    assert folder.is_relative_to(cache)
    client.use_commit_graph(folder)
    assert client.commit_graph is not None
    assert client.commit_graph.refresh().state is GraphState.IN_USE
    client.close()
    log = tmp_path / "log"
    program = fake_program(tmp_path / "telling" / "git", TELLING, log)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert call("history", "src/retry.py").out == before
    assert str(folder / "objects") in log.read_text().split()
