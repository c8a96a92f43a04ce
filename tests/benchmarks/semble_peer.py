"""semble (PyPI) in a process of its own, where an interpreter has it.

It runs without its encoder, which it would have to download: vectors are drawn at random, so that
its queries do all their work but for embedding the query itself.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.workbench import Workbench

NOT_INSTALLED = "not installed; give an interpreter that has it with --peer-python"

_PROGRAM = """
import json, sys, time
from pathlib import Path
import numpy as np
from semble.index.create import create_index_from_path
from semble.index.index import SembleIndex
from semble.types import ContentType

class NoEncoder:
    dim = 256
    def __init__(self):
        self.random = np.random.default_rng(1)
    def encode(self, texts, **_):
        return self.random.standard_normal((len(texts), self.dim), dtype=np.float32)

tree, queries = Path(sys.argv[1]).resolve(), json.load(sys.stdin)
content, model = tuple(ContentType), NoEncoder()
started = time.perf_counter()
bm25, vectors, chunks, manifest = create_index_from_path(tree, model, content, display_root=tree)
seconds = time.perf_counter() - started
index = SembleIndex(model, bm25, vectors, chunks, "none", root=tree, content=content)
milliseconds = []
for query in queries:
    started = time.perf_counter()
    index.search(query, top_k=20)
    milliseconds.append((time.perf_counter() - started) * 1000)
json.dump({"seconds": seconds, "files": len(manifest), "chunks": len(chunks),
           "milliseconds": milliseconds}, sys.stdout)
"""


def run_semble(workbench: Workbench, queries: Sequence[str]) -> dict[str, Any] | None:
    """Index the tree and ask `queries`; None where semble is not installed."""
    python = workbench.peer_python or sys.executable
    found = subprocess.run(
        [python, "-c", "import semble"], env=workbench.environment, capture_output=True, check=False
    )
    if found.returncode:
        return None
    done = subprocess.run(
        [python, "-c", _PROGRAM, str(workbench.tree)],
        env=workbench.environment,
        input=json.dumps(list(queries)),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
