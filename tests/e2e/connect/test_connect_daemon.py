"""`connect` with the real daemon: it is killed, stopped and shared, and editors do not notice."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest
from pygls.exceptions import JsonRpcException

from codeintel_ls.daemon.place import Note, place_of
from tests.e2e.daemon.conftest import BOTH
from tests.e2e.editor import CONNECT, SECONDS, Editor, eventually
from tests.e2e.project import CACHE, make_project
from tests.e2e.slow_git import is_running
from tests.e2e.test_lifecycle import descendants

RETRY = -32801
KILLS = 3
TYPED = 40


@pytest.fixture
def transport() -> str:
    return ""


@pytest.fixture
def shared(environment, transport):
    """An environment whose daemons are nobody else's and end with the test."""
    # Not pytest's own folder: a socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="codeintel-") as runtime:
        shared = {
            **environment,
            "XDG_RUNTIME_DIR": runtime,
            "CODEINTEL_LS_TRANSPORT": transport,
        }
        yield shared
        daemon_command(shared, "stop", "--all")


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path / "project")
    return tmp_path / "project"


def note_of(project: Path, environment: dict[str, str]) -> Note:
    note = place_of(str(project), environment).note()
    assert note is not None
    return note


def ended(pid: int) -> bool:
    return not is_running(pid)


def daemon_command(shared: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "codeintel_ls", "daemon", *arguments]
    return subprocess.run(command, env=shared, capture_output=True, text=True)


async def persistent(editor: Editor, operation: str, params: object):
    """The answer to a request, asked again as clients do where they are told to."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await editor.call("request", operation, params)
            except JsonRpcException as error:
                if error.code != RETRY:
                    raise
                await asyncio.sleep(0.01)


@BOTH
async def test_a_daemon_killed_while_somebody_types_and_asks(shared, project):
    editor = await Editor().open(shared, [project], command=CONNECT)
    await editor.ready()
    registered = sorted(one.id for one in editor.registrations)
    forwarder = editor.process.pid
    uri, version = editor.open_text(project / "src/cache.py", CACHE), 1
    for _ in range(KILLS):
        killed = note_of(project, shared).pid
        questions = []
        for number in range(TYPED):
            version += 1
            editor.change_text(uri, version, ((0, 0, 0, 0), f"# é😀 {version}\n"))
            lines = {"uri": uri, "startLine": 0, "endLine": 0}
            questions.append(editor.begin("request", "blameRange", lines))
            questions.append(editor.begin("request", "semanticSearch", {"query": "retry"}))
            await asyncio.sleep(0.002)
            if number == TYPED // 2:
                os.kill(killed, signal.SIGKILL)
        answers = await asyncio.wait_for(
            asyncio.gather(*questions, return_exceptions=True), SECONDS
        )
        failed = [one for one in answers if isinstance(one, BaseException)]
        assert all(isinstance(one, JsonRpcException) and one.code == RETRY for one in failed)
        typed = version - 1
        lines = {"uri": uri, "startLine": 0, "endLine": typed}
        blamed = await persistent(editor, "blameRange", lines)
        assert blamed["version"] == version
        first, *rest = blamed["hunks"]
        assert (first["commit"], first["endLine"]) == (None, typed - 1)
        assert [hunk["startLine"] for hunk in rest] == [typed]
        assert await editor.hover(uri, typed - 1) == "Not committed yet"
        found = await persistent(editor, "semanticSearch", {"query": "retry with backoff"})
        assert found["hits"][0]["path"] == "src/retry.py"
        assert note_of(project, shared).pid != killed
        await eventually(partial(ended, killed))
    assert not editor.messages, "a person need not know"
    assert sorted(one.id for one in editor.registrations) == registered
    assert editor.process.pid == forwarder
    assert descendants(forwarder) == set()
    await editor.close()


@BOTH
async def test_two_editors_share_one_daemon_before_and_after_it_dies(shared, project):
    editors = [await Editor().open(shared, [project], command=CONNECT) for _ in range(2)]
    uris = []
    for number, editor in enumerate(editors):
        await editor.ready()
        uris.append(editor.open_text(project / "src/cache.py", "#\n" * number + CACHE))
    (uri,) = set(uris)

    async def own_lines(editor: Editor) -> int:
        blamed = await persistent(editor, "blameRange", {"uri": uri, "startLine": 0, "endLine": 15})
        return sum(hunk["endLine"] + 1 for hunk in blamed["hunks"][:1] if hunk["commit"] is None)

    killed: set[int] = set()
    for _ in range(2):
        assert [await own_lines(editor) for editor in editors] == [0, 1]
        killed.add(note_of(project, shared).pid)
        os.kill(note_of(project, shared).pid, signal.SIGKILL)
    assert [await own_lines(editor) for editor in editors] == [0, 1]
    (line,) = daemon_command(shared, "list").stdout.splitlines()
    assert int(line.split()[0]) == note_of(project, shared).pid
    assert len(killed - {note_of(project, shared).pid}) == 2
    for editor in editors:
        await editor.close()


async def test_a_daemon_that_is_stopped_on_purpose_is_started_again(shared, project):
    editor = await Editor().open(shared, [project], command=CONNECT)
    await editor.ready()
    assert daemon_command(shared, "stop", "--all").returncode == 0
    found = await persistent(editor, "semanticSearch", {"query": "retry with backoff"})
    assert found["hits"][0]["path"] == "src/retry.py"
    await editor.close()


async def test_a_killed_daemon_takes_the_bars_of_its_indexing_along(shared, project):
    editor = await Editor().open(shared, [project], command=CONNECT)
    await editor.ready()
    begun = editor.begin("request", "rebuildIndex", {})
    await eventually(lambda: editor.progress_reports)
    os.kill(note_of(project, shared).pid, signal.SIGKILL)
    await asyncio.wait([begun])
    await persistent(editor, "updateIndex", {})
    assert editor.progress_reports
    for values in editor.progress_reports.values():
        kinds = [getattr(value, "kind", None) for value in values]
        assert kinds.count("end") == 1
        assert kinds[-1] == "end"
    await editor.close()


async def test_where_no_daemon_can_be_had_the_editor_is_served_all_the_same(shared, project):
    home = Path(shared["XDG_RUNTIME_DIR"])
    (home / "codeintel-ls").touch()
    (home / f"codeintel-ls-{os.getuid()}").touch()
    environment = {**shared, "TMPDIR": str(home)}
    editor = await Editor().open(environment, [project], command=CONNECT)
    await editor.ready()
    assert any("process of its own" in message.message for message in editor.log_messages)
    assert (await editor.search("retry with backoff"))[0]["path"] == "src/retry.py"
    family = descendants(editor.process.pid)
    await editor.close()
    await eventually(lambda: not any(map(is_running, family)))
