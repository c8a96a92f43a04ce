"""Our commit-graph of a repository: git uses it, and answers what it answers without."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import GitClient, GitError, GraphState, ShadowGraph
from codeintel_ls.git.commit_graph import NEW_COMMITS
from tests.unit.git.fakes import SLOW, TELLING, all_end, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder, grow

Open = Callable[[Path], GitClient]

FAILING = """#!/bin/sh
case "$*" in *" commit-graph write "*) echo + >> "{log}"; exit 1;; esac
exec {git} "$@"
"""


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


OpenGraph = Callable[..., tuple[GitClient, ShadowGraph]]


def skipped(graph: ShadowGraph, root: Path, path: str = "file.txt") -> int:
    """How many commits git knew from filters not to have changed the path (trace2's own count)."""
    trace = root.parent / "trace"
    trace.unlink(missing_ok=True)
    told = {**os.environ, **graph.environment, "GIT_TRACE2_PERF": str(trace)}
    command = ["git", "log", "--format=%H", "HEAD", "--", path]
    shown = subprocess.run(command, cwd=root, env=told, capture_output=True, check=True).stdout
    assert shown == subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    return sum(map(int, re.findall(r'"definitely_not":(\d+)', trace.read_text())))


def answers(client: GitClient, path: str = "file.txt") -> object:
    hunks = client.blame_range(path, 0, 10**9).hunks
    return hunks, client.file_history(path).entries, client.folder_history(".").entries


def outcome(client: GitClient) -> object:
    """An answer, or why there is none."""
    try:
        return client.file_history("file.txt")
    except GitError as error:
        return str(error)


def agree(open_client: Open, client: GitClient, path: str = "file.txt") -> bool:
    """Whether a client with a graph answers as one that has none."""
    return answers(client, path) == answers(open_client(client.root), path)


def files_of(root: Path) -> dict[str, tuple[int, int]]:
    states = ((path, path.stat()) for path in root.rglob("*"))
    return {str(path): (state.st_mtime_ns, state.st_size) for path, state in states}


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


def damage(place: Path, *, cut: bool = False) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 0x10
    # Replaced, as git maps what it reads.
    place.unlink()
    place.write_bytes(content[: len(content) // 2] if cut else content)


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
    alone = history.commit_file("file.txt", "alone\n")
    _, graph = open_graph(history.root)
    commits = graph.refresh().commits
    assert commits == int(history.git("rev-list", "--count", "--all"))
    history.git("checkout", "-q", "main")
    assert graph.refresh().commits == commits
    assert alone


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
