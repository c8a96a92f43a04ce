"""What a crowd of editors and agents asks, mixed: searches, blame, history, lists of paths."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from attrs import field, frozen

from codeintel_ls.server.uris import uri_from_path
from tests.benchmarks.language_client import LanguageClient, RequestFailedError
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.workbench import Workbench

SEARCH, BLAME, HISTORY, PATHS = "search", "blame of 10 lines", "history", "listPaths of 1,000"
_WEIGHTS = {SEARCH: 4, BLAME: 3, HISTORY: 2, PATHS: 1}
_BLAMED_LINES = 10
_ENTRIES = 50
_BLAMED_FILES = 60

Request = Callable[[LanguageClient], Awaitable[object]]


@frozen
class Outcomes:
    """Milliseconds by kind of those that were answered, and what the others were told."""

    times: dict[str, list[float]] = field(factory=dict[str, list[float]])
    errors: list[str] = field(factory=list[str])

    async def run(self, kind: str, request: Request, client: LanguageClient) -> None:
        """Send one request and note what comes of it."""
        started = time.perf_counter()
        try:
            await request(client)
        except (RequestFailedError, TimeoutError) as error:
            self.errors.append(f"{kind}: {error}")
        else:
            self.times.setdefault(kind, []).append((time.perf_counter() - started) * 1000)

    @property
    def answered(self) -> int:
        """How many got a result."""
        return sum(map(len, self.times.values()))

    def never_answered(self) -> list[str]:
        """The kinds of which none got a result."""
        return sorted(_WEIGHTS.keys() - self.times.keys())


class Crowd:
    """An endless, seeded supply of requests about a workbench's tree."""

    def __init__(self, workbench: Workbench, seed: int) -> None:
        self._chance = random.Random(seed)
        self._tree = workbench.tree
        self._queries = two_hundred(workbench.tree, workbench.files)
        self._blamed = _long_files(workbench.tree, workbench.files)

    def next(self) -> tuple[str, Request]:
        """A kind of request, and how to send one."""
        kind = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        return kind, self.request(kind)

    def request(self, kind: str) -> Request:
        """A request of this kind."""
        file, lines = self._chance.choice(self._blamed)
        uri = uri_from_path(file)
        first = self._chance.randrange(max(1, lines - _BLAMED_LINES))
        last = first + _BLAMED_LINES - 1
        query = self._chance.choice(self._queries)
        tree = uri_from_path(self._tree)
        match kind:
            case "search":
                return lambda client: client.operation(
                    "semanticSearch", query=query, folders=[tree]
                )
            case "blame of 10 lines":
                return lambda client: client.operation(
                    "blameRange", uri=uri, startLine=first, endLine=last
                )
            case "history":
                return lambda client: client.operation("fileHistory", uri=uri, limit=_ENTRIES)
            case _:
                return lambda client: client.operation("listPaths", folder=tree, limit=1000)


async def all_at_once(
    clients: Sequence[LanguageClient], requests_each: int, crowd: Crowd
) -> Outcomes:
    """So many mixed requests of each client, all of them under way at once."""
    outcomes = Outcomes()
    asked = [(client, *crowd.next()) for client in clients for _ in range(requests_each)]
    await asyncio.gather(*(outcomes.run(kind, request, client) for client, kind, request in asked))
    return outcomes


def _long_files(tree: Path, files: Sequence[str]) -> list[tuple[Path, int]]:
    """Some of the files with their numbers of lines."""
    chance = random.Random(4)
    found: list[tuple[Path, int]] = []
    for name in chance.sample(files, len(files)):
        lines = (tree / name).read_bytes().count(b"\n")
        if lines > 4 * _BLAMED_LINES:
            found.append((tree / name, lines))
        if len(found) == _BLAMED_FILES:
            break
    return found
