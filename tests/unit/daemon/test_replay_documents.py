"""Open texts of a forwarder: after the same messages they are what the server's own copies are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pygls.protocol import default_converter

from codeintel_ls.daemon.replay_documents import OpenDocuments
from codeintel_ls.server.documents import Documents

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
TEXTS = st.lists(
    st.sampled_from(["\r", "\n", "\r\n", "a", "é", "漢", "😀", "\x0b", "\x85", "\u2028", "x"]),
    max_size=20,
).map("".join)
NUMBERS = st.integers(0, 12) | st.sampled_from([2**31 - 1])
WRONG = st.sampled_from([-1, 2**31, None, [], {}])
PLACES = st.fixed_dictionaries({"line": NUMBERS, "character": NUMBERS})
SPANS = st.fixed_dictionaries({"start": PLACES, "end": PLACES})
WRONG_SPANS = (
    st.none()
    | st.fixed_dictionaries({"start": PLACES})
    | st.fixed_dictionaries(
        {"start": PLACES, "end": st.fixed_dictionaries({"line": NUMBERS, "character": WRONG})}
    )
)
PARTS = st.fixed_dictionaries({"range": SPANS, "text": TEXTS})
WHOLES = st.fixed_dictionaries({"text": TEXTS})
WRONG_CHANGES = st.fixed_dictionaries({"range": WRONG_SPANS, "text": TEXTS}) | st.just({})
CHANGES = st.lists(st.one_of(PARTS, PARTS, PARTS, WHOLES), max_size=4)
SOME_WRONG = st.tuples(CHANGES, WRONG_CHANGES, CHANGES).map(
    lambda all_: [*all_[0], all_[1], *all_[2]]
)
URIS = st.sampled_from(
    ["file:///a%20b", "file:///a b", "file://localhost/x/../%61%20b", "untitled:1"]
)
VERSIONS = st.integers(-3, 9)
OPENED = st.fixed_dictionaries(
    {"uri": URIS, "languageId": st.just("python"), "version": VERSIONS, "text": TEXTS}
)
MESSAGES = st.lists(
    st.one_of(
        st.tuples(
            st.just(types.TEXT_DOCUMENT_DID_OPEN), st.fixed_dictionaries({"textDocument": OPENED})
        ),
        st.tuples(
            st.just(types.TEXT_DOCUMENT_DID_CHANGE),
            st.fixed_dictionaries(
                {
                    "textDocument": st.fixed_dictionaries({"uri": URIS, "version": VERSIONS}),
                    "contentChanges": st.one_of(CHANGES, CHANGES, CHANGES, SOME_WRONG),
                }
            ),
        ),
        st.tuples(
            st.just(types.TEXT_DOCUMENT_DID_CLOSE),
            st.fixed_dictionaries({"textDocument": st.fixed_dictionaries({"uri": URIS})}),
        ),
    ),
    max_size=12,
)
CONVERTER = default_converter()


def told_to_the_server(documents: Documents, method: str, params: dict, encoding: str) -> None:
    kinds = {
        types.TEXT_DOCUMENT_DID_OPEN: types.DidOpenTextDocumentParams,
        types.TEXT_DOCUMENT_DID_CHANGE: types.DidChangeTextDocumentParams,
        types.TEXT_DOCUMENT_DID_CLOSE: types.DidCloseTextDocumentParams,
    }
    try:
        read = CONVERTER.structure(params, kinds[method])
    except Exception:  # noqa: BLE001 (whatever cattrs raises, the server refuses it)
        return
    match read:
        case types.DidOpenTextDocumentParams():
            documents.open(read.text_document)
        case types.DidChangeTextDocumentParams():
            documents.change(read, encoding)
        case _:
            documents.close(read.text_document.uri)


def told_to_the_forwarder(documents: OpenDocuments, method: str, params: dict, encoding: str):
    match method:
        case types.TEXT_DOCUMENT_DID_OPEN:
            documents.open(params)
        case types.TEXT_DOCUMENT_DID_CHANGE:
            documents.change(params, encoding)
        case _:
            documents.close(params)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(MESSAGES)
def test_a_new_server_that_is_told_of_them_has_the_texts_of_the_old_one(encoding, given_messages):
    old, kept, new = Documents(), OpenDocuments(), Documents()
    for method, params in given_messages:
        told_to_the_server(old, method, params, encoding)
        told_to_the_forwarder(kept, method, params, encoding)
    for document in kept:
        message = json.loads(document.opened())
        told_to_the_server(new, message["method"], message["params"], encoding)
    assert {
        (document.uri, document.language, document.version, document.text) for document in old
    } == {(document.uri, document.language, document.version, document.text) for document in new}


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.booleans(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "textDocument",
                        "contentChanges",
                        "uri",
                        "text",
                        "version",
                        "range",
                        "start",
                        "languageId",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_nothing_that_an_editor_sends_is_too_much(params):
    documents = OpenDocuments()
    documents.open({"textDocument": {"uri": "a", "languageId": "x", "version": 1, "text": "kept"}})
    for take in (documents.open, lambda given: documents.change(given, "utf-8"), documents.close):
        take(params)
        take({"textDocument": params, "contentChanges": params})
        take({"textDocument": {"uri": "a", "version": params}, "contentChanges": params}) if (
            take != documents.close
        ) else None
    assert [document.text for document in documents] == ["kept"]


def test_halves_of_a_character_that_arrived_apart_are_one_for_the_new_server():
    documents = OpenDocuments()
    documents.open(
        {"textDocument": {"uri": "a", "languageId": "x", "version": 1, "text": "\ud83d"}}
    )
    place = {"line": 0, "character": 1}
    change = {"range": {"start": place, "end": place}, "text": "\ude00"}
    named = {"uri": "a", "version": 2}
    documents.change({"textDocument": named, "contentChanges": [change]}, "utf-16")
    (document,) = documents
    assert json.loads(document.opened())["params"]["textDocument"]["text"] == "😀"
