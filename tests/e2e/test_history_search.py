"""Meaning in history: commits that answer, and places by who changed them, through both doors."""

import pytest
import pytest_asyncio
from pygls.exceptions import JsonRpcException

from tests.e2e.editor import DOORS, Editor
from tests.e2e.project import ADDED, commit, new_repository, write

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("door", DOORS),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A repository of three commits by two people, in another folder than a plain one."""
    folder = new_repository(tmp_path_factory.mktemp("history") / "shop")
    write(folder, {"price.py": "def total(prices):\n    return sum(prices)\n"})
    commit(folder, "Add up the prices of an order")
    write(folder, {"price.py": "def total(prices):\n    return round(sum(prices), 2)\n"})
    commit(folder, "Round to cents", author="Grace Example", time=ADDED + 100)
    write(folder, {"mail.py": "def send_mail(address):\n    return address\n"})
    commit(folder, "Tell the customer by mail", time=ADDED + 200)
    write(folder, {"draft.py": "def price_of_nothing():\n    return 0\n"})
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, shop):
    editor = await Editor().open(module_environment, [shop])
    await editor.ready()
    yield editor
    await editor.close()


async def history(editor, door, query, **params):
    for _ in range(100):
        found = await editor.call(door, "searchHistory", {"query": query, **params})
        if found["complete"]:
            return found
    raise AssertionError("the commits were never all indexed")


async def test_commits_answer_a_question(editor, door):
    found = await history(editor, door, "inform the buyer with an e-mail message")
    assert found["indexed"] == 3
    best = found["commits"][0]
    assert best["summary"] == "Tell the customer by mail"
    assert best["author"]["name"] == "Ada Example"
    assert best["author"]["time"] == ADDED + 200
    assert best["paths"] == ["mail.py"]
    assert 0 < best["score"] <= 1
    assert best["id"].startswith(best["shortId"])


async def test_the_parameters_of_a_search_in_history(editor, door):
    async def summaries(**params):
        found = await history(editor, door, "price", **params)
        return [one["summary"] for one in found["commits"]]

    assert await summaries(author="grace") == ["Round to cents"]
    assert await summaries(paths=["mail.py"]) == ["Tell the customer by mail"]
    assert len(await summaries(limit=1)) == 1
    day = "2020-09-13T12:26:40Z"  # of the first commit
    assert len(await summaries(since=day)) == 3
    assert await summaries(before=day) == []


async def test_places_by_who_changed_them_and_when(editor, door):
    async def paths(**params):
        asked = {"query": "price", **params}
        found = await editor.call(door, "semanticSearch", asked)
        assert found["stoppedEarly"] is False
        return {hit["path"] for hit in found["hits"]}

    assert await paths(author="GRACE") == {"price.py"}
    assert await paths(author="author@example.org", changedBefore="2020-09-13T12:26:41Z") == {
        "price.py"
    }
    assert await paths(changedSince="1y") == {"draft.py"}
    assert await paths(author="grace", changedSince="1y") == set()


async def test_what_needs_no_blame_tells_nothing_of_it(editor, door):
    assert "stoppedEarly" not in await editor.call(door, "semanticSearch", {"query": "price"})


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ("searchHistory", "since"),
        ("searchHistory", "before"),
        ("semanticSearch", "changedSince"),
        ("semanticSearch", "changedBefore"),
    ],
)
async def test_a_date_that_is_none_is_refused_by_name(editor, door, operation, field):
    with pytest.raises(JsonRpcException) as refused:
        await editor.call(door, operation, {"query": "price", field: "yesterday-ish"})
    assert refused.value.code == -32602
    assert f"`{field}`" in refused.value.message
    assert "2026-01-31" in refused.value.message


async def test_outside_a_repository_there_is_no_history(module_environment, tmp_path, door):
    write(tmp_path, {"price.py": "def total(prices):\n    return sum(prices)\n"})
    editor = await Editor().open(module_environment, [tmp_path])
    try:
        await editor.ready()
        for operation, params in (("searchHistory", {}), ("semanticSearch", {"author": "ada"})):
            with pytest.raises(JsonRpcException, match="not inside a git work tree"):
                await editor.call(door, operation, {"query": "price", **params})
    finally:
        await editor.close()
