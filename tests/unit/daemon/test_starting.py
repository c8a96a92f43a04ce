"""What whoever wants a daemon does with the answer of one that runs."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from codeintel_ls.daemon.greeting import refusal
from codeintel_ls.daemon.place import place_of
from codeintel_ls.daemon.starting import DaemonUnavailableError, connect_or_start


@pytest.fixture
def environment(tmp_path) -> Iterator[dict[str, str]]:
    # A socket's path has to be short, and a test's folder is not.
    runtime = tempfile.mkdtemp(prefix="ci-")
    yield {"XDG_RUNTIME_DIR": runtime, "HOME": str(tmp_path)}
    shutil.rmtree(runtime)


def test_one_that_is_busy_keeps_its_name(environment, tmp_path):
    place = place_of(str(tmp_path), environment)
    place.make()

    def refuse() -> None:
        while True:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                if not lines.readline().endswith(b"\n"):
                    return
                connection.sendall(refusal("busy"))

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place.door)
        listening.listen()
        refusing = Thread(target=refuse)
        refusing.start()
        inode = Path(place.door).stat().st_ino
        try:
            with pytest.raises(DaemonUnavailableError, match="as many clients as it can"):
                connect_or_start(str(tmp_path), "cli", environment)
            assert Path(place.door).stat().st_ino == inode
        finally:
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(str(place.door))
            refusing.join()
