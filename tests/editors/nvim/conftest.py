"""One environment with one daemon for each folder; its servers end with the tests."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from codeintel_ls.daemon.place import places
from tests.e2e.conftest import environment_in
from tests.e2e.project import make_project
from tests.editors.nvim.embedded import Neovim


@contextmanager
def ended_environment(folder: Path) -> Generator[dict[str, str]]:
    """The environment of a person who has the server on the PATH; its daemons end with it."""
    runtime = tempfile.mkdtemp(prefix="ci-")
    programs = str(Path(sys.executable).parent)
    environment = {
        **environment_in(folder),
        "HOME": str(folder),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": runtime,
        "XDG_DATA_HOME": str(folder / "data"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    with (folder / "config/codeintel-ls/config.toml").open("a") as file:
        file.write("[daemon]\nidle_seconds = 30\n")
    yield environment
    for place in places(environment):
        note = place.note()
        if note is not None:
            with suppress(ProcessLookupError):
                os.kill(note.pid, signal.SIGKILL)
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with ended_environment(tmp_path_factory.mktemp("home")) as environment:
        yield environment


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository for all tests that change none of its committed files."""
    folder = tmp_path_factory.mktemp("work") / "project"
    make_project(folder)
    return folder


Start = Callable[..., Neovim]


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts editors that end with the test: `start(file, lua=..., environment=...)`."""
    with ExitStack() as stack:
        count = 0

        def begin(*arguments: Path | str, lua: str = "", **more: str) -> Neovim:
            nonlocal count
            count += 1
            return stack.enter_context(
                Neovim(
                    tmp_path / f"nvim-{count}",
                    {**environment, **more},
                    lua,
                    [str(argument) for argument in arguments],
                )
            )

        yield begin
