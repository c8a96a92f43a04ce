from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.git import GitClient
from codeintel_ls.git.blame_cache import BoundedCache
from tests.unit.git.fakes import LOGGING, fake_program
from tests.unit.git.repositories import RepositoryBuilder

BOUND = 10


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 7))))
def test_weights_stay_within_the_bound_and_the_newest_stays(puts: list[tuple[int, int]]):
    cache = BoundedCache[int, int](BOUND)
    for key, weight in puts:
        cache.put(key, weight, weight)
        assert cache.get(key) == weight
        assert cache.weight <= BOUND
        assert cache.weight == sum(cache.get(kept) or 0 for kept in range(6))


def test_what_was_not_asked_for_longest_goes_first():
    cache = BoundedCache[str, int](3)
    for key in "abc":
        cache.put(key, 0, 1)
    cache.get("a")
    cache.put("d", 0, 1)
    assert [key for key in "abcd" if key in cache] == ["a", "c", "d"]


def test_what_is_heavier_than_the_bound_is_kept_alone():
    cache = BoundedCache[str, int](3)
    cache.put("a", 0, 1)
    cache.put("b", 0, 99)
    assert "a" not in cache
    assert "b" in cache


def blames(log: Path) -> int:
    return sum(" blame --incremental " in line for line in log.read_text().splitlines())


def test_many_who_ask_the_same_start_one_blame(
    repository: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = repository.commit_file("a.txt", "one\ntwo\n")
    log = tmp_path / "log"
    fake_git = fake_program(tmp_path / "logging" / "git", LOGGING, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    client = GitClient.discover(repository.root)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.blame_range, "a.txt", 0, 1) for _ in range(16)]
        assert {answer.result().hunks[0].commit for answer in asked} == {first}
    assert blames(log) == 1
    repository.commit_file("b.txt", "another file\n")
    client.blame_range("a.txt", 0, 1)
    assert blames(log) == 1, "no commit in between touched the file"
    second = repository.commit_file("a.txt", "zero\none\ntwo\nthree\n")
    hunks = client.blame_range("a.txt", 0, 3).hunks
    assert [hunk.commit for hunk in hunks] == [second, first, second]
    assert blames(log) == 1, "the commit itself tells what it changed"
    repository.git("checkout", "-q", first)
    assert client.blame_range("a.txt", 0, 1).head == first
    assert blames(log) == 1, "what was known of an older HEAD is still known"
