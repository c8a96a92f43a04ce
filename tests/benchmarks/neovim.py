"""What the Neovim plugin costs: loading, a move of the cursor, a key in a long buffer."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.workbench import Workbench


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Of the first repository; see `tests/editors/nvim/timing.py`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.editors.nvim.timing", str(workbench.repositories[0])),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the editor could not be timed")
    figures = json.loads(output)
    yield Row(
        name="nvim: the plugin loaded, before its first use",
        values=figures["load"],
        goal=Goal("p95", 5),
    )
    on = figures["file"]
    yield Row(
        name="nvim: cursor moved to its commit drawn, in view",
        on=on,
        values=figures["near"],
        goal=Goal("p95", 50),
    )
    yield Row(
        name="nvim: the same after a jump",
        on=on,
        values=figures["far"],
        goal=Goal("p95", 50),
    )
    yield Row(
        name="nvim: a key in a buffer of 50,000 lines, over no plugin",
        values=[
            own - plain for own, plain in zip(figures["typing"], figures["plain"], strict=True)
        ],
        goal=Goal("p50", 1),
        note="processor time of the editor",
    )
