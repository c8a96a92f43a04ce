"""Clients of one folder share one process and one index, and nothing else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from codeintel_ls.daemon.client import AnsweredError, DaemonClient
from codeintel_ls.daemon.place import place_of
from codeintel_ls.server.uris import uri_from_path
from tests.e2e.daemon.conftest import BOTH, is_gone, opened, pid_of
from tests.e2e.slow_git import SlowGit
from tests.waiting import until


def search(client: DaemonClient, query: str, **more) -> list[dict]:
    return client.operation("semanticSearch", {"query": query, **more})["hits"]


@BOTH
def test_two_clients_share_one_index(environment, folder):
    first, second = opened(folder), opened(folder)
    first.operation("updateIndex", {})
    pid = pid_of(folder)
    embedded = first.operation("indexStatus", {})["folders"][0]["embedded"]
    assert embedded
    assert search(second, "evict expired entries")[0]["path"] == "src/cache.py"
    (status,) = second.operation("indexStatus", {})["folders"]
    assert (status["state"], status["embedded"]) == ("ready", embedded)
    workers = [
        child
        for child in psutil.Process(pid).children(recursive=True)
        if "codeintel_ls.index.worker" in child.cmdline()
    ]
    assert len(workers) <= 1
    # What one saves, the other finds.
    (folder / "new.py").write_text("def polish_the_silver():\n    pass\n")
    first.operation("updateIndex", {"uris": [uri_from_path(folder / "new.py")]})
    assert search(second, "polish the silver")[0]["path"] == "new.py"
    first.close()
    assert search(second, "evict expired entries")
    second.close()


def test_who_comes_back_soon_finds_the_index_open(environment, folder):
    first = opened(folder)
    first.operation("updateIndex", {})
    generation = first.operation("indexStatus", {})["folders"][0]["generation"]
    first.close()
    second = opened(folder)
    (status,) = second.operation("indexStatus", {})["folders"]
    assert (status["state"], status["generation"]) == ("ready", generation)
    second.close()


def test_documents_and_encodings_are_a_clients_own(environment, folder):
    first, second = opened(folder), opened(folder)
    uri = uri_from_path(folder / "src/cache.py")
    text = "# nobody committed this\n" + (folder / "src/cache.py").read_text()
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    first.notify("textDocument/didOpen", {"textDocument": item})
    lines = {"uri": uri, "startLine": 0, "endLine": 0}
    assert first.operation("blameRange", lines)["hunks"][0]["commit"] is None
    assert second.operation("blameRange", lines)["hunks"][0]["commit"] is not None
    first.close()
    second.close()


def test_a_cancel_of_one_leaves_the_other(environment, folder, tmp_path, monkeypatch):
    slow = SlowGit(tmp_path)
    monkeypatch.setenv("PATH", slow.environment(environment)["PATH"])
    first, second = opened(folder), opened(folder)
    params = {"uri": uri_from_path(folder / "src/cache.py")}
    one, _ = first.begin("fileHistory", params)
    _, other = second.begin("fileHistory", params)
    until(lambda: len(slow.pids()) == 2)
    first.cancel(one)
    until(lambda: sum(map(psutil.pid_exists, slow.pids())) < 2)
    assert not other.done()
    # A client that goes takes its work along.
    second.close()
    until(lambda: not slow.runs())
    first.close()


def test_settings_of_the_index_are_those_of_the_first(environment, folder):
    first = opened(folder, options={"index": {"exclude": ["*.go"]}})
    second = opened(folder)
    first.operation("updateIndex", {})
    paths = second.operation("listPaths", {})["paths"]
    assert not any(path.endswith(".go") for path in paths)

    def is_told(client: DaemonClient) -> bool:
        (status,) = client.operation("indexStatus", {})["folders"]
        return any("Another window" in notice for notice in status["notices"])

    assert (is_told(first), is_told(second)) == (False, True)
    first.close()
    # The first has gone: from now on the settings are those of the one that is left.
    until(lambda: any(p.endswith(".go") for p in second.operation("listPaths", {})["paths"]))
    second.close()


@BOTH
def test_ten_at_once_start_one(environment, folder):
    with ThreadPoolExecutor(10) as threads:
        clients = list(threads.map(lambda _: opened(folder), range(10)))
    daemons = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if {"daemon", "run"} <= set(process.info["cmdline"] or ())
        and str(folder) in process.info["cmdline"]
    ]
    assert [process.pid for process in daemons] == [pid_of(folder)]
    for client in clients:
        client.close()


def test_an_agent_on_an_event_loop_cancels_too(environment, folder, tmp_path, monkeypatch):
    slow = SlowGit(tmp_path)
    monkeypatch.setenv("PATH", slow.environment(environment)["PATH"])
    client = opened(folder)

    async def ask_and_give_up():
        asked = asyncio.create_task(
            client.ask("fileHistory", {"uri": uri_from_path(folder / "src/cache.py")})
        )
        await asyncio.to_thread(until, slow.pids)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(ask_and_give_up())
    until(lambda: not slow.runs())
    with pytest.raises(AnsweredError, match="query"):
        client.operation("semanticSearch", {"query": 7})
    client.close()


@BOTH
def test_it_ends_soon_after_its_last_client(environment, folder):
    client = opened(folder)
    client.operation("updateIndex", {})
    place, pid = place_of(str(folder)), pid_of(folder)
    children = psutil.Process(pid).children(recursive=True)
    assert Path(place.door).is_socket() != place.is_loopback
    client.close()
    until(lambda: is_gone(place, pid))
    until(lambda: not any(child.is_running() for child in children))
