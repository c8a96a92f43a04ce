"""Histograms of how long requests took."""

import re

from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.server.latencies import Latencies


def test_each_operation_has_a_line():
    latencies = Latencies()
    for milliseconds in [0.4] * 90 + [30] * 9 + [70_000]:
        latencies.add("semanticSearch", milliseconds / 1000, refused=milliseconds > 1000)
    latencies.add("blameRange", 0.003, refused=False)
    assert list(latencies.describe()) == [
        "latency blameRange: 1 answered, half ≤ 5 ms, 95 % ≤ 5 ms, longest 3.0 ms, 0 with an error",
        "latency semanticSearch: 100 answered, half ≤ 1 ms, 95 % ≤ 50 ms, longest 70,000.0 ms, "
        "1 with an error",
    ]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_the_bounds_hold(seconds):
    latencies = Latencies()
    for one in seconds:
        latencies.add("x", one, refused=False)
    (line,) = latencies.describe()
    found = re.search(r"half (≤|>) ([\d,]+) ms", line)
    assert found
    bound = int(found[2].replace(",", "")) / 1000
    within = sum(one <= bound for one in seconds)
    if found[1] == "≤":
        assert within * 2 >= len(seconds)
    else:
        assert within * 2 <= len(seconds)
