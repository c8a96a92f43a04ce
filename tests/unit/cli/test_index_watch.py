"""`index --watch`: it stays, tells of every update, and ends as it is told to."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

from tests.unit.cli.command_line import SECONDS, CommandLine
from tests.unit.cli.conftest import COLOUR, RETRY
from tests.unit.git.repositories import START, RepositoryBuilder


class Watching:
    """`index --watch` in a process of its own, with what it prints line by line."""

    def __init__(self, program: CommandLine, arguments: tuple[str, ...]) -> None:
        self.process = program.start("index", "--watch", *arguments)
        self.out: Queue[str] = Queue()
        self.err: Queue[str] = Queue()
        self._readers: list[Thread] = []
        for stream, queue in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            reader = Thread(target=self._read, args=(stream, queue), daemon=True)
            reader.start()
            self._readers.append(reader)

    @staticmethod
    def _read(stream: Any, queue: "Queue[str]") -> None:
        with suppress(ValueError):
            for line in stream:
                queue.put(line.decode().rstrip("\n"))

    def watches(self) -> list[str]:
        """Wait until it watches; what it has said by then."""
        said: list[str] = []
        while not said or "Watching " not in said[-1]:
            said.append(self.err.get(timeout=SECONDS))
        return said

    def updates(self, files: int) -> list[int]:
        """Wait until so many files were told of; how many at a time."""
        told: list[int] = []
        while sum(told) < files:
            line = self.out.get(timeout=SECONDS)
            match = re.fullmatch(r"([\d,]+) files? updated in \d+\.\d\d s", line)
            if match is not None:
                told.append(int(match[1].replace(",", "")))
        return told

    def end(self, number: int = signal.SIGINT) -> int:
        """End it; its exit status."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        status = self.process.wait(SECONDS)
        for reader in self._readers:
            reader.join(SECONDS)
        return status


Watch = Callable[..., Watching]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "plain"
    place.mkdir()
    (place / "retry.py").write_text(RETRY)
    (place / "colour.py").write_text(COLOUR)
    for file in place.iterdir():
        # A file written this very moment is read again: its time may not tell a second write.
        os.utime(file, (START, START))
    return place


@pytest.fixture
def watch(folder: Path, home: dict[str, str]) -> Iterator[Watch]:
    started: list[Watching] = []

    def start(*arguments: str, folder: Path = folder) -> Watching:
        started.append(Watching(CommandLine(folder, home), arguments))
        return started[-1]

    yield start
    for watching in started:
        watching.process.kill()
        watching.process.communicate()


def everything(lines: "Queue[str]") -> list[str]:
    found: list[str] = []
    with suppress(Empty):
        while True:
            found.append(lines.get_nowait())
    return found


def test_it_indexes_and_then_tells_of_every_update(watch: Watch, folder: Path) -> None:
    watching = watch()
    watching.watches()
    assert watching.out.get(timeout=SECONDS).startswith("plain: 2 files read (")
    (folder / "retry.py").write_text(RETRY + "\nLIMIT = 3\n")
    assert watching.updates(1) == [1]
    (folder / "sound.py").write_text("def mute(speaker): ...\n")
    assert watching.updates(1) == [1]
    (folder / "colour.py").unlink()
    assert watching.updates(1) == [1]
    (folder / "picture.png").write_bytes(b"\x89PNG\0")
    (folder / "package").mkdir()
    for number in range(7):
        (folder / "package" / f"file_{number}.py").write_text(f"number = {number}\n")
    assert sum(watching.updates(7)) == 7
    assert watching.end() == 0
    said = everything(watching.err)
    assert [line for line in said if line] == []
    assert everything(watching.out) == []


def test_a_checkout_is_told_as_what_it_changed(watch: Watch, tmp_path: Path) -> None:
    repository = RepositoryBuilder(tmp_path / "repository")
    for number in range(300):
        repository.write(f"file_{number}.py", f"number = {number}\n")
    repository.commit("Numbers")
    repository.git("branch", "before")
    for number in range(250):
        repository.write(f"file_{number}.py", f"number = {number} + 1\n")
    repository.git("rm", "-q", "file_299.py")
    repository.commit("More")
    watching = watch(folder=repository.root)
    watching.watches()
    repository.git("checkout", "-q", "before")
    # One that is written while it is read is indexed twice.
    assert 251 <= sum(watching.updates(251)) <= 280
    assert watching.end() == 0


def test_json_is_one_line_for_each_update(watch: Watch, folder: Path) -> None:
    watching = watch("--json")
    watching.watches()
    first = json.loads(watching.out.get(timeout=SECONDS))
    assert (first["indexed"], first["folders"][0]["files"]) == (2, 2)
    (folder / "sound.py").write_text("def mute(speaker): ...\n")
    update = json.loads(watching.out.get(timeout=SECONDS))
    assert (update["indexed"], update["folders"][0]["files"]) == (1, 3)
    assert update["folders"][0]["uri"] == folder.as_uri()
    assert update["seconds"] >= 0
    assert watching.end() == 0


def test_full_reads_everything_first(watch: Watch, folder: Path, home: dict[str, str]) -> None:
    CommandLine(folder, home).run("index")
    watching = watch("--full")
    watching.watches()
    assert watching.out.get(timeout=SECONDS).startswith("plain: 2 files read (")
    assert watching.end() == 0


def test_who_asks_for_watching_gets_it_whatever_the_settings_say(
    watch: Watch, folder: Path
) -> None:
    (folder / ".codeintel.toml").write_text("[index]\nwatch = false\n")
    watching = watch()
    watching.watches()
    (folder / "sound.py").write_text("def mute(speaker): ...\n")
    assert watching.updates(1) == [1]
    assert watching.end() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_its_normal_end_and_leaves_no_process(
    watch: Watch, folder: Path, number: signal.Signals
) -> None:
    watching = watch()
    watching.watches()
    (folder / "sound.py").write_text("def mute(speaker): ...\n")
    watching.updates(1)
    assert watching.end(number) == 0
    assert everything(watching.err) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(watching.process.pid, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no poll there")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_it_ends_when_nobody_reads_any_more(
    folder: Path, home: dict[str, str], stream: str
) -> None:
    process = CommandLine(folder, home).start("index", "--watch")
    assert process.stderr is not None
    assert process.stdout is not None
    said = b""
    while b"Watching" not in said:
        said = process.stderr.readline()
    getattr(process, stream).close()
    assert process.wait(SECONDS) == 0
    rest = process.stdout if stream == "stderr" else process.stderr
    assert b"rror" not in rest.read()
    process.stdout.close()
    process.stderr.close()


def test_a_head_that_has_enough_is_no_error(folder: Path, home: dict[str, str]) -> None:
    command = f"{sys.executable} -m codeintel_ls index --watch 2>&1 | head -n 2"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
