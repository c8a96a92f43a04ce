"""Daemons of a test's own, which end with it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.daemon.client import DaemonClient
from codeintel_ls.daemon.place import Place, place_of, places
from tests.e2e.conftest import environment_in
from tests.e2e.project import make_project
from tests.e2e.slow_git import is_running

BOTH = pytest.mark.parametrize("transport", ["", "loopback"])
"""Marks a test that is run with a daemon at a socket and with one at a port."""


@pytest.fixture
def transport() -> str:
    """What `CODEINTEL_LS_TRANSPORT` is; tests that are run with both give it themselves."""
    return ""


@pytest.fixture
def environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> Iterator[dict[str, str]]:
    """The environment of a person, which is this process's, too; its daemons idle for a second."""
    # A socket's path has to be short, and a test's folder is not.
    runtime = tempfile.mkdtemp(prefix="ci-")
    environment = {
        **environment_in(tmp_path),
        "XDG_RUNTIME_DIR": runtime,
        "CODEINTEL_LS_TRANSPORT": transport,
    }
    with (tmp_path / "config/codeintel-ls/config.toml").open("a") as file:
        file.write("[daemon]\nidle_seconds = 1\n")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    yield environment
    for place in places(environment):
        note = place.note()
        if note is not None:
            with suppress(ProcessLookupError):
                os.kill(note.pid, signal.SIGKILL)
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of the test's own."""
    make_project(tmp_path / "app")
    return tmp_path / "app"


def opened(folder: Path, **how: Any) -> DaemonClient:
    """A session of an editor with this folder open; `how` as for `DaemonClient.open`."""
    client = DaemonClient.open([folder], "editor", **how)
    assert client is not None
    return client


def pid_of(folder: Path) -> int:
    """The process id of the folder's daemon."""
    note = place_of(str(folder)).note()
    assert note is not None
    return note.pid


def is_gone(place: Place, pid: int) -> bool:
    """Whether the daemon has ended, and left nothing but its lock."""
    left = {path.name for path in Path(place.directory).iterdir()} - {"lock"}
    return not is_running(pid) and not left
