"""Paths of agents mean files inside of the roots, and nothing else."""

import pytest

from codeintel_ls.mcp.errors import OutsideRootsError
from codeintel_ls.mcp.roots import Roots


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
    assert roots.resolve("src/a.py") == folder / "one/src/a.py"
    assert roots.resolve("lib/b.py") == folder / "two/lib/b.py"
    assert roots.resolve("new.py") == folder / "one/new.py"
    assert roots.resolve(".") == folder / "one"
    assert roots.resolve(str(folder / "two/lib/b.py")) == folder / "two/lib/b.py"


@pytest.mark.parametrize("path", ["../secret", "src/../../secret", "/etc/passwd", "a\0b", "link"])
def test_nothing_outside_is_asked_about(two, path):
    folder, roots = two
    (folder / "one/link").symlink_to(folder / "secret")
    with pytest.raises(OutsideRootsError):
        roots.resolve(path)


def test_links_inside_stay_inside(two):
    folder, roots = two
    (folder / "one/link").symlink_to(folder / "one/src")
    assert roots.resolve("link/a.py") == folder / "one/link/a.py"


def test_only_folders_that_exist_are_roots(tmp_path):
    assert Roots.of([tmp_path / "gone", tmp_path, tmp_path / "."]).folders == (tmp_path,)
