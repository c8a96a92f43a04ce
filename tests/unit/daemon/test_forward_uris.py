"""URIs: two are one file for the forwarder exactly where they are for the server."""

from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.daemon.connect_uris import key_of, path_of
from codeintel_ls.server.uris import path_from_uri

PIECES = st.sampled_from(
    "file: FILE: untitled: // / localhost host %61 a .. . %2F %00 % é %C3%A9 ? # [ %3A :".split()
)
URIS = st.lists(PIECES, max_size=8).map("".join) | st.lists(PIECES, max_size=6).map(
    lambda pieces: "file:///" + "".join(pieces)
)


@given(URIS)
def test_paths_are_the_servers(uri):
    path = path_from_uri(uri)
    assert path_of(uri) == (None if path is None else str(path))


@given(URIS, URIS)
def test_spellings_of_one_file_have_one_key(one, other):
    keys = [str(path_from_uri(uri) or uri) for uri in (one, other)]
    assert (key_of(one) == key_of(other)) == (keys[0] == keys[1])
