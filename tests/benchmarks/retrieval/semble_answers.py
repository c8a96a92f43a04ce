"""What semble (PyPI) answers to the same questions, in a process of its own.

Its encoder would have to be downloaded, so the vectors are drawn at random and given no weight:
its BM25 with its ranking layers, and its BM25 alone. A model2vec folder on disk makes it hybrid.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.retrieval.metric import DEPTH, Place
from tests.benchmarks.retrieval.reading import Question
from tests.benchmarks.retrieval.scores import QuestionScore, SystemRun

RANKED, PLAIN, HYBRID = "semble, BM25 ranked", "semble, BM25", "semble, hybrid"

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

asked = json.load(sys.stdin)
tree, content = Path(asked["tree"]).resolve(), (ContentType.CODE,)
if asked["model"]:
    from model2vec import StaticModel
    model = StaticModel.from_pretrained(asked["model"])
else:
    model = NoEncoder()
started = time.perf_counter()
bm25, vectors, chunks, _ = create_index_from_path(tree, model, content, display_root=tree)
seconds = time.perf_counter() - started
index = SembleIndex(model, bm25, vectors, chunks, "none", root=tree, content=content)

def answers(**how):
    found, milliseconds = [], []
    for query in asked["queries"]:
        started = time.perf_counter()
        results = index.search(query, top_k=asked["depth"], **how)
        milliseconds.append((time.perf_counter() - started) * 1000)
        found.append([(str(one.chunk.file_path), one.chunk.start_line, one.chunk.end_line)
                      for one in results])
    return {"results": found, "milliseconds": milliseconds}

runs = {"ranked": answers(alpha=0.0), "plain": answers(alpha=0.0, rerank=False)}
if asked["model"]:
    runs["hybrid"] = answers()
json.dump({"seconds": seconds, "chunks": len(chunks), "runs": runs}, sys.stdout)
"""
_NAMES = {"hybrid": HYBRID, "ranked": RANKED, "plain": PLAIN}


class PeerUnavailableError(Exception):
    """The interpreter has no semble, or semble failed; the message says which."""


def semble_runs(
    tree: Path, root: str, questions: Sequence[Question], *, python: str, model: str = ""
) -> Mapping[str, SystemRun]:
    """The systems that semble can be here, by name. Raises PeerUnavailableError."""
    answered = _ask(tree, [question.text for question in questions], python, model)
    return {
        name: SystemRun(
            scores=[
                QuestionScore.of(question, [_place(result, root) for result in results])
                for question, results in zip(questions, run["results"], strict=True)
            ],
            milliseconds=run["milliseconds"],
            index_seconds=answered["seconds"],
            chunks=answered["chunks"],
        )
        for key, name in _NAMES.items()
        if (run := answered["runs"].get(key))
    }


def _ask(tree: Path, queries: Sequence[str], python: str, model: str) -> dict[str, Any]:
    asked = {"tree": str(tree), "queries": list(queries), "depth": DEPTH, "model": model}
    # It keeps statistics in the user's home.
    with tempfile.TemporaryDirectory(prefix="codeintel-peer-") as home:
        environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(
            [python or sys.executable, "-c", _PROGRAM],
            env=environment,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise PeerUnavailableError(f"semble cannot be asked: {last[0]}")
    return json.loads(done.stdout)


def _place(result: tuple[str, int, int], root: str) -> Place:
    path, first_line, last_line = result
    return Place(f"{root}/{path}" if root else path, first_line, last_line)
