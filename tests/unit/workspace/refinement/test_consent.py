"""Nothing is sent to an endpoint elsewhere without a person's consent."""

from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.settings import Settings
from tests.unit.embedding.fake_vllm import FakeVllm
from tests.unit.workspace.refinement.asking import Open, ask, endpoint, notices, refined
from tests.waiting import until


def test_nothing_is_sent_before_somebody_has_said_yes(
    root: Path, elsewhere: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, elsewhere)
    folder.settle()
    ask(folder)
    assert folder.refinement.asks == "http://embeddings.invalid"
    assert "until you allow it" in notices(folder)
    assert vllm.requests == []
    folder.refinement.allow(True)
    until(lambda: refined(folder))
    assert folder.refinement.asks is None


def test_a_refusal_is_remembered(
    root: Path, elsewhere: Settings, opened: Open, vllm: FakeVllm
) -> None:
    opened(root, elsewhere).refinement.allow(False)
    again = opened(root, elsewhere)
    again.settle()
    ask(again)
    assert again.refinement.asks is None
    assert any("you refused it" in remark for remark in again.index_status().remarks)
    assert vllm.requests == []


def test_a_yes_is_remembered_for_the_endpoint_and_no_other(
    root: Path, elsewhere: Settings, opened: Open
) -> None:
    opened(root, elsewhere).refinement.allow(True)
    again = opened(root, elsewhere)
    assert again.refinement.asks is None
    until(lambda: refined(again))
    other = endpoint(elsewhere, url="http://other.invalid:8000/v1")
    assert opened(root, other).refinement.asks == "http://other.invalid:8000"


@pytest.mark.parametrize("damage", ["", "[]", '{"http://embeddings.invalid": "yes"}', "\0"])
def test_what_cannot_be_read_is_no_consent(
    root: Path,
    elsewhere: Settings,
    opened: Open,
    state: Path,
    vllm: FakeVllm,
    damage: str,
) -> None:
    (state / "codeintel-ls").mkdir(parents=True)
    (state / "codeintel-ls" / "endpoints.json").write_text(damage)
    folder = opened(root, elsewhere)
    assert folder.refinement.asks is not None
    folder.settle()
    assert vllm.requests == []


def test_who_cannot_be_asked_can_say_so_in_the_settings(
    root: Path, elsewhere: Settings, opened: Open
) -> None:
    allowed = evolve(elsewhere, embedding=evolve(elsewhere.embedding, allow_remote=True))
    folder = opened(root, allowed)
    assert folder.refinement.asks is None
    until(lambda: refined(folder))
