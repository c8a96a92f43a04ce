"""A person is asked once before anything is sent to an endpoint on another machine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from codeintel_ls.search import SearchMode
from codeintel_ls.server import wire
from codeintel_ls.server.endpoint_consent import ALLOW, REFUSE
from codeintel_ls.server.search import semantic_search
from tests.unit.embedding.fake_vllm import FakeVllm, answered, slow
from tests.unit.server.windows import Window
from tests.waiting import until_on_loop

ASKED = "window/showMessageRequest"


class Person:
    """Hears what is asked, and answers through the client."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.questions: list[dict[str, Any]] = []
        window.session.protocol.connect(self._take)

    def _take(self, frame: bytes) -> None:
        message = orjson.loads(frame.partition(b"\r\n\r\n")[2])
        if message.get("method") == ASKED:
            self.questions.append(message)

    async def asked(self) -> dict[str, Any]:
        await until_on_loop(lambda: bool(self.questions))
        return self.questions[0]

    def answer(self, result: object) -> None:
        answer = {"jsonrpc": "2.0", "id": self.questions[0]["id"], "result": result}
        self.window.session.protocol.receive(orjson.dumps(answer))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def embed_with(window: Window, **settings: object) -> None:
    options = window.session.configuration.initialization_options
    assert isinstance(options, dict)
    options["embedding"] = {"endpointModel": "fake/model", **settings}


@pytest.fixture
async def elsewhere(tmp_path: Path, vllm: FakeVllm) -> AsyncIterator[Window]:
    """A window whose endpoint is a name that only the proxy, here the server itself, knows."""
    window = Window(tmp_path)
    proxy = f"http://127.0.0.1:{vllm.port}"
    embed_with(window, endpoint="http://embeddings.invalid/v1", proxy=proxy)
    yield window
    await window.close()


async def test_nothing_is_sent_before_the_person_allows_it(
    elsewhere: Window, vllm: FakeVllm
) -> None:
    person = Person(elsewhere)
    folder = elsewhere.add()
    question = await person.asked()
    assert "http://embeddings.invalid" in question["params"]["message"]
    assert [action["title"] for action in question["params"]["actions"]] == [ALLOW, REFUSE]
    live = await folder.live()
    await asyncio.to_thread(live.wait_until_ready, 60)
    await semantic_search(elsewhere.session, wire.SemanticSearchParams(query="remember"))
    assert vllm.requests == []
    person.answer({"title": ALLOW})
    await until_on_loop(lambda: any("remember" in text for text in vllm.texts()))


@pytest.mark.parametrize("answer", [{"title": REFUSE}, None])
async def test_who_refuses_or_closes_the_question_sends_nothing(
    elsewhere: Window, vllm: FakeVllm, answer: object
) -> None:
    person = Person(elsewhere)
    folder = elsewhere.add()
    await person.asked()
    person.answer(answer)
    live = await folder.live()
    await asyncio.to_thread(live.settle)
    if answer is not None:
        await until_on_loop(lambda: live.refinement.asks is None)
    await semantic_search(elsewhere.session, wire.SemanticSearchParams(query="remember"))
    assert vllm.requests == []
    # Unanswered: the next session asks again.
    assert (live.refinement.asks is None) == (answer is not None)


async def test_two_folders_ask_one_question(elsewhere: Window, tmp_path: Path) -> None:
    person = Person(elsewhere)
    second = tmp_path / "second"
    second.mkdir()
    first = elsewhere.add()
    other = elsewhere.session.folders.add(second.as_uri())
    assert other is not None
    lives = [await first.live(), await other.live()]
    await person.asked()
    person.answer({"title": REFUSE})
    await until_on_loop(lambda: all(live.refinement.asks is None for live in lives))
    assert len(person.questions) == 1


async def test_an_endpoint_on_this_machine_needs_no_question(
    window: Window, vllm: FakeVllm
) -> None:
    embed_with(window, endpoint=vllm.url)
    person = Person(window)
    live = await window.add().live()
    await asyncio.to_thread(live.settle)
    assert any("remember" in text for text in vllm.texts())
    assert person.questions == []


async def test_questions_of_the_same_time_go_in_few_requests_and_hold_no_thread(
    window: Window, vllm: FakeVllm
) -> None:
    embed_with(window, endpoint=vllm.url)
    live = await window.add().live()
    await asyncio.to_thread(live.settle)
    vllm.usual = slow(0.3)
    before = len(vllm.requests)

    async def ask(number: int) -> None:
        params = wire.SemanticSearchParams(query=f"question {number}", mode=SearchMode.SEMANTIC)
        result = await semantic_search(window.session, params)
        assert result.freshness.refined == 1

    await asyncio.gather(*(ask(number) for number in range(100)))
    requests = vllm.requests[before:]
    assert sorted(text for request in requests for text in request.texts) == sorted(
        f"question {number}" for number in range(100)
    )
    assert len(requests) <= 12


async def test_cancelling_a_search_drops_its_question(window: Window, vllm: FakeVllm) -> None:
    embed_with(window, endpoint=vllm.url, queryTimeoutMilliseconds=60_000)
    live = await window.add().live()
    await asyncio.to_thread(live.settle)
    vllm.usual = slow(600)
    search = semantic_search(window.session, wire.SemanticSearchParams(query="given up"))
    task = asyncio.create_task(search)
    await until_on_loop(lambda: "given up" in vllm.texts())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_on_loop(lambda: vllm.given_up == 1)
    vllm.usual = answered
    result = await semantic_search(window.session, wire.SemanticSearchParams(query="wanted"))
    assert result.freshness.refined == 1
