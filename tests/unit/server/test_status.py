"""`codeintel/status` and progress bars."""

import asyncio

from attrs import evolve
from lsprotocol import types

from codeintel_ls.index.status import IndexState, IndexStatus
from codeintel_ls.server.client import Client
from codeintel_ls.server.indexing import FolderIndexing
from codeintel_ls.server.protocol import Routes
from codeintel_ls.server.status import SECONDS_BETWEEN, FolderHealth, StatusReporter, summarize
from codeintel_ls.server.wire import StatusNotification
from codeintel_ls.server.work_done import WorkDone, WorkDoneTokens
from tests.unit.server.talking import Talk

READY = IndexStatus(
    state=IndexState.READY,
    files=3,
    chunks=5,
    pending=0,
    generation=1,
    primary_kind="flat",
    primary_vectors=5,
    secondary_vectors=0,
    tombstones=0,
    embedder="x",
    memory_bytes=1,
    disk_bytes=1,
    skipped={},
)


def test_the_worst_folder_decides():
    failed = evolve(READY, state=IndexState.FAILED, last_error="The disk is full.")
    status = summarize([FolderHealth("a", READY), FolderHealth("b", failed)])
    assert (status.health, status.state) == ("error", "failed")
    assert status.message == "b: The disk is full."


def test_what_a_person_should_know_is_a_warning():
    noticed = evolve(READY, notices=("A damaged cache was set aside.",))
    assert summarize([FolderHealth("a", noticed)]).health == "warning"
    stopped = summarize([FolderHealth("a", READY, stopped=True)])
    assert stopped.health == "warning"
    assert "updateIndex" in stopped.message
    assert summarize([FolderHealth("a", READY)]).health == "ok"


async def test_the_last_status_is_told_and_none_twice():
    told: list[StatusNotification] = []
    reporter = StatusReporter(told.append)
    statuses = [
        StatusNotification(health="ok", state="indexing", message=str(number))
        for number in range(100)
    ]
    for status in statuses:
        reporter.set(status)
    reporter.set(statuses[-1])
    await asyncio.sleep(SECONDS_BETWEEN * 3)
    reporter.set(statuses[-1])
    await asyncio.sleep(SECONDS_BETWEEN * 2)
    assert told == [statuses[0], statuses[-1]]
    reporter.close()


def progress_of(talk: Talk) -> list[dict]:
    return [m["params"]["value"] for m in talk.sent if m.get("method") == "$/progress"]


async def test_a_bar_is_reported_seldom_never_goes_back_and_ends_once():
    talk = Talk(Routes(requests={}, notifications={}))
    tokens = WorkDoneTokens()
    bar = WorkDone(Client(talk.protocol), tokens, "t", lambda: None)
    bar.begin("Working")
    for step, now in enumerate([1.0, 1.01, 1.2, 1.4]):
        bar.report(now, [50, 60, 20, 100][step], 100, "files")
    bar.end("Done")
    bar.end("Done")
    bar.report(9.0, 1, 1, "late")
    kinds = [(value["kind"], value.get("percentage")) for value in progress_of(talk)]
    assert kinds == [
        ("begin", 0),
        ("report", 50),
        ("report", 50),
        ("report", 100),
        ("end", None),
    ]
    assert len(tokens) == 0


async def test_indexing_shows_a_bar_that_can_be_stopped():
    talk = Talk(Routes(requests={}, notifications={}))
    client, tokens, stopped, changes = Client(talk.protocol), WorkDoneTokens(), [], []
    window = types.WindowClientCapabilities(work_done_progress=True)
    client.capabilities = types.ClientCapabilities(window=window)
    indexing = FolderIndexing(
        "app", client, tokens, talk.protocol.in_background, lambda: changes.append(1)
    )
    indexing.stop = lambda: stopped.append(1)
    indexing.progress(1, 10, "files")
    await talk.settle()
    talk.send(id=talk.sent[0]["id"], result=None)
    await talk.settle()
    tokens.cancel(talk.sent[1]["params"]["token"])
    indexing.status(READY)
    indexing.progress(2, 10, "files")
    await talk.settle()
    assert [value["kind"] for value in progress_of(talk)] == ["begin", "end"]
    assert (stopped, indexing.stopped, len(tokens)) == ([1], True, 0)
    assert changes


async def test_a_client_without_progress_is_not_asked():
    talk = Talk(Routes(requests={}, notifications={}))
    indexing = FolderIndexing(
        "app",
        Client(talk.protocol),
        WorkDoneTokens(),
        talk.protocol.in_background,
        lambda: None,
    )
    indexing.progress(1, 10, "files")
    await talk.settle()
    assert talk.sent == []
