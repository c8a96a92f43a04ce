"""`python -m tests.benchmarks.load [--json FILE] --repository FOLDER [NAME...]`: see README.md."""

import sys

from tests.benchmarks.load import burst, slow_endpoint, soak, sustained
from tests.benchmarks.running import Benchmarks, run

LOADS: Benchmarks = {
    "burst": burst.measure,
    "sustained": sustained.measure,
    "slow-endpoint": slow_endpoint.measure,
    "soak": soak.measure,
}
_FILES = 1
"""Of the tree, which nothing here works on: that is the repository's clone."""

if __name__ == "__main__":
    sys.exit(run("tests.benchmarks.load", sys.argv[1:], LOADS, files=_FILES))
