"""Histories of generated repositories beside those that git itself lists."""

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from codeintel_ls.git import GitClient, GitError, HistoryEntry
from tests.unit.git.generated_histories import NAMES, all_pages, generated
from tests.unit.git.repositories import RepositoryBuilder

SEEDS = range(12)


def git_follows(repository: RepositoryBuilder, path: str) -> list[tuple[str, str, list[str]]]:
    told = repository.git(
        "log", "--follow", "-M", "--format=%x00%H", "--name-status", "-z", "--", path
    ).decode("utf-8", "surrogateescape")
    listed = []
    for record in told.split("\0\0") if told else []:
        identity, status, *names = [one.strip("\n") for one in record.strip("\0").split("\0")]
        listed.append((identity, status[0], names))
    return listed


def ours(entries: list[HistoryEntry]) -> list[tuple[str, str, list[str]]]:
    return [
        (
            entry.commit.id,
            entry.status.value,
            [entry.previous_path, entry.path] if entry.previous_path else [entry.path],
        )
        for entry in entries
    ]


def under_the_first_name(entries: list[HistoryEntry]) -> list[HistoryEntry]:
    return list(takewhile(lambda entry: entry.path == entries[0].path, entries))


def histories(client: GitClient, limit: int) -> dict[str, list[HistoryEntry]]:
    found = {}
    for path in NAMES:
        try:
            found[path] = all_pages(client, path, limit)
        except GitError:
            continue
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_without_branches_it_is_what_git_follows(
    tmp_path: Path, open_client: Callable[[Path], GitClient], seed: int
):
    repository = generated(tmp_path / "linear", seed, linear=True)
    found = histories(open_client(repository.root), 1000)
    assert found
    for path, entries in found.items():
        assert ours(entries) == git_follows(repository, path), path


@pytest.mark.parametrize("seed", SEEDS)
def test_with_branches_no_page_loses_or_repeats_an_entry(
    tmp_path: Path, open_client: Callable[[Path], GitClient], seed: int
):
    repository = generated(tmp_path / "merged", 1000 + seed, linear=False)
    client = open_client(repository.root)
    for path, entries in histories(client, 1000).items():
        told = ours(entries)
        places = [(identity, names[-1]) for identity, _, names in told]
        assert len(set(places)) == len(places)
        for limit in (1, 3):
            assert ours(all_pages(client, path, limit)) == told, (path, limit)
        alone = [entry.commit.id for entry in all_pages(client, path, 1000, follow=False)]
        assert alone == repository.git("log", "--format=%H", "--", path).decode().split()
        if {entry.path for entry in entries} == {path}:
            assert [entry.commit.id for entry in entries] == alone
        # The part under the present name comes first, and in git's order.
        first = [entry.commit.id for entry in under_the_first_name(entries)]
        shared = [identity for identity in alone if identity in set(first)]
        assert first[: len(shared)] == shared
