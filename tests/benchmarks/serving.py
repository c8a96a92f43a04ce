"""Endpoints in processes of their own, so that what they take falls on nobody who is timed."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def serving(module: str, *arguments: str) -> Generator[str]:
    """The URL of an endpoint that `module` is when it is run: it prints its port first."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()
