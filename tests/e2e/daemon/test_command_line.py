"""`search` in a terminal asks the server that runs, and works without one."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from codeintel_ls.daemon.greeting import welcome
from codeintel_ls.daemon.place import place_of, places
from tests.e2e.daemon.conftest import opened, pid_of

SEARCH = [sys.executable, "-m", "codeintel_ls", "search"]


def search(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SEARCH, *arguments], cwd=where, capture_output=True, text=True)


def test_the_answer_is_the_same_with_and_without_a_server(environment, folder):
    words = ("evict", "expired", "entries", "-n", "3")
    alone = search(folder, *words)
    assert alone.returncode == 0, alone.stderr
    assert places() == []
    found = json.loads(search(folder, "--json", *words).stdout)
    reasons = search(folder, "--explain", *words).stdout
    client = opened(folder)
    client.operation("updateIndex", {})
    shared = search(folder / "src", *words)
    assert shared.returncode == 0, shared.stderr
    assert (
        shared.stdout.replace("cache.py:", "src/cache.py:", 1).splitlines()[1:3]
        == (alone.stdout.splitlines()[1:3])
    )
    again = json.loads(search(folder, "--json", *words).stdout)
    assert again["hits"] == found["hits"]
    assert search(folder, "--explain", *words).stdout == reasons
    assert search(folder, "--glob", "*.zig", "retry").returncode == 1
    assert search(folder, "--folder", str(folder), "retry").returncode == 0
    client.close()


def test_a_server_that_ends_before_it_answers_is_done_without(environment, folder):
    """Its part is played here: it greets, and is gone."""
    place = place_of(str(folder))
    place.make()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place.door)
        listening.listen()
        served: list[bytes] = []

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as stream:
                served.append(stream.readline())
                connection.sendall(welcome(os.getpid()))
                served.append(stream.readline())

        thread = threading.Thread(target=serve)
        thread.start()
        found = search(folder, "evict", "expired", "entries", "-n", "1")
        thread.join(30)
    assert found.returncode == 0, found.stderr
    assert "src/cache.py" in found.stdout
    assert len(served) == 2
    place.clean()


def test_what_was_just_saved_is_found(environment, folder):
    client = opened(folder)
    client.operation("updateIndex", {})
    (folder / "new.py").write_text("def polish_the_silver():\n    pass\n")
    client.operation("updateIndex", {"uris": [(folder / "new.py").as_uri()]})
    assert "new.py:1" in search(folder, "polish_the_silver").stdout
    client.close()


def test_it_is_the_server_that_answers(environment, folder):
    client = opened(folder)
    client.operation("updateIndex", {})
    assert "server.go" in search(folder, "RateLimiter", "bucket").stdout
    told = client.operation("printDebugInformation", {})["text"]
    assert "latency semanticSearch: 1 answered" in told
    client.close()


def test_a_bad_question_is_refused_in_the_same_words(environment, folder):
    alone = search(folder, "--glob", "[", "retry")
    words = alone.stderr.splitlines()[-1].removeprefix("error: ")
    assert "'['" in words
    client = opened(folder)
    shared = search(folder, "--glob", "[", "retry")
    assert (alone.returncode, shared.returncode) == (2, 2)
    # The server says before them which operation it was.
    assert shared.stderr.endswith(f"{words}\n")
    assert shared.stderr.count("\n") == 1
    client.close()


def test_status_and_doctor_know_the_server(environment, folder):
    client = opened(folder)
    client.operation("updateIndex", {})
    client.operation("semanticSearch", {"query": "retry"})
    command = [sys.executable, "-m", "codeintel_ls"]
    asked = [*command, "status", "--verbose"]
    told = subprocess.run(asked, cwd=folder, capture_output=True, text=True).stdout
    assert "latency semanticSearch: 1 answered" in told
    asked = [*command, "doctor", "--json"]
    told = subprocess.run(asked, cwd=folder, capture_output=True, text=True).stdout
    checks = {check["name"]: check["message"] for check in json.loads(told)["checks"]}
    assert f"process {pid_of(folder)}, version" in checks["server"]
    assert f"process {pid_of(folder)} (" in checks["lock"]
    assert {"endpoint", "editors", "program", "watching", "grammars"} <= set(checks)
    client.close()
