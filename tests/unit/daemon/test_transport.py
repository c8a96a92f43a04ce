"""Which way a folder's daemon is reached, and what systems say of who comes."""

import os
import socket
import struct
import sys
from pathlib import Path

import pytest

from codeintel_ls.daemon import transport
from codeintel_ls.daemon.place import Place, PlaceError, place_of

ASKED = {"CODEINTEL_LS_TRANSPORT": "loopback"}


def test_who_asks_for_a_port_never_meets_who_does_not(tmp_path, monkeypatch):
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    usual = place_of(str(tmp_path), environ)
    asked = place_of(str(tmp_path), {**environ, **ASKED})
    assert (usual.is_loopback, asked.is_loopback) == (False, True)
    assert usual.key != asked.key
    assert usual.door != asked.door
    with pytest.raises(PlaceError, match="CODEINTEL_LS_TRANSPORT"):
        place_of(str(tmp_path), {**environ, "CODEINTEL_LS_TRANSPORT": "pigeon"})
    # Where there are no Unix sockets, everybody has a port.
    monkeypatch.delattr(socket, "AF_UNIX")
    assert place_of(str(tmp_path), environ) == asked


def test_a_socket_is_this_users_alone(tmp_path):
    place = Place(str(tmp_path), str(tmp_path))
    with transport.listen(place).socket as listening:
        assert Path(place.door).stat().st_mode & 0o777 == 0o600
        listening.listen()
        with transport.dial(place), listening.accept()[0] as connection:
            assert transport._peers_user(connection) == os.getuid()
            assert transport._is_ours(connection)


@pytest.mark.parametrize(
    ("said", "user"),
    [
        (struct.pack("=IIhxx16I", 0, 501, 2, *[20] * 16), 501),
        (struct.pack("=IIhxx16I", 0, 4_294_967_294, 2, *[20] * 16), 4_294_967_294),
        (struct.pack("=IIhxx16I", 1, 501, 2, *[20] * 16), None),
        (b"", None),
        (b"\0" * 7, None),
    ],
)
def test_the_user_is_read_from_what_macos_says_of_a_peer(said, user):
    assert transport._user_of_xucred(said) == user


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has a way of its own")
def test_macos_is_asked_for_it(monkeypatch):
    class FakeConnection:
        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            assert (level, option, size) == (0, 1, struct.calcsize("=IIhxx16I"))
            return struct.pack("=IIhxx16I", 0, 501, 1, *[20] * 16)

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(socket, "LOCAL_PEERCRED", 1, raising=False)
    assert transport._peers_user(FakeConnection()) == 501  # pyright: ignore[reportArgumentType]
    monkeypatch.delattr(socket, "LOCAL_PEERCRED")
    assert transport._peers_user(FakeConnection()) is None  # pyright: ignore[reportArgumentType]
