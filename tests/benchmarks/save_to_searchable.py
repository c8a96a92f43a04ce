"""From a save to the moment when the new text is found and the old one is not."""

import asyncio
import itertools
import random
import string
import time
from collections.abc import AsyncIterator
from pathlib import Path

from codeintel_ls.server.uris import uri_from_path
from tests.benchmarks.language_client import LanguageClient, session
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.rebuilding import rebuilding
from tests.benchmarks.workbench import Workbench

_SAVES = 30
_LINES = range(100, 600)
_GOAL = Goal("p95", 200)
_PATIENCE_SECONDS = 60.0


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of saves."""
    other = workbench.folder / "other" / "tree"
    workbench.git(workbench.tree, "clone", "-q", ".", str(other))
    async with session(workbench.environment, [workbench.tree, other]) as client:
        saves = Saves(client, workbench)
        await saves.times(3)
        at_rest = await saves.times(_SAVES)
        yield Row(name="save to searchable, at rest", values=at_rest, goal=_GOAL)
        for name, folder in (("another folder", other), ("the same folder", workbench.tree)):
            async with rebuilding(client, folder):
                values = await saves.times(_SAVES)
            yield Row(
                name=f"save to searchable, {name} rebuilt",
                values=values,
                peer="at rest",
                peer_values=at_rest,
                ratio_of="p95",
                goal=_GOAL,
            )


class Saves:
    """Saves of a few real files; each puts a new function in the place of the last."""

    def __init__(self, client: LanguageClient, workbench: Workbench) -> None:
        self._client = client
        self._tree = workbench.tree
        self._chance = random.Random(3)
        texts = ((path, (workbench.tree / path).read_text()) for path in workbench.files)
        fitting = (
            (path, text)
            for path, text in texts
            if path.endswith(".py") and text.count("\n") in _LINES
        )
        self._files = itertools.cycle(list(itertools.islice(fitting, 10)))
        self._words: dict[str, str] = {}

    async def times(self, count: int) -> list[float]:
        """Milliseconds from the notification to the right answer."""
        values: list[float] = []
        for path, text in itertools.islice(self._files, count):
            values.append(await self._save(path, text))
            await asyncio.sleep(0.2)
        return values

    async def _save(self, path: str, text: str) -> float:
        new = "".join(self._chance.choices(string.ascii_lowercase, k=16))
        old = self._words.get(path)
        _write(self._tree / path, f"{text}\n\ndef {new}(herd):\n    return herd\n")
        self._words[path] = new
        started = time.perf_counter()
        self._client.saved(self._tree / path)
        while not await self._is_current(new, old):
            if time.perf_counter() - started > _PATIENCE_SECONDS:
                raise RuntimeError(f"{path} was not searchable {_PATIENCE_SECONDS} s after a save")
        return (time.perf_counter() - started) * 1000

    async def _is_current(self, new: str, old: str | None) -> bool:
        if not await self._finds(new):
            return False
        return old is None or not await self._finds(old)

    async def _finds(self, word: str) -> bool:
        # By letters alone: whether the word is there is measured, not how it ranks.
        found = await self._client.operation(
            "semanticSearch",
            query=word,
            mode="hybrid",
            limit=5,
            folders=[uri_from_path(self._tree)],
            snippetLines=200,
        )
        return any(word in hit["snippet"] for hit in found["hits"])


def _write(file: Path, text: str) -> None:
    file.write_text(text)
