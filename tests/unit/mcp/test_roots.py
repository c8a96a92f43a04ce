"""Paths of agents mean files inside of the roots, and nothing else."""

from pathlib import Path

import pytest

from codeintel_ls.mcp.errors import OutsideRootsError
from codeintel_ls.mcp.roots import Roots
from codeintel_ls.mcp.tools import TOOLS


@pytest.fixture
def two(tmp_path):
    for name in ("one/src", "two/lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "one/src/a.py").write_text("a")
    (tmp_path / "two/lib/b.py").write_text("b")
    (tmp_path / "secret").write_text("s")
    return tmp_path, Roots.of([tmp_path / "one", tmp_path / "two"])


def test_relative_paths_are_found_in_the_root_that_has_them(two):
    folder, roots = two
    one, another = roots.folders
    assert roots.resolve("src/a.py") == (one, Path("src/a.py"))
    assert roots.resolve("lib/b.py") == (another, Path("lib/b.py"))
    assert roots.resolve("new.py") == (one, Path("new.py"))
    assert roots.resolve(".") == (one, Path())
    assert roots.resolve(str(folder / "two/lib/b.py")) == (another, Path("lib/b.py"))


@pytest.mark.parametrize("path", ["../secret", "src/../../secret", "/etc/passwd", "a\0b", "link"])
def test_nothing_outside_is_asked_about(two, path):
    folder, roots = two
    (folder / "one/link").symlink_to(folder / "secret")
    with pytest.raises(OutsideRootsError):
        roots.resolve(path)


def test_links_mean_what_they_lead_to(two):
    folder, roots = two
    (folder / "one/link").symlink_to(folder / "one/src")
    (folder / "elsewhere").symlink_to(folder / "two")
    assert roots.resolve("link/a.py") == (folder / "one", Path("src/a.py"))
    assert roots.resolve(str(folder / "elsewhere/lib")) == (folder / "two", Path("lib"))


def test_files_are_listed_through_a_link_from_outside(two):
    folder, roots = two
    (folder / "elsewhere").symlink_to(folder / "two")
    (list_paths,) = [tool for tool in TOOLS if tool.name == "list_paths"]
    given = {"path": str(folder / "elsewhere/lib"), "globs": None, "limit": None}
    ask = list_paths.ask(given, roots)
    assert ask.params == {"folder": (folder / "two").as_uri(), "path": "lib"}


def test_only_folders_that_exist_are_roots(tmp_path):
    assert Roots.of([tmp_path / "gone", tmp_path, tmp_path / "."]).folders == (tmp_path,)
