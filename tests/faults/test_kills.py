"""Some kills in every check; `python -m tests.faults.kills` carries out hundreds."""

from pathlib import Path

import pytest

from tests.faults.kills import killed

KILLS = 20
SEED = 1


@pytest.mark.timeout(900)
def test_an_index_survives_whoever_is_killed_whenever(tmp_path: Path) -> None:
    tally = killed(tmp_path, KILLS, SEED)
    assert tally.total == KILLS, f"seed {SEED}\n{tally.table()}"
    assert not tally.failures, f"seed {SEED}\n{tally.table()}"
