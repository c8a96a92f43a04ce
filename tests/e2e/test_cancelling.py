"""Cancelling stops the work through both doors; indexing shows its progress and can be stopped."""

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import DOORS, SECONDS, Editor, eventually
from tests.e2e.project import CACHE, commit, new_repository, write
from tests.e2e.slow_git import SlowGit, is_running


async def cancelled(editor: Editor, request: "asyncio.Future[object]", msg_id: str) -> None:
    editor.cancel_request(types.CancelParams(id=msg_id))
    with pytest.raises(JsonRpcException) as caught:
        await asyncio.wait_for(request, SECONDS)
    assert caught.value.code == -32800


async def test_cancelling_ends_the_process_of_git(tmp_path, environment):
    folder = new_repository(tmp_path / "app")
    write(folder, {"cache.py": CACHE})
    commit(folder, "Begin")
    slow = SlowGit(tmp_path)
    editor = await Editor().open(slow.environment(environment), [folder])
    uri = uri_from_path(folder / "cache.py")
    for count, door in enumerate(DOORS, start=1):
        request = editor.begin(door, "fileHistory", {"uri": uri}, door)
        await eventually(lambda n=count: len(slow.pids()) == n)
        await cancelled(editor, request, door)
        await eventually(lambda: not slow.runs())
    # What still runs when the client shuts down is ended too.
    late = editor.begin("request", "fileHistory", {"uri": uri}, "late")
    await eventually(lambda: len(slow.pids()) == len(DOORS) + 1)
    await editor.close()
    with pytest.raises(JsonRpcException):
        await late
    assert not slow.runs()


async def test_a_newer_request_takes_the_place_of_an_older_one(tmp_path, environment):
    folder = new_repository(tmp_path / "app")
    write(folder, {"cache.py": CACHE})
    commit(folder, "Begin")
    slow = SlowGit(tmp_path)
    editor = await Editor().open(slow.environment(environment), [folder])
    params = {"uri": uri_from_path(folder / "cache.py"), "supersedeToken": "view"}
    first = editor.begin("request", "fileHistory", params, "first")
    await eventually(lambda: len(slow.pids()) == 1)
    other = editor.begin("request", "fileHistory", {**params, "supersedeToken": 2}, "other")
    await eventually(lambda: len(slow.pids()) == 2)
    second = editor.begin("command", "fileHistory", params, "second")
    with pytest.raises(JsonRpcException, match="newer request") as caught:
        await asyncio.wait_for(first, SECONDS)
    assert caught.value.code == -32802
    await eventually(lambda: len(slow.pids()) == 3)
    await eventually(lambda: [is_running(pid) for pid in slow.pids()] == [False, True, True])
    await cancelled(editor, second, "second")
    await cancelled(editor, other, "other")
    with pytest.raises(JsonRpcException, match="supersedeToken"):
        await editor.call("request", "fileHistory", {**params, "supersedeToken": [1]})
    await editor.close()


async def test_only_the_last_letter_of_a_symbol_search_is_served(tmp_path, environment):
    folder = tmp_path / "app"
    write(folder, {"cache.py": CACHE})
    editor = await Editor().open(environment, [folder])
    await editor.ready()
    asked = [
        asyncio.wrap_future(
            editor.protocol.send_request(
                types.WORKSPACE_SYMBOL, types.WorkspaceSymbolParams("?" + "cache entries"[:length])
            )
        )
        for length in range(1, 14)
    ]
    *older, last = await asyncio.gather(*asked, return_exceptions=True)
    assert not isinstance(last, BaseException)
    assert last
    refused = [answer for answer in older if isinstance(answer, JsonRpcException)]
    assert refused
    assert {error.code for error in refused} == {-32802}
    await editor.close()


def many_files(folder: Path, count: int) -> None:
    write(
        folder,
        {
            f"part_{number % 20}/module_{number}.py": "".join(
                f"def function_{number}_{part}(value):\n    return value + {part}\n\n\n"
                for part in range(20)
            )
            for number in range(count)
        },
    )


async def test_rebuilding_is_cancelled_through_both_doors(tmp_path, environment):
    folder = tmp_path / "app"
    many_files(folder, 60)
    editor = await Editor().open(environment, [folder])
    await editor.ready()
    for door in DOORS:
        request = editor.begin(door, "rebuildIndex", {}, door)
        await cancelled(editor, request, door)
        assert (await editor.search("function_7_3"))[0]["path"].startswith("part_")
    (status,) = (await editor.call("request", "rebuildIndex"))["folders"]
    assert (status["state"], status["files"]) == ("ready", 60)
    await editor.close()


async def test_indexing_shows_progress_and_can_be_stopped(tmp_path, environment):
    folder = tmp_path / "app"
    many_files(folder, 1_500)
    editor = await Editor().open(environment, [folder])

    def indexing():
        return next(
            (
                token
                for token, values in editor.progress_reports.items()
                if any(isinstance(value, types.WorkDoneProgressBegin) for value in values)
            ),
            None,
        )

    token = await eventually(indexing)
    begun = editor.progress_reports[token][0]
    assert isinstance(begun, types.WorkDoneProgressBegin)
    assert (begun.title, begun.cancellable) == ("Indexing app", True)
    editor.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    await eventually(
        lambda: isinstance(editor.progress_reports[token][-1], types.WorkDoneProgressEnd)
    )
    stopped = await eventually(
        lambda: [one for one in editor.statuses if "indexing was stopped" in one["message"]]
    )
    assert stopped[-1]["health"] == "warning"
    found = await editor.call("request", "semanticSearch", {"query": "function_7_3"})
    assert not found["freshness"]["complete"]
    bar = "updating"
    editor.progress_reports[bar] = []
    (status,) = (await editor.call("request", "updateIndex", {"workDoneToken": bar}))["folders"]
    assert status["files"] == 1_500
    percentages = [
        value.percentage or 0
        for value in editor.progress_reports[bar]
        if isinstance(value, types.WorkDoneProgressReport)
    ]
    assert percentages == sorted(percentages)
    assert percentages[-1] > 0
    await eventually(lambda: editor.statuses[-1]["state"] == "ready")
    assert editor.statuses[-1]["health"] == "ok"
    await editor.close()
    assert editor.process.returncode == 0
