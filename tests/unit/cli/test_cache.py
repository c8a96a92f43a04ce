"""`cache`: what the indexes take of the disk, and making room, as a person meets it."""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_ls.index.lock import CacheLock
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import index_folder
from tests.unit.cli.command_line import CommandLine
from tests.unit.cli.conftest import Call
from tests.unit.workspace.cache_folders import Caches, age


@pytest.fixture
def caches(tmp_path: Path, person: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Caches:
    """The person's cache, empty so far; roots lie in the person's home."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return Caches(tmp_path / "cache" / "codeintel-ls", tmp_path / "home" / "src")


@pytest.fixture
def in_use(caches: Caches) -> Iterator[Path]:
    """A cache that this process keeps."""
    folder = caches.workspace("used", kib=300, days=60)
    lock = CacheLock(folder)
    assert lock.try_acquire()
    yield folder
    lock.release()


def limit_megabytes(number: int) -> None:
    settings = Path(os.environ["XDG_CONFIG_HOME"], "codeintel-ls", "config.toml")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[cache]\nmax_megabytes = {number}\n")


def test_without_caches_it_says_so_and_makes_none(call: Call, caches: Caches) -> None:
    shown = call("cache", "list")
    assert (shown.status, shown.out) == (0, "")
    assert "Nothing is cached yet" in shown.err
    document = call("cache", "list", "--json").document()
    assert (document["workspaces"], document["repositories"], document["totalBytes"]) == ([], [], 0)
    pruned = call("cache", "prune")
    assert (pruned.status, pruned.err) == (0, "")
    assert pruned.out == "There is nothing to remove: the caches take 0 bytes of at most 10.0 GB.\n"
    assert call("cache", "path").out == f"{caches.directory}\n"
    assert not caches.directory.exists()


def test_alone_it_tells_what_there_is(call: Call) -> None:
    shown = call("cache")
    assert (shown.status, shown.err) == (0, "")
    for name in ("list", "prune", "path"):
        assert f"\n  {name} " in shown.out
        assert call("cache", name, "--help").status == 0


def test_the_list_is_aligned_and_marks_what_matters(
    call: Call, caches: Caches, in_use: Path
) -> None:
    caches.workspace("lately", kib=2000, days=1, repository="shared")
    caches.workspace("gone", days=20, repository="shared")
    (caches.roots / "gone").rmdir()
    caches.workspace("earlier", days=800, described=False)
    caches.store("shared", kib=1000)
    shown = call("cache", "list")
    assert (shown.status, shown.err) == (0, "")
    lines = [re.sub(r" *[\d.]+ [kM]B", "SIZE", line) for line in shown.out.splitlines()]
    assert lines[:-1] == [
        str(caches.directory),
        "SIZE  1 day ago     ~/src/lately",
        "SIZE  2 weeks ago   ~/src/gone  its folder is gone",
        "SIZE  2 months ago  ~/src/used  in use",
        "SIZE  2 years ago   earlier  of an earlier version",
        "",
        "Shared by the work trees of a repository:",
        "SIZE  2 folders  shared",
        "",
    ]
    assert lines[-1] == "SIZE in all; at most 10.0 GB are kept."
    units = {line.index("B ") for line in shown.out.splitlines()[1:5]}
    assert len(units) == 1


def test_the_list_as_json(call: Call, caches: Caches, in_use: Path) -> None:
    caches.workspace("lately", days=1, repository="shared")
    caches.store("shared")
    document = call("cache", "list", "--json").document()
    lately, used = document["workspaces"]
    assert (lately["name"], lately["root"]) == ("lately", str(caches.roots / "lately"))
    assert (lately["repository"], lately["inUse"], lately["orphaned"]) == ("shared", False, False)
    assert lately["lastUsed"] == pytest.approx(time.time() - 24 * 60 * 60, abs=60)
    assert (used["repository"], used["inUse"]) == (None, True)
    (store,) = document["repositories"]
    assert store["workspaces"] == ["lately"]
    parts = (lately, used, store)
    assert document["totalBytes"] == sum(part["diskBytes"] for part in parts)
    assert document["maxBytes"] == 10_000_000_000


def test_a_real_index_is_listed_with_its_folder_and_pruned(
    call: Call, caches: Caches, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.py").write_text("def add(a, b):\n    return a + b\n")
    assert call("index", folder=folder).status == 0
    (entry,) = call("cache", "list", "--json").document()["workspaces"]
    assert (entry["root"], entry["inUse"], entry["orphaned"]) == (str(folder), False, False)
    assert entry["diskBytes"] > 10_000
    assert call("cache", "prune", "--max-megabytes", "0").status == 0
    assert not index_folder(folder, Settings()).exists()
    assert call("search", "add", folder=folder).out.startswith("a.py:1-2")


def test_pruning_tells_each_removal_and_why(call: Call, caches: Caches) -> None:
    caches.workspace("unused", kib=300, days=70, repository="shared")
    caches.workspace("gone", days=40)
    (caches.roots / "gone").rmdir()
    caches.store("shared")
    caches.store("alone")
    (caches.directory / "removing-1").mkdir()
    (caches.directory / "removing-1" / "rest").write_bytes(b"rest")
    before = sorted(caches.directory.rglob("*"))
    dry = call("cache", "prune", "--dry-run", "--max-megabytes", "0")
    assert sorted(caches.directory.rglob("*")) == before
    real = call("cache", "prune", "--max-megabytes", "0")
    for shown, did in ((dry, "would remove"), (real, "removed")):
        assert (shown.status, shown.err) == (0, "")
        *lines, last = shown.out.splitlines()
        told = {name: why for *_, name, why in (re.split(r"  +", line) for line in lines)}
        assert told == {
            "removing-1": "left by a removal that was cut short",
            "~/src/gone": "its folder is gone",
            "alone": "shared by nobody any more",
            "~/src/unused": "last used 2 months ago",
            "shared": "shared by nobody any more",
        }
        assert all(line.startswith(did) for line in lines)
        assert "0 bytes of at most 0 bytes" in last
    assert dry.out.splitlines()[-1].startswith("This would free ")
    assert real.out.splitlines()[-1].startswith("Freed ")
    assert caches.left() == set()


def test_pruning_goes_by_the_settings(
    call: Call, caches: Caches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    limit_megabytes(100)
    caches.workspace("old", kib=70_000, days=2)
    caches.workspace("new", kib=60_000, days=1)
    assert "cache prune` makes room" in call("cache", "list").err
    document = call("cache", "prune", "--json").document()
    assert [(entry["name"], entry["reason"]) for entry in document["removed"]] == [
        ("old", "least-recently-used")
    ]
    assert (document["maxBytes"], document["dryRun"]) == (100_000_000, False)
    assert document["freedBytes"] > 70_000 * 1024
    assert caches.left() == {"new"}


def test_orphans_go_at_once_when_asked(call: Call, caches: Caches) -> None:
    caches.workspace("gone", days=1)
    (caches.roots / "gone").rmdir()
    assert "nothing to remove" in call("cache", "prune").out
    assert "~/src/gone  its folder is gone" in call("cache", "prune", "--orphaned").out
    assert caches.left() == set()


def test_what_is_in_use_stays_and_it_says_so(call: Call, caches: Caches, in_use: Path) -> None:
    shown = call("cache", "prune", "--max-megabytes", "0")
    assert (shown.status, "What is left is in use" in shown.err) == (0, True)
    assert in_use.exists()


def test_what_cannot_be_removed_is_a_warning(
    call: Call, caches: Caches, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches.workspace("stuck", days=3)

    def fake_rename(_: Path, __: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", fake_rename)
    shown = call("cache", "prune", "--max-megabytes", "0")
    assert shown.status == 1
    assert "warning: The cache stuck could not be removed: Permission denied." in shown.err


def test_names_that_steer_a_terminal_are_shown_as_they_are(call: Call, caches: Caches) -> None:
    caches.workspace("odd\x1b[2Jname", days=3)
    caches.workspace("earl\x1b[2Jier", days=4, described=False)
    for command in (("list",), ("prune", "--max-megabytes", "0")):
        shown = call("cache", *command).out
        assert "odd␛[2Jname" in shown
        assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cache", "nosuch"), "No such command 'nosuch'"),
        (("cache", "prune", "--max-megabytes", "-1"), "-1 is not in the range"),
        (("cache", "prune", "--max-megabytes", "much"), "is not a valid integer"),
        (("cache", "list", "more"), "unexpected extra argument"),
    ],
)
def test_a_wrong_request_is_one_sentence(call: Call, arguments: tuple[str, ...], said: str) -> None:
    refused = call(*arguments)
    assert (refused.status, refused.out) == (2, "")
    (line,) = refused.err.splitlines()
    assert said in line


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_on_a_terminal_states_have_colours(caches: Caches, in_use: Path) -> None:
    age(in_use / "workspace.json", 1)
    environment = {name: os.environ[name] for name in ("XDG_CACHE_HOME", "HOME", "XDG_CONFIG_HOME")}
    program = CommandLine(caches.roots, environment)
    assert "\x1b[32min use\x1b[0m" in program.on_terminal("cache", "list").out
    assert "\x1b" not in program.on_terminal("cache", "list", NO_COLOR="1").out
