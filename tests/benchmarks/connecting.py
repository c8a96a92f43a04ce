"""What stands between an editor and the shared server: the forwarder's start, and its relaying."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping

from tests.benchmarks.language_client import (
    BARE,
    CONNECT,
    SERVER,
    ProcessClient,
    RequestFailedError,
    session,
)
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.workbench import Workbench

_STOP = (sys.executable, "-m", "codeintel_ls", "daemon", "stop", "--all")
_ASKED = b'{"jsonrpc":"2.0","id":1,"method":"unknown"}'
_FRAME = b"Content-Length: %d\r\n\r\n%b" % (len(_ASKED), _ASKED)
_STARTS = 40
_WARMING, _OPENED = 2, 20
_QUESTIONS = 500


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """The start alone, to an answer of a daemon that runs, and what each message costs."""
    environment = workbench.environment
    yield await _start(environment)
    try:
        async with session(environment, [workbench.tree], index=False, command=CONNECT) as warm:
            yield await _opening(environment, workbench)
            async with session(environment, [workbench.tree], index=False) as alone:
                yield await _relaying(warm, alone)
    finally:
        _stop_daemons(environment)


def _stop_daemons(environment: Mapping[str, str]) -> None:
    subprocess.run(_STOP, env=dict(environment), capture_output=True)


async def _start(environment: Mapping[str, str]) -> Row:
    """From nothing to the end of a forwarder that has answered one message of its editor."""

    def connect(_: int) -> None:
        done = subprocess.run(CONNECT, input=_FRAME, env=dict(environment), capture_output=True)
        if b"-32002" not in done.stdout:
            raise RuntimeError("the forwarder did not answer")

    def bare(_: int) -> None:
        subprocess.run(BARE, input=b"", env=dict(environment), capture_output=True, check=True)

    await in_turn(range(3), connect, bare)
    own, bares = await in_turn(range(_STARTS), connect, bare)
    return Row(
        name="connect: start, one answer and end, over bare Python",
        values=[connected - nothing for connected, nothing in zip(own, bares, strict=True)],
        goal=Goal("p50", 60),
    )


async def _opening(environment: Mapping[str, str], workbench: Workbench) -> Row:
    """From nothing to the answer to `initialize`: what the second window waits."""

    async def opened(command: tuple[str, ...]) -> float:
        started = time.perf_counter()
        async with session(environment, [workbench.tree], index=False, command=command):
            # Nobody waits for the end of a session, which `in_turn` would count.
            return (time.perf_counter() - started) * 1000

    times = [(await opened(CONNECT), await opened(SERVER)) for _ in range(_WARMING + _OPENED)]
    own, others = zip(*times[_WARMING:], strict=True)
    return Row(
        name="another window opened, its daemon runs",
        values=own,
        peer="serve --stdio",
        peer_values=others,
    )


async def _relaying(shared: ProcessClient, alone: ProcessClient) -> Row:
    async def ask(client: ProcessClient) -> None:
        try:
            await client.ask("unknown/method")
        except RequestFailedError:
            return
        raise RuntimeError("an unknown method was served")

    async def relayed(_: int) -> None:
        await ask(shared)

    async def direct(_: int) -> None:
        await ask(alone)

    await in_turn(range(20), relayed, direct)
    own, others = await in_turn(range(_QUESTIONS), relayed, direct)
    return Row(
        name="a small question and its answer, relayed",
        values=own,
        peer="serve --stdio",
        peer_values=others,
    )
