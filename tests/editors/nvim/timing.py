"""Times what the plugin costs its editor, as JSON on standard output; for `tests.benchmarks`.

A program of its own, since pynvim wants the main thread and its loop. `--repository` is cloned.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.project import commit, write
from tests.editors.nvim.conftest import ended_environment
from tests.editors.nvim.embedded import NVIM, Neovim, init_file

STARTS, MOVES = 30, 60
BATCHES, KEYS, PAUSE = 12, 40, 0.012
BIG_LINES = 50_000
ON = "require('codeintel').setup({ blame = { enabled = true } })"

MOVE = """
local lines, namespace = ..., vim.api.nvim_create_namespace("codeintel.blame")
local times = {}
for _, line in ipairs(lines) do
  local begun = vim.uv.hrtime()
  vim.api.nvim_win_set_cursor(0, { line, 0 })
  vim.cmd("doautocmd <nomodeline> CursorMoved")
  vim.wait(5000, function()
    return vim.api.nvim_buf_get_extmark_by_id(0, namespace, 1, {})[1] == line - 1
  end, 1)
  table.insert(times, (vim.uv.hrtime() - begun) / 1e6)
  vim.wait(5)
end
return times
"""
CPU = """
local used = vim.uv.getrusage()
return (used.utime.sec + used.stime.sec) * 1000 + (used.utime.usec + used.stime.usec) / 1000
"""


def loading(folder: Path) -> list[float]:
    """Milliseconds of sourcing the plugin's file, by `--startuptime`."""
    times: list[float] = []
    for number in range(STARTS):
        log = folder / f"startup-{number}"
        command = [NVIM, "--headless", "--clean", "-u", init_file(folder, ""), "--startuptime", log]
        subprocess.run([*command, "+qall"], check=True, capture_output=True)
        found = re.search(
            r"^\S+ +\S+ +(\S+): sourcing \S+plugin/codeintel.lua", log.read_text(), re.MULTILINE
        )
        assert found, log.read_text()
        times.append(float(found[1]))
    return times


def moving(nvim: Neovim, lines: list[int]) -> list[float]:
    return nvim.lua(MOVE, lines)


def typing(nvim: Neovim) -> list[float]:
    """Milliseconds of processor time for a key, the mean of each batch."""
    nvim.command(str(BIG_LINES // 2))
    nvim.keys("A")
    times: list[float] = []
    for _ in range(BATCHES):
        before = nvim.lua(CPU)
        for _ in range(KEYS):
            nvim.keys("x")
            time.sleep(PAUSE)
        times.append((nvim.lua(CPU) - before) / KEYS)
    nvim.keys("<Esc>")
    return times


def main(arguments: list[str]) -> int:
    repository = Path(arguments[0])
    with (
        tempfile.TemporaryDirectory(prefix="nvim-timing-") as name,
        ended_environment(Path(name)) as environment,
    ):
        folder = Path(name)
        clone = folder / "clone"
        subprocess.run(["git", "clone", "-q", str(repository), str(clone)], check=True)
        write(clone, {"big.txt": "".join(f"line {n}\n" for n in range(BIG_LINES))})
        commit(clone, "Add a big file")
        listed = subprocess.run(
            ["git", "ls-files"], cwd=clone, capture_output=True, text=True, check=True
        ).stdout.split("\n")
        long = max(
            (clone / path for path in listed if path.endswith((".c", ".py", ".rs", ".lua"))),
            key=lambda path: path.stat().st_size,
        )
        figures: dict[str, object] = {"load": loading(folder), "file": long.name}
        with Neovim(folder / "one", environment, ON, [str(long)]) as nvim:
            nvim.wait_until_served()
            count = nvim.lua("return vim.api.nvim_buf_line_count(0)")
            moving(nvim, [1, count])
            figures["near"] = moving(nvim, [20 + number % 20 for number in range(MOVES)])
            step = 7919
            figures["far"] = moving(nvim, [1 + n * step % count for n in range(MOVES)])
        with (
            Neovim(folder / "two", environment, ON, [str(clone / "big.txt")]) as served,
            Neovim(
                folder / "three",
                environment,
                "vim.g.loaded_codeintel = 1",
                [str(clone / "big.txt")],
            ) as plain,
        ):
            served.wait_until_served()
            served.wait_until_indexed()
            plain.wait("vim.api.nvim_buf_line_count(0) > 1")
            figures["typing"], figures["plain"] = typing(served), typing(plain)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
