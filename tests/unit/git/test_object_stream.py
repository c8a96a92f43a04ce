"""The process that answers for objects: right answers, and nothing left of it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import FileTooLargeError
from codeintel_ls.git.object_stream import ObjectStream, StreamBrokenError
from codeintel_ls.git.runner import GitRunner
from tests.unit.git.fakes import SLOW, alive, fake_program, started
from tests.unit.git.repositories import RepositoryBuilder
from tests.waiting import until

MOST = 1_000_000


def children(root: Path) -> list[int]:
    """Processes that work in this repository (Linux)."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == root.resolve() and alive(int(place.name)):
                found.append(int(place.name))
        except OSError:
            continue
    return found


@pytest.fixture
def stream(repository: RepositoryBuilder) -> Iterator[ObjectStream]:
    opened = ObjectStream(GitRunner(repository.root))
    yield opened
    opened.close()
    assert children(repository.root) == []


def test_objects_by_id_and_by_name(repository: RepositoryBuilder, stream: ObjectStream):
    contents = {"a.txt": b"one\n", "empty": b"", "bytes": bytes(range(256)), "sp ace é": b"x"}
    for name, content in contents.items():
        repository.write(name, content)
    commit = repository.commit()
    for name, content in contents.items():
        read = stream.read(f"{commit}:{name}".encode(), Cancellation(), largest=MOST)
        assert read is not None
        assert (read.kind, read.content) == ("blob", content)
        again = stream.read(read.identity.encode(), Cancellation(), largest=MOST)
        assert again == read
    assert len(children(repository.root)) == 1, "one process answers all"
    read = stream.read(commit.encode(), Cancellation(), largest=MOST)
    assert read is not None
    assert read.content == repository.git("cat-file", "commit", commit)
    assert stream.read(f"{commit}:none".encode(), Cancellation(), largest=MOST) is None
    assert stream.read(b"0" * 40, Cancellation(), largest=MOST) is None


def test_what_is_committed_later_is_found(repository: RepositoryBuilder, stream: ObjectStream):
    for number in range(3):
        commit = repository.commit_file("a.txt", f"{number}\n")
        repository.git("gc", "-q")
        read = stream.read(f"{commit}:a.txt".encode(), Cancellation(), largest=MOST)
        assert read is not None
        assert read.content == f"{number}\n".encode()


def test_too_large_is_said_and_does_no_harm(repository: RepositoryBuilder, stream: ObjectStream):
    commit = repository.commit_file("a.txt", "0123456789\n")
    with pytest.raises(FileTooLargeError, match=r"'a\.txt' has 11 bytes"):
        stream.read(f"{commit}:a.txt".encode(), Cancellation(), largest=10, shown="a.txt")
    assert stream.read(f"{commit}:a.txt".encode(), Cancellation(), largest=11) is not None


def test_it_ends_when_nobody_asks(repository: RepositoryBuilder):
    commit = repository.commit_file("a.txt", "one\n")
    stream = ObjectStream(GitRunner(repository.root), idle_seconds=0.05)
    assert stream.read(commit.encode(), Cancellation(), largest=MOST) is not None
    until(lambda: not children(repository.root))
    assert stream.read(commit.encode(), Cancellation(), largest=MOST) is not None
    stream.close()


def test_a_process_that_was_killed_is_replaced(repository: RepositoryBuilder, stream: ObjectStream):
    commit = repository.commit_file("a.txt", "one\n")
    assert stream.read(commit.encode(), Cancellation(), largest=MOST) is not None
    (process,) = children(repository.root)
    os.kill(process, signal.SIGKILL)
    until(lambda: not children(repository.root))
    try:
        read = stream.read(commit.encode(), Cancellation(), largest=MOST)
    except StreamBrokenError:
        read = stream.read(commit.encode(), Cancellation(), largest=MOST)
    assert read is not None


@pytest.mark.parametrize("how", ["cancelled", "too slow"])
def test_a_question_that_is_not_answered_ends_the_process(
    repository: RepositoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
):
    log = tmp_path / "log"
    fake_git = fake_program(tmp_path / "slow" / "git", SLOW, log)
    monkeypatch.setenv("PATH", str(fake_git.parent), prepend=":")
    cancellation = Cancellation()
    stream = ObjectStream(GitRunner(repository.root, seconds=60 if how == "cancelled" else 0.3))

    errors: list[BaseException] = []

    def ask() -> None:
        try:
            stream.read(b"HEAD", cancellation, largest=MOST)
        except (CancelledError, StreamBrokenError) as error:
            errors.append(error)

    thread = Thread(target=ask)
    thread.start()
    processes = started(log, 2)
    if how == "cancelled":
        cancellation.cancel()
    thread.join(10)
    assert isinstance(errors[0], CancelledError if how == "cancelled" else StreamBrokenError)
    until(lambda: not any(map(alive, processes)))
