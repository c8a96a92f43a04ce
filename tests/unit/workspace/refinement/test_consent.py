"""Nothing is sent to an endpoint elsewhere without a person's consent."""

from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.settings import Settings
from codeintel_ls.workspace.consent import Consents
from tests.unit.embedding.fake_vllm import FakeVllm, slow
from tests.unit.workspace.refinement.asking import (
    NEW,
    Open,
    ask,
    endpoint,
    first_path,
    never,
    notices,
    refined,
    refinement_of,
)
from tests.unit.workspace.trees import write_tree
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


def test_an_answer_reaches_every_folder_with_that_endpoint(
    root: Path, elsewhere: Settings, opened: Open, vllm: FakeVllm, tmp_path: Path
) -> None:
    one, other = opened(root, elsewhere), opened(write_tree(tmp_path / "other"), elsewhere)
    one.refinement.allow(True)
    until(lambda: refined(one))
    until(lambda: refined(other))
    other.refinement.allow(False)
    until(lambda: one.refinement.worker_pids == [] and refinement_of(one)._live is None)
    sent = len(vllm.requests)
    write_tree(root, {"shop/post.py": NEW})
    one.update(["shop/post.py"])
    one.update()
    one.settle()
    assert first_path(one, "pigeon post") == "shop/post.py"
    never(lambda: len(vllm.requests) > sent)
    assert any("you refused it" in remark for remark in one.index_status().remarks)
    one.refinement.allow(True)
    until(lambda: refined(one))
    until(lambda: refined(other))


async def test_a_refusal_elsewhere_counts_from_the_next_question_on(
    root: Path, elsewhere: Settings, opened: Open, vllm: FakeVllm, state: Path
) -> None:
    folder = opened(root, elsewhere)
    folder.refinement.allow(True)
    until(lambda: refined(folder))
    sent = len(vllm.requests)
    Consents(state / "codeintel-ls").record("http://embeddings.invalid", False)
    await folder.embed_ahead("how is a parcel sent")
    assert ask(folder, "who carries it").hits
    write_tree(root, {"shop/post.py": NEW})
    folder.update(["shop/post.py"])
    assert len(vllm.requests) == sent


def test_a_refusal_ends_what_is_being_embedded(
    root: Path, elsewhere: Settings, opened: Open, vllm: FakeVllm
) -> None:
    elsewhere = endpoint(
        elsewhere,
        url=elsewhere.embedding.endpoint,
        proxy=elsewhere.embedding.proxy,
        batch_texts=1,
    )
    folder = opened(root, elsewhere)
    vllm.usual = slow(0.5)
    folder.refinement.allow(True)
    until(lambda: len(vllm.requests) > 1)
    folder.refinement.allow(False)
    sent = len(vllm.requests)
    never(lambda: len(vllm.requests) > sent)
