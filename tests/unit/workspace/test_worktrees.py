"""What was embedded once for a repository is never embedded again, wherever it turns up."""

import shutil
import threading
from pathlib import Path

import pytest

from codeintel_ls.search import SearchQuery
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.workspace.trees import FILES, commit_all, git, write_tree

OTHER = "def pigeon_post():\n    return 'carried by a pigeon'\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two branches, `main` and `other`, on `main`."""
    tree = write_tree(tmp_path / "shop-project")
    commit_all(tree)
    git(tree, "checkout", "-q", "-b", "other")
    write_tree(tree, {"shop/mail.py": OTHER, "shop/added.py": "def rocket():\n    return 1\n"})
    git(tree, "rm", "-q", "web/upload.js")
    commit_all(tree)
    git(tree, "checkout", "-q", "main")
    return tree


def embedded(folder: WorkspaceFolder) -> int:
    return folder.index_status().embedded


def newly_embedded(folder: WorkspaceFolder) -> int:
    """How many texts an update has to embed."""
    before = embedded(folder)
    folder.update()
    assert folder.index_status().pending == 0
    return embedded(folder) - before


def found(folder: WorkspaceFolder, question: str) -> list[tuple[str, str | None]]:
    hits = folder.search(SearchQuery(text=question, limit=50)).hits
    assert not any(hit.stale for hit in hits)
    return [(hit.path, hit.symbol) for hit in hits]


def test_a_first_index_embeds_every_chunk(folder: WorkspaceFolder) -> None:
    assert embedded(folder) == folder.index_status().chunks >= 5


def test_switching_branches_embeds_only_what_is_new(folder: WorkspaceFolder) -> None:
    on_main = found(folder, "total price mail")
    git(folder.root, "checkout", "-q", "other")
    assert newly_embedded(folder) == 2
    assert found(folder, "pigeon post")[0][0] == "shop/mail.py"
    assert ("web/upload.js", "uploadPicture") not in found(folder, "uploadPicture")
    for branch in ("main", "other", "main"):
        git(folder.root, "checkout", "-q", branch)
        assert newly_embedded(folder) == 0, branch
    assert found(folder, "total price mail") == on_main
    assert folder.index_status().files == len(FILES)


def test_a_revert_embeds_nothing(folder: WorkspaceFolder) -> None:
    write_tree(folder.root, {"shop/mail.py": OTHER})
    commit_all(folder.root, "Try pigeons")
    assert newly_embedded(folder) == 1
    git(folder.root, "revert", "--no-edit", "HEAD")
    assert newly_embedded(folder) == 0
    assert found(folder, "send confirmation")[0][0] == "shop/mail.py"


def test_a_rename_embeds_no_text(folder: WorkspaceFolder) -> None:
    git(folder.root, "mv", "shop/mail.py", "shop/letters.py")
    git(folder.root, "mv", "web", "assets")
    assert newly_embedded(folder) == 0
    paths = {path for path, _ in found(folder, "send confirmation upload picture")}
    assert {"shop/letters.py", "assets/upload.js"} <= paths
    assert not {"shop/mail.py", "web/upload.js"} & paths
    assert found(folder, "letters")[0][0] == "shop/letters.py"


def test_a_stash_and_its_return_embed_nothing(folder: WorkspaceFolder) -> None:
    write_tree(folder.root, {"shop/mail.py": OTHER})
    assert newly_embedded(folder) == 1
    git(folder.root, "stash", "-q")
    assert newly_embedded(folder) == 0
    assert found(folder, "send confirmation")[0][0] == "shop/mail.py"
    git(folder.root, "stash", "pop", "-q")
    assert newly_embedded(folder) == 0
    assert found(folder, "pigeon post")[0][0] == "shop/mail.py"


def test_an_undo_in_the_editor_embeds_nothing(folder: WorkspaceFolder) -> None:
    write_tree(folder.root, {"shop/mail.py": OTHER})
    folder.update(["shop/mail.py"])
    before = embedded(folder)
    write_tree(folder.root, {"shop/mail.py": FILES["shop/mail.py"]})
    folder.update(["shop/mail.py"])
    assert embedded(folder) == before
    assert found(folder, "send confirmation")[0][0] == "shop/mail.py"


def test_a_second_worktree_embeds_only_what_differs(
    folder: WorkspaceFolder, settings: Settings, tmp_path: Path
) -> None:
    tree = tmp_path / "second"
    git(folder.root, "worktree", "add", "-q", "--detach", str(tree), "main")
    second = WorkspaceFolder.open(tree, settings)
    assert newly_embedded(second) == 0
    assert found(second, "total price") == found(folder, "total price")
    git(tree, "checkout", "-q", "--detach", "other")
    assert newly_embedded(second) == 2
    git(folder.root, "checkout", "-q", "other")
    assert newly_embedded(folder) == 0
    assert found(second, "pigeon post") == found(folder, "pigeon post")
    second.close()
    assert found(folder, "pigeon post")[0][0] == "shop/mail.py"


def test_worktrees_that_are_indexed_at_the_same_time(
    root: Path, settings: Settings, tmp_path: Path
) -> None:
    trees = [root, tmp_path / "second", tmp_path / "third"]
    write_tree(root, {f"f{n}.py": f"def work_{n}():\n    return {n}\n" * 9 for n in range(150)})
    commit_all(root)
    for tree in trees[1:]:
        git(root, "worktree", "add", "-q", "--detach", str(tree), "main")
    folders = [WorkspaceFolder.open(tree, settings) for tree in trees]
    threads = [threading.Thread(target=folder.update) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = [found(folder, "work 77 total price") for folder in folders]
    assert answers[0] == answers[1] == answers[2]
    assert [folder.index_status().files for folder in folders] == [155] * 3
    for folder in folders:
        assert newly_embedded(folder) == 0
        folder.close()


def test_what_another_worktree_names_is_not_collected(
    folder: WorkspaceFolder, settings: Settings, tmp_path: Path
) -> None:
    tree = tmp_path / "second"
    git(folder.root, "worktree", "add", "-q", "--detach", str(tree), "other")
    second = WorkspaceFolder.open(tree, settings)
    assert newly_embedded(second) == 2
    # A rebuild collects whatever nobody names.
    folder.rebuild()
    git(tree, "commit", "-q", "--allow-empty", "-m", "Nothing")
    assert newly_embedded(second) == 0
    second.rebuild()
    assert found(second, "pigeon post")[0][0] == "shop/mail.py"
    assert newly_embedded(folder) == 0
    second.close()


def test_a_clone_shares_nothing(
    folder: WorkspaceFolder, settings: Settings, tmp_path: Path
) -> None:
    git(folder.root, "clone", "-q", str(folder.root), str(tmp_path / "clone"))
    clone = WorkspaceFolder.open(tmp_path / "clone", settings)
    assert newly_embedded(clone) == clone.index_status().chunks
    clone.close()


def test_a_cache_of_the_folder_that_is_lost_costs_no_embedding(
    folder: WorkspaceFolder, settings: Settings, tmp_path: Path
) -> None:
    before = found(folder, "total price")
    folder.close()
    shutil.rmtree(tmp_path / "cache" / "workspaces")
    again = WorkspaceFolder.open(folder.root, settings)
    assert newly_embedded(again) == 0
    assert found(again, "total price") == before
    again.close()


def test_a_folder_outside_any_repository_keeps_its_own(tmp_path: Path, settings: Settings) -> None:
    folder = WorkspaceFolder.open(write_tree(tmp_path / "plain"), settings)
    assert newly_embedded(folder) >= 5
    write_tree(folder.root, {"shop/mail.py": OTHER})
    assert newly_embedded(folder) == 1
    write_tree(folder.root, {"shop/mail.py": FILES["shop/mail.py"]})
    assert newly_embedded(folder) == 0
    folder.close()
