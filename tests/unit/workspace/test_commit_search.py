"""Commits are found by what they say and touch, and only those that HEAD reaches."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.git import GitClient
from codeintel_ls.index.globs import InvalidGlobError
from codeintel_ls.search import InvalidQueryError
from codeintel_ls.search.commits import CommitQuery
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from codeintel_ls.workspace.commit_search import CommitAnswer, CommitSearch
from tests.unit.git.repositories import START, RepositoryBuilder
from tests.waiting import eventually

RETRY = "def retry_with_backoff(call):\n    for attempt in range(3):\n        call()\n"
MANY = 120

Open = Callable[[Path], CommitSearch]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryBuilder:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    builder = RepositoryBuilder(tmp_path / "repository")
    builder.commit_file("src/cache.py", "SIZE = 10\n", "Drop expired entries from the cache")
    builder.commit_file("src/retry.py", RETRY, "Try a request again when the network fails")
    text = RETRY.replace("call()", "call(attempt)")
    builder.commit_file("src/retry.py", text, "Minor", author="Brian")
    builder.commit_file("docs/guide.md", "# Guide\n", "Explain how to install", author="Chloé")
    return builder


@pytest.fixture
def open_search(encoder: StaticEncoder, tmp_path: Path) -> Iterator[Open]:
    opened: list[tuple[CommitSearch, GitClient]] = []

    def open_one(root: Path) -> CommitSearch:
        git = GitClient.discover(root)
        folder = tmp_path / "cache"
        search = CommitSearch(
            git, encoder, folder, model="", memory_bytes=1 << 30, unload_after_seconds=0
        )
        opened.append((search, git))
        return search

    yield open_one
    for search, git in opened:
        search.close()
        git.close()


@pytest.fixture
def search(repository: RepositoryBuilder, open_search: Open) -> CommitSearch:
    return open_search(repository.root)


def ask(search: CommitSearch, text: str, **options: object) -> CommitAnswer:
    answer = search.search(evolve(CommitQuery(text=text), **options), patience=None)
    assert answer.complete
    return answer


def summaries(search: CommitSearch, text: str, **options: object) -> list[str]:
    return [hit.commit.summary for hit in ask(search, text, **options).hits]


def import_many(builder: RepositoryBuilder, count: int = MANY) -> None:
    """Many commits at once, on the branch `main`."""
    stream = ""
    for number in range(count):
        stream += (
            "commit refs/heads/main\n"
            f"committer Dora <dora@example.org> {START + 10_000 + number} +0000\n"
            f"data <<END\nStep {number} of the pipeline\nEND\n"
            + (f"from {builder.head()}\n" if number == 0 else "")
            + f"M 100644 inline steps/{number}.txt\ndata 2\n{number % 10}\n\n"
        )
    builder.git("fast-import", "--quiet", given=stream.encode())
    builder.git("reset", "-q", "--hard")


def test_a_commit_is_found_by_what_it_says(search: CommitSearch) -> None:
    answer = ask(search, "remove outdated items that have expired")
    best = answer.hits[0]
    assert best.commit.summary == "Drop expired entries from the cache"
    assert best.paths == ("src/cache.py",)
    assert 0 < best.score <= 1
    assert answer.indexed == 4
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)


def test_a_commit_is_found_by_the_symbol_that_it_touched(search: CommitSearch) -> None:
    found = summaries(search, "retry_with_backoff")
    assert "Minor" in found[:2]


def test_the_rest_is_incremental(search: CommitSearch, repository: RepositoryBuilder) -> None:
    ask(search, "anything")
    assert search.embedded == 4
    repository.commit_file("src/colour.py", "BLUE = 1\n", "Paint the door blue")
    assert summaries(search, "paint it blue")[0] == "Paint the door blue"
    assert search.embedded == 5
    ask(search, "anything")
    assert search.embedded == 5


def test_another_work_tree_embeds_nothing_again(
    search: CommitSearch, repository: RepositoryBuilder, open_search: Open, tmp_path: Path
) -> None:
    ask(search, "anything")
    repository.git("worktree", "add", "-q", str(tmp_path / "linked"), "HEAD~1")
    linked = open_search(tmp_path / "linked")
    assert ask(linked, "anything").indexed == 3
    assert linked.embedded == 0
    assert "Explain how to install" not in summaries(linked, "install")
    assert summaries(search, "install")[0] == "Explain how to install"


@pytest.mark.parametrize("collected", [False, True])
def test_what_a_rewrite_left_behind_is_not_found(
    search: CommitSearch, repository: RepositoryBuilder, collected: bool
) -> None:
    ask(search, "anything")
    old = repository.head()
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit_file("docs/guide.md", "# Guide\n", "Describe the installation")
    if collected:
        repository.git("reflog", "expire", "--expire=now", "--all")
        repository.git("gc", "-q", "--prune=now")
    answer = ask(search, "how to install")
    assert answer.indexed == 4
    assert answer.hits[0].commit.summary == "Describe the installation"
    assert old not in {hit.commit.id for hit in answer.hits}
    assert search.embedded == 5
    if not collected:
        repository.git("reset", "-q", "--hard", old)
        assert summaries(search, "how to install")[0] == "Explain how to install"
        assert search.embedded == 5


def test_authors_are_those_of_the_mailmap(
    search: CommitSearch, repository: RepositoryBuilder
) -> None:
    assert summaries(search, "retry", author="BRIAN@") == ["Minor"]
    assert summaries(search, "retry", author="chloé") == ["Explain how to install"]
    repository.write(".mailmap", "Brian Kernighan <bwk@example.org> <brian@example.org>\n")
    assert summaries(search, "retry", author="kernighan") == ["Minor"]
    assert summaries(search, "retry", author="brian@example") == []
    assert search.embedded == 4


def test_times_and_paths_narrow(search: CommitSearch) -> None:
    assert len(ask(search, "retry", since=START + 120).hits) == 3
    assert len(ask(search, "retry", before=START + 120).hits) == 1
    assert summaries(search, "install", since=START + 240, before=START + 241)
    assert set(summaries(search, "cache", paths=("src/retry*",))) == {
        "Try a request again when the network fails",
        "Minor",
    }
    assert "Explain how to install" in summaries(search, "cache", paths=("!src/",))
    assert len(ask(search, "cache", limit=2).hits) == 2


def test_many_commits_are_embedded_by_another_process(
    search: CommitSearch, repository: RepositoryBuilder
) -> None:
    import_many(repository)
    told: list[tuple[int, int | None]] = []
    query = CommitQuery(text="the last step of the pipeline", limit=200)
    first = search.search(
        query, patience=0, progress=lambda done, total, _: told.append((done, total))
    )
    assert (first.complete, first.indexed) == (False, 0)
    assert ask(search, "pipeline", limit=200).indexed == MANY + 4
    assert search.embedded == MANY + 4
    assert (0, MANY + 4) in told
    assert told[-1] == (0, 0)
    assert search.worker_pids == []
    wanted = f"Step {MANY - 1} of the pipeline"
    assert summaries(search, "step", paths=(f"steps/{MANY - 1}.txt",)) == [wanted]


def test_closing_ends_what_embeds(search: CommitSearch, repository: RepositoryBuilder) -> None:
    import_many(repository)
    search.search(CommitQuery(text="step"), patience=0)
    assert eventually(lambda: search.worker_pids != [])
    (pid,) = search.worker_pids
    search.close()
    assert not psutil.pid_exists(pid)


def test_one_who_waits_no_longer_lets_the_work_go_on(
    search: CommitSearch, repository: RepositoryBuilder
) -> None:
    import_many(repository)
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        search.search(CommitQuery(text="step"), cancellation, patience=None)
    assert eventually(lambda: search.embedded == MANY + 4)


def test_indexing_that_was_stopped_begins_again_when_asked(
    search: CommitSearch, repository: RepositoryBuilder
) -> None:
    import_many(repository)
    search.search(CommitQuery(text="step"), patience=0)
    search.cancel_indexing()
    assert ask(search, "step").indexed == MANY + 4


def test_what_was_asked_for_once_is_kept_up(
    search: CommitSearch, repository: RepositoryBuilder
) -> None:
    search.note_head()
    assert search.embedded == 0
    ask(search, "anything")
    repository.commit_file("src/colour.py", "BLUE = 1\n", "Paint the door blue")
    search.note_head()
    assert eventually(lambda: search.embedded == 5)


@pytest.mark.parametrize("harm", ["damaged", "removed"])
def test_a_lost_index_is_made_anew(search: CommitSearch, tmp_path: Path, harm: str) -> None:
    ask(search, "anything")
    (database,) = (tmp_path / "cache").glob("commits-*.sqlite3")
    for file in (tmp_path / "cache").glob("commits-*"):
        file.unlink()
    if harm == "damaged":
        database.write_bytes(b"no database at all " * 1_000)
    answer = ask(search, "expired cache entries")
    assert answer.hits[0].commit.summary == "Drop expired entries from the cache"
    assert search.embedded == 8


def test_what_was_unloaded_answers_as_before(
    search: CommitSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ask(search, "install")
    monkeypatch.setattr(search, "_unload_after", 1e-9)
    search._idle()
    assert len(search._view) == 0
    assert ask(search, "install") == before
    assert search.embedded == 4


def test_a_repository_without_commits_has_none(tmp_path: Path, open_search: Open) -> None:
    empty = RepositoryBuilder(tmp_path / "empty")
    answer = ask(open_search(empty.root), "anything")
    assert (answer.hits, answer.indexed) == ((), 0)


def test_a_question_that_cannot_be_asked_is_refused(search: CommitSearch) -> None:
    with pytest.raises(InvalidQueryError):
        search.search(CommitQuery(text="  "))
    with pytest.raises(InvalidGlobError):
        search.search(CommitQuery(text="x", paths=("[",)))


def test_a_folder_has_the_history_of_its_repository(
    repository: RepositoryBuilder, settings: Settings, tmp_path: Path
) -> None:
    folder = WorkspaceFolder.open(repository.root, settings)
    outside = WorkspaceFolder.open(tmp_path, settings)
    try:
        assert folder.commits is not None
        assert outside.commits is None
        assert ask(folder.commits, "install").indexed == 4
    finally:
        folder.close()
        outside.close()
