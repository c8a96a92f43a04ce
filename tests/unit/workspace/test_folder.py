"""A live folder: right answers that stay right while files come, change and go."""

import os
from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.index.status import IndexState
from codeintel_ls.search import InvalidQueryError, SearchFilter, SearchMode, SearchQuery
from codeintel_ls.settings import IndexSettings, Settings
from codeintel_ls.workspace import IndexingOffError, WorkspaceFolder, index_folder
from tests.unit.workspace.trees import FILES, commit_all, git, write_tree
from tests.waiting import eventually


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tree = write_tree(tmp_path / "shop-project")
    commit_all(tree)
    return tree


def places(
    folder: WorkspaceFolder, question: str, **options: object
) -> list[tuple[str, str | None]]:
    result = folder.search(evolve(SearchQuery(text=question), **options))
    return [(hit.path, hit.symbol) for hit in result.hits]


BY_LETTERS = {
    "where is the price of all items summed up": "shop/cart.py",
    "send a mail to the customer": "shop/mail.py",
    "uploadPicture": "web/upload.js",
}
BY_MEANING = {**BY_LETTERS, "how are images transferred in parts": "web/upload.js"}


@pytest.mark.parametrize(
    ("mode", "question", "path"),
    [
        *((mode, *pair) for mode in SearchMode for pair in BY_LETTERS.items()),
        *((mode, *pair) for mode in ("hybrid", "semantic") for pair in BY_MEANING.items()),
    ],
)
def test_questions_find_their_place(
    folder: WorkspaceFolder, mode: str, question: str, path: str
) -> None:
    assert places(folder, question, mode=SearchMode(mode))[0][0] == path


def test_a_hit_says_where_and_what(folder: WorkspaceFolder) -> None:
    hit = folder.search(SearchQuery(text="total price of the cart", explain=True)).hits[0]
    lines = FILES["shop/cart.py"].split("\n")
    assert hit.path == "shop/cart.py"
    assert hit.language == "python"
    assert hit.last_line == lines[hit.end_line - 1]
    first = hit.snippet_start_line
    assert hit.snippet.split("\n") == lines[first : first + len(hit.snippet.split("\n"))]
    assert hit.start_line <= first < hit.end_line
    assert 0 < hit.score <= 1
    assert not hit.stale
    assert hit.explanation
    assert hit.explanation.lexical_rank
    assert set(hit.explanation.boosts) >= {"symbol", "fileName", "aside"}


def test_filters(folder: WorkspaceFolder) -> None:
    question = "total price cart picture"

    def paths(**options: object) -> set[str]:
        wanted = evolve(SearchFilter(), **options)
        return {path for path, _ in places(folder, question, filter=wanted)}

    assert paths() == set(FILES)
    assert paths(languages=frozenset({"javascript"})) == {"web/upload.js"}
    assert paths(globs=("*.py", "!tests/**")) == {"shop/cart.py", "shop/mail.py"}
    assert paths(under=("shop",)) == {"shop/cart.py", "shop/mail.py"}
    assert paths(under=("shop/cart.py",)) == {"shop/cart.py"}
    assert paths(under=("sho",)) == set()
    with pytest.raises(InvalidRequestError, match="glob"):
        paths(globs=("[z-a]/**{",))


def test_pages_do_not_overlap(folder: WorkspaceFolder) -> None:
    everything = places(folder, "cart price mail picture", limit=50)
    pages = [
        place
        for offset in range(len(everything))
        for place in places(folder, "cart price mail picture", limit=1, offset=offset)
    ]
    assert len(pages) == len(everything) > 4
    assert sorted(map(str, pages)) == sorted(map(str, everything))


@pytest.mark.parametrize("text", ["", "   \n", "x" * 1_000_000])
def test_queries_that_cannot_be_answered(folder: WorkspaceFolder, text: str) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        folder.search(SearchQuery(text=text))
    assert len(str(caught.value)) < 200


def test_a_query_of_signs_alone_finds_nothing(folder: WorkspaceFolder) -> None:
    assert places(folder, "{}();") == []


def test_a_cancelled_search_stops(folder: WorkspaceFolder) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        folder.search(SearchQuery(text="cart"), cancellation)


def test_similar_code_without_itself(folder: WorkspaceFolder) -> None:
    result = folder.find_similar("tests/test_cart.py", 3, 6, query=SearchQuery(text=" ", limit=3))
    assert result.hits[0].path == "shop/cart.py"
    assert all(hit.path != "tests/test_cart.py" or hit.start_line > 6 for hit in result.hits)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ('where is "return self" in the mail', "shop/cart.py"),
        ('"server.sendmail(" of a picture in pieces', "shop/mail.py"),
        ('"Shop" mail address of a customer', "README.md"),
        ('"smtp(\'localhost" picture', "shop/mail.py"),
        ('"method:   \'PUT\'" "file.slice" cart', "web/upload.js"),
    ],
)
def test_what_is_quoted_stands_first(folder: WorkspaceFolder, question: str, first: str) -> None:
    assert folder.search(SearchQuery(text=question)).hits[0].path == first


def test_a_quote_that_nothing_holds_changes_nothing(folder: WorkspaceFolder) -> None:
    quoted = folder.search(SearchQuery(text='the "price of a cart that nobody bought"', limit=20))
    plain = folder.search(SearchQuery(text="the price of a cart that nobody bought", limit=20))
    assert [hit.path for hit in quoted.hits] == [hit.path for hit in plain.hits]


def test_what_is_similar_is_named(folder: WorkspaceFolder) -> None:
    query = SearchQuery(text=" ", limit=5)
    hits = folder.find_similar("tests/test_cart.py", 0, 6, query=query).hits
    by_path = {hit.path: hit.shared for hit in hits}
    # Whole identifiers, and the words of them where they stand alone.
    assert set(by_path["shop/cart.py"] or ()) >= {"total_price", "Cart", "items"}
    assert by_path["shop/mail.py"] is not None
    assert "total_price" not in by_path["shop/mail.py"]
    assert folder.search(SearchQuery(text="cart")).hits[0].shared is None


def test_what_nearly_all_code_says_is_no_likeness(root: Path, settings: Settings) -> None:
    for number in range(60):
        (root / f"step_{number}.py").write_text(
            f"def step_{number}(tools):\n    return prepare_everything(tools, {number})\n"
        )
    (root / "step_3.py").write_text("def step_3(tools):\n    return rarely_called(tools, 3)\n")
    (root / "step_4.py").write_text("def step_4(tools):\n    return rarely_called(tools, 4)\n")
    folder = WorkspaceFolder.open(root, settings)
    folder.start()
    folder.wait_until_ready()
    hits = folder.find_similar("step_3.py", 0, 1, query=SearchQuery(text=" ", limit=3)).hits
    assert [hit.shared for hit in hits if hit.path == "step_4.py"] == [("rarely_called",)]
    folder.close()


@pytest.mark.parametrize("lines", [(5, 4), (-1, 2), (0, 10_000)])
def test_similar_to_lines_that_are_not_there(
    folder: WorkspaceFolder, lines: tuple[int, int]
) -> None:
    with pytest.raises(InvalidRequestError, match="7 lines"):
        folder.find_similar("tests/test_cart.py", *lines, query=SearchQuery(text=" "))


def test_similar_to_a_file_that_is_not_there(folder: WorkspaceFolder) -> None:
    with pytest.raises(InvalidRequestError, match=r"nowhere\.py"):
        folder.find_similar("nowhere.py", 0, 0, query=SearchQuery(text=" "))


def test_a_saved_change_is_found_and_the_old_text_is_not(folder: WorkspaceFolder) -> None:
    (folder.root / "shop/mail.py").write_text(
        "def launch_rocket(pad):\n    return pad.ignite_engines()\n"
    )
    status = folder.update(["shop/mail.py"])
    assert status.pending == 0
    assert places(folder, "ignite the rocket engines")[0][0] == "shop/mail.py"
    assert ("shop/mail.py", "send_confirmation") not in places(
        folder, "send confirmation", limit=50
    )


def test_created_renamed_and_deleted_files(folder: WorkspaceFolder) -> None:
    write_tree(folder.root, {"new/rocket.py": "def ignite():\n    return 'rocket engines'\n"})
    folder.update(["new/rocket.py"])
    assert places(folder, "rocket engines")[0][0] == "new/rocket.py"
    (folder.root / "new").rename(folder.root / "old")
    folder.update(["new/rocket.py", "old/rocket.py"])
    assert places(folder, "rocket engines")[0][0] == "old/rocket.py"
    (folder.root / "old/rocket.py").unlink()
    folder.update(["old/rocket.py"])
    assert "old/rocket.py" not in folder.list_paths()[0]


def test_a_deleted_folder_is_told_by_its_own_path(folder: WorkspaceFolder) -> None:
    for path in ("shop/cart.py", "shop/mail.py"):
        (folder.root / path).unlink()
    (folder.root / "shop").rmdir()
    folder.update(["shop"])
    assert folder.list_paths(under="shop") == ([], False)


def test_results_cannot_lie_about_a_file_that_changed_unnoticed(folder: WorkspaceFolder) -> None:
    place = folder.root / "shop/cart.py"
    place.write_text("# one more line\n# and another\n" + FILES["shop/cart.py"])
    hit = folder.search(SearchQuery(text="total_price", limit=1)).hits[0]
    assert not hit.stale
    lines = place.read_text().split("\n")
    assert "total_price" in "\n".join(lines[hit.start_line : hit.end_line])
    assert hit.snippet.split("\n")[0] == lines[hit.snippet_start_line]
    assert eventually(lambda: folder.search(SearchQuery(text="cart")).freshness.pending == 0)


def test_a_place_that_is_gone_is_marked_stale_and_shows_nothing(folder: WorkspaceFolder) -> None:
    (folder.root / "web/upload.js").write_text("export const nothing = 1;\n")
    hit = folder.search(SearchQuery(text="uploadPicture", limit=1)).hits[0]
    assert (hit.path, hit.stale, hit.snippet) == ("web/upload.js", True, "")
    assert eventually(
        lambda: ("web/upload.js", "uploadPicture") not in places(folder, "uploadPicture", limit=50)
    )


def test_a_deleted_file_is_dropped_before_anyone_told(folder: WorkspaceFolder) -> None:
    (folder.root / "web/upload.js").unlink()
    assert "web/upload.js" not in {path for path, _ in places(folder, "uploadPicture", limit=50)}


def test_secrets_ignored_and_binary_files_are_left_out(tmp_path: Path, settings: Settings) -> None:
    root = write_tree(tmp_path / "tree", {**FILES, ".gitignore": "build/\n"})
    write_tree(root, {".env": "PASSWORD=hunter2\n", "build/out.py": "x = 1\n", "id_rsa": "key\n"})
    write_tree(root, {"private/notes.py": "secret_plan = 1\n", ".codeintelignore": "private/\n"})
    (root / "picture.dat").write_bytes(b"\0\1\2\3" * 50)
    commit_all(root)
    folder = WorkspaceFolder.open(root, settings)
    status = folder.update()
    assert set(folder.list_paths()[0]) == {*FILES, ".gitignore", ".codeintelignore"}
    assert status.skipped["secret"] == 2
    assert status.skipped["binary"] == 1
    folder.close()


def test_a_file_name_that_is_no_text_is_counted(tmp_path: Path, settings: Settings) -> None:
    root = write_tree(tmp_path / "tree")
    (root / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    commit_all(root)
    folder = WorkspaceFolder.open(root, settings)
    status = folder.update()
    assert status.skipped["undecodable-name"] == 1
    assert status.files == len(FILES)
    assert folder.update([os.fsdecode(b"caf\xe9.py")]).files == len(FILES)
    folder.close()


def test_other_settings_take_effect_while_running(folder: WorkspaceFolder) -> None:
    other = evolve(folder.settings, index=IndexSettings(workers=1, exclude=("web/",)))
    folder.configure(other)
    assert eventually(lambda: folder.list_paths(under="web") == ([], False))
    folder.configure(evolve(other, index=IndexSettings(workers=1)))
    assert eventually(lambda: folder.list_paths(under="web") == (["web/upload.js"], False))


def test_a_folder_that_is_not_to_be_indexed_says_so(root: Path, settings: Settings) -> None:
    off = evolve(settings, index=IndexSettings(enabled=False))
    folder = WorkspaceFolder.open(root, off, watch=True)
    folder.start()
    status = folder.index_status()
    assert (status.state, status.files) == (IndexState.READY, 0)
    assert any("index.enabled" in remark for remark in status.remarks)
    with pytest.raises(IndexingOffError, match=r"index\.enabled"):
        folder.update()
    assert folder.search(SearchQuery(text="cart")).hits == ()
    folder.close()


def test_a_tracked_file_that_an_ignore_file_names_stays_searchable(
    folder: WorkspaceFolder,
) -> None:
    write_tree(folder.root, {".gitignore": "shop/mail.py\n"})
    folder.update()
    write_tree(folder.root, {"shop/mail.py": "def pigeon_post():\n    return 'by pigeon'\n"})
    folder.update(["shop/mail.py"])
    assert places(folder, "pigeon post")[0][0] == "shop/mail.py"


def test_a_branch_switch_embeds_only_what_is_new(folder: WorkspaceFolder) -> None:
    git(folder.root, "checkout", "-q", "-b", "other")
    write_tree(folder.root, {"shop/mail.py": "def other_branch():\n    return 'pigeon post'\n"})
    commit_all(folder.root)
    folder.update()
    assert places(folder, "pigeon post")[0][0] == "shop/mail.py"
    git(folder.root, "checkout", "-q", "main")
    folder.update()
    assert places(folder, "send confirmation")[0][0] == "shop/mail.py"
    assert "pigeon" not in folder.search(SearchQuery(text="pigeon post")).hits[0].snippet


def test_an_empty_folder_answers_with_nothing(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "empty").mkdir()
    folder = WorkspaceFolder.open(tmp_path / "empty", settings)
    assert folder.update().state is IndexState.READY
    result = folder.search(SearchQuery(text="anything"))
    assert result.hits == ()
    assert result.freshness.complete
    folder.close()


def test_what_is_no_folder(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(InvalidRequestError, match="missing"):
        WorkspaceFolder.open(tmp_path / "missing", settings)


def test_the_cache_is_outside_the_repository_and_private(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    place = index_folder(folder.root, settings)
    assert not place.is_relative_to(folder.root)
    for level in (place, place.parent, place.parent.parent):
        assert level.stat().st_mode & 0o777 == 0o700


def test_a_second_opening_answers_before_it_reconciles(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    folder.close()
    again = WorkspaceFolder.open(folder.root, settings)
    assert places(again, "total price")[0][0] == "shop/cart.py"
    assert not again.search(SearchQuery(text="total")).freshness.complete
    again.update()
    assert again.search(SearchQuery(text="total")).freshness.complete
    again.close()


def test_a_rebuild_gives_the_same_answers(folder: WorkspaceFolder) -> None:
    before = places(folder, "total price of the cart", limit=50)
    status = folder.rebuild()
    assert status.state is IndexState.READY
    assert places(folder, "total price of the cart", limit=50) == before


def test_merging_drops_tombstones(folder: WorkspaceFolder) -> None:
    for number in range(3):
        write_tree(folder.root, {"shop/mail.py": f"def version_{number}():\n    return 'x'\n"})
        folder.update(["shop/mail.py"])
    before = folder.index_status()
    assert before.tombstones > 0
    after = folder.merge()
    assert (after.tombstones, after.secondary_vectors) == (0, 0)
    assert after.chunks == before.chunks
    assert places(folder, "version 2")[0] == ("shop/mail.py", "version_2")


def test_the_watcher_finds_what_no_editor_told(root: Path, settings: Settings) -> None:
    folder = WorkspaceFolder.open(root, settings, watch=True)
    folder.start()
    assert folder.wait_until_ready(30)
    write_tree(root, {"new/rocket.py": "def ignite():\n    return 'rocket engines'\n"})
    assert eventually(lambda: ("new/rocket.py", "ignite") in places(folder, "rocket engines"))
    (root / "new/rocket.py").unlink()
    assert eventually(lambda: "new/rocket.py" not in folder.list_paths()[0])
    write_tree(root, {".gitignore": "web/\n"})
    git(root, "rm", "-rq", "--cached", "web")
    assert eventually(lambda: folder.list_paths(under="web") == ([], False))
    folder.close()


def test_cancelling_the_indexing_leaves_a_folder_that_answers(
    tmp_path: Path, settings: Settings
) -> None:
    root = tmp_path / "big"
    write_tree(
        root, {f"f{n}.py": f"def function_{n}():\n    return {n}\n" * 50 for n in range(800)}
    )
    folder = WorkspaceFolder.open(root, settings)
    cancellation = Cancellation()

    def stop(done: int, _total: int | None, _message: str) -> None:
        if done:
            cancellation.cancel()

    with pytest.raises(CancelledError):
        folder.update(progress=stop, cancellation=cancellation)
    status = folder.index_status()
    assert status.state is IndexState.READY
    assert 0 < status.files < 800
    assert not folder.search(SearchQuery(text="function")).freshness.complete
    folder.close()
