"""Frames: the forwarder takes for a message what the server takes for one, and words it alike."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.daemon.connect_frames import MAX_BODY, FrameReader, MalformedFrameError, frame
from codeintel_ls.server import connection
from codeintel_ls.server.connection import read_message

PIECES = st.sampled_from(
    [
        b"Content-Length: 2\r\n",
        b"content-length :2\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1e3\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Type: x; charset=utf-8\r\n",
        b"no header\r\n",
        b"\r\n",
        b"\n",
        b"{}",
        b"[1]",
        b"x" * 9000 + b"\n",
        b"y" * 8200 + b"\r\n",
    ]
)
STREAMS = st.lists(PIECES, max_size=12).map(b"".join)


def by_the_forwarder(stream: bytes, at_once: int) -> list[object]:
    source = io.BytesIO(stream)
    reader = FrameReader(lambda size: source.read(min(size, at_once)))
    found: list[object] = []
    try:
        while (body := reader.next()) is not None:
            found.append(body)
    except MalformedFrameError as error:
        found.append(str(error))
    return found


def by_the_server(stream: bytes) -> list[object]:
    async def read_all() -> list[object]:
        reader = asyncio.StreamReader(limit=connection._BUFFER)
        reader.feed_data(stream)
        reader.feed_eof()
        found: list[object] = []
        try:
            while (body := await read_message(reader)) is not None:
                found.append(body)
        except MalformedFrameError as error:
            found.append(str(error))
        return found

    return asyncio.run(read_all())


@given(STREAMS, st.sampled_from([1, 7, 100_000]))
def test_streams_are_cut_as_the_server_cuts_them(stream, at_once):
    assert by_the_forwarder(stream, at_once) == by_the_server(stream)


@given(st.lists(st.binary(max_size=200_000), max_size=5), st.sampled_from([3, 65_536]))
def test_what_was_framed_is_read(bodies, at_once):
    assert by_the_forwarder(b"".join(map(frame, bodies)), at_once) == bodies


def test_lengths_have_the_servers_bound():
    for length in (MAX_BODY, MAX_BODY + 1):
        stream = b"Content-Length: %d\r\n\r\n" % length
        assert by_the_forwarder(stream, 100) == by_the_server(stream)


def test_a_header_without_end_is_not_read_to_its_end():
    reader = FrameReader(lambda size: b"x" * size)
    with pytest.raises(MalformedFrameError):
        reader.next()
