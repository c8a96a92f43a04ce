"""Processes that do the same at the same time."""

import subprocess
import sys


def complaints_at_once(script: str, *arguments: str, count: int = 3) -> list[str]:
    """What each of `count` processes writes to stderr that run the script at the same time.

    The script prints `up` and waits for a line before it begins.
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate()[1] for process in processes]
