"""A session of days: what was answered and what was told leaves nothing behind."""

import itertools

import psutil
import pytest

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.project import make_project
from tests.e2e.test_lifecycle import Pipe

ALLOWED_GROWTH = 6_000_000
"""Bytes: less than 60 for each of 100,000 notifications, the allocator's own slack included."""


def notifications(folder):
    """Without end: a file opened, typed into and closed, and what a client may send besides."""
    uri = uri_from_path(folder / "cache.py")
    document = {"uri": uri, "languageId": "python", "version": 1, "text": "value = 1\n" * 20}
    start = {"line": 0, "character": 0}
    change = {"range": {"start": start, "end": start}, "text": "x"}
    for number in itertools.count():
        yield "textDocument/didOpen", {"textDocument": document}
        for version in range(2, 8):
            yield (
                "textDocument/didChange",
                {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
            )
        yield "$/cancelRequest", {"id": f"never-asked-{number}"}
        yield "$/progress", {"token": f"unknown-{number}", "value": {}}
        yield "window/workDoneProgress/cancel", {"token": f"unknown-{number}"}
        yield f"unknown/method{number}", {"number": number}
        yield "textDocument/didClose", {"textDocument": {"uri": uri}}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "app"
    make_project(folder)
    return folder


@pytest.fixture
def pipe(environment, folder):
    pipe = Pipe(environment)
    pipe.initialize(folder)
    yield pipe
    pipe.close()


def test_100_000_notifications_leave_memory_flat(pipe, folder):
    stream = notifications(folder)
    server = psutil.Process(pipe.process.pid)

    def least_resident(first_id: int) -> int:
        """Of ten looks, each after another 10,000: garbage comes and goes, what stays does not."""
        seen: list[int] = []
        for msg_id in range(first_id, first_id + 10):
            for method, params in itertools.islice(stream, 10_000):
                pipe.send(method=method, params=params)
            # The server's answer says that it has heard all of them.
            pipe.send(id=msg_id, method="codeintel/indexStatus", params={})
            assert "result" in pipe.answer(msg_id)
            seen.append(server.memory_info().rss)
        return min(seen)

    before, after = least_resident(1), least_resident(11)
    assert after - before < ALLOWED_GROWTH


def test_answered_requests_leave_memory_flat(pipe):
    server = psutil.Process(pipe.process.pid)
    ids = itertools.count(1)

    def resident_after(count: int) -> int:
        for msg_id in itertools.islice(ids, count):
            params = {"supersedeToken": msg_id, "workDoneToken": f"bar-{msg_id}"}
            pipe.send(id=msg_id, method="codeintel/indexStatus", params=params)
            assert "result" in pipe.answer(msg_id)
        return server.memory_info().rss

    before = resident_after(1_000)
    after = resident_after(5_000)
    assert after - before < ALLOWED_GROWTH
