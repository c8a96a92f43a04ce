"""Questions over an endpoint that takes its time: at once as the server asks, or a thread each.

The endpoint is a process of its own that answers any texts with vectors drawn from them, 50 ms
after it was asked. Both sides search the same open folder; only how they wait differs.
"""

import asyncio
import json
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.search import SearchQuery
from codeintel_ls.settings import EmbeddingSettings
from codeintel_ls.workspace import WorkspaceFolder
from tests.benchmarks.load.daemon_clients import cloned
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.serving import serving
from tests.benchmarks.workbench import Workbench

_SLOW_SECONDS = 0.05
_DIMENSION = 256
_QUESTIONS = 100
_THREADS = 20
_SEARCHING = 2
_ROUNDS = 5
_ENOUGH = 0.99
_OWN = "tests.benchmarks.load.slow_endpoint"


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Seconds for a hundred questions that nobody has asked before, in both ways."""
    workbench = cloned(workbench)
    questions = two_hundred(workbench.tree, workbench.files)
    with serving(_OWN) as url, _opened(workbench, url) as folder:
        chunks = folder.index_status().chunks
        own: list[float] = []
        peer: list[float] = []
        for number in range(_ROUNDS):
            # An endpoint's answers are remembered, so that no question is asked twice.
            asked = [f"{text} {number}" for text in questions[:_QUESTIONS]]
            own.append(await _at_once(folder, asked, chunks))
            peer.append(_thread_each(folder, [f"{text} too" for text in asked]))
    yield Row(
        name=f"{_QUESTIONS} questions at once, an endpoint of {_SLOW_SECONDS * 1000:.0f} ms",
        values=own,
        unit="s",
        peer=f"{_THREADS} threads, a blocking search each",
        peer_values=peer,
        goal=Goal("ratio", 1 / 5),
        note=f"{chunks:,} chunks, {_QUESTIONS / sorted(own)[_ROUNDS // 2]:.0f} questions a second",
    )


async def _at_once(folder: WorkspaceFolder, questions: Sequence[str], chunks: int) -> float:
    loop = asyncio.get_running_loop()

    with ThreadPoolExecutor(_SEARCHING) as pool:

        async def ask(text: str) -> None:
            await folder.refinement.embed_ahead(text, chunks)
            await loop.run_in_executor(pool, _search, folder, text)

        started = time.perf_counter()
        await asyncio.gather(*map(ask, questions))
        return time.perf_counter() - started


def _thread_each(folder: WorkspaceFolder, questions: Sequence[str]) -> float:
    with ThreadPoolExecutor(_THREADS) as pool:
        started = time.perf_counter()
        for done in [pool.submit(_search, folder, text) for text in questions]:
            done.result()
        return time.perf_counter() - started


def _search(folder: WorkspaceFolder, text: str) -> None:
    if not folder.search(SearchQuery(text=text)).hits:
        raise RuntimeError("nothing was found")


@contextmanager
def _opened(workbench: Workbench, url: str) -> Generator[WorkspaceFolder]:
    """The tree with all of its chunks embedded by the endpoint."""
    embedding = EmbeddingSettings(endpoint=url, endpoint_model="drawn")
    folder = WorkspaceFolder.open(workbench.tree, evolve(workbench.settings, embedding=embedding))
    try:
        folder.start()
        folder.wait_until_ready()
        folder.refinement.settle(Cancellation())
        share = folder.refinement.share(folder.index_status().chunks)
        if share < _ENOUGH:
            raise RuntimeError(f"the endpoint's vectors are there for {share:.0%} only")
        yield folder
    finally:
        folder.close()


# The endpoint


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        time.sleep(_SLOW_SECONDS)
        data = [
            {"object": "embedding", "index": index, "embedding": _drawn(text)}
            for index, text in enumerate(texts)
        ]
        body = json.dumps({"object": "list", "data": data, "model": "drawn"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Nothing is said."""


def _drawn(text: str) -> str:
    seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
    vector = np.random.default_rng(seed).standard_normal(_DIMENSION).astype("<f4")
    return b64encode(vector.tobytes()).decode()


def _serve(write: Callable[[str], object]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    _serve(sys.stdout.write)
