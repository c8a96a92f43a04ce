"""Our commit-graph of a repository: damaged, outdated, in the way, or built by two at once."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import GraphState
from codeintel_ls.git.commit_graph import NEW_COMMITS
from tests.unit.git.commit_graph.graphs import Open, OpenGraph, agree, damage, skipped
from tests.unit.git.fakes import SLOW, all_end, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder

FAILING = """#!/bin/sh
case "$*" in *" commit-graph write "*) echo + >> "{log}"; exit 1;; esac
exec {git} "$@"
"""


@pytest.mark.parametrize("cut", [False, True])
def test_a_damaged_graph_is_removed_and_built_again(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, folder: Path, cut: bool
):
    client, graph = open_graph(history.root)
    graph.refresh()
    place = folder / "objects/info/commit-graph"
    damage(place, cut=cut)
    assert agree(open_client, client)
    assert not place.exists()
    assert graph.environment == {}
    assert graph.refresh().state is GraphState.IN_USE
    damage(place, cut=cut)
    _, later = open_graph(history.root)
    assert later.environment == {}
    assert skipped(later, history.root) == 0
    assert later.refresh().state is GraphState.IN_USE
    assert skipped(later, history.root) > 20


def test_a_damaged_note_costs_a_graph(
    history: RepositoryBuilder, open_graph: OpenGraph, folder: Path
):
    _, graph = open_graph(history.root)
    graph.refresh()
    for note in (b"", b"[]", b'{"tips": ["--all"], "failed_at": 0}', b'{"tips": 3}'):
        (folder / "graph.json").write_bytes(note)
        assert graph.refresh().state is GraphState.IN_USE
        assert history.head() in (folder / "graph.json").read_text()


def test_commits_that_were_pruned(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, folder: Path
):
    client, graph = open_graph(history.root)
    graph.refresh()
    gone = history.head()
    history.git("reset", "-q", "--hard", "HEAD~20")
    for number in range(5):
        history.commit_file("file.txt", f"new {number}\nsame\n")
    history.git("reflog", "expire", "--expire=now", "--all")
    history.git("gc", "-q", "--prune=now")
    assert gone in (folder / "graph.json").read_text()
    assert graph.environment
    assert agree(open_client, client)
    status = graph.refresh()
    assert status.commits == int(history.git("rev-list", "--count", "HEAD"))
    assert gone not in (folder / "graph.json").read_text()
    assert agree(open_client, client)


def test_a_few_new_commits_do_not_count(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open
):
    client, graph = open_graph(history.root)
    first = graph.refresh()
    history.import_commits("file.txt", NEW_COMMITS - 1)
    assert graph.refresh() == first
    assert agree(open_client, client)
    history.import_commits("file.txt", 1)
    status = graph.refresh()
    assert status.commits == first.commits + NEW_COMMITS
    assert agree(open_client, client)


def test_other_branches_are_in_it(history: RepositoryBuilder, open_graph: OpenGraph):
    history.git("branch", "early", "HEAD~30")
    history.git("checkout", "-q", "--orphan", "other")
    history.commit_file("file.txt", "alone\n")
    _, graph = open_graph(history.root)
    commits = graph.refresh().commits
    assert commits == int(history.git("rev-list", "--count", "--all"))
    history.git("checkout", "-q", "main")
    assert graph.refresh().commits == commits


def test_no_commits_yet(repository: RepositoryBuilder, open_graph: OpenGraph, folder: Path):
    _, graph = open_graph(repository.root)
    assert graph.refresh().state is GraphState.ABSENT
    assert not folder.exists()


def test_cancelling_leaves_no_process_and_nothing_half_built(
    history: RepositoryBuilder,
    open_graph: OpenGraph,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    log = tmp_path / "log"
    slow = SLOW.replace("sleep 300 &", 'case "$*" in *for-each-ref*) exit;; esac\nsleep 300 &')
    program = fake_program(tmp_path / "slow" / "git", slow, log)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    _, graph = open_graph(history.root)
    cancellation = Cancellation()
    with ThreadPoolExecutor() as pool:
        building = pool.submit(graph.refresh, cancellation)
        processes = started(log, 2)
        assert graph.status.state is GraphState.BUILDING
        # Nobody waits for whoever builds already.
        assert open_graph(history.root)[1].refresh().state is GraphState.ABSENT
        cancellation.cancel()
        with pytest.raises(CancelledError):
            building.result(timeout=10)
    assert all_end(processes)
    assert graph.status.state is GraphState.ABSENT
    assert not list(folder.glob("building-*"))
    monkeypatch.undo()
    leftover = folder / "building-leftover"
    leftover.mkdir()
    assert open_graph(history.root)[1].refresh().state is GraphState.IN_USE
    assert not leftover.exists()


def test_one_process_builds(history: RepositoryBuilder, open_graph: OpenGraph, folder: Path):
    _, graph = open_graph(history.root)
    folder.mkdir(parents=True)
    with FileLock(folder / "building.lock"):
        assert graph.refresh().state is GraphState.ABSENT
    assert graph.refresh().state is GraphState.IN_USE


def test_what_failed_is_not_tried_again_at_once(
    history: RepositoryBuilder,
    open_graph: OpenGraph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    log = tmp_path / "log"
    program = fake_program(tmp_path / "failing" / "git", FAILING, log)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    for _ in range(3):
        client, graph = open_graph(history.root)
        assert graph.refresh().state is GraphState.FAILED
        assert client.file_history("file.txt").entries
    assert log.read_text() == "+\n"


def test_a_cache_that_cannot_be_written(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    (tmp_path / "file").touch()
    client, graph = open_graph(history.root, tmp_path / "file" / "graph")
    assert graph.refresh().state is GraphState.FAILED
    assert agree(open_client, client)


@pytest.mark.parametrize("own_graph", [False, True])
def test_a_cache_that_is_removed_while_it_is_in_use(
    history: RepositoryBuilder,
    open_graph: OpenGraph,
    open_client: Open,
    folder: Path,
    own_graph: bool,
):
    if own_graph:
        history.git("commit-graph", "write", "--reachable")
    client, graph = open_graph(history.root)
    graph.refresh()
    assert graph.environment
    shutil.rmtree(folder.parent.parent)
    assert agree(open_client, client)
    assert graph.status.state is not GraphState.IN_USE
    assert graph.refresh().state is GraphState.IN_USE
