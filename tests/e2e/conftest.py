"""What end-to-end tests share: an environment of their own, and a project to work on."""

import os
from pathlib import Path

import pytest

from tests.conftest import NOT_DEEP
from tests.e2e.project import make_project, write

# Starting processes is most of what these small folders cost.
ONE_WORKER = f"{NOT_DEEP}[index]\nworkers = 1\n"


def environment_in(folder: Path) -> dict[str, str]:
    """The environment of a server whose cache, settings and git know nothing of the user's."""
    write(folder, {"config/codeintel-ls/config.toml": ONE_WORKER})
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path)


@pytest.fixture(scope="module")
def module_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment_in(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for a whole module: tests that change it make what they change."""
    folder = tmp_path_factory.mktemp("work") / "project"
    make_project(folder)
    return folder
