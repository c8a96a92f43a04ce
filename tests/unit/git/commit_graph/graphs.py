"""A graph's use, seen from outside: what git skips, and what it answers."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from codeintel_ls.git import GitClient, GitError, ShadowGraph

Open = Callable[[Path], GitClient]
OpenGraph = Callable[..., tuple[GitClient, ShadowGraph]]


def skipped(graph: ShadowGraph, root: Path, path: str = "file.txt") -> int:
    """How many commits git knew from filters not to have changed the path (trace2's own count)."""
    trace = root.parent / "trace"
    trace.unlink(missing_ok=True)
    told = {**os.environ, **graph.environment, "GIT_TRACE2_PERF": str(trace)}
    command = ["git", "log", "--format=%H", "HEAD", "--", path]
    shown = subprocess.run(command, cwd=root, env=told, capture_output=True, check=True).stdout
    assert shown == subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    return sum(map(int, re.findall(r'"definitely_not":(\d+)', trace.read_text())))


def answers(client: GitClient, path: str = "file.txt") -> object:
    hunks = client.blame_range(path, 0, 10**9).hunks
    return hunks, client.file_history(path).entries, client.folder_history(".").entries


def outcome(client: GitClient) -> object:
    """An answer, or why there is none."""
    try:
        return client.file_history("file.txt")
    except GitError as error:
        return str(error)


def agree(open_client: Open, client: GitClient, path: str = "file.txt") -> bool:
    """Whether a client with a graph answers as one that has none."""
    return answers(client, path) == answers(open_client(client.root), path)


def files_of(root: Path) -> dict[str, tuple[int, int]]:
    states = ((path, path.stat()) for path in root.rglob("*"))
    return {str(path): (state.st_mtime_ns, state.st_size) for path, state in states}


def damage(place: Path, *, cut: bool = False) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 0x10
    # Replaced, as git maps what it reads.
    place.unlink()
    place.write_bytes(content[: len(content) // 2] if cut else content)
