"""git as it is, with no configuration but the repository's own, and with fixed people and times."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class GitRefusedError(Exception):
    """git ended with an error; the message is what it said."""


class PlainGit:
    """Runs git in `folder`. Commits are made at `time` (Unix seconds), which the caller moves."""

    def __init__(self, folder: Path, time: int = 1_600_000_000) -> None:
        self.folder = folder
        self.time = time

    def run(
        self,
        *arguments: str,
        given: bytes | None = None,
        author: str = "Ada",
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """What git prints. Raises `GitRefusedError`."""
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.folder,
            env={**self._environment(author), **(environment or {})},
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise GitRefusedError(f"git {' '.join(map(repr, arguments))}: {said}")
        return done.stdout

    def word(self, *arguments: str) -> str:
        """What git prints, as one word or path."""
        return os.fsdecode(self.run(*arguments)).rstrip("\n")

    def tries(self, *arguments: str, author: str = "Ada") -> bool:
        """Whether git does what it is told."""
        try:
            self.run(*arguments, author=author)
        except GitRefusedError:
            return False
        return True

    def _environment(self, author: str) -> dict[str, str]:
        date = f"{self.time} +0130"
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "true",
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": "author@example.org",
            "GIT_COMMITTER_NAME": "Committer",
            "GIT_COMMITTER_EMAIL": "committer@example.org",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "LC_ALL": "C",
        }
