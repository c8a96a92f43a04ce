"""A thousand hovers at once: no more processes of git than may be, and an answer to each."""

import asyncio
import os
import sys
from pathlib import Path

from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import SECONDS, Editor
from tests.e2e.project import commit, new_repository, write

FILES, HOVERS, MOST = 200, 1_000, 4
COUNTED = """#!{python}
import fcntl, os, subprocess, sys
def note(step):
    with open({log!r}, "a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.write(step + " " + str(os.getpid()) + " " + " ".join(sys.argv[1:])[:2000] + "\\n")
note("begin")
try:
    code = subprocess.call([{git!r}, *sys.argv[1:]])
finally:
    note("end")
sys.exit(code)
"""


def fake_counting_git(folder: Path, environment: dict[str, str]) -> Path:
    """Put a git before the real one that notes when it begins and ends; its log."""
    real = next(
        str(Path(place) / "git")
        for place in os.environ["PATH"].split(os.pathsep)
        if (Path(place) / "git").exists()
    )
    log, program = folder / "log", folder / "bin/git"
    write(folder, {"bin/git": COUNTED.format(python=sys.executable, git=real, log=str(log))})
    program.chmod(0o755)
    environment["PATH"] = f"{program.parent}{os.pathsep}{environment['PATH']}"
    return log


def most_at_once(log: Path, *, waiting: bool) -> tuple[int, int]:
    """The most processes that ran at the same time, and how many there were in all.

    `waiting`: of the `cat-file` that waits for questions; otherwise of all others.
    """
    running, most, begun = set(), 0, 0
    for line in log.read_text().splitlines():
        step, pid, arguments = line.split(" ", 2)
        if ("cat-file" in arguments.split()) is not waiting:
            continue
        if step == "begin":
            running.add(pid)
            begun += 1
        else:
            running.discard(pid)
        most = max(most, len(running))
    return most, begun


async def test_a_thousand_hovers_over_two_hundred_files(tmp_path, environment):
    folder = new_repository(tmp_path / "app")
    write(folder, {f"src/part_{n}.py": f"one = {n}\ntwo = 2\n" * 20 for n in range(FILES)})
    commit(folder, "Begin")
    log = fake_counting_git(tmp_path, environment)
    # Of the processes of the folder's own opening this is not about.
    options = {"index": {"enabled": False}, "git": {"commitGraph": False}}
    editor = await Editor().open(environment, [folder], options=options)
    await editor.call("request", "indexStatus")
    before = len(log.read_text().splitlines())

    async def hover(number: int) -> str:
        file = folder / f"src/part_{number % FILES}.py"
        place = types.Position(number // FILES, 0)
        params = types.HoverParams(types.TextDocumentIdentifier(uri_from_path(file)), place)
        shown = await editor.text_document_hover_async(params)
        assert shown is not None
        return str(shown.contents)

    shown = await asyncio.wait_for(asyncio.gather(*map(hover, range(HOVERS))), 3 * SECONDS)
    assert all("Begin" in text for text in shown)
    assert len(log.read_text().splitlines()) - before >= 2 * FILES
    most, begun = most_at_once(log, waiting=False)
    assert begun >= FILES
    assert most <= MOST
    # Beside the slots there is one that waits for questions, and no more.
    assert most_at_once(log, waiting=True)[0] == 1
    await editor.close()
