"""A real repository with files in several languages and a little history."""

import os
import subprocess
from pathlib import Path

ADDED = 1_600_000_000

CACHE = '''"""Keeps answers for a while."""


class ExpiringCache:
    """Forgets entries that are older than their time to live."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.entries = {}

    def evict_expired(self, now):
        """Drop every entry whose time to live has passed."""
        self.entries = {
            key: entry for key, entry in self.entries.items() if entry.until > now
        }
'''
RETRY = '''"""Tries again."""

import time


def retry_with_backoff(call, attempts, pause):
    """Call until it succeeds, waiting twice as long after each failure."""
    for attempt in range(attempts):
        try:
            return call()
        except OSError:
            time.sleep(pause * 2**attempt)
    raise TimeoutError("no attempt succeeded")
'''
SERVER_GO = """package server

import "net/http"

// RateLimiter refuses clients that ask too often.
type RateLimiter struct {
\ttokens int
}

// Allow takes one token from the bucket, if there is one.
func (limiter *RateLimiter) Allow(request *http.Request) bool {
\tif limiter.tokens == 0 {
\t\treturn false
\t}
\tlimiter.tokens--
\treturn true
}
"""


def git(folder: Path, *arguments: str, author: str = "Ada Example", time: int = ADDED) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": "author@example.org",
        "GIT_AUTHOR_DATE": f"{time} +0200",
        "GIT_COMMITTER_NAME": "Committer",
        "GIT_COMMITTER_EMAIL": "committer@example.org",
        "GIT_COMMITTER_DATE": f"{time} +0200",
    }
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def new_repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(folder: Path, message: str, author: str = "Ada Example", time: int = ADDED) -> str:
    git(folder, "add", "-A", author=author, time=time)
    git(folder, "commit", "-q", "-m", message, author=author, time=time)
    return git(folder, "rev-parse", "HEAD")


def filler(number: int) -> str:
    return (
        f'def step_{number}(value):\n    """Step {number} of the pipeline."""\n    return value\n'
    )


def make_project(folder: Path) -> tuple[str, str]:
    """A repository of some two dozen files and three commits; the ids of the first and the last."""
    new_repository(folder)
    git(folder, "remote", "add", "origin", "https://user:secret@github.com/example/project.git")
    write(folder, {f"steps/step_{number}.py": filler(number) for number in range(20)})
    write(folder, {"src/retry.py": RETRY, "src/server.go": SERVER_GO, "logo.png": b"\x89PNG\0\0"})
    write(folder, {"src/old.py": CACHE.replace("seconds", "ttl"), ".gitignore": "ignored.py\n"})
    first = commit(folder, "Add the project\n\nWith *everything* in it.")
    (folder / "src/old.py").rename(folder / "src/cache.py")
    commit(folder, "Rename the cache", time=ADDED + 100)
    write(folder, {"src/cache.py": CACHE})
    last = commit(folder, "Call it seconds", author="Grace Example", time=ADDED + 200)
    write(folder, {"untracked.py": "def nobody_committed_this():\n    pass\n"})
    return first, last
