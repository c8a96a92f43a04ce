"""What caches take of the disk and what is removed, with real folders, locks and processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codeintel_ls.index.lock import CacheLock
from codeintel_ls.workspace.caches import disk_bytes, list_caches, list_stores
from codeintel_ls.workspace.pruning import ORPHANED_SECONDS, Pruned, Reason, prune
from tests.unit.workspace.cache_folders import DAY, KIB, Caches, age, fill

OWNER = """
import sys
from pathlib import Path
from codeintel_ls.index.lock import CacheLock
lock = CacheLock(Path(sys.argv[1]))
print(lock.try_acquire(), flush=True)
sys.stdin.read()
"""

BUSY = """
import sys, time
from pathlib import Path
from codeintel_ls.index.lock import CacheLock
folder, stop = Path(sys.argv[1]), Path(sys.argv[2])
while not stop.exists():
    try:
        folder.mkdir(exist_ok=True)
        lock = CacheLock(folder)
        taken = lock.try_acquire()
    except OSError:
        continue
    if taken:
        (folder / "mine").write_text("mine")
        assert lock.is_current() and (folder / "mine").read_text() == "mine"
    lock.release()
    time.sleep(0.002)
print("well", flush=True)
"""


def reasons(pruned: Pruned) -> dict[str, Reason]:
    return {removed.name: removed.reason for removed in pruned.removed}


@pytest.fixture
def caches(tmp_path: Path) -> Caches:
    return Caches(tmp_path / "cache", tmp_path / "roots")


Own = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def own() -> Iterator[Own]:
    """Another process that holds the lock of a cache."""
    started: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_without_caches_there_is_nothing(tmp_path: Path) -> None:
    assert list_caches(tmp_path / "none") == []
    assert list_stores(tmp_path / "none", []) == []
    assert prune(tmp_path / "none", cap_bytes=0) == Pruned(
        removed=(), problems=(), remaining_bytes=0
    )
    assert not (tmp_path / "none").exists()


def test_caches_are_listed_with_the_most_recently_used_first(caches: Caches, own: Own) -> None:
    caches.workspace("old", days=9, repository="shared")
    used = caches.workspace("new", kib=256, repository="shared")
    caches.workspace("earlier", days=5, described=False)
    caches.store("shared", kib=512)
    caches.store("alone")
    own(used)
    new, earlier, old = listed = list_caches(caches.directory)
    assert [entry.name for entry in listed] == ["new", "earlier", "old"]
    assert (new.in_use, old.in_use) == (True, False)
    assert (new.root, new.repository) == (caches.roots / "new", "shared")
    assert (earlier.root, earlier.repository, earlier.orphaned) == (None, None, False)
    assert old.last_used == pytest.approx(time.time() - 9 * DAY, abs=60)
    assert 256 * KIB <= new.disk_bytes <= 300 * KIB
    shared, alone = list_stores(caches.directory, listed)
    assert (shared.name, shared.workspaces) == ("shared", ("new", "old"))
    assert (alone.name, alone.workspaces) == ("alone", ())
    assert 512 * KIB <= shared.disk_bytes <= 520 * KIB


def test_indexes_of_models_that_a_folder_does_without_are_removed(caches: Caches, own: Own) -> None:
    first, other = "shop-0123456789abcdef", "away-0123456789abcdef"
    caches.workspace(first, days=1)
    caches.workspace(f"{first}-0123456789ab", days=16, root=first)
    caches.workspace(f"{first}-ab0123456789", days=14, root=first)
    own(caches.workspace(f"{first}-bb0123456789", days=20, root=first))
    caches.workspace(f"{first}-format7", days=20, root=first)
    # Nobody was there at all: the model may well be the one that is in use.
    caches.workspace(other, days=40)
    caches.workspace(f"{other}-0123456789ab", days=45, root=other)
    # It is another folder's.
    caches.workspace("shop-0123456789abcdef-cb0123456789", days=90)
    assert reasons(caches.prune()) == {f"{first}-0123456789ab": Reason.SUPERSEDED}


def test_the_least_recently_used_are_removed_until_the_cap_holds(caches: Caches) -> None:
    for days in range(1, 6):
        caches.workspace(f"w{days}", kib=100, days=days)
    pruned = caches.prune(350)
    assert reasons(pruned) == dict.fromkeys(["w5", "w4"], Reason.LEAST_RECENTLY_USED)
    assert [removed.name for removed in pruned.removed] == ["w5", "w4"]
    assert pruned.removed[0].root == caches.roots / "w5"
    assert caches.left() == {"w1", "w2", "w3"}
    assert pruned.remaining_bytes == disk_bytes(caches.directory)
    assert sorted(path.name for path in caches.directory.iterdir()) == ["workspaces"]
    assert (caches.roots / "w5").exists()
    assert caches.prune(350).removed == ()


def test_a_dry_run_says_the_same_and_removes_nothing(caches: Caches) -> None:
    caches.workspace("a", days=3, repository="store")
    caches.workspace("b", days=2)
    caches.workspace("gone", days=40)
    (caches.roots / "gone").rmdir()
    caches.store("store")
    before = caches.left()
    said = caches.prune(70, dry_run=True)
    assert caches.left() == before
    assert not list(caches.directory.rglob("owner.*"))
    assert said == caches.prune(70)
    assert reasons(said) == {
        "gone": Reason.ORPHANED,
        "a": Reason.LEAST_RECENTLY_USED,
        "store": Reason.UNREFERENCED,
    }
    assert caches.left() == {"b"}


def test_what_another_process_uses_stays_whatever_it_takes(caches: Caches, own: Own) -> None:
    used = caches.workspace("used", kib=500, days=90)
    caches.workspace("idle", days=1)
    owner = own(used)
    assert reasons(caches.prune(10)) == {"idle": Reason.LEAST_RECENTLY_USED}
    assert caches.left() == {"used"}
    owner.kill()
    owner.wait()
    assert reasons(caches.prune(10)) == {"used": Reason.LEAST_RECENTLY_USED}


def test_a_lock_without_a_note_protects_too(caches: Caches, own: Own) -> None:
    used = caches.workspace("used", days=90)
    own(used)
    (used / "owner.json").unlink()
    assert not list_caches(caches.directory)[0].in_use
    pruned = caches.prune(0)
    assert (pruned.removed, pruned.problems) == ((), ())
    assert caches.left() == {"used"}


def test_the_caller_keeps_what_it_names(caches: Caches) -> None:
    mine = caches.workspace("mine", days=90)
    caches.workspace("other")
    lock = CacheLock(mine)
    assert lock.try_acquire()
    assert set(reasons(caches.prune(0, keep=[mine]))) == {"other"}
    lock.release()
    assert caches.prune(0, keep=[mine]).removed == ()
    assert (mine / "index.sqlite3").exists()


def test_orphans_are_removed_when_unused_for_long_or_when_asked(caches: Caches) -> None:
    caches.workspace("lately", days=2)
    caches.workspace("long ago", days=ORPHANED_SECONDS / DAY + 1)
    caches.workspace("alive", days=400)
    for name in ("lately", "long ago"):
        (caches.roots / name).rmdir()
    assert {entry.name for entry in list_caches(caches.directory) if entry.orphaned} == {
        "lately",
        "long ago",
    }
    assert reasons(caches.prune()) == {"long ago": Reason.ORPHANED}
    assert reasons(caches.prune(orphaned_after=0)) == {"lately": Reason.ORPHANED}
    assert caches.left() == {"alive"}


def test_orphans_make_room_before_others(caches: Caches) -> None:
    caches.workspace("alive", days=20, kib=100)
    caches.workspace("orphan", days=1, kib=100)
    (caches.roots / "orphan").rmdir()
    assert set(reasons(caches.prune(150))) == {"orphan"}


def test_a_store_goes_with_the_last_workspace_that_shares_it(caches: Caches) -> None:
    caches.workspace("one", days=3, kib=50, repository="shared")
    caches.workspace("two", days=2, kib=50, repository="shared")
    caches.workspace("three", days=1, kib=50)
    caches.store("shared", kib=500)
    caches.store("nobody's")
    assert reasons(caches.prune()) == {"nobody's": Reason.UNREFERENCED}
    pruned = caches.prune(100)
    assert [removed.name for removed in pruned.removed] == ["one", "two", "shared"]
    assert caches.left() == {"three"}


def test_a_store_stays_while_a_workspace_may_refer_to_it(caches: Caches) -> None:
    caches.store("store")
    unsure = caches.workspace("unsure", days=3)
    (unsure / "workspace.json").write_text('{"root": "/cut sh')
    assert caches.prune().removed == ()
    (unsure / "workspace.json").unlink()
    starting = caches.workspace("starting", described=False)
    assert caches.prune().removed == ()
    # What has no description and was not used for a day is of a version without stores.
    for path in (*starting.rglob("*"), starting):
        age(path, 2)
    assert reasons(caches.prune()) == {"store": Reason.UNREFERENCED}


def test_a_removal_that_was_cut_short_is_finished(caches: Caches) -> None:
    caches.workspace("kept")
    rest = caches.directory / "removing-17"
    rest.mkdir()
    fill(rest / "index.sqlite3", 64)
    assert reasons(caches.prune(dry_run=True)) == {"removing-17": Reason.UNFINISHED}
    assert rest.exists()
    pruned = caches.prune()
    assert reasons(pruned) == {"removing-17": Reason.UNFINISHED}
    assert pruned.removed[0].disk_bytes >= 64 * KIB
    assert not rest.exists()


def test_no_link_is_followed_out_of_the_caches(caches: Caches, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    fill(outside / "precious", 500)
    inside = caches.workspace("inside", days=3, kib=50)
    (inside / "link").symlink_to(outside)
    (inside / "segments" / "file").symlink_to(outside / "precious")
    (caches.directory / "workspaces" / "link").symlink_to(outside)
    (caches.directory / "removing-1").symlink_to(outside)
    (caches.directory / "repositories").symlink_to(tmp_path)
    (entry,) = list_caches(caches.directory)
    assert (entry.name, entry.disk_bytes < 100 * KIB) == ("inside", True)
    assert set(reasons(caches.prune(0))) == {"inside"}
    assert (outside / "precious").stat().st_size == 500 * KIB


def test_the_folder_of_all_caches_may_be_a_link(caches: Caches, tmp_path: Path) -> None:
    caches.workspace("one", days=3)
    (caches.directory / "removing-1").mkdir()
    link = tmp_path / "link"
    link.symlink_to(caches.directory)
    assert set(reasons(prune(link, cap_bytes=0))) == {"one", "removing-1"}
    assert caches.left() == set()


@pytest.mark.parametrize(
    "description",
    ["", "[]", '{"root": 3, "repository": null}', '{"root": "/x"}', "[" * 70_000, '"\\ud800"'],
)
def test_a_description_that_is_none_is_survived(caches: Caches, description: str) -> None:
    folder = caches.workspace("odd", days=3)
    (folder / "workspace.json").write_text(description)
    (entry,) = list_caches(caches.directory)
    assert (entry.root, entry.repository, entry.orphaned) == (None, None, False)
    assert set(reasons(caches.prune(0))) == {"odd"}


def test_a_root_whose_name_is_no_text_is_not_told(caches: Caches) -> None:
    folder = caches.workspace("odd", days=400)
    (folder / "workspace.json").write_text('{"root": null, "repository": "shared"}')
    caches.store("shared")
    (entry,) = list_caches(caches.directory)
    assert (entry.root, entry.repository, entry.orphaned) == (None, "shared", False)
    assert caches.prune().removed == ()


def test_a_root_that_cannot_be_looked_at_is_not_gone(caches: Caches) -> None:
    folder = caches.workspace("odd")
    for root in ("a\0b", "x" * 5000):
        description = {"root": f"/{root}", "repository": None}
        (folder / "workspace.json").write_text(json.dumps(description))
        assert not list_caches(caches.directory)[0].orphaned


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions of files")
def test_files_of_somebody_else_are_survived(caches: Caches) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from codeintel_ls.workspace.caches import list_caches, list_stores;"
        "from codeintel_ls.workspace.pruning import prune;"
        "os.geteuid() or os.setuid(65534); directory = Path(sys.argv[1]);"
        "print([entry.name for entry in list_caches(directory)]);"
        "pruned = prune(directory, cap_bytes=0); print(len(pruned.removed), pruned.problems)"
    )
    theirs = caches.workspace("theirs", days=9)
    caches.store("store")
    theirs.chmod(0)
    for above in caches.directory.parents:
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(0o755)
    (caches.directory / "workspaces").chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", code, str(caches.directory)], capture_output=True, text=True
    )
    (caches.directory / "workspaces").chmod(0o755)
    theirs.chmod(0o700)
    names, outcome = done.stdout.splitlines()
    assert names == "['theirs']", done.stderr
    assert outcome == "0 ('The cache theirs could not be removed: Permission denied.',)"
    assert caches.left() == {"theirs", "store"}


def test_prunings_beside_each_other_and_beside_a_starting_process(
    caches: Caches, tmp_path: Path
) -> None:
    """Whoever holds the lock of a workspace has its folder to itself."""
    folder, stop = caches.workspace("wanted", days=3), tmp_path / "stop"
    pruning = (
        "import sys; from pathlib import Path\n"
        "from codeintel_ls.workspace.pruning import prune\n"
        "for _ in range(300): prune(Path(sys.argv[1]), cap_bytes=0)\n"
    )
    commands = [[BUSY, str(folder), str(stop)], *[[pruning, str(caches.directory)]] * 2]
    busy, *pruners = [
        subprocess.Popen(
            [sys.executable, "-c", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    said = [pruner.communicate() for pruner in pruners]
    stop.touch()
    assert busy.communicate() == ("well\n", "")
    assert said == [("", "")] * 2
    caches.prune(0)
    assert not list(caches.directory.glob("removing-*"))
