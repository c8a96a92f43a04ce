"""Running the real program: in this process, in one of its own, and on a pseudo-terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

SECONDS = 60


@frozen
class Ran:
    """What a command line came to."""

    status: int
    out: str
    err: str

    def document(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


@frozen
class CommandLine:
    """The program as a person meets it; `environment` is added to the tests' own."""

    folder: Path
    environment: Mapping[str, str] = field(factory=dict)

    def run(self, *arguments: str, folder: Path | None = None, **more: Any) -> Ran:
        """Run it to its end, its output in pipes."""
        done = subprocess.run(
            self._command(arguments),
            cwd=folder or self.folder,
            env=self._environment(),
            capture_output=True,
            timeout=SECONDS,
            **more,
        )
        decoded = (
            stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr)
        )
        return Ran(done.returncode, *decoded)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start it, in a process group of its own as a shell would."""
        return subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def on_terminal(self, *arguments: str, **environment: str) -> Ran:
        """Run it with both outputs on one pseudo-terminal; `err` stays empty."""
        import pty

        main, side = pty.openpty()
        process = subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env={**self._environment(), "TERM": "xterm-256color", "COLUMNS": "100", **environment},
            stdin=side,
            stdout=side,
            stderr=side,
        )
        os.close(side)
        shown = bytearray()
        try:
            while chunk := os.read(main, 65536):
                shown += chunk
        except OSError:
            pass  # Linux says so when the other side is closed
        os.close(main)
        return Ran(process.wait(SECONDS), shown.decode("utf-8", "replace"), "")

    @staticmethod
    def _command(arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "codeintel_ls", *arguments]

    def _environment(self) -> dict[str, str]:
        without = {"NO_COLOR", "FORCE_COLOR", "CODEINTEL_LS_DEBUG"}
        kept = {name: value for name, value in os.environ.items() if name not in without}
        return {**kept, **self.environment}
