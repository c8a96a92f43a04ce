"""A git whose `log` and `blame` never end, and which says what runs."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SCRIPT = """#!{python}
import os, sys, time
if "log" in sys.argv or "blame" in sys.argv:
    with open({pids!r}, "a") as file:
        print(os.getpid(), file=file)
    time.sleep(600)
os.execv({git!r}, [{git!r}, *sys.argv[1:]])
"""


class SlowGit:
    """Stands before the real git in the PATH of `environment`."""

    def __init__(self, folder: Path) -> None:
        self._pids = folder / "pids"
        self._bin = folder / "bin"
        self._bin.mkdir()
        real = next(
            str(Path(place) / "git")
            for place in os.environ["PATH"].split(os.pathsep)
            if (Path(place) / "git").exists()
        )
        script = SCRIPT.format(python=sys.executable, pids=str(self._pids), git=real)
        (self._bin / "git").write_text(script)
        (self._bin / "git").chmod(0o755)

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {**environment, "PATH": f"{self._bin}{os.pathsep}{environment['PATH']}"}

    def pids(self) -> list[int]:
        """Of every process that never ends by itself, in the order in which they began."""
        return [int(pid) for pid in self._pids.read_text().split()] if self._pids.exists() else []

    def runs(self) -> bool:
        """Whether one of them is still there."""
        return any(map(is_running, self.pids()))


def is_running(pid: int) -> bool:
    """Whether it lives: an orphan that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
