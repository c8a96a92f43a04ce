"""Our commit-graph of a repository: git uses it, and answers what it answers without."""

import shutil
from pathlib import Path

import pytest

from codeintel_ls.git import GraphState
from tests.unit.git.commit_graph.graphs import (
    Open,
    OpenGraph,
    agree,
    damage,
    files_of,
    outcome,
    skipped,
)
from tests.unit.git.fakes import TELLING, fake_program
from tests.unit.git.repositories import RepositoryBuilder, grow


def test_git_skips_commits_and_the_repository_is_not_written(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, folder: Path
):
    before = files_of(history.root / ".git")
    client, graph = open_graph(history.root)
    assert graph.environment == {}
    assert graph.status.state is GraphState.ABSENT
    status = graph.refresh()
    assert status.state is GraphState.IN_USE
    assert status.commits == int(history.git("rev-list", "--count", "HEAD"))
    assert status.disk_bytes == (folder / "objects/info/commit-graph").stat().st_size
    assert skipped(graph, history.root) > 20
    assert agree(open_client, client)
    assert files_of(history.root / ".git") == before
    assert folder.stat().st_mode & 0o077 == folder.parent.parent.stat().st_mode & 0o077 == 0


def test_every_git_that_is_asked_sees_the_graph(
    history: RepositoryBuilder,
    open_graph: OpenGraph,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    open_graph(history.root)[1].refresh()
    log = tmp_path / "log"
    program = fake_program(tmp_path / "telling" / "git", TELLING, log)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    client, _ = open_graph(history.root)
    log.unlink()
    client.file_history("file.txt")
    assert set(log.read_text().split()) == {str(folder / "objects")}


def test_it_goes_before_a_graph_without_filters(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open
):
    client, graph = open_graph(history.root)
    history.git("commit-graph", "write", "--reachable")
    assert skipped(graph, history.root) == 0
    before = files_of(history.root / ".git")
    assert graph.refresh().state is GraphState.IN_USE
    assert skipped(graph, history.root) > 20
    assert agree(open_client, client)
    assert files_of(history.root / ".git") == before


@pytest.mark.parametrize("split", [False, True])
def test_a_repository_with_filters_of_its_own_needs_none(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, folder: Path, split: bool
):
    client, graph = open_graph(history.root)
    graph.refresh()
    kind = ["--split"] if split else []
    history.git("commit-graph", "write", "--reachable", "--changed-paths", *kind)
    assert graph.refresh().state is GraphState.OWN
    assert graph.environment == {}
    assert not (folder / "objects/info/commit-graph").exists()
    assert skipped(graph, history.root) > 20
    history.commit_file("file.txt", "all new\n")
    assert graph.refresh().state is GraphState.IN_USE
    assert agree(open_client, client)


def test_nothing_is_built_beside_a_damaged_graph(history: RepositoryBuilder, open_graph: OpenGraph):
    history.git("commit-graph", "write", "--reachable")
    damage(history.root / ".git/objects/info/commit-graph")
    _, graph = open_graph(history.root)
    assert graph.refresh().state is GraphState.USELESS


def test_where_git_uses_no_graph_none_is_kept(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    client, graph = open_graph(history.root)
    undoings = [
        (("replace", "HEAD~5", "HEAD~9"), ("replace", "-d", history.rev("HEAD~5"))),
        (("config", "core.commitGraph", "false"), ("config", "--unset", "core.commitGraph")),
    ]
    for doing, undoing in undoings:
        assert graph.refresh().state is GraphState.IN_USE
        history.git(*doing)
        assert agree(open_client, client)
        assert graph.refresh().state is GraphState.USELESS
        assert graph.environment == {}
        history.git(*undoing)
    graph.refresh()
    grafts = history.root / ".git/info/grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(history.rev("HEAD~5") + "\n")
    assert agree(open_client, client)
    assert graph.refresh().state is GraphState.USELESS


def test_a_shallow_clone_gets_none(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    clone = tmp_path / "clone"
    history.git("clone", "-q", f"file://{history.root}", str(clone))
    client, graph = open_graph(clone)
    assert graph.refresh().state is GraphState.IN_USE
    history.git("-C", str(clone), "fetch", "-q", "--depth", "5")
    assert agree(open_client, client)
    assert graph.refresh().state is GraphState.USELESS
    assert agree(open_client, client)


def test_a_repository_of_sha256_ids(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    _, graph = open_graph(history.root)
    graph.refresh()
    # Another repository in the place of the first.
    shutil.rmtree(history.root)
    history.root.mkdir()
    history.git("init", "-q", "-b", "main", "--object-format=sha256")
    grow(history, seed=8)
    client, graph = open_graph(history.root)
    assert graph.environment == {}
    assert graph.refresh().state is GraphState.IN_USE
    assert len(history.head()) == 64
    assert skipped(graph, history.root, "old.txt") > 5
    assert agree(open_client, client)


def test_worktrees_share_one(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    _, graph = open_graph(history.root)
    graph.refresh()
    tree = tmp_path / "tree"
    history.git("worktree", "add", "-q", "--detach", str(tree), "HEAD~20")
    client, shared = open_graph(tree)
    assert shared.status == graph.status
    assert skipped(shared, tree) > 5
    assert agree(open_client, client)


@pytest.mark.parametrize("filter_spec", ["blob:none", "tree:0"])
def test_partial_clones(
    history: RepositoryBuilder,
    open_graph: OpenGraph,
    open_client: Open,
    tmp_path: Path,
    filter_spec: str,
):
    history.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    source = f"file://{history.root}"
    history.git("clone", "-q", f"--filter={filter_spec}", source, str(clone))
    before = files_of(clone / ".git/objects")
    client, graph = open_graph(clone)
    built = filter_spec == "blob:none"
    assert graph.refresh().state is (GraphState.IN_USE if built else GraphState.FAILED)
    assert outcome(client) == outcome(open_client(clone))
    assert files_of(clone / ".git/objects") == before
    if built:
        assert skipped(graph, clone) > 20


def test_a_repository_that_borrows_objects(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    history.git("commit-graph", "write", "--reachable")
    clone = tmp_path / "clone"
    history.git("clone", "-q", "--shared", str(history.root), str(clone))
    client, graph = open_graph(clone)
    assert graph.refresh().state is GraphState.IN_USE
    assert skipped(graph, clone) > 20
    assert agree(open_client, client)


@pytest.mark.parametrize("own_graph", [False, True])
def test_beside_a_configuration_that_git_cannot_use(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, own_graph: bool
):
    if own_graph:
        history.git("commit-graph", "write", "--reachable")
    with (history.root / ".git/config").open("a") as file:
        file.write("[blame]\n\tignoreRevsFile = missing\n")
    client, graph = open_graph(history.root)
    assert graph.refresh().state is GraphState.IN_USE
    assert agree(open_client, client)


def test_paths_that_git_would_take_apart(
    history: RepositoryBuilder, open_graph: OpenGraph, open_client: Open, tmp_path: Path
):
    odd = RepositoryBuilder(tmp_path / 'a:"b"\\c')
    odd.git("pull", "-q", str(history.root), "main")
    for own_graph in (False, True):
        if own_graph:
            odd.git("commit-graph", "write", "--reachable")
        client, graph = open_graph(odd.root, tmp_path / f'"{own_graph}":\\n' / "graph")
        assert graph.refresh().state is GraphState.IN_USE
        assert skipped(graph, odd.root) > 20
        assert agree(open_client, client)
