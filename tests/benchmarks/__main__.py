"""`python -m tests.benchmarks [--json FILE] [--tree FOLDER] [--repository FOLDER]... [NAME...]`."""

import sys

from tests.benchmarks import (
    blame_and_history,
    blame_in_depth,
    chunking_and_embedding,
    cold_index,
    connecting,
    dense_ladder,
    http_embeddings,
    in_a_terminal,
    in_vs_code,
    index_at_scale,
    listing_paths,
    million_chunks,
    neovim,
    query_latency,
    save_to_searchable,
    while_indexing,
)
from tests.benchmarks.running import Benchmarks, run

BENCHMARKS: Benchmarks = {
    "index": cold_index.measure,
    "embed": chunking_and_embedding.measure,
    "query": query_latency.measure,
    "save": save_to_searchable.measure,
    "git": blame_and_history.measure,
    "git-depth": blame_in_depth.measure,
    "paths": listing_paths.measure,
    "ladder": dense_ladder.measure,
    "http": http_embeddings.measure,
    "scale": index_at_scale.measure,
    "connect": connecting.measure,
    "terminal": in_a_terminal.measure,
    "while-indexing": while_indexing.measure,
    "nvim": neovim.measure,
}
ON_REQUEST: Benchmarks = {
    "million": million_chunks.measure,
    "vscode": in_vs_code.measure,
}
"""Those that take too long, or need a browser, to be run unasked."""

if __name__ == "__main__":
    sys.exit(run("tests.benchmarks", sys.argv[1:], BENCHMARKS, ON_REQUEST))
