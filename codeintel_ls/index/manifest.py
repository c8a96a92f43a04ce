"""The manifest: which segments make the last published generation of a cache.

One small file, swapped whole (write, fsync, rename, fsync of the folder): whoever reads it finds
the old list or the new one. What it lists was validated before. Invariant: a segment's folder is
only removed once a manifest without it is in place.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import cattrs
import orjson
from attrs import asdict, frozen

from codeintel_ls.index.errors import DamagedCacheError, NewerCacheError
from codeintel_ls.index.segment_files import SEGMENTS, STAGED, digest_of_value, readable, sync

FORMAT: Final = 1
"""The layout of manifest and segments; raised when it changes."""

_NAME: Final = "manifest.json"


@frozen(kw_only=True)
class SegmentEntry:
    """A segment's folder: the files that were born after generation `since` and lived in `upto`."""

    name: str
    since: int
    upto: int
    chunks: int


@frozen(kw_only=True)
class Manifest:
    """Segments in the order of their generations; the first is the primary.

    Together they hold every file that lived in generation `upto`. `store` names the store whose
    file ids they hold.
    """

    store: str
    dimension: int
    upto: int = 0
    segments: tuple[SegmentEntry, ...] = ()

    @property
    def oldest(self) -> int:
        """Files that died after this generation may be in a segment still."""
        return self.segments[0].upto if self.segments else self.upto


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a cache; None where there is none.

    Raises DamagedCacheError, SegmentsUnavailableError where it cannot be read at the moment, and
    NewerCacheError for one that a newer version wrote.
    """
    try:
        with readable():
            document: Any = orjson.loads((folder / _NAME).read_bytes())
    except DamagedCacheError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise DamagedCacheError("The index's manifest is damaged.") from error
    try:
        version, body, digest = document["format"], document["manifest"], document["digest"]
        if version > FORMAT:
            raise NewerCacheError("The index cache was written by a newer version.")
        if version < FORMAT or digest != digest_of_value(body):
            raise DamagedCacheError("The index's manifest is damaged.")
        return cattrs.structure(body, Manifest)
    except (KeyError, TypeError, cattrs.BaseValidationError) as error:
        raise DamagedCacheError("The index's manifest is damaged.") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Swap the manifest of a cache. Raises OSError."""
    body = asdict(manifest)
    document = {"format": FORMAT, "manifest": body, "digest": digest_of_value(body)}
    staged = folder / f"{_NAME}.new"
    staged.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    sync(staged)
    staged.replace(folder / _NAME)
    sync(folder)


def remove_unlisted(folder: Path, *manifests: Manifest) -> None:
    """Remove the segments, whole or half written, that no manifest lists."""
    listed = {entry.name for manifest in manifests for entry in manifest.segments}
    for path in (folder / SEGMENTS).glob("*"):
        if path.name not in listed:
            # Where others still have it mapped it stays (Windows), until the next time.
            with suppress(OSError):
                shutil.rmtree(path)


def staging(folder: Path, name: str) -> Path:
    """A new folder to write a segment in; its name tells that it is not whole yet."""
    place = folder / SEGMENTS / f"{STAGED}{name}"
    place.mkdir(mode=0o700, parents=True)
    return place


def settle(staged: Path) -> Path:
    """Give a whole segment's folder its name, for good."""
    place = staged.with_name(staged.name.removeprefix(STAGED))
    staged.rename(place)
    sync(place.parent)
    return place
