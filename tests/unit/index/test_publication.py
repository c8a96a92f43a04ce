"""Publishing: what a failed build leaves, and a follower that reads while the owner goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.index import building, publication
from codeintel_ls.index.building import BuildTask, BuiltSegment
from codeintel_ls.index.collecting import collect
from codeintel_ls.index.errors import CacheUnavailableError, IndexingError, SegmentsUnavailableError
from codeintel_ls.index.index import Index
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.manifest import staging
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.segment import Segment
from codeintel_ls.index.segment_files import SEGMENTS
from codeintel_ls.index.tasks import CollectTask
from tests.unit.index.caches import ENCODER, add, fill, open_cache, shared, shown, workspace
from tests.unit.index.generations import BUILD

MERGE = Step(0, PrimaryKind.FLAT)


@pytest.mark.parametrize("reached", ["half", "whole"])
def test_nothing_is_left_of_a_build_whose_process_was_ended(tmp_path: Path, reached: str) -> None:
    index = open_cache(tmp_path)
    add(index, "a.py", ["parse"])
    index.carry_out(MERGE, BUILD)
    segments = workspace(tmp_path) / SEGMENTS
    before = list(segments.iterdir())

    def ended(task: BuildTask) -> BuiltSegment:
        if reached == "whole":
            BUILD(task)
        else:
            staging(Path(task.folder), "half").joinpath("vectors.spool").write_bytes(b"half")
        raise IndexingError("The indexing process ended.")

    with pytest.raises(IndexingError, match="ended"):
        index.carry_out(MERGE, ended)
    assert list(segments.iterdir()) == before
    assert shown(index) == ["a.py"]
    index.close()


def test_nothing_is_left_of_a_build_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_cache(tmp_path)
    add(index, "a.py", ["parse"])
    monkeypatch.setattr(building, "write_segment", fails_with(MemoryError()))
    task = BuildTask(
        folder=str(index.folder),
        database=str(index.store.path),
        contents=str(index.store.contents.path),
        dimension=ENCODER.dimension,
        since=0,
        kind=PrimaryKind.FLAT,
        threads=1,
    )
    with pytest.raises(MemoryError):
        building.build(task)
    assert list((index.folder / SEGMENTS).iterdir()) == []
    index.close()


def fails_with(error: BaseException) -> Callable[..., Any]:
    """Something that is called in vain."""

    def fail(*_arguments: object) -> object:
        raise error

    return fail


def test_a_merge_while_a_follower_reads_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
    add(owner, "a.py", ["parse request", "color"])
    owner.carry_out(MERGE, BUILD)
    opening, merged = publication.open_segment, list[bool]()

    def merge_first(folder: Path) -> Segment:
        if not merged:
            merged.append(True)
            add(owner, "b.py", ["retry"])
            owner.carry_out(MERGE, BUILD)
        return opening(folder)

    monkeypatch.setattr(publication, "open_segment", merge_first)
    assert follower.refresh()
    assert follower.publication.damage == ""
    assert follower.published.manifest == owner.published.manifest
    assert (follower.published.in_memory, shown(follower)) == (0, ["a.py", "a.py", "b.py"])
    follower.close()
    owner.close()


def test_a_follower_searches_on_while_it_reads_and_when_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
    add(owner, "a.py", ["parse request"])
    assert follower.refresh()
    before = follower.published
    owner.carry_out(MERGE, BUILD)
    meanwhile: list[int] = []

    def fail(_folder: Path) -> Segment:
        meanwhile.append(follower.publication.current_number)
        raise CacheUnavailableError("The index cache cannot be used: too many open files.")

    with monkeypatch.context() as patched:
        patched.setattr(publication, "open_segment", fail)
        with pytest.raises(CacheUnavailableError):
            follower.refresh()
    assert meanwhile == [before.number]
    assert follower.published is before
    assert follower.refresh()
    assert follower.published.manifest == owner.published.manifest
    follower.close()
    owner.close()


def test_segments_that_cannot_be_read_for_a_while_stay_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, merged=True)
    (segment,) = (workspace(tmp_path) / SEGMENTS).iterdir()
    error = SegmentsUnavailableError("The index cannot be read at the moment: no.")
    with monkeypatch.context() as patched:
        patched.setattr(publication, "open_segment", fails_with(error))
        index = open_cache(tmp_path)
        assert index.publication.unavailable
        for ask in (index.load_again, lambda: index.published):
            with pytest.raises(SegmentsUnavailableError):
                ask()
        with pytest.raises(SegmentsUnavailableError):
            index.carry_out(MERGE, BUILD)
    assert segment in (workspace(tmp_path) / SEGMENTS).iterdir()
    assert list(workspace(tmp_path).glob("set-aside-*")) == []
    index.load_again()
    assert (shown(index), index.published.in_memory) == (["a.py", "a.py"], 0)
    assert not index.publication.unavailable
    assert index.notices == ()
    index.close()


@pytest.mark.parametrize("note", [b"{", b"[7]", None], ids=str)
def test_what_a_workspace_with_a_damaged_note_names_is_not_collected(
    tmp_path: Path, note: bytes | None
) -> None:
    index = open_cache(tmp_path, root=tmp_path / "tree")
    worktree = Index.open(
        tmp_path / "workspaces" / "worktree",
        shared=shared(tmp_path),
        recipe="r",
        dimension=ENCODER.dimension,
        root=tmp_path / "worktree",
    )
    add(worktree, "b.py", ["retry"])
    if note is None:
        (worktree.folder / "workspace.json").unlink()
    else:
        (worktree.folder / "workspace.json").write_bytes(note)
    task = CollectTask(
        contents=str(index.store.contents.path),
        databases=tuple(map(str, index.sharing_databases())),
        unused_days=0,
    )
    assert collect(task) == 0
    assert shown(worktree) == ["b.py"]
    assert not worktree.store.unstored()
    worktree.close()
    index.close()
