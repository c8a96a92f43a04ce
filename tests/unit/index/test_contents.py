"""The contents of a repository: whole or not there, shared by processes, collected when unused."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index import contents as contents_module
from codeintel_ls.index.contents import (
    FORMAT,
    ContentRecord,
    ContentStore,
    Place,
    StoredPlaces,
    content_key,
)
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, NewerCacheError
from codeintel_ls.index.schema import ChunkRecord
from codeintel_ls.index.terms import pack_terms, unpack_terms
from codeintel_ls.index.vectors import pack_vector
from tests.unit.index.processes import complaints_at_once
from tests.unit.index.records import FakeEncoder, make_contents

DAY = 86_400


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ContentStore]:
    with ContentStore(tmp_path / "shared" / "contents.sqlite3") as opened:
        yield opened


def write(store: ContentStore, path: str, texts: list[str]) -> tuple[ContentRecord, ContentRecord]:
    text, own, vectors = make_contents(FakeEncoder(), path, texts)
    store.write([text, own], vectors)
    return text, own


def change(store: ContentStore, sql: str, *parameters: object) -> None:
    with sqlite3.connect(store.path) as connection:
        changed = connection.execute(sql, parameters).rowcount
    connection.close()
    assert changed


def unpacked(places: bytes, digests: bytes) -> list[Place]:
    stored = StoredPlaces.of(places, digests)
    return [stored[ordinal] for ordinal in range(len(stored))]


def test_only_its_owner_may_read_it(store: ContentStore) -> None:
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_what_was_written_is_read_back(store: ContentStore, encoder: StaticEncoder) -> None:
    texts = ["def parse():\n    pass", "", "retry socket retry"]
    text, own, vectors = make_contents(encoder, "pkg/a.py", texts)
    store.write([text, own], vectors)
    found = store.contents([text.key, own.key, b"another key"])
    assert found.keys() == {text.key, own.key}
    stored = found[text.key]
    packed = [pack_terms(body, None) for body in texts]
    assert stored.terms == b"".join(packed)
    assert stored.counts.tolist() == [len(unpack_terms(one).terms) for one in packed]
    assert found[own.key].counts.tolist() == []
    ids = np.concatenate([stored.vectors, found[own.key].vectors])
    read, there = store.vectors(ids, encoder.dimension)
    assert there.all()
    for row, key in zip(read, [*text.vectors, *own.vectors], strict=True):
        assert pack_vector(row) == vectors[key]
    places, digests = store.query("SELECT places, digests FROM content WHERE key = ?", (text.key,))[
        0
    ]
    assert unpacked(places, digests) == [
        (chunk.start_line, chunk.end_line, chunk.symbol, chunk.kind, chunk.digest)
        for chunk in text.chunks
    ]


def test_places_keep_symbols_and_kinds(store: ContentStore) -> None:
    chunk = ChunkRecord(3, 9, "Café.größe", "function", b"d" * 16, b"")
    store.write([ContentRecord(b"key", (chunk,), (b"vector",))], {b"vector": bytes(16)})
    ((places, digests),) = store.query("SELECT places, digests FROM content")
    assert unpacked(places, digests) == [(3, 9, "Café.größe", "function", b"d" * 16)]


def test_known_and_missing(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one", "two"])
    assert store.known([text.key, own.key, b"new"]) == {text.key, own.key}
    assert store.missing_vectors([b"new", text.vectors[0], b"new", b"newer"]) == [b"new", b"newer"]
    assert store.chunk_counts([text.key, own.key, b"new"]) == {text.key: 2, own.key: 0}
    assert store.counts() == (2, 3)


def test_thousands_at_once(store: ContentStore) -> None:
    texts = [f"chunk {number}" for number in range(2_500)]
    text, _ = write(store, "a.py", texts)
    stored = store.contents([text.key])[text.key]
    shuffled = np.random.default_rng(1).permutation(stored.vectors)[:1_700]
    for ids in (stored.vectors, shuffled, np.repeat(shuffled[:40], 3)):
        read, there = store.vectors(ids, 8)
        assert there.all()
        expected = FakeEncoder().embed_documents(
            [texts[n] for n in np.searchsorted(stored.vectors, ids)]
        )
        assert read == pytest.approx(expected, abs=1e-3)
    assert store.missing_vectors(text.vectors) == []


def test_vectors_of_another_length_or_of_nobody_are_not_there(store: ContentStore) -> None:
    text, _ = write(store, "a.py", ["one", "two"])
    ids = store.contents([text.key])[text.key].vectors
    assert not store.vectors(ids, 16)[1].any()
    read, there = store.vectors(np.array([ids[1], 10**9, ids[0]]), 8)
    assert there.tolist() == [True, False, True]
    assert not read[1].any()
    none, there = store.vectors(np.empty(0, dtype=np.int64), 8)
    assert (none.shape, len(there)) == ((0, 8), 0)


@pytest.mark.parametrize("column", ["places", "digests", "vectors", "counts", "terms", "checksum"])
def test_a_content_with_a_damaged_byte_is_not_there(store: ContentStore, column: str) -> None:
    text, own = write(store, "a.py", ["one two", "three"])
    if column == "checksum":
        change(store, "UPDATE content SET checksum = checksum + 1 WHERE key = ?", text.key)
    else:
        ((value,),) = store.query(f"SELECT {column} FROM content WHERE key = ?", (text.key,))
        damaged = bytes([*value[:-1], value[-1] ^ 1])
        change(store, f"UPDATE content SET {column} = ? WHERE key = ?", damaged, text.key)
    assert store.known([text.key, own.key]) == {own.key}
    assert store.contents([text.key, own.key]).keys() == {own.key}
    write(store, "a.py", ["one two", "three"])
    assert store.known([text.key, own.key]) == {text.key, own.key}


def test_a_vector_with_a_damaged_byte_is_missing_and_made_anew(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one", "two"])
    ids = store.contents([text.key])[text.key].vectors
    ((data,),) = store.query("SELECT data FROM vector WHERE key = ?", (text.vectors[1],))
    damaged = bytes([data[0] ^ 128, *data[1:]])
    change(store, "UPDATE vector SET data = ? WHERE key = ?", damaged, text.vectors[1])
    assert store.missing_vectors([*text.vectors, *own.vectors]) == [text.vectors[1]]
    assert store.vectors(ids, 8)[1].tolist() == [True, False]
    write(store, "a.py", ["one", "two"])
    assert store.missing_vectors(text.vectors) == []
    assert store.contents([text.key])[text.key].vectors.tolist() == ids.tolist()
    assert store.vectors(ids, 8)[1].all()


def test_what_is_forgotten_is_made_anew_and_its_vectors_stay(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one"])
    store.forget([text.key, b"unknown"])
    assert store.known([text.key, own.key]) == {own.key}
    assert store.missing_vectors(text.vectors) == []


def test_a_content_whose_vectors_are_nowhere_is_not_written_at_all(store: ContentStore) -> None:
    text, own, vectors = make_contents(FakeEncoder(), "a.py", ["one", "two"])
    del vectors[text.vectors[1]]
    with pytest.raises(KeyError):
        store.write([own, text], vectors)
    assert store.counts() == (0, 0)


# -- collecting ----------------------------------------------------------------------------------


def age(store: ContentStore, days: int, *keys: bytes) -> None:
    for key in keys:
        change(store, "UPDATE content SET used = used - ? WHERE key = ?", days, key)


def test_what_nobody_refers_to_goes_when_it_is_old(store: ContentStore) -> None:
    old, old_path = write(store, "old.py", ["only here", "in both"])
    new, new_path = write(store, "new.py", ["in both", "new"])
    referenced, referenced_path = write(store, "named.py", ["of an old but living file"])
    age(store, 15, old.key, old_path.key, referenced.key, referenced_path.key)
    named = {referenced.key, referenced_path.key}
    assert store.collect(lambda: named, unused_days=14) == 4
    assert store.known([old.key, old_path.key]) == set()
    assert store.known([new.key, new_path.key, *named]) == {new.key, new_path.key, *named}
    assert store.missing_vectors([*old.vectors, *old_path.vectors]) == [
        old.vectors[0],
        *old_path.vectors,
    ]
    assert store.missing_vectors([*new.vectors, *referenced.vectors]) == []
    assert store.collect(lambda: named, unused_days=14) == 0


def test_what_was_found_again_lately_stays(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one"])
    age(store, 100, text.key, own.key)
    assert store.known([text.key]) == {text.key}
    assert store.collect(set, unused_days=14) == 2
    assert store.known([text.key, own.key]) == {text.key}


def test_all_that_is_unreferenced_goes_where_no_age_is_asked_for(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one"])
    write(store, "b.py", ["two", "three"])
    assert store.collect(lambda: {text.key, own.key}, unused_days=0) == 2 + 3
    assert store.counts() == (2, 2)


def test_a_vectors_number_is_never_given_to_another(store: ContentStore) -> None:
    text, _ = write(store, "a.py", ["one", "two"])
    before = store.contents([text.key])[text.key].vectors
    store.collect(set, unused_days=0)
    other, _ = write(store, "b.py", ["three", "four"])
    after = store.contents([other.key])[other.key].vectors
    assert after.min() > before.max()


def test_vectors_that_no_content_names_go(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one", "two"])
    change(store, "DELETE FROM content WHERE key = ?", text.key)
    assert store.counts() == (1, 3)
    assert store.collect(lambda: {own.key}, unused_days=14) == 2
    assert store.counts() == (1, 1)


def test_others_write_while_what_is_unused_is_collected(
    store: ContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents_module, "_COLLECTED_AT_ONCE", 1)
    found, again = write(store, "a.py", ["one", "two"]), write(store, "b.py", ["three"])
    write(store, "c.py", ["four"])
    between: list[set[bytes]] = []

    def meanwhile(_seconds: float) -> None:
        """What another process does between two steps, which would wait for long otherwise."""
        with ContentStore(store.path) as other, other.transaction():
            pass
        with ContentStore(store.path) as other:
            between.append(other.known([content.key for content in found]))

    monkeypatch.setattr(contents_module.time, "sleep", meanwhile)
    # The first look at who refers to what finds nothing, the second one a new name.
    looks = iter([set[bytes](), {content.key for content in again}])
    store.collect(lambda: next(looks), unused_days=0)
    assert {content.key for content in found} in between
    kept = {content.key for content in (*found, *again)}
    assert store.known(kept) == kept
    assert store.counts()[0] == len(kept)
    assert store.missing_vectors([*found[0].vectors, *again[0].vectors]) == []


def test_a_vector_that_is_named_again_meanwhile_stays(
    store: ContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents_module, "_COLLECTED_AT_ONCE", 1)
    write(store, "a.py", ["one", "two"])
    change(store, "DELETE FROM content WHERE length(key) = ?", 16)
    written: list[tuple[ContentRecord, ContentRecord]] = []

    def meanwhile(_seconds: float) -> None:
        if not written:
            written.append(write(store, "b.py", ["two"]))

    monkeypatch.setattr(contents_module.time, "sleep", meanwhile)
    store.collect(set, unused_days=14)
    ((text, own),) = written
    assert store.missing_vectors([*text.vectors, *own.vectors]) == []
    assert store.counts() == (2, 2)


# -- keys ----------------------------------------------------------------------------------------


def test_a_key_depends_on_recipe_language_and_bytes() -> None:
    keys = {
        content_key(recipe, language, digest)
        for recipe in ("r", "s")
        for language in ("python", "go")
        for digest in (b"1" * 16, b"2" * 16)
    }
    assert len(keys) == 8


# -- files that are no store of contents ---------------------------------------------------------


def test_a_file_that_is_none_or_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(bytes(range(256)) * 32)
    with pytest.raises(DamagedCacheError):
        ContentStore(tmp_path / "bytes")
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("PRAGMA application_id = 7")
    connection.close()
    with pytest.raises(DamagedCacheError):
        ContentStore(tmp_path / "other")


def test_a_newer_format_is_named(store: ContentStore) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(NewerCacheError, match=str(FORMAT + 1)):
        ContentStore(store.path)


def test_a_full_disk_leaves_what_was_there(store: ContentStore) -> None:
    text, own = write(store, "a.py", ["one"])
    with store.snapshot() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(CacheUnavailableError, match="full"):
        write(store, "b.py", [f"chunk {number} of many" for number in range(500)])
    with store.snapshot() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert store.known([text.key, own.key]) == {text.key, own.key}
    assert store.counts() == (2, 2)


# -- several processes ---------------------------------------------------------------------------

WRITE = """
import sys
from pathlib import Path
from codeintel_ls.index.contents import ContentStore
from tests.unit.index.records import FakeEncoder, make_contents
print("up", flush=True); sys.stdin.readline()
with ContentStore(Path(sys.argv[1])) as store:
    for number in range(60):
        text, own, vectors = make_contents(
            FakeEncoder(), f"{number}.py", [f"text {number}", "same"]
        )
        store.known([text.key, own.key])
        missing = set(store.missing_vectors(vectors))
        store.write([text, own], {key: vectors[key] for key in missing})
"""


def test_processes_that_write_the_same_contents_at_once(tmp_path: Path) -> None:
    path = tmp_path / "shared" / "contents.sqlite3"
    assert complaints_at_once(WRITE, str(path)) == ["", "", ""]
    with ContentStore(path) as store:
        assert store.counts() == (120, 121)
        for number in range(60):
            texts = [f"text {number}", "same"]
            text, own, _ = make_contents(FakeEncoder(), f"{number}.py", texts)
            assert store.known([text.key, own.key]) == {text.key, own.key}
            ids = store.contents([text.key])[text.key].vectors
            read, there = store.vectors(ids, 8)
            assert there.all()
            assert read == pytest.approx(FakeEncoder().embed_documents(texts), abs=1e-3)
