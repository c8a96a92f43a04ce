"""Nothing is embedded in a folder that is not to be indexed, now or from now on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.embedding.fake_vllm import FakeVllm
from tests.unit.workspace.refinement.asking import (
    Open,
    indexing,
    never,
    refined,
    refinement_of,
    second_index,
)
from tests.unit.workspace.trees import write_tree
from tests.waiting import until


def cancelled(folder: WorkspaceFolder) -> None:
    folder.cancel_indexing()


def switched_off(folder: WorkspaceFolder) -> None:
    folder.configure(indexing(folder.settings, enabled=False))


@pytest.mark.parametrize("stop", [cancelled, switched_off])
def test_who_stops_the_first_pass_does_not_begin_the_second(
    root: Path,
    settings: Settings,
    opened: Open,
    vllm: FakeVllm,
    stop: Callable[[WorkspaceFolder], None],
) -> None:
    write_tree(root, {f"m{n}.py": f"def f_{n}(a):\n    return a + {n}\n" for n in range(500)})
    folder = opened(root, settings)
    until(lambda: folder._keeper.pending > 0 and refinement_of(folder)._live is not None)
    stop(folder)
    # The sentence that tells which model there is.
    never(lambda: len(vllm.texts()) > 1)
    assert second_index(folder).index.counts.chunks == 0
    folder.configure(indexing(folder.settings, enabled=True))
    folder.update()
    until(lambda: refined(folder))


def test_a_folder_that_is_indexed_later_is_refined_then(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, indexing(settings, enabled=False))
    folder.settle()
    assert vllm.requests == []
    folder.configure(settings)
    until(lambda: refined(folder))


def test_an_answer_sends_nothing_of_a_folder_that_is_not_indexed(
    root: Path, elsewhere: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, indexing(elsewhere, enabled=False))
    folder.refinement.allow(True)
    folder.settle()
    never(lambda: vllm.requests != [])
    folder.configure(elsewhere)
    until(lambda: refined(folder))
