"""Packages become records on disk, one batch after another.

Resumable: what the manifest names is done. A batch is written whole or not at all, its manifest
lines last, so that no package is ever counted without its records.
"""

import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from attrs import asdict, frozen

from codeintel_ls.embedding.training.listing import LARGE
from codeintel_ls.embedding.training.packages import Package, fetch, open_packages
from codeintel_ls.embedding.training.records import Record, records_of
from codeintel_ls.embedding.training.refusal import Refusal

_BATCH = 24
_MOST_OF_PACKAGE = 1_500
# Languages of which the registries have little else than these.
_MOST_OF_LARGE = 12_000
_SCARCE = (".swift", ".cs", ".kt", ".scala", ".ex", ".exs", ".java")


@frozen
class Mined:
    """One line of the manifest. `outcome`: mined, refused, or absent (or without a licence)."""

    registry: str
    name: str
    version: str
    licence: str
    outcome: str
    records: int


def mine(
    names: Sequence[tuple[str, str]],
    folder: Path,
    part: str,
    refusal: Refusal,
    apt: Sequence[str],
    seed: int,
) -> Iterator[Sequence[Mined]]:
    """Mine (registry, name) pairs into `folder`/`part`.jsonl; yields each batch's outcome."""
    manifest = folder / f"manifest-{part}.jsonl"
    done = {(each.registry, each.name) for each in read_manifest(manifest)}
    waiting = [each for each in names if each not in done]
    for registry, batch in _batches(waiting):
        lines: list[str] = []
        outcomes: dict[str, Mined] = {
            name: Mined(registry, name, "", "", "absent", 0) for name in batch
        }
        wanted = [name for name in batch if not refusal.package(name)]
        for name in set(batch) - set(wanted):
            outcomes[name] = Mined(registry, name, "", "", "refused", 0)
        with tempfile.TemporaryDirectory(dir=folder) as downloads:
            for package in open_packages(fetch(registry, wanted, Path(downloads), apt)):
                found = _records_of(package, refusal, seed)
                outcome = "refused" if found is None else "mined"
                key = package.name if package.name in outcomes else package.name.replace("_", "-")
                outcomes[key] = Mined(
                    registry,
                    package.name,
                    package.version,
                    package.licence,
                    outcome,
                    len(found or ()),
                )
                lines += [_line(package, record) for record in found or ()]
        with (folder / f"{part}.jsonl").open("a", encoding="utf-8") as records:
            records.writelines(lines)
        with manifest.open("a", encoding="utf-8") as kept:
            kept.writelines(json.dumps(asdict(each)) + "\n" for each in outcomes.values())
        yield list(outcomes.values())


def read_manifest(path: Path) -> Iterator[Mined]:
    """The lines of a manifest; none when there is no such file yet."""
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            yield Mined(**json.loads(line))


def _batches(names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Names in their order, those of one registry gathered until a batch is full."""
    gathered: dict[str, list[str]] = {}
    for registry, name in names:
        if name in LARGE:
            yield registry, [name]
            continue
        batch = gathered.setdefault(registry, [])
        batch.append(name)
        if len(batch) == _BATCH:
            yield registry, gathered.pop(registry)
    yield from gathered.items()


def _records_of(package: Package, refusal: Refusal, seed: int) -> list[Record] | None:
    """A package's records; None when it belongs to a refused repository."""
    if refusal.package(package.name, package.pages):
        return None
    own_seed = int.from_bytes(blake2b(package.name.encode(), digest_size=4).digest(), "big")
    is_large = package.name in LARGE
    files = [
        (path, text)
        for path, text in package.files()
        if (not is_large or path.endswith(_SCARCE)) and package.permits(path)
    ]
    random.Random(seed ^ own_seed).shuffle(files)  # noqa: S311 (no secret)
    permitted = (
        (path, text) for path, text in files if not refusal.path(path) and not refusal.text(text)
    )
    most = _MOST_OF_LARGE if is_large else _MOST_OF_PACKAGE
    return records_of(permitted, most, seed ^ own_seed)


def _line(package: Package, record: Record) -> str:
    kept = [
        f"{package.registry}/{package.name}",
        record.language,
        record.path,
        record.symbol,
        record.doc,
        record.code,
        record.queries,
        int(record.is_test),
    ]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n"
