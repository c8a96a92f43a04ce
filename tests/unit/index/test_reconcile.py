"""What must be read again so that the index says what the disk says."""

from codeintel_ls.index.reconcile import FoundFile, plan_all
from codeintel_ls.index.schema import KnownFile, KnownSkip
from codeintel_ls.index.tasks import FileToIndex

OLD = 10**18
FOUND = FoundFile("a.py", 7, OLD)
KNOWN = {"a.py": KnownFile(1, b"digest", 7, OLD, 2 * OLD)}


def test_what_was_seen_as_it_is_stays_unread() -> None:
    assert not plan_all([FOUND], KNOWN, {})
    assert not plan_all([FOUND], {}, {"a.py": KnownSkip("binary", 7, OLD)})


def test_what_could_not_be_read_is_tried_again() -> None:
    plan = plan_all([FOUND], {}, {"a.py": KnownSkip("unreadable", 7, OLD)})
    assert plan.stale == (FileToIndex("a.py", None),)


def test_other_limits_have_everything_looked_at() -> None:
    skip = {"b.py": KnownSkip("long-line", 7, OLD)}
    plan = plan_all([FOUND, FoundFile("b.py", 7, OLD)], KNOWN, skip, read_all=True)
    assert plan.stale == (FileToIndex("a.py", b"digest"), FileToIndex("b.py", None))


def test_files_and_skips_that_are_not_listed_are_gone() -> None:
    assert set(plan_all([], KNOWN, {"b.py": KnownSkip("binary", 1, 1)}).gone) == {"a.py", "b.py"}
