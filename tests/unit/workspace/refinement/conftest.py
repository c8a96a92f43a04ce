"""A folder whose searches an endpoint refines, and a person who has answered nothing yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.embedding.fake_vllm import FakeVllm
from tests.unit.workspace.refinement.asking import Open, endpoint


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has answered nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def vllm(vllm: FakeVllm) -> FakeVllm:
    """A model that knows what the question means."""
    vllm.dimension = 256
    vllm.synonyms = {"zebra": "uploadPicture", "crossing": "picture"}
    return vllm


@pytest.fixture
def settings(settings: Settings, vllm: FakeVllm) -> Settings:
    """An endpoint on this machine, which needs no consent."""
    return endpoint(settings, url=vllm.url)


@pytest.fixture
def elsewhere(settings: Settings, vllm: FakeVllm) -> Settings:
    """An endpoint elsewhere: a name that only the proxy, here the server itself, knows."""
    proxy = f"http://127.0.0.1:{vllm.port}"
    return endpoint(settings, url="http://embeddings.invalid/v1", proxy=proxy)


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens folders as a server does, and closes them."""
    folders: list[WorkspaceFolder] = []

    def open_folder(root: Path, settings: Settings) -> WorkspaceFolder:
        folders.append(WorkspaceFolder.open(root, settings))
        folders[-1].start()
        return folders[-1]

    yield open_folder
    for folder in folders:
        folder.close()
