"""Hits are let through by who last changed their lines, and when."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import GitClient
from codeintel_ls.search import Hit, SearchQuery
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from codeintel_ls.workspace.change_filter import ChangedBy, ChangeFilter
from tests.unit.git.repositories import START, RepositoryBuilder

OLD = START + 60
NEW = START + 120

Narrowed = Callable[[ChangedBy], set[str]]


def function(name: str) -> str:
    return f'def {name}(value):\n    """A step of the pipeline."""\n    return value\n'


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    """Files of Ada and of Brian, one that both wrote, and lines that nobody has committed."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    builder = RepositoryBuilder(tmp_path / "repository")
    for name in ("ada", "both", "edited"):
        builder.write(f"{name}.py", function(name))
    builder.commit("Ada's")
    builder.write("brian.py", function("brian"))
    builder.write("both.py", function("both").replace("return value", "return value + 1"))
    builder.commit("Brian's", author="Brian")
    builder.write("edited.py", function("edited").replace("return value", "return value + 2"))
    builder.write("untracked.py", function("untracked"))
    return builder


@pytest.fixture
def folder(repository: RepositoryBuilder, settings: Settings) -> Iterator[WorkspaceFolder]:
    opened = WorkspaceFolder.open(repository.root, settings)
    opened.update()
    yield opened
    opened.close()


def changes(
    folder: WorkspaceFolder,
    wanted: ChangedBy,
    budget: float,
    clock: Callable[[], float] = time.monotonic,
) -> ChangeFilter:
    git = folder.git
    assert git is not None
    return ChangeFilter(folder.root, wanted, lambda _: git, budget=budget, clock=clock)


@pytest.fixture
def narrowed(folder: WorkspaceFolder) -> Narrowed:
    def ask(wanted: ChangedBy) -> set[str]:
        result = folder.search(SearchQuery(text="a step"), only=changes(folder, wanted, budget=60))
        assert result.stopped_early is False
        return {Path(hit.path).stem for hit in result.hits}

    return ask


def test_authors(narrowed: Narrowed) -> None:
    assert narrowed(ChangedBy(author="ada")) == {"ada", "both", "edited"}
    assert narrowed(ChangedBy(author="BRIAN@example")) == {"brian", "both"}
    assert narrowed(ChangedBy(author="nobody")) == set()


def test_authors_are_those_of_the_mailmap(
    narrowed: Narrowed, repository: RepositoryBuilder
) -> None:
    repository.write(".mailmap", "Brian Kernighan <bwk@example.org> <brian@example.org>\n")
    assert narrowed(ChangedBy(author="kernighan")) == {"brian", "both"}
    assert narrowed(ChangedBy(author="brian@example")) == set()


def test_times(narrowed: Narrowed) -> None:
    uncommitted = {"edited", "untracked"}
    assert narrowed(ChangedBy(since=NEW)) == {"brian", "both"} | uncommitted
    assert narrowed(ChangedBy(since=NEW + 1)) == uncommitted
    assert narrowed(ChangedBy(before=NEW)) == {"ada", "both", "edited"}
    assert narrowed(ChangedBy(since=OLD, before=OLD + 1)) == {"ada", "both", "edited"}
    assert narrowed(ChangedBy(before=1e11)) == {"ada", "both", "brian"} | uncommitted


def test_what_is_surely_older_is_not_blamed(
    folder: WorkspaceFolder, repository: RepositoryBuilder
) -> None:
    repository.time += 30 * 86_400
    repository.git("mv", "ada.py", "moved.py")
    repository.write("brian.py", function("brian").replace("value", "number"))
    repository.commit("Later", author="Chloé")
    repository.git("mv", "both.py", "staged.py")
    folder.update()
    git, since = folder.git, float(repository.time)
    assert git is not None
    only = changes(folder, ChangedBy(since=since), budget=60)
    hits = folder.search(SearchQuery(text="a step"), only=only).hits
    assert {hit.path for hit in hits} == {"brian.py", "edited.py", "untracked.py"}
    assert not git.blame_is_cached("staged.py")


def test_one_commit_must_be_all_of_it(narrowed: Narrowed) -> None:
    assert narrowed(ChangedBy(author="ada", since=NEW)) == set()
    assert narrowed(ChangedBy(author="brian", since=NEW)) == {"brian", "both"}


def test_pages_are_those_of_what_passes(folder: WorkspaceFolder) -> None:
    def ask(limit: int = 20, offset: int = 0) -> list[str]:
        query = SearchQuery(text="a step", limit=limit, offset=offset)
        only = changes(folder, ChangedBy(author="ada"), budget=60)
        return [hit.path for hit in folder.search(query, only=only).hits]

    whole = ask()
    assert len(whole) == 3
    assert ask(limit=2) == whole[:2]
    assert ask(limit=2, offset=2) == whole[2:]


def test_without_a_filter_nothing_is_told_of_stopping(folder: WorkspaceFolder) -> None:
    assert folder.search(SearchQuery(text="a step")).stopped_early is None


def test_when_the_time_is_over_it_says_so(folder: WorkspaceFolder) -> None:
    looked_at = 0

    def fake_clock() -> float:
        """A second goes by whenever somebody looks."""
        nonlocal looked_at
        looked_at += 1
        return float(looked_at)

    only = changes(folder, ChangedBy(author="nobody"), budget=3.0, clock=fake_clock)
    result = folder.search(SearchQuery(text="a step"), only=only)
    assert (result.hits, result.stopped_early) == ((), True)


def test_no_more_is_looked_at_than_it_takes(folder: WorkspaceFolder) -> None:
    hits = folder.search(SearchQuery(text="a step")).hits
    taken: list[Hit] = []

    def endless() -> Iterator[Hit]:
        while True:
            for hit in hits:
                taken.append(hit)
                yield hit

    only = changes(folder, ChangedBy(since=0.0), budget=60)
    passed, stopped_early = only.first(endless(), 3, Cancellation())
    assert (len(passed), stopped_early) == (3, False)
    assert len(taken) <= 3 + 4


def test_cancelling_ends_the_wait(folder: WorkspaceFolder) -> None:
    hits = folder.search(SearchQuery(text="a step")).hits
    cancellation = Cancellation()
    waiting, go_on = threading.Event(), threading.Event()

    def late_repository(_: Path) -> GitClient:
        waiting.set()
        go_on.wait(20)
        assert folder.git is not None
        return folder.git

    only = ChangeFilter(folder.root, ChangedBy(since=0.0), late_repository, budget=60)

    def cancel() -> None:
        waiting.wait(20)
        cancellation.cancel()
        go_on.set()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(CancelledError):
        only.first(iter(hits), len(hits), cancellation)
    canceller.join()
