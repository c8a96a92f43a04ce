"""Open documents: edits against a model that does everything on the whole text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from codeintel_ls.daemon.text_edits import lines_of
from codeintel_ls.server.documents import Document, Documents

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
PIECES = st.lists(
    st.sampled_from(
        [
            "\r",
            "\n",
            "\r\n",
            "a",
            "é",
            "ß",
            "漢",
            "😀",
            "\x0b",
            "\x0c",
            "\x85",
            "\u2028",
            "\x1c",
            "x",
        ]
    ),
    max_size=30,
)
TEXTS = PIECES.map("".join)
PLACES = st.tuples(st.integers(0, 12), st.integers(0, 12))
EDITS = st.lists(st.tuples(PLACES, PLACES, TEXTS), max_size=6)


def model_offset(text: str, line: int, character: int, encoding: str) -> int:
    starts = [0, *(match.end() for match in re.finditer("\r\n|\r|\n", text))]
    if line >= len(starts):
        return len(text)
    content = re.match(r"[^\r\n]*", text[starts[line] :])
    assert content is not None
    codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[
        encoding
    ]
    best = 0
    for count in range(len(content[0]) + 1):
        if len(content[0][:count].encode(codec)) // width <= character:
            best = count
    return starts[line] + best


def model_edit(
    text: str, first: tuple[int, int], last: tuple[int, int], new: str, encoding: str
) -> str:
    start, end = sorted((model_offset(text, *first, encoding), model_offset(text, *last, encoding)))
    return text[:start] + new + text[end:]


def document(text: str) -> Document:
    return Document("file:///a", "plaintext", 1, lines_of(text))


def edit(first: tuple[int, int], last: tuple[int, int], text: str):
    span = types.Range(types.Position(*first), types.Position(*last))
    return types.TextDocumentContentChangePartial(range=span, text=text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS, edits=EDITS)
def test_edits_do_what_they_do_to_the_whole_text(encoding, text, edits):
    edited = document(text)
    for first, last, new in edits:
        edited.apply(edit(first, last, new), encoding)
        text = model_edit(text, first, last, new, encoding)
        assert edited.text == text
        assert edited.lines == lines_of(text)


@given(TEXTS)
def test_lines_end_where_lsp_says(text):
    lines = lines_of(text)
    assert "".join(lines) == text
    assert lines[-1] == re.split("\r\n|\r|\n", text)[-1]
    assert [line.rstrip("\r\n") for line in lines] == re.split("\r\n|\r|\n", text)


def test_a_carriage_return_and_a_line_feed_that_meet_become_one_ending():
    edited = document("a\rb")
    edited.apply(edit((1, 0), (1, 0), "\n"), "utf-16")
    assert edited.lines == ["a\r\n", "b"]


def test_halves_of_a_character_that_arrive_apart_become_one():
    edited = document("")
    edited.apply(edit((0, 0), (0, 0), "\ud83d"), "utf-16")
    assert edited.text == "\ufffd"
    edited.apply(edit((0, 1), (0, 1), "\ude00"), "utf-16")
    assert edited.text == "😀"


def test_a_whole_text_replaces_everything():
    edited = document("old\ntext")
    edited.apply(types.TextDocumentContentChangeWholeDocument(text="new\n"), "utf-16")
    assert edited.text == "new\n"


def test_documents_know_one_file_by_every_spelling_of_its_uri():
    documents = Documents()
    item = types.TextDocumentItem("file:///a%20b%3A.py", "python", 3, "x = 1\n")
    documents.open(item)
    same = documents.get("file:///a%20b:.py")
    assert same is not None
    assert same.version == 3
    documents.close("file:///a%20b:.py")
    assert len(documents) == 0


def test_edits_of_a_closed_document_are_dropped():
    documents = Documents()
    identifier = types.VersionedTextDocumentIdentifier(version=2, uri="file:///a")
    change = types.TextDocumentContentChangeWholeDocument(text="new")
    documents.change(types.DidChangeTextDocumentParams(identifier, [change]), "utf-16")
    assert documents.get("file:///a") is None
