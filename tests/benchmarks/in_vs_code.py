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
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.workbench import Workbench
from tests.editors.vscode import toolchain
from tests.editors.vscode.packaging import compile_tests, package
from tests.editors.vscode.sessions import Session, session

_QUERIES = 8
_LINES = 60


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of typing, moving, starting, and of the extension host while a tree is indexed."""
    found = await asyncio.to_thread(_measure, workbench)
    tree = f"{len(workbench.files):,} files"
    yield Row(
        name="key in the quick pick to drawn results",
        values=found["search"],
        on=tree,
        peer="a list that is there at once",
        peer_values=found["searchFloor"],
        ratio_of="p95",
        goal=Goal("p95", 150),
        note="from the last key of a word to its results in the list, typed at 90 ms a key",
    )
    yield Row(
        name="cursor moved to drawn annotation, blame known",
        values=found["annotation"],
        on=tree,
        peer="a text that is there at once",
        peer_values=found["annotationFloor"],
        ratio_of="p95",
        goal=Goal("p95", 50),
    )
    yield Row(
        name="activation",
        values=found["activation"],
        peer="VS Code's own git",
        peer_values=found["activationOfGit"],
        goal=Goal("max", 100),
    )
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
        asked, figures = Path(folder) / "asked.json", Path(folder) / "figures.json"
        asked.write_text(json.dumps(_asked(workbench)), "utf-8")
        running.node("timings.main.js", str(asked), str(figures))
        found: dict[str, Any] = json.loads(figures.read_text("utf-8"))
        found["tasks"] = _tasks(running)
    return found


def _asked(workbench: Workbench) -> dict[str, Any]:
    questions = [text for text in two_hundred(workbench.tree, workbench.files) if " " in text]
    long = next(
        path
        for path in workbench.files
        if path.endswith(".py") and (workbench.tree / path).read_bytes().count(b"\n") > 2 * _LINES
    )
    return {"queries": questions[:_QUERIES], "file": long, "lines": _LINES}


def _tasks(running: Session) -> dict[str, Any]:
    running.suite("long-tasks")
    lines = running.results.read_text("utf-8").splitlines()
    return json.loads(next(line for line in lines if line.startswith("{")))
