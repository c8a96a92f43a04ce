from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.cli.program import run
from tests.conftest import NOT_DEEP
from tests.unit.cli.command_line import CommandLine, Ran
from tests.unit.git.repositories import RepositoryBuilder

RETRY = '''
def retry_with_backoff(request, attempts):
    """Send a failed request again, waiting longer each time."""
    for attempt in range(attempts):
        if request.send():
            return True
        wait(2 ** attempt)
    return False
'''
COLOUR = '''
def blend(first, second, share):
    """Mix two colours."""
    return tuple(a * (1 - share) + b * share for a, b in zip(first, second))
'''

Call = Callable[..., Ran]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a person with an empty cache, and without the deep model."""
    base = tmp_path_factory.mktemp("person")
    for name in ("home", "cache", "config"):
        (base / name).mkdir()
    settings = base / "config" / "codeintel-ls" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(NOT_DEEP)
    return {
        "HOME": str(base / "home"),
        "XDG_CACHE_HOME": str(base / "cache"),
        "XDG_CONFIG_HOME": str(base / "config"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> RepositoryBuilder:
    """A repository that no test changes."""
    builder = RepositoryBuilder(tmp_path_factory.mktemp("work") / "project")
    builder.commit_file("src/old_retry.py", RETRY, "Retry\n\nBecause networks fail.")
    builder.git("mv", "src/old_retry.py", "src/retry.py")
    builder.commit("Rename")
    builder.write("src/colour.py", COLOUR)
    builder.write("picture.png", b"\x89PNG\0\0")
    builder.write(".env", "TOKEN=1\n")
    builder.write("web/search.js", "function findUser(name) { return users.get(name); }\n")
    builder.commit_file("src/retry.py", RETRY + "\n\nLIMIT = 3\n", "Limit", author="Brian")
    return builder


@pytest.fixture
def person(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process in that person's environment."""
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "CODEINTEL_LS_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def program(project: RepositoryBuilder, home: dict[str, str]) -> CommandLine:
    """The program in processes of its own, standing in `project`."""
    return CommandLine(project.root, home)


@pytest.fixture
def call(
    project: RepositoryBuilder,
    person: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Call:
    """The program in this process: quicker, with its output as if in a pipe."""

    def call_program(*arguments: str, folder: Path = project.root) -> Ran:
        monkeypatch.chdir(folder)
        status = run(arguments)
        captured = capfd.readouterr()
        return Ran(status, captured.out, captured.err)

    return call_program
