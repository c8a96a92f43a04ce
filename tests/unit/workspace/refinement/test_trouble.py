"""What befalls the index of an endpoint's model costs searches nothing but its help."""

from pathlib import Path
from threading import Timer

import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding.probe import ModelRecords
from codeintel_ls.index import worker_process
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError
from codeintel_ls.search import SearchMode, SearchQuery
from codeintel_ls.settings import Settings
from tests.unit.embedding.fake_vllm import FakeVllm, slow
from tests.unit.workspace.refinement.asking import (
    NEW,
    Open,
    ask,
    endpoint,
    first_path,
    notices,
    refined,
    refinement_of,
    second_index,
)
from tests.unit.workspace.trees import write_tree
from tests.waiting import until


def test_while_the_second_index_is_lost_searches_and_the_status_go_on(
    root: Path, settings: Settings, opened: Open, tmp_path: Path
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    live = second_index(folder)
    live.index.folder.rename(tmp_path / "away")
    # It cannot be made anew while something is in its place.
    live.index.folder.write_text("in the way")
    until(lambda: live.index.is_lost)
    assert folder.search(SearchQuery(text="upload", mode=SearchMode.LEXICAL)).hits
    assert ask(folder).freshness.refined == 0
    assert folder.index_status().files == 5
    live.index.folder.unlink()
    until(lambda: refined(folder))


def test_what_fails_unexpectedly_is_told_and_tried_again(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, opened: Open
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as broken:
        broken.setattr(ModelRecords, "ask", fail)
        folder = opened(root, settings)
        folder.settle()
        assert "failed with RuntimeError" in notices(folder)
        assert ask(folder, "total price").hits
    until(lambda: refined(folder))
    assert "RuntimeError" not in notices(folder)


def test_who_stops_waiting_stops_nobody_else(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    vllm.usual = slow(1.5)
    folder = opened(root, settings)
    folder.wait_until_ready(60)
    stop = Cancellation()
    Timer(0.2, stop.cancel).start()
    with pytest.raises(CancelledError):
        folder.settle(cancellation=stop)
    folder.settle()
    assert refined(folder)


def test_closing_waits_for_no_answer(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    vllm.usual = slow(20)
    folder = opened(root, settings)
    until(lambda: vllm.requests != [])
    folder.close()
    thread = refinement_of(folder)._watch._thread
    assert thread is not None
    assert not thread.is_alive()


def test_what_the_second_index_has_not_published_keeps_its_place(
    root: Path,
    settings: Settings,
    opened: Open,
    vllm: FakeVllm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_tree(root, {f"m{n}.py": f"def f_{n}(a):\n    return a + {n}\n" for n in range(40)})
    folder = opened(root, settings)
    until(lambda: refined(folder))
    folder.settle()
    # As in a large change, of which much is committed before it can be searched.
    index = second_index(folder).index
    monkeypatch.setattr(index.publication, "publish", lambda *_, **__: True)
    write_tree(root, {"shop/post.py": NEW})
    folder.update(["shop/post.py"])
    until(lambda: "shop/post.py" in index.store.files())
    assert first_path(folder, "pigeon post") == "shop/post.py"
    monkeypatch.undo()
    index.publish()
    assert first_path(folder, "pigeon post") == "shop/post.py"


@pytest.mark.parametrize("read", ["files_at", "places"])
def test_damage_of_the_first_index_is_not_held_against_the_second(
    root: Path,
    settings: Settings,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    read: str,
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    first, index = folder._index.store, second_index(folder).index
    identity = index.store.identity

    def fail(*_: object) -> None:
        raise DamagedCacheError("The index cache is damaged.")

    monkeypatch.setattr(first, read, fail)
    with pytest.raises(DamagedCacheError):
        ask(folder)

    def made_anew() -> bool:
        try:
            return folder._index.store is not first
        except CacheUnavailableError:
            return False

    until(made_anew)
    until(lambda: refined(folder))
    assert index.store.identity == identity
    assert index.notices == ()


def test_no_file_is_left_out_for_an_endpoint_that_is_slow(
    root: Path,
    settings: Settings,
    opened: Open,
    vllm: FakeVllm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = opened(root, endpoint(settings, url=vllm.url, batch_texts=1))
    until(lambda: refined(folder))
    # What a file may take where it is parsed and embedded here.
    monkeypatch.setattr(worker_process, "_LEAST_SECONDS", 2.0)
    monkeypatch.setattr(worker_process, "_SECONDS_PER_FILE", 0.0)
    vllm.usual = slow(3.0)
    sent = len(vllm.requests)
    write_tree(root, {"shop/post.py": NEW})
    folder.changed(["shop/post.py"])
    store = second_index(folder).index.store
    until(lambda: "shop/post.py" in {*store.files(), *store.skips()})
    assert store.skips() == {}
    texts = [text for request in vllm.requests[sent:] for text in request.texts]
    assert len(set(texts)) == len(texts)


def test_what_is_left_out_of_the_second_index_is_told(
    root: Path, settings: Settings, opened: Open
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    keeper = second_index(folder).keeper
    capped = evolve(settings, cache=evolve(settings.cache, max_workspace_megabytes=0))
    keeper.configure(capped)
    write_tree(root, {"shop/post.py": NEW})
    folder.update()
    until(lambda: "The index of the endpoint's model: 1 files are left out" in notices(folder))
    assert folder.index_status().skipped == {}
