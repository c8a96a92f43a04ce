import asyncio
from typing import Any, cast

from codeintel_ls.server import wire
from codeintel_ls.server.client import Client
from codeintel_ls.server.partial_results import PartialResults
from codeintel_ls.server.protocol import Routes
from tests.e2e.editor import eventually
from tests.unit.server.talking import Talk


def paths(names: list[str]) -> wire.ListPathsResult:
    return wire.ListPathsResult(paths=tuple(names), truncated=False)


class Listening:
    """A client that is told of paths, and what it has heard."""

    def __init__(self) -> None:
        self.talk = Talk(Routes(requests={}, notifications={}))
        make = cast("Any", paths)
        self.parts = PartialResults[str](Client(self.talk.protocol), "token", make)

    def heard(self) -> list[list[str]]:
        assert {message["params"]["token"] for message in self.talk.sent} <= {"token"}
        return [message["params"]["value"]["paths"] for message in self.talk.sent]


async def test_the_first_item_comes_at_once_and_no_other_is_lost():
    one = Listening()
    one.parts.add("a")
    await one.talk.settle()
    assert one.heard() == [["a"]]
    await asyncio.to_thread(lambda: [one.parts.add(name) for name in "bcd"])
    await one.talk.settle()
    one.parts.finish()
    assert [name for part in one.heard() for name in part] == list("abcd")


async def test_what_waits_is_sent_without_another_item():
    one = Listening()
    for name in "abc":
        one.parts.add(name)
    await eventually(lambda: len(one.heard()) == 2)
    assert one.heard() == [["a"], ["b", "c"]]


async def test_nothing_is_sent_after_the_end():
    one = Listening()
    one.parts.add("a")
    one.parts.add("b")
    await one.talk.settle()
    one.parts.close()
    one.parts.add("c")
    one.parts.finish()
    await one.talk.settle()
    assert one.heard() == [["a"]]
