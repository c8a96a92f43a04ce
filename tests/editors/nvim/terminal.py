"""Neovim in a terminal, as a person has it: tmux types the keys and tells what is on the screen."""

import shlex
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.editors.nvim.embedded import NVIM, SECONDS, init_file

WIDTH, HEIGHT = 100, 28
ASKS_FOR_ENTER = ("Press ENTER", "-- More --", "Hit ENTER")


class Terminal:
    """One editor in one terminal. Whatever is looked at is checked for a prompt that waits."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        lua: str,
        arguments: Sequence[str],
        size: tuple[int, int] = (WIDTH, HEIGHT),
        directory: Path | None = None,
    ) -> None:
        self.socket = f"ci-{uuid.uuid4().hex[:10]}"
        self.environment = dict(environment)
        editor = [str(NVIM), "--clean", "-u", str(init_file(folder, lua)), *arguments]
        width, height = size
        self._tmux(
            *("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height)),
            *("-c", str(directory or folder)),
            shlex.join(editor),
        )
        self._tmux("set-option", "-g", "status", "off")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self.socket, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
        )
        return done.stdout

    def keys(self, *keys: str) -> None:
        """tmux's names of keys, such as `Enter` and `Escape`; anything else is typed."""
        self._tmux("send-keys", *keys)

    def command(self, command: str) -> None:
        self.keys("Escape", f":{command}", "Enter")

    def screen(self, *, colours: bool = False) -> str:
        text = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        for prompt in ASKS_FOR_ENTER:
            assert prompt not in text, text
        return text

    def wait_for(self, *texts: str) -> str:
        """The screen, when it holds all of them."""
        end = time.monotonic() + SECONDS
        while not all(text in (screen := self.screen()) for text in texts):
            assert time.monotonic() < end, f"never: {texts}\n{screen}"
            time.sleep(0.05)
        return screen

    def wait_until_gone(self, text: str) -> str:
        end = time.monotonic() + SECONDS
        while text in (screen := self.screen()):
            assert time.monotonic() < end, f"still there: {text}\n{screen}"
            time.sleep(0.05)
        return screen
