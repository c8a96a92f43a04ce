"""Frames over pipes."""

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from codeintel_ls.daemon.connect_frames import MAX_BODY, MalformedFrameError
from codeintel_ls.server.connection import Writer, read_message, reader_of


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def reader_with(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_messages_are_read_one_after_the_other():
    reader = reader_with(
        b"Content-Length: 2\r\n\r\n{}"
        b"content-length:3\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n[1]"
    )
    assert [await read_message(reader) for _ in range(3)] == [b"{}", b"[1]", None]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"Content-Type: x\r\n\r\n{}",
        b"Content-Length: x\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n{}",
        b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        b"Content-Length: " + b"9" * 10_000 + b"\r\n\r\n",
        b"x" * 200_000,
    ],
)
async def test_what_is_no_frame_is_refused(data):
    with pytest.raises(MalformedFrameError):
        await read_message(reader_with(data + b"\n"))


@pytest.mark.parametrize("data", [b"", b"Content-Le", b"Content-Length: 5\r\n\r\n{}"])
async def test_a_stream_that_breaks_off_has_ended(data):
    assert await read_message(reader_with(data)) is None


async def test_large_messages_pass_a_pipe_both_ways(pipe):
    source, sink = pipe
    body = b"x" * 20_000_000
    writer = Writer(sink, on_broken=lambda: None)
    reader = reader_of(source)
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body))
    writer.write(body)
    assert await read_message(reader) == body
    writer.write(b"Content-Length: 2\r\n\r\n{}")
    writer.close()
    os.close(sink)
    assert await read_message(reader) == b"{}"
    assert await read_message(reader) is None


async def test_a_reader_that_is_gone_is_noticed(pipe):
    source, sink = pipe
    os.close(source)
    broken = asyncio.Event()
    loop = asyncio.get_running_loop()
    writer = Writer(sink, on_broken=lambda: loop.call_soon_threadsafe(broken.set))
    writer.write(b"x")
    await asyncio.wait_for(broken.wait(), 10)
    writer.write(b"y")
    writer.close()


async def test_a_client_that_does_not_read_does_not_hold_up_the_loop(pipe):
    source, sink = pipe
    broken = threading.Event()
    writer = Writer(sink, on_broken=broken.set)
    for _ in range(10):
        writer.write(b"x" * 1_000_000)
    await asyncio.sleep(0)
    writer.close(timeout=0.05)
    # Its thread must not outlive the descriptor, whose number is soon that of another file.
    os.close(source)
    assert await asyncio.to_thread(broken.wait, 10)
