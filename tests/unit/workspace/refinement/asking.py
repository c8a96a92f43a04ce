"""What tests of a refinement ask of a folder, and how they wait for it."""

import time
from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from codeintel_ls.search import SearchMode, SearchQuery, SearchResult
from codeintel_ls.settings import EmbeddingSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder
from codeintel_ls.workspace.refined_index import RefinedIndex
from codeintel_ls.workspace.refinement import Refinement

QUESTION = "zebra crossing"
"""Words that stand nowhere in the shop; the endpoint's model knows what they mean."""

NEW = "def pigeon_post():\n    return 'carried by a pigeon'\n"

Open = Callable[[Path, Settings], WorkspaceFolder]


def endpoint(settings: Settings, *, url: str, **more: object) -> Settings:
    """The settings with an endpoint."""
    given = {"endpoint": url, "endpoint_model": "fake/model", **more}
    return evolve(settings, embedding=EmbeddingSettings(**given))


def indexing(settings: Settings, *, enabled: bool) -> Settings:
    """The settings with indexing on or off."""
    return evolve(settings, index=evolve(settings.index, enabled=enabled))


def never(check: Callable[[], bool], seconds: float = 2.0) -> None:
    """Return when it has not been so for a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert not check(), "it came to be so"
        time.sleep(0.05)


def ask(folder: WorkspaceFolder, question: str = QUESTION) -> SearchResult:
    """Search by meaning alone."""
    return folder.search(SearchQuery(text=question, limit=5, mode=SearchMode.SEMANTIC))


def refined(folder: WorkspaceFolder) -> bool:
    """Whether the endpoint's model has seen everything."""
    return ask(folder).freshness.refined == 1


def first_path(folder: WorkspaceFolder, question: str = QUESTION) -> str:
    """The path of the best hit."""
    return ask(folder, question).hits[0].path


def notices(folder: WorkspaceFolder) -> str:
    """All that a person should know."""
    return " ".join(folder.index_status().notices)


def refinement_of(folder: WorkspaceFolder) -> Refinement:
    """What refines its searches."""
    assert isinstance(folder.refinement, Refinement)
    return folder.refinement


def second_index(folder: WorkspaceFolder) -> RefinedIndex:
    """The index of the endpoint's model, which is there."""
    live = refinement_of(folder)._live
    assert live is not None
    return live
