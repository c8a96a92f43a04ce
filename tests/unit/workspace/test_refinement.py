"""An endpoint's model refines searches; whatever becomes of the endpoint, searches go on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.embedding.probe import ModelRecords
from codeintel_ls.search import SearchMode, SearchQuery, SearchResult
from codeintel_ls.settings import EmbeddingSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.embedding.fake_vllm import FakeVllm, error, slow
from tests.unit.workspace.trees import write_tree
from tests.waiting import until

QUESTION = "zebra crossing"
"""Words that stand nowhere in the shop; the endpoint's model knows what they mean."""

NEW = "def pigeon_post():\n    return 'carried by a pigeon'\n"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has answered nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def vllm(vllm: FakeVllm) -> FakeVllm:
    vllm.dimension = 256
    vllm.synonyms = {"zebra": "uploadPicture", "crossing": "picture"}
    return vllm


@pytest.fixture
def settings(settings: Settings, vllm: FakeVllm) -> Settings:
    return endpoint(settings, url=vllm.url)


def endpoint(settings: Settings, *, url: str, **more: object) -> Settings:
    given = {"endpoint": url, "endpoint_model": "fake/model", **more}
    return evolve(settings, embedding=EmbeddingSettings(**given))


@pytest.fixture
def opened() -> Iterator[Callable[[Path, Settings], WorkspaceFolder]]:
    """Opens folders as a server does, and closes them."""
    folders: list[WorkspaceFolder] = []

    def open_folder(root: Path, settings: Settings) -> WorkspaceFolder:
        folders.append(WorkspaceFolder.open(root, settings))
        folders[-1].start()
        return folders[-1]

    yield open_folder
    for folder in folders:
        folder.close()


Open = Callable[[Path, Settings], WorkspaceFolder]


def ask(folder: WorkspaceFolder, question: str = QUESTION) -> SearchResult:
    return folder.search(SearchQuery(text=question, limit=5, mode=SearchMode.SEMANTIC))


def refined(folder: WorkspaceFolder) -> bool:
    return ask(folder).freshness.refined == 1


def first_path(folder: WorkspaceFolder, question: str = QUESTION) -> str:
    return ask(folder, question).hits[0].path


def notices(folder: WorkspaceFolder) -> str:
    return " ".join(folder.index_status().notices)


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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_settling_does_not_wait_for_what_has_ended_in_an_error(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(ModelRecords, "ask", fail)
    folder = WorkspaceFolder.open(root, settings)
    try:
        folder.update()
        folder.settle()
        assert ask(folder, "total price").hits
    finally:
        folder.close()


class TestConsent:
    """An endpoint elsewhere: a name that only the proxy, here the server itself, knows."""

    @pytest.fixture
    def settings(self, settings: Settings, vllm: FakeVllm) -> Settings:
        proxy = f"http://127.0.0.1:{vllm.port}"
        return endpoint(settings, url="http://embeddings.invalid/v1", proxy=proxy)

    def test_nothing_is_sent_before_somebody_has_said_yes(
        self, root: Path, settings: Settings, opened: Open, vllm: FakeVllm
    ) -> None:
        folder = opened(root, settings)
        folder.settle()
        ask(folder)
        assert folder.refinement.asks == "http://embeddings.invalid"
        assert "until you allow it" in notices(folder)
        assert vllm.requests == []
        folder.refinement.allow(True)
        until(lambda: refined(folder))
        assert folder.refinement.asks is None

    def test_a_refusal_is_remembered(
        self, root: Path, settings: Settings, opened: Open, vllm: FakeVllm
    ) -> None:
        opened(root, settings).refinement.allow(False)
        again = opened(root, settings)
        again.settle()
        ask(again)
        assert again.refinement.asks is None
        assert any("you refused it" in remark for remark in again.index_status().remarks)
        assert vllm.requests == []

    def test_a_yes_is_remembered_for_the_endpoint_and_no_other(
        self, root: Path, settings: Settings, opened: Open
    ) -> None:
        opened(root, settings).refinement.allow(True)
        again = opened(root, settings)
        assert again.refinement.asks is None
        until(lambda: refined(again))
        elsewhere = endpoint(settings, url="http://other.invalid:8000/v1")
        assert opened(root, elsewhere).refinement.asks == "http://other.invalid:8000"

    @pytest.mark.parametrize("damage", ["", "[]", '{"http://embeddings.invalid": "yes"}', "\0"])
    def test_what_cannot_be_read_is_no_consent(
        self,
        root: Path,
        settings: Settings,
        opened: Open,
        state: Path,
        vllm: FakeVllm,
        damage: str,
    ) -> None:
        (state / "codeintel-ls").mkdir(parents=True)
        (state / "codeintel-ls" / "endpoints.json").write_text(damage)
        folder = opened(root, settings)
        assert folder.refinement.asks is not None
        folder.settle()
        assert vllm.requests == []

    def test_who_cannot_be_asked_can_say_so_in_the_settings(
        self, root: Path, settings: Settings, opened: Open
    ) -> None:
        allowed = evolve(settings, embedding=evolve(settings.embedding, allow_remote=True))
        folder = opened(root, allowed)
        assert folder.refinement.asks is None
        until(lambda: refined(folder))
