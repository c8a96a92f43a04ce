"""An endpoint's model refines searches; whatever becomes of the endpoint, searches go on."""

from pathlib import Path

import pytest

from codeintel_ls.index import publication
from codeintel_ls.search import SearchMode, SearchQuery
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.embedding.fake_vllm import FakeVllm, error, slow
from tests.unit.workspace.refinement.asking import (
    NEW,
    QUESTION,
    Open,
    ask,
    endpoint,
    first_path,
    notices,
    refined,
    second_index,
)
from tests.unit.workspace.trees import write_tree
from tests.waiting import until


def test_the_model_of_an_endpoint_finds_what_the_bundled_one_cannot(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    assert first_path(folder) == "web/upload.js"
    assert any("256 dimensions" in remark for remark in folder.index_status().remarks)
    # A question is asked once.
    assert vllm.texts().count(QUESTION) == 1


async def test_a_question_is_asked_ahead_only_where_its_vector_would_help(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    usual, busy = vllm.usual, error(503, "The queue is full.", Retry_After=3600)
    vllm.plan(usual)
    vllm.usual = busy
    folder = opened(root, settings)
    until(lambda: any("256 dimensions" in remark for remark in folder.index_status().remarks))
    folder.wait_until_ready(60)
    await folder.embed_ahead(QUESTION)
    assert QUESTION not in vllm.texts()
    vllm.usual = usual
    until(lambda: folder.search(SearchQuery(text="price")).freshness.refined == 1)
    await folder.embed_ahead(QUESTION)
    assert vllm.texts().count(QUESTION) == 1
    ask(folder)
    assert vllm.texts().count(QUESTION) == 1


def test_the_pages_of_the_second_index_are_let_go_as_those_of_the_first(
    root: Path, settings: Settings, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    folder.settle()
    let_go: list[object] = []
    monkeypatch.setattr(publication, "_LARGE_BYTES", 0)
    monkeypatch.setattr(publication, "_MOST_RESIDENT", -1)
    monkeypatch.setattr(publication, "let_go_of_pages", let_go.append)
    segments = second_index(folder).index.published.segments
    for _ in range(8):
        ask(folder)
    until(lambda: segments in let_go)


def test_letters_alone_send_no_question(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    folder.search(SearchQuery(text="uploadPicture", mode=SearchMode.LEXICAL))
    assert "uploadPicture" not in vllm.texts()


def test_filters_hold_for_what_the_endpoint_finds(
    root: Path, settings: Settings, opened: Open
) -> None:
    from codeintel_ls.search import SearchFilter

    folder = opened(root, settings)
    until(lambda: refined(folder))
    query = SearchQuery(text=QUESTION, filter=SearchFilter(globs=("*.py",)))
    hits = folder.search(query).hits
    assert hits
    assert all(hit.path.endswith(".py") for hit in hits)


def test_what_was_embedded_once_is_not_sent_again(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    first = opened(root, settings)
    until(lambda: refined(first))
    first.close()
    sent = len(vllm.requests)
    again = opened(root, settings)
    # What was found before helps before anything is asked.
    until(lambda: refined(again))
    assert first_path(again) == "web/upload.js"
    again.settle()
    assert all(
        "prices" in text or text == QUESTION for r in vllm.requests[sent:] for text in r.texts
    )


def test_a_save_is_found_at_once_and_embedded_when_the_endpoint_has_time(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    vllm.usual = slow(0.5)
    write_tree(root, {"shop/post.py": NEW})
    folder.update(["shop/post.py"])
    assert first_path(folder, "pigeon post") == "shop/post.py"
    until(lambda: any("pigeon_post" in text for text in vllm.texts()))


def test_while_the_endpoint_is_down_searches_go_on_and_nothing_is_lost(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    vllm.stop()
    write_tree(root, {"shop/post.py": NEW})
    folder.update(["shop/post.py"])
    assert first_path(folder, "pigeon post") == "shop/post.py"
    assert folder.search(SearchQuery(text="total price")).hits
    until(lambda: "cannot be reached" in notices(folder))
    assert folder.index_status().last_error is None
    sent = len(vllm.texts())
    vllm.start()
    until(lambda: any("pigeon_post" in text for text in vllm.texts()[sent:]))
    until(lambda: "endpoint" not in notices(folder))
    assert folder.index_status().skipped == {}
    # Only what was new was sent.
    assert not any("uploadPicture" in text for text in vllm.texts()[sent:])


def test_an_endpoint_that_comes_up_later_is_found(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    vllm.stop()
    folder = opened(root, settings)
    until(lambda: "cannot be reached" in notices(folder))
    # The first index may be on its way still: it waits for no endpoint.
    folder.wait_until_ready()
    assert ask(folder, "total price").hits
    vllm.start()
    until(lambda: refined(folder))
    assert first_path(folder) == "web/upload.js"


def test_an_endpoint_that_fails_half_way_is_asked_for_the_rest_alone(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    settings = endpoint(settings, url=vllm.url, batch_texts=1)
    turned_away = error(503, "The queue is full.", Retry_After=3600)
    vllm.plan(lambda server, request: server.usual(server, request), *[turned_away] * 3)
    folder = opened(root, settings)
    until(lambda: refined(folder))
    answered = [r for r in vllm.requests[4:] if "prices" not in r.texts[0]]
    assert len({r.texts[0] for r in answered}) == len(answered)


def test_another_model_is_built_beside_while_searches_go_on(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    folder.close()
    # The same name, another model: other words lie near each other.
    vllm.salt = "other"
    vllm.synonyms = {"zebra": "smtplib", "crossing": "sendmail"}
    vllm.usual = slow(0.3)
    again = opened(root, settings)
    assert ask(again, "total price").hits
    until(lambda: first_path(again) == "shop/mail.py")


def test_other_dimensions_in_the_middle_of_it_begin_anew(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    vllm.dimension = 64
    assert ask(folder, "another question").hits
    until(lambda: any("64 dimensions" in remark for remark in folder.index_status().remarks))
    until(lambda: refined(folder) and first_path(folder, "zebra") == "web/upload.js")


@pytest.mark.parametrize("other", ["", "http://127.0.0.1:9/v1"])
def test_an_endpoint_that_is_taken_away_is_sent_nothing_more(
    root: Path, settings: Settings, opened: Open, vllm: FakeVllm, other: str
) -> None:
    folder = opened(root, settings)
    until(lambda: refined(folder))
    sent = len(vllm.requests)
    folder.configure(endpoint(settings, url=other))
    write_tree(root, {"shop/post.py": NEW})
    folder.update(["shop/post.py"])
    folder.settle()
    assert first_path(folder, "pigeon post") == "shop/post.py"
    assert len(vllm.requests) == sent
    assert "when the server is restarted" in notices(folder)
    folder.configure(settings)
    folder.settle()
    assert ask(folder, "another question").hits
    assert len(vllm.requests) == sent
    assert "when the server is restarted" in notices(folder)


def test_settling_waits_for_the_endpoint(root: Path, settings: Settings, vllm: FakeVllm) -> None:
    folder = WorkspaceFolder.open(root, settings)
    try:
        folder.update()
        folder.settle()
        assert refined(folder)
    finally:
        folder.close()


def test_settling_does_not_wait_for_an_endpoint_that_is_down(
    root: Path, settings: Settings, vllm: FakeVllm
) -> None:
    vllm.stop()
    folder = WorkspaceFolder.open(root, settings)
    try:
        folder.update()
        folder.settle()
        assert "cannot be reached" in notices(folder)
    finally:
        folder.close()
