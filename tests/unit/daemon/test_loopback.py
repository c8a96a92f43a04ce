"""What is said at a port before anything else, and what either side makes of strangers."""

import asyncio
import json
import os
import socket
import time
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import pytest

from codeintel_ls.daemon import host as host_module
from codeintel_ls.daemon import loopback, transport
from codeintel_ls.daemon.greeting import hello
from codeintel_ls.daemon.host import Host
from codeintel_ls.daemon.place import Place

SECONDS = 30.0
NONCE = b"n" * 32
SERVED = b"served"
REFUSED = b""


@pytest.fixture
def place(tmp_path) -> Place:
    place = Place(str(tmp_path / "0-loopback"), str(tmp_path))
    place.make()
    return place


@pytest.fixture
async def host(place):
    """One that says a word to whoever it serves."""

    async def serve(greeting, reader, writer):
        writer.write(SERVED)

    host, ready = Host(place, serve, SECONDS), asyncio.Event()
    running = asyncio.create_task(host.run(ready.set))
    await ready.wait()
    yield host
    host.end()
    await running


def rewrite(place: Place, **fields: object) -> None:
    door = Path(place.door)
    door.write_text(json.dumps({**json.loads(door.read_text()), **fields}))


def raw(place: Place) -> socket.socket:
    return socket.create_connection(("127.0.0.1", loopback.read(place).port), SECONDS)


def proof(place: Place, side: bytes, nonces: bytes) -> bytes:
    return loopback._proof(loopback.read(place).token, side, nonces)


def received(connection: socket.socket, size: int) -> bytes:
    return loopback._received(connection, size, time.monotonic() + SECONDS)


def all_that_is_left(connection: socket.socket) -> bytes:
    said = b""
    with suppress(ConnectionResetError):  # it was closed before all was read
        while more := connection.recv(4096):
            said += more
    return said


def greeted(connection: socket.socket) -> bytes:
    """What is said after a greeting, the answer to it aside."""
    connection.settimeout(SECONDS)
    with suppress(ConnectionError):  # it has heard enough
        connection.sendall(hello("cli", os.getpid()))
    return all_that_is_left(connection).rpartition(b"\n")[2]


def test_the_file_is_this_users_alone_and_the_port_this_machines(place):
    listening, token = loopback.listen(place)
    with listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert loopback.read(place) == (listening.getsockname()[1], token, os.getpid())
    assert Path(place.door).stat().st_mode & 0o777 == 0o600
    assert list(Path(place.directory).iterdir()) == [Path(place.door)]
    again, another = loopback.listen(place)
    again.close()
    assert len({token, another}) == 2
    assert len(token) >= 16
    place.clean()
    assert not list(Path(place.directory).iterdir())


async def test_who_reads_the_file_is_served(place, host):
    for _ in range(2):
        with await asyncio.to_thread(transport.dial, place) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert await asyncio.to_thread(greeted, connection) == SERVED


async def test_a_wrong_token_is_refused_without_a_word(place, host):
    def ask() -> bytes:
        with raw(place) as connection:
            connection.sendall(NONCE)
            nonces = NONCE + received(connection, 64)[:32]
            rewrite(place, token="00" * 32)
            connection.sendall(proof(place, b"client", nonces))
            return greeted(connection)

    assert await asyncio.to_thread(ask) == REFUSED


async def test_the_hosts_own_proof_is_not_the_clients(place, host):
    def ask() -> bytes:
        with raw(place) as connection:
            connection.sendall(NONCE)
            connection.sendall(received(connection, 64)[32:])
            return greeted(connection)

    assert await asyncio.to_thread(ask) == REFUSED


async def test_a_proof_serves_once(place, host):
    def prove(connection: socket.socket) -> bytes:
        connection.sendall(NONCE)
        return proof(place, b"client", NONCE + received(connection, 64)[:32])

    def ask() -> tuple[bytes, bytes]:
        with raw(place) as first, raw(place) as second:
            overheard = prove(first)
            first.sendall(overheard)
            prove(second)
            second.sendall(overheard)
            return greeted(first), greeted(second)

    assert await asyncio.to_thread(ask) == (SERVED, REFUSED)


@pytest.mark.parametrize(
    "said", [b"", b"n", NONCE, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + b"x" * 5_000_000]
)
async def test_who_says_too_little_or_nonsense_is_not_waited_for(place, host, monkeypatch, said):
    monkeypatch.setattr(host_module, "SECONDS", 0.2)

    def ask() -> bytes:
        with raw(place) as connection:
            with suppress(ConnectionError):  # it has heard enough
                connection.sendall(said)
            return all_that_is_left(connection)

    # No more than a nonce and a proof.
    assert len(await asyncio.to_thread(ask)) <= 64


async def test_a_greeting_that_is_too_long_is_refused_as_on_a_socket(place, host):
    def ask() -> bytes:
        with transport.dial(place) as connection:
            connection.settimeout(SECONDS)
            connection.sendall(b" " * 5000 + hello("cli", 1))
            return all_that_is_left(connection)

    assert json.loads(await asyncio.to_thread(ask))["reason"] == "malformed"


async def test_a_client_may_ask_it_to_end(place, host):
    stopped = asyncio.Event()
    host.on_stop = stopped.set

    def ask() -> bytes:
        with transport.dial(place) as connection:
            connection.sendall(hello("stop", 1).replace(b'"version": "', b'"version": "9.'))
            return connection.makefile("rb").readline()

    assert json.loads(await asyncio.to_thread(ask))["accepted"]
    await asyncio.wait_for(stopped.wait(), SECONDS)


def fake_host(listening: socket.socket, answers: list[bytes], heard: list[bytes]) -> Thread:
    """Somebody else at a port, who says some things and then hears out who came."""

    def serve() -> None:
        with closing(listening.accept()[0]) as connection:
            connection.settimeout(SECONDS)
            nonce = received(connection, 32)
            for answer in answers:
                connection.sendall(answer or nonce)
            # The client may have had enough, and be gone.
            with suppress(OSError):
                if answers:
                    connection.shutdown(socket.SHUT_WR)
            heard.extend((nonce, all_that_is_left(connection)))

    thread = Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
        [b"220 a greeting " + b"x" * 64],
        # What the client itself has said.
        [b"", b""],
    ],
)
def test_somebody_else_at_the_port_learns_nothing_and_holds_nobody_up(place, answers):
    listening, token = loopback.listen(place)
    heard: list[bytes] = []
    with listening:
        serving = fake_host(listening, answers, heard)
        with pytest.raises((ConnectionError, TimeoutError)) as raised:
            loopback.dial(place, seconds=0.2)
        serving.join(SECONDS)
    nonce, more = heard
    assert (len(nonce), more) == (32, b"")
    assert token.hex() not in repr(raised.value)


def test_the_port_of_a_process_that_has_ended_is_not_dialled(place):
    listening, _ = loopback.listen(place)
    with listening:
        listening.settimeout(0.0)
        # Beyond what any system gives a process.
        rewrite(place, pid=2**22 + 1)
        with pytest.raises(ConnectionRefusedError):
            loopback.dial(place)
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    "left",
    [
        "",
        "{",
        "[]",
        "\udcff",
        '{"port": 1, "pid": 1}',
        '{"port": 1, "pid": 1, "token": ""}',
        '{"port": 1, "pid": 1, "token": "se cret"}',
        f'{{"port": 65536, "pid": 1, "token": "{"0" * 64}"}}',
    ],
)
def test_a_file_that_says_nonsense_is_no_address(place, left):
    with pytest.raises(FileNotFoundError):
        loopback.dial(place)
    Path(place.door).write_bytes(left.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConnectionRefusedError) as raised:
        loopback.dial(place)
    assert "cret" not in str(raised.value)
