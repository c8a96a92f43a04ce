"""What a person waits for in running VS Code, from the key to what is drawn.

The window's own clock is read, in its page; the extension is the packaged one.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.workbench import Workbench
from tests.editors.vscode import toolchain
from tests.editors.vscode.__main__ import compile_tests
from tests.editors.vscode.packaging import package
from tests.editors.vscode.sessions import Session, session


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of typing, moving, starting, and of the extension host while a tree is indexed."""
    found = await asyncio.to_thread(_measure, workbench)
    tree = f"{len(workbench.files):,} files"
    yield Row(
        name="key in the quick pick to drawn results",
        values=found["search"],
        on=tree,
        goal=Goal("p95", 150),
        note=found["searchNote"],
    )
    yield Row(
        name="cursor moved to drawn annotation, blame known",
        values=found["annotation"],
        on=tree,
        goal=Goal("p95", 50),
    )
    yield Row(name="activation", values=found["activation"], goal=Goal("max", 100))
    tasks = found["tasks"]
    yield Row(
        name="longest task of the extension host while indexing",
        values=[tasks["longest"]],
        on=f"{tasks['files']:,} files",
        peer="at rest",
        peer_values=[tasks["rest"]],
        goal=Goal("max", 50),
        note=f"{tasks['over50']} of {tasks['turns']} turns over 50 ms of the host's own processor "
        f"time; the longest wait for a turn, other processes included: {tasks['worstLag']:.0f} ms",
    )


def _measure(workbench: Workbench) -> dict[str, Any]:
    toolchain.install_packages()
    compile_tests()
    with (
        session(package(), opens=workbench.tree) as running,
        tempfile.TemporaryDirectory() as folder,
    ):
        figures = Path(folder) / "figures.json"
        running.node("timings.main.js", str(figures))
        found: dict[str, Any] = json.loads(figures.read_text("utf-8"))
        found["tasks"] = _tasks(running)
    return found


def _tasks(running: Session) -> dict[str, Any]:
    running.suite("long-tasks")
    lines = running.results.read_text("utf-8").splitlines()
    return json.loads(next(line for line in lines if line.startswith("{")))
