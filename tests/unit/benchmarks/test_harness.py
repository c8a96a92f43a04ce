"""The arithmetic of the benchmarks. Nothing here looks at how long anything takes."""

import asyncio
import io
import socket
import statistics
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from tests.benchmarks.language_client import LanguageClient, RequestFailedError
from tests.benchmarks.measuring import Goal, Row, in_turn, percentile
from tests.benchmarks.questions import keyword, two_hundred
from tests.benchmarks.reporting import Failure, Report, print_report, row_as_json
from tests.benchmarks.workbench import first_indexable
from tests.waiting import SECONDS

FIGURES = some.lists(some.floats(0.001, 1e6), min_size=2, max_size=50)


def test_percentiles_lie_between_neighbours():
    assert percentile([5.0], 0.95) == 5.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0, 2.0], 0.5) == 1.5
    assert percentile(list(map(float, range(101))), 0.95) == 95.0


@given(FIGURES)
def test_percentiles_agree_with_the_standard_library(values):
    twentieths = statistics.quantiles(values, n=20, method="inclusive")
    assert percentile(values, 0.5) == pytest.approx(statistics.median(values))
    assert percentile(values, 0.95) == pytest.approx(twentieths[-1])


def test_the_ratio_of_pairs_is_not_the_ratio_of_medians():
    row = Row(name="x", values=[1.0, 8.0, 3.0], peer="y", peer_values=[2.0, 2.0, 6.0])
    assert row.ratios == [0.5, 4.0, 0.5]
    assert (row.ratio, row.worst_ratio) == (0.5, 4.0)


def test_the_ratio_of_series_is_that_of_their_95th_percentiles():
    many = [1.0] * 10 + [3.0] * 10
    row = Row(name="x", values=many, peer_values=[2.0] * 30, ratio_of="p95")
    assert row.ratio == pytest.approx(3.0 / 2.0)
    assert row.worst_ratio is None


def test_few_values_have_no_95th_percentile():
    row = Row(name="x", values=[1.0] * 19, peer_values=[1.0] * 19, goal=Goal("p95", 5))
    assert (row.p95, row.peer_p95, row.reached) == (None, None, None)
    assert Row(name="x", values=[1.0] * 20, goal=Goal("p95", 5)).reached
    assert Row(name="x", values=[1.0], peer_values=[1.0], ratio_of="p95").ratio is None


def test_pairs_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        _ = Row(name="x", values=[1.0, 2.0], peer_values=[1.0]).ratio


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (None, None),
        (Goal("p50", 2.0), True),
        (Goal("p95", 2.9), True),
        (Goal("max", 2.9), False),
        (Goal("ratio", 0.5), True),
        (Goal("ratio", 0.4), False),
    ],
)
def test_a_goal_is_reached_or_not(goal, reached):
    values = [1.0] * 10 + [2.0] * 89 + [3.0]
    row = Row(name="x", values=values, peer_values=[2 * value for value in values], goal=goal)
    assert row.reached is reached


def test_a_goal_without_figures_is_neither_reached_nor_missed():
    assert Row(name="x", values=[1.0], goal=Goal("ratio", 1.0)).reached is None
    assert Row(name="x", values=[], goal=Goal("p95", 1.0)).reached is None


async def test_works_take_turns_and_are_awaited():
    order: list[str] = []

    async def subject(item: int) -> None:
        await asyncio.sleep(0)
        order.append(f"a{item}")

    def peer(item: int) -> None:
        order.append(f"b{item}")

    times = await in_turn([1, 2], subject, peer)
    assert order == ["a1", "b1", "a2", "b2"]
    assert [len(its_times) for its_times in times] == [2, 2]


def test_json_holds_every_figure():
    row = Row(
        name="blame",
        on="redis",
        values=[1.0, 3.0],
        peer="git",
        peer_values=[2.0, 2.0],
        goal=Goal("max", 5),
    )
    assert row_as_json(row) == {
        "name": "blame",
        "on": "redis",
        "n": 2,
        "p50": 2.0,
        "p95": None,
        "unit": "ms",
        "peer": "git",
        "peerP50": 2.0,
        "peerP95": None,
        "ratio": 1.0,
        "worstRatio": 1.5,
        "ratioOf": "pairs",
        "goal": "max ≤ 5",
        "reached": True,
        "note": None,
    }


def test_the_table_shows_goals_failures_and_what_has_no_peer():
    report = Report(
        machine={"cores": 2},
        trees={"tree": {"files": 3}},
        rows=[
            Row(name="slow", values=[7.0] * 20, goal=Goal("p95", 5)),
            Row(name="once", values=[7.0]),
            Row(name="alone", values=[], peer="nobody", note="not installed"),
        ],
        failures=[Failure(name="broken", reason="RuntimeError: no answer")],
    )
    console = Console(file=io.StringIO(), width=160)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for words in (
        "cores 2",
        "files 3",
        "p95 ≤ 5",
        "no",
        "not installed",
        "–",
        "RuntimeError: no answer",
    ):
        assert words in text
    assert report.as_json()["failures"] == [{"name": "broken", "reason": "RuntimeError: no answer"}]


@pytest.mark.parametrize(
    "farewell", [b"", b"Content-Length: 3\r\n\r\n{{{"], ids=["silent", "nonsense"]
)
@pytest.mark.parametrize("reset", [True, False])
async def test_whoever_asks_a_server_that_ends_is_told(reset, farewell):
    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(farewell)
        if reset:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async with await asyncio.start_server(end, "127.0.0.1", 0) as server:
        streams = await asyncio.open_connection(*server.sockets[0].getsockname())
        client = LanguageClient(*streams)
        for _ in range(2):
            with pytest.raises(RequestFailedError, match="has ended"):
                await asyncio.wait_for(client.ask("anything"), SECONDS)
        client.end()


def test_the_files_of_a_tree_are_the_first_that_can_be_indexed(tmp_path):
    for name in ("c.py", "a.py", "b.py"):
        (tmp_path / name).write_text(f"def of_{name[0]}_long():\n    pass\n")
    (tmp_path / "aa.py").write_bytes(b"\0\1\2\3")
    assert first_indexable(tmp_path, 2) == ["a.py", "b.py"]
    assert first_indexable(tmp_path, 0) == ["a.py", "b.py", "c.py"]


def test_queries_repeat_from_run_to_run_and_differ_from_each_other(tmp_path):
    files = [f"file_{number}.py" for number in range(100)]
    for name in files:
        (tmp_path / name).write_text(f"def function_in_{name[:-3]}():\n    pass\n")
    queries = two_hundred(tmp_path, files)
    assert queries == two_hundred(tmp_path, files)
    assert len(set(queries)) == len(queries) == 200
    assert keyword("where is the configuration read") == "configuration"
