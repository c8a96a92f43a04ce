"""What the tests of faults share: a small tree, what a fresh build of it comes to, and a cache."""

from pathlib import Path

import pytest
from attrs import frozen

from codeintel_ls.index import merge_policy
from tests.faults.checking import Reference, fresh, opened
from tests.faults.driver import lower_limits
from tests.faults.trees import check_out, copied, make_repository


@frozen(kw_only=True)
class Grown:
    """A tree, its reference, and a cache with two segments, tombstones and chunks on no disk."""

    root: Path
    cache: Path
    reference: Reference


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """Made once; whoever breaks something takes a copy of the cache."""
    place = tmp_path_factory.mktemp("grown")
    root, cache = place / "tree", place / "cache"
    changed = make_repository(root, 45)
    with pytest.MonkeyPatch.context() as patch:
        lower_limits(patch.setattr)
        # Nothing is merged, so that there are several segments.
        for name, value in (("_LEAST", 4_000), ("_ABSORB", 0), ("_FOLD_AT", 10)):
            patch.setattr(merge_policy, name, value)
        with opened(root, cache) as folder:
            folder.update()
        check_out(root, "after")
        with opened(root, cache) as folder:
            folder.update(changed[:-4])
            folder.settle()
            folder.update(changed[-4:])
    with opened(root, cache) as folder:
        reference = fresh(root)
        assert folder.index_status().tombstones
        assert len(folder._index.published.segments) == 3
    return Grown(root=root, cache=cache, reference=reference)


@pytest.fixture
def cache(grown: Grown, tmp_path: Path) -> Path:
    """A cache of one's own, to be broken."""
    return copied(grown.cache, tmp_path / "cache")
