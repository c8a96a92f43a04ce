"""A small, believable repository: several languages, four authors, six years.

Commits are dated back from now, so that ages (and the colours that show them) are the same in every
run.
"""

import subprocess
import time
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.e2e.project import commit, git, new_repository, write

_DAY: Final = 86_400
_DAYS: Final = 60

_CACHE: Final = '''"""Keeps answers for a while."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A value and the moment from which on it is stale."""

    value: T
    until: float


class ExpiringCache(Generic[T]):
    """Forgets entries that are older than their time to live."""

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self._seconds = seconds
        self._most = most
        self._entries: dict[str, Entry[T]] = {}

    def put(self, key: str, value: T, now: float) -> None:
        """Keep a value until its time to live has passed."""
        self._entries[key] = Entry(value, now + self._seconds)

    def evict_expired(self, now: float) -> int:
        """Drop every entry whose time to live has passed; how many there were."""
        stale = [key for key, entry in self._entries.items() if entry.until <= now]
        for key in stale:
            del self._entries[key]
        return len(stale)
'''
_FIRST_CACHE: Final = (
    _CACHE.replace(", most: int = 1000", "")
    .replace("        self._most = most\n", "")
    .replace("; how many there were", "")
    .replace("now: float) -> int", "now: float) -> None")
    .replace("        return len(stale)\n", "")
)
_RETRY: Final = '''"""Tries again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def retry_with_backoff(call: Callable[[], T], attempts: int, pause: float) -> T:
    """Call until it succeeds, waiting twice as long after each failure."""
    for attempt in range(attempts):
        try:
            return call()
        except OSError:
            # Jitter, so that clients which failed together do not come back together.
            time.sleep(pause * 2**attempt * random.uniform(0.5, 1.5))
    raise TimeoutError("no attempt succeeded")
'''
_FIRST_RETRY: Final = _RETRY.replace(" * random.uniform(0.5, 1.5)", "").replace(
    "            # Jitter, so that clients which failed together do not come back together.\n", ""
)
_LIMITER: Final = """package gateway

import (
\t"net/http"
\t"sync"
)

// RateLimiter refuses clients that ask too often.
type RateLimiter struct {
\tmutex  sync.Mutex
\ttokens int
}

// Allow takes one token from the bucket, if there is one.
func (limiter *RateLimiter) Allow(request *http.Request) bool {
\tlimiter.mutex.Lock()
\tdefer limiter.mutex.Unlock()
\tif limiter.tokens == 0 {
\t\treturn false
\t}
\tlimiter.tokens--
\treturn true
}
"""
_SESSION: Final = """import { createHmac, timingSafeEqual } from "node:crypto";

/** What is known of somebody who has signed in. */
export interface Session {
  readonly user: string;
  readonly expires: number;
}

/** Refuses a cookie whose signature does not match, or that has expired. */
export function verifySession(cookie: string, secret: string, now: number): Session | undefined {
  const [payload, signature] = cookie.split(".");
  const expected = createHmac("sha256", secret).update(payload).digest();
  if (!timingSafeEqual(Buffer.from(signature, "base64url"), expected)) {
    return undefined;
  }
  const session = JSON.parse(Buffer.from(payload, "base64url").toString()) as Session;
  return session.expires > now ? session : undefined;
}
"""
_README: Final = "# Harbour\n\nKeeps answers, tries again, and refuses whoever asks too often.\n"
_PARSER: Final = '''"""Reads amounts of money as people write them."""

from decimal import Decimal


def parse_amount(text: str) -> Decimal:
    """`1 234,50` and `1,234.50` are the same amount."""
    digits = text.replace("\\u00a0", "").replace(" ", "")
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point:
        digits = digits.replace(".", "").replace(",", ".")
    return Decimal(digits.replace(",", "") if point > comma else digits)
'''
_ACCENTED: Final = (
    '# Grüße\n\n\ndef größe(text: str) -> int:\n    """Emoji count: 🎉."""\n    return len(text)\n'
)


@frozen(kw_only=True)
class Sample:
    """A repository, and a second folder with one of its own. `commits`: the ids, oldest first."""

    folder: Path
    second: Path
    commits: tuple[str, ...]


def _filler(number: int) -> str:
    return (
        f'def step_{number}(value: int) -> int:\n    """Step {number} of the pipeline."""\n'
        f"    return value + {number}\n"
    )


def _keep_a_diary(folder: Path, now: int) -> None:
    """A file with more commits than one page of its history has."""
    stream = ""
    for day in range(1, _DAYS + 1):
        text = "".join(f"Day {number}.\n" for number in range(1, day + 1))
        stream += (
            "commit refs/heads/main\n"
            f"committer Barbara Liskov <barbara@example.org> {now - (2400 - day) * _DAY} +0200\n"
            f"data <<END\nNote day {day}\nEND\n"
            f"M 644 inline notes/days.md\ndata {len(text)}\n{text}\n"
        )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream.encode(), check=True)
    git(folder, "reset", "-q", "--hard")


def make_sample(parent: Path) -> Sample:
    """Make both repositories there."""
    folder = new_repository(parent / "harbour")
    now = int(time.time())
    git(folder, "remote", "add", "origin", "https://github.com/example/harbour.git")
    commits: list[str] = []
    _keep_a_diary(folder, now)

    def change(days: float, author: str, message: str, files: dict[str, str | bytes]) -> None:
        write(folder, files)
        commits.append(commit(folder, message, author, now - int(days * _DAY)))

    change(
        2200,
        "Ada Byron",
        "Start the project\n\nWith *everything* that the prototype had.",
        {
            "README.md": _README,
            ".gitignore": "ignored.py\n",
            "src/store.py": _FIRST_CACHE,
            **{f"src/steps/step_{number}.py": _filler(number) for number in range(12)},
        },
    )
    change(1500, "Grace Hopper", "Add retries", {"src/retry.py": _FIRST_RETRY})
    (folder / "src/store.py").rename(folder / "src/cache.py")
    change(1100, "Ada Byron", "Call the store what it is: a cache", {})
    change(
        700, "Edsger Dijkstra", "Refuse who asks too often (#12)", {"gateway/limiter.go": _LIMITER}
    )
    change(400, "Grace Hopper", "Spread retries with jitter", {"src/retry.py": _RETRY})
    change(160, "Barbara Liskov", "Verify sessions in constant time", {"web/session.ts": _SESSION})
    change(
        60,
        "Barbara Liskov",
        "Bound the cache and say what was evicted\n\nWithout a bound it leaks (fixes #41).",
        {"src/cache.py": _CACHE},
    )
    change(20, "Ada Byron", "Read amounts as people write them", {"src/money.py": _PARSER})
    change(3, "Edsger Dijkstra", "Count letters, not bytes", {"src/größe und maß.py": _ACCENTED})
    write(folder, {"src/draft.py": "def nobody_committed_this() -> None:\n    pass\n"})

    second = new_repository(parent / "lighthouse")
    write(second, {"lamp.py": 'def turn_the_lamp() -> None:\n    """Rotate the light."""\n'})
    commit(second, "Turn the lamp", "Grace Hopper", now - 30 * _DAY)
    return Sample(folder=folder, second=second, commits=tuple(commits))
