"""Programs that stand in for git where the real one cannot be made slow, old or hostile."""

import shutil
import subprocess
import time
from pathlib import Path

SLOW = """#!/bin/sh
case "$*" in *--version) echo git version 2.40.0; exit;; esac
sleep 300 &
echo $! >> "{log}"
echo $$ >> "{log}"
wait
"""

COUNTING = """#!/bin/sh
case "$*" in *--version) echo git version 2.40.0; exit;; esac
echo + >> "{log}"
sleep 0.05
echo - >> "{log}"
"""

LOGGING = """#!/bin/sh
echo "$*" >> "{log}"
exec {git} "$@"
"""

TELLING = """#!/bin/sh
echo "$GIT_ALTERNATE_OBJECT_DIRECTORIES" >> "{log}"
exec {git} "$@"
"""

OLD = """#!/bin/sh
echo git version 2.29.9
"""

MARKING = """#!/bin/sh
echo "$0 $*" >> "{log}"
exit 1
"""


def fake_program(place: Path, script: str, log: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(script.format(log=log, git=shutil.which("git")))
    place.chmod(0o755)
    return place


def started(log: Path, count: int) -> list[int]:
    """The process ids in `log` once there are `count`."""
    for _ in range(500):
        ids = [int(line) for line in log.read_text().split()] if log.exists() else []
        if len(ids) >= count:
            return ids
        time.sleep(0.01)
    raise AssertionError("the processes did not start")


def alive(process: int) -> bool:
    """Whether the process runs (one that ended but was not reaped does not)."""
    told = Path("/proc") / str(process) / "stat"
    if told.parent.parent.joinpath("self").exists():
        try:
            state = told.read_text().rpartition(")")[2].strip()
        except OSError:
            return False
    else:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
        ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def all_end(processes: list[int]) -> bool:
    for _ in range(200):
        if not any(alive(process) for process in processes):
            return True
        time.sleep(0.01)
    return False
