"""Generations: moving one forward gives what building it anew gives."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.generation import Generation, advance_generation, load_generation
from codeintel_ls.index.lexical import inverse_document_frequency
from codeintel_ls.index.store import Store
from codeintel_ls.index.terms import query_terms
from tests.unit.index.records import make_file

PATHS = ["a.py", "b.py", "pkg/c.py"]
WORDS = ["parse", "request", "retry", "socket", "color", "invoice"]
Step = tuple[str, str, list[str]]
steps = st.lists(
    st.tuples(
        st.sampled_from(["save", "save", "save", "remove", "merge", "sweep"]),
        st.sampled_from(PATHS),
        st.lists(
            st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), max_size=4
        ),
    ),
    max_size=25,
)


def live(generation: Generation) -> dict[int, list[float]]:
    """Vectors of the live chunks by id."""
    found: dict[int, list[float]] = {}
    for segment, dead in zip(generation.segments, generation.tombstones, strict=True):
        for position in np.flatnonzero(~dead):
            vector = segment.vector(int(position)).round(3)
            found[int(segment.chunk_ids[position])] = vector.tolist()
    return found


def letters(generation: Generation, word: str) -> set[int]:
    """Live chunks that hold the word."""
    weights = {term: inverse_document_frequency(10, 1) for term in query_terms(word)}
    found: set[int] = set()
    for segment, dead in zip(generation.segments, generation.tombstones, strict=True):
        scores = segment.postings.score(weights, 3.0) * ~dead
        found.update(segment.chunk_ids[np.flatnonzero(scores > 0)].tolist())
    return found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_any_history_of_updates_gives_what_a_fresh_build_gives(
    encoder: StaticEncoder, history: list[Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "index.sqlite3")) as store:
        generation = load_generation(store, encoder.dimension)
        for step, path, texts in history:
            if step == "save":
                file, vectors = make_file(encoder, path, texts)
                store.commit(replaced=[file], vectors=vectors)
            elif step == "remove":
                store.commit(removed=[path])
            elif step == "merge":
                generation = generation.merged()
            else:
                store.sweep(store.generation())
            generation = advance_generation(generation, store)
        fresh = load_generation(store, encoder.dimension)
        assert live(generation) == live(fresh)
        assert generation.chunks == fresh.chunks
        assert generation.number == fresh.number
        for word in WORDS:
            assert letters(generation, word) == letters(fresh, word)


def test_a_reader_keeps_its_generation_while_the_writer_goes_on(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    with Store(tmp_path / "index.sqlite3") as store:
        first, vectors = make_file(encoder, "a.py", ["parse request"])
        store.commit(replaced=[first], vectors=vectors)
        before = load_generation(store, encoder.dimension)
        held = live(before)
        second, vectors = make_file(encoder, "a.py", ["retry socket", "color"])
        store.commit(replaced=[second], vectors=vectors)
        after = advance_generation(before, store)
        assert live(before) == held
        assert set(live(after)).isdisjoint(held)
        assert (after.dead, after.secondary) == (1, 2)


def test_many_small_updates_stay_few_segments(tmp_path: Path, encoder: StaticEncoder) -> None:
    with Store(tmp_path / "index.sqlite3") as store:
        generation = load_generation(store, encoder.dimension)
        for number in range(40):
            file, vectors = make_file(encoder, f"f{number}.py", [f"word{number} parse"])
            store.commit(replaced=[file], vectors=vectors)
            generation = advance_generation(generation, store)
        assert generation.chunks == 40
        assert len(generation.segments) <= 9
        assert len(generation.merged().segments) == 1


def test_merging_an_emptied_index(tmp_path: Path, encoder: StaticEncoder) -> None:
    with Store(tmp_path / "index.sqlite3") as store:
        file, vectors = make_file(encoder, "a.py", ["parse"])
        store.commit(replaced=[file], vectors=vectors)
        store.commit(removed=["a.py"])
        merged = load_generation(store, encoder.dimension).merged()
        assert merged.chunks == 0
        assert merged.segments == ()
