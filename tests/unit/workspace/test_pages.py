"""The pages of one answer, and what is shown of what is quoted."""

from pathlib import Path

import pytest

from codeintel_ls.search import Hit, SearchMode, SearchQuery
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.workspace.trees import write_tree

QUESTION = "count the apples and pears in the basket"
FRUITS = ["apples", "pears", "plums", "cherries", "quinces"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """More places that answer than one look at the lists brings up."""
    files: dict[str, str] = {}
    for number in range(90):
        functions = (
            f"def count_{fruit}_{number}(basket):\n"
            f'    """Count the {fruit} in basket {number}."""\n'
            + f"    total = {number}\n    # rest of {fruit}\n" * (6 + (number * (n + 3)) % 7)
            + "    return total\n"
            for n, fruit in enumerate(FRUITS)
        )
        files[f"baskets/b{number:02}.py"] = "\n\n".join(functions)
    return write_tree(tmp_path / "orchard", files)


def asked(folder: WorkspaceFolder, mode: SearchMode, limit: int, offset: int = 0) -> list[Hit]:
    query = SearchQuery(text=QUESTION, mode=mode, limit=limit, offset=offset)
    return list(folder.search(query).hits)


@pytest.mark.parametrize("mode", SearchMode)
def test_however_far_one_pages_each_place_comes_once(
    folder: WorkspaceFolder, mode: SearchMode
) -> None:
    chunks = folder.index_status().chunks
    assert chunks > 400
    whole = asked(folder, mode, limit=2 * chunks)
    places = [(hit.path, hit.start_line) for hit in whole]
    assert len(places) == len(set(places)) == chunks
    assert [hit.score for hit in whole] == sorted((hit.score for hit in whole), reverse=True)
    pages = [
        hit for offset in range(0, 300, 37) for hit in asked(folder, mode, limit=37, offset=offset)
    ]
    assert [(hit.path, hit.start_line) for hit in pages] == places[: len(pages)]


@pytest.mark.parametrize("limit", [1, 7, 50, 150])
def test_how_many_are_wanted_changes_no_order(folder: WorkspaceFolder, limit: int) -> None:
    whole = asked(folder, SearchMode.HYBRID, limit=200)
    assert asked(folder, SearchMode.HYBRID, limit=limit) == whole[:limit]


@pytest.mark.parametrize("height", [1, 2, 3, 12, 40])
def test_the_snippet_shows_what_is_quoted(folder: WorkspaceFolder, root: Path, height: int) -> None:
    body = "".join(f"    step_{n} = apples + {n}\n" for n in range(30))
    text = f"def count_apples(apples):\n{body}    raise Worm('an apple   is   bad')\n"
    write_tree(root, {"worm.py": text})
    folder.update(["worm.py"])
    query = SearchQuery(text='count apples "an apple is bad"', snippet_lines=height)
    hit = folder.search(query).hits[0]
    assert hit.path == "worm.py"
    assert "raise Worm" in hit.snippet
    first = hit.snippet_start_line
    assert hit.snippet.split("\n") == text.splitlines()[first : first + height]
