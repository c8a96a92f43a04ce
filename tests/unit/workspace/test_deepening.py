"""The deep model reads a folder in the background, and refines what is found there."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.search import SearchMode, SearchQuery, SearchResult
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.deep import averaged
from codeintel_ls.settings import DeepSearch, EmbeddingSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder, deepening
from codeintel_ls.workspace.deepening import Deepening
from codeintel_ls.workspace.discovery import Discovered
from codeintel_ls.workspace.spare_time import reason_to_wait
from tests.waiting import until

QUESTION = "contact the client once the purchase is confirmed"
ANSWER = "shop/mail.py"

Open = Callable[[Settings], WorkspaceFolder]


class FakeMachine:
    """A machine whose load is said."""

    def __init__(self) -> None:
        self.reason = ""

    def reason_to_wait(self) -> str:
        return self.reason


class FakeBrokenSession:
    """A runtime that has run out of something."""

    def run(self, *_: object) -> None:
        raise RuntimeError("an allocation failed in /home/somebody/model.onnx")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    machine = FakeMachine()
    defaults = dict(Deepening.__init__.__kwdefaults__ or {})
    changed = {"wait_because": machine.reason_to_wait, "between_looks": 0.05}
    monkeypatch.setattr(Deepening.__init__, "__kwdefaults__", {**defaults, **changed})
    return machine


@pytest.fixture
def statuses() -> list[IndexStatus]:
    """What the folders have told of themselves."""
    return []


@pytest.fixture
def open_folder(root: Path, statuses: list[IndexStatus]) -> Iterator[Open]:
    folders: list[WorkspaceFolder] = []

    def open_it(settings: Settings) -> WorkspaceFolder:
        opened = WorkspaceFolder.open(root, settings, watch=True, on_status=statuses.append)
        folders.append(opened)
        folders[-1].start()
        return folders[-1]

    yield open_it
    for folder in folders:
        folder.close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return evolve(settings, search=evolve(settings.search, deep_percent=100))


def ask(folder: WorkspaceFolder, mode: SearchMode = SearchMode.SEMANTIC) -> SearchResult:
    return folder.search(SearchQuery(text=QUESTION, limit=5, mode=mode, explain=True))


def has_read_all(folder: WorkspaceFolder) -> bool:
    return ask(folder).freshness.refined == 1


def remarks(folder: WorkspaceFolder) -> str:
    return " ".join(folder.index_status().remarks)


def test_it_reads_everything_and_refines_searches(
    open_folder: Open, settings: Settings, machine: FakeMachine, root: Path
) -> None:
    folder = open_folder(settings)
    until(lambda: has_read_all(folder))
    assert ask(folder).hits[0].path == ANSWER
    assert f"has read {folder.index_status().chunks} chunks" in remarks(folder)
    # A file that is saved is read, too.
    (root / "pigeon.py").write_text("def pigeon_post():\n    return 'carried by a pigeon'\n")
    folder.update(["pigeon.py"])
    until(lambda: has_read_all(folder))


def test_what_was_read_is_there_when_the_folder_is_opened_again(
    open_folder: Open, settings: Settings, machine: FakeMachine
) -> None:
    folder = open_folder(settings)
    until(lambda: has_read_all(folder))
    folder.settle()
    folder.close()
    machine.reason = "the machine is busy"
    again = open_folder(settings)
    until(lambda: has_read_all(again))


def test_it_waits_while_the_machine_has_no_time(
    open_folder: Open, settings: Settings, machine: FakeMachine
) -> None:
    machine.reason = "the machine runs on its battery"
    folder = open_folder(settings)
    until(lambda: "waits: the machine runs on its battery" in remarks(folder))
    assert ask(folder).freshness.refined == 0
    assert ask(folder).hits[0].path != ANSWER
    machine.reason = ""
    until(lambda: has_read_all(folder))
    until(lambda: "waits" not in remarks(folder))
    machine.reason = "the machine is busy"
    until(lambda: "waits: the machine is busy" in remarks(folder))
    assert has_read_all(folder)
    assert ask(folder).hits[0].path == ANSWER


def test_the_best_candidates_are_read_for_who_can_wait(
    open_folder: Open, settings: Settings, machine: FakeMachine
) -> None:
    machine.reason = "the machine is busy"
    folder = open_folder(settings)
    until(lambda: "waits" in remarks(folder))
    query = SearchQuery(text=QUESTION, limit=5, mode=SearchMode.SEMANTIC)
    plain = folder.search(query)
    assert folder.would_read(query)
    better = folder.search(query, patient=True)
    assert better.hits[0].path == ANSWER
    assert better.hits != plain.hits
    letters = evolve(query, mode=SearchMode.LEXICAL)
    assert not folder.would_read(letters)
    assert folder.search(letters, patient=True).hits == folder.search(letters).hits
    # What was read for a question reads as what is read in the background.
    machine.reason = ""
    until(lambda: has_read_all(folder))
    read = folder.search(query)
    assert [hit.path for hit in read.hits] == [hit.path for hit in better.hits]
    for hit, other in zip(read.hits, better.hits, strict=True):
        assert hit.score == pytest.approx(other.score, abs=0.05)


@pytest.mark.parametrize("has_read", [False, True])
def test_where_the_runtime_fails_searches_go_on_and_a_person_is_told(
    open_folder: Open,
    settings: Settings,
    machine: FakeMachine,
    monkeypatch: pytest.MonkeyPatch,
    statuses: list[IndexStatus],
    has_read: bool,
) -> None:
    machine.reason = "" if has_read else "the machine is busy"
    folder = open_folder(settings)
    until(lambda: has_read_all(folder) if has_read else "waits" in remarks(folder))
    query = SearchQuery(text=QUESTION, limit=5, mode=SearchMode.SEMANTIC)
    assert isinstance(folder.refinement, Deepening)
    live = folder.refinement._live
    assert live
    monkeypatch.setattr(live.vectors._encoder, "_session", FakeBrokenSession())
    assert len(folder.search(query, patient=True).hits) == 5
    assert not folder.would_read(query)
    told = " ".join(folder.index_status().notices)
    assert '"search.deep" to "off"' in told
    assert "/home/somebody" not in told
    # Nobody has to ask for it.
    until(lambda: any(told in " ".join(status.notices) for status in statuses))


def test_once_all_is_read_nobody_waits(
    open_folder: Open, settings: Settings, machine: FakeMachine
) -> None:
    folder = open_folder(settings)
    until(lambda: has_read_all(folder))
    query = SearchQuery(text=QUESTION)
    assert not folder.would_read(query)
    assert folder.search(query, patient=True).hits == folder.search(query).hits


def test_files_that_changed_last_are_read_first(
    open_folder: Open,
    settings: Settings,
    machine: FakeMachine,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for age, path in enumerate(("shop/mail.py", "README.md", "web/upload.js")):
        os.utime(root / path, (1_900_000_000 - age, 1_900_000_000 - age))
    asked: list[list[str]] = []
    told = Event()
    original = deepening.open_refined

    def noting(*given: Any, **named: Any) -> Any:
        discover = named["discover"]

        def listed(cancellation: Cancellation) -> Discovered:
            found = discover(cancellation)
            asked.append([file.path for file in found.files])
            told.set()
            return found

        return original(*given, **{**named, "discover": listed})

    monkeypatch.setattr(deepening, "open_refined", noting)
    open_folder(settings)
    assert told.wait(60)
    assert asked[0][:3] == ["shop/mail.py", "README.md", "web/upload.js"]


@pytest.mark.parametrize("way", ["off", "endpoint", "not kept open", "no runtime"])
def test_there_is_none_where_it_is_not_wanted(
    root: Path, settings: Settings, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "off":
        settings = evolve(settings, search=evolve(settings.search, deep=DeepSearch.OFF))
    if way == "endpoint":
        settings = evolve(settings, embedding=EmbeddingSettings(endpoint="http://127.0.0.1:1/v1"))
    if way == "no runtime":
        monkeypatch.setattr("codeintel_ls.embedding.deep.find_spec", lambda _: None)
    folder = WorkspaceFolder.open(root, settings, watch=way != "not kept open")
    assert not isinstance(folder.refinement, Deepening)
    folder.close()


def test_it_can_be_switched_off_and_on(
    open_folder: Open, settings: Settings, machine: FakeMachine
) -> None:
    folder = open_folder(settings)
    until(lambda: has_read_all(folder))
    folder.configure(evolve(settings, search=evolve(settings.search, deep=DeepSearch.OFF)))
    assert ask(folder).freshness.refined == 0
    assert remarks(folder) == ""
    folder.configure(settings)
    until(lambda: has_read_all(folder))


def test_damaged_weights_are_told_and_searches_go_on(
    open_folder: Open,
    settings: Settings,
    machine: FakeMachine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = evolve(deepening_model(), folder=str(tmp_path))
    monkeypatch.setattr("codeintel_ls.workspace.refining.bundled_deep_model", lambda: model)
    folder = open_folder(settings)
    until(lambda: "reinstall codeintel-ls" in " ".join(folder.index_status().notices))
    assert ask(folder).hits


def deepening_model():
    from codeintel_ls.embedding import bundled_deep_model

    model = bundled_deep_model()
    assert model is not None
    return model


def test_indexing_switched_off_stops_the_reading(
    open_folder: Open, settings: Settings, machine: FakeMachine, root: Path
) -> None:
    folder = open_folder(settings)
    until(lambda: has_read_all(folder))
    off = evolve(settings, index=evolve(settings.index, enabled=False))
    folder.configure(off)
    (root / "pigeon.py").write_text("def pigeon_post():\n    return 'carried by a pigeon'\n")
    folder.configure(settings)
    until(lambda: folder.index_status().files == 6 and has_read_all(folder))


def test_both_models_have_the_same_say() -> None:
    first = [RankedChunk(1, 0.8), RankedChunk(2, 0.4), RankedChunk(3, 0.2)]
    # 1: (1 + 0.25) / 2; 2: (0.5 + 1) / 2; 4: as far to the first one as the last that it found.
    by_both = averaged(first, {2: 0.4, 1: 0.1, 4: 0.3}, ())
    assert by_both[0] == RankedChunk(2, 0.75)
    assert by_both[1] == RankedChunk(1, 0.625)
    assert [chunk.chunk_id for chunk in by_both] == [2, 1, 4, 3]
    # What it has not read is as near as before.
    assert averaged(first, {2: 0.4}, (1,))[0] == RankedChunk(1, 1.0)
    assert averaged(first, {}, ()) == first


def test_a_battery_and_a_load_are_reasons_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    class FakeBattery:
        power_plugged = False

    spare = "codeintel_ls.workspace.spare_time"
    monkeypatch.setattr(f"{spare}.psutil.sensors_battery", lambda: None, raising=False)
    monkeypatch.setattr(f"{spare}.os.getloadavg", lambda: (0.1, 9.0, 9.0))
    assert reason_to_wait() == ""
    monkeypatch.setattr(f"{spare}.os.getloadavg", lambda: (99.0, 0.0, 0.0))
    assert "busy" in reason_to_wait()
    monkeypatch.setattr(f"{spare}.psutil.sensors_battery", FakeBattery, raising=False)
    assert "battery" in reason_to_wait()
