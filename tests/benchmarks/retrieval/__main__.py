"""`python -m tests.benchmarks.retrieval --checkouts FOLDER [--split FOLDER | --own-words] ...`."""

import sys

from tests.benchmarks.retrieval.command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
