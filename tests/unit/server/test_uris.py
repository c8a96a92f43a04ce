"""File URIs."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.server.uris import path_from_uri, shown, uri_from_path

NAMES = st.binary(min_size=1, max_size=12).filter(
    lambda name: not set(name) & {0, ord("/")} and name not in {b".", b".."}
)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_any_path_survives_the_way_through_a_uri(names):
    path = Path("/", *(os.fsdecode(name) for name in names))
    uri = uri_from_path(path)
    assert uri.isascii()
    assert path_from_uri(uri) == path


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "untitled:Untitled-1",
        "https://example.org/a",
        "file:relative",
        "file://elsewhere/a",
        "file:///a%00b",
        "file://[",
    ],
)
def test_what_is_no_file_of_this_machine_has_no_path(uri):
    assert path_from_uri(uri) is None


def test_what_clients_write_differently_is_one_path():
    assert path_from_uri("file:///a%3Ab/c") == path_from_uri("file:///a:b/c") == Path("/a:b/c")
    assert path_from_uri("file://localhost/a") == Path("/a")
    assert path_from_uri("file:///a/../b/") == Path("/b")


def test_bytes_that_are_no_utf8_are_shown_as_such():
    assert shown("caf\udce9/é.py") == "caf\ufffd/é.py"
