"""Bytes become text in any encoding, and lines as the editor counts them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.index.screening import SkipReason
from codeintel_ls.index.source import SkippedFileError, digest_of, read_source, split_lines

TEXT = "# naïve café — Ω 𝔘\nx = 1\n" * 5


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    return path


def reason_of(path: Path, **limits: int) -> SkipReason:
    with pytest.raises(SkippedFileError) as caught:
        read_source(path, **limits)
    return caught.value.reason


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "utf-8"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe\0\0" + TEXT.encode("utf-32-le"), "utf-32-le"),
    ],
)
def test_unicode_encodings(tmp_path: Path, data: bytes, encoding: str) -> None:
    text = TEXT
    if encoding.startswith("utf-16") and not data.startswith((b"\xff", b"\xfe")):
        # Only plain text is obvious without a mark.
        text = "x = 1\n" * 20
        data = text.encode(encoding)
    source = read_source(write(tmp_path, data))
    assert (source.text, source.encoding) == (text, encoding)
    assert (source.size, source.digest) == (len(data), digest_of(data))


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        ("# -*- coding: koi8-r -*- привет", "koi8-r"),
        ("# vim: set fileencoding=cp1251 : привет", "cp1251"),
        ("<?xml version='1.0' encoding='ISO-8859-5'?><a>привет</a>", "iso-8859-5"),
        ('<meta charset="shift_jis">日本語', "shift_jis"),
    ],
)
def test_declared_encodings(tmp_path: Path, line: str, encoding: str) -> None:
    source = read_source(write(tmp_path, f"{line}\n".encode(encoding)))
    assert source.text == f"{line}\n"
    assert source.encoding == encoding


def test_undeclared_eight_bit_text_is_read_as_western(tmp_path: Path) -> None:
    assert read_source(write(tmp_path, "“café”\n".encode("cp1252"))).text == "“café”\n"
    assert read_source(write(tmp_path, b"caf\xe9 \x81\n")).encoding == "latin-1"


@pytest.mark.parametrize(
    "name", ["nonsense", "base64", "rot13", "utf-7", "idna", "utf-16", "unicode_escape"]
)
def test_a_declaration_that_is_no_charset_is_ignored(tmp_path: Path, name: str) -> None:
    source = read_source(write(tmp_path, f"# coding: {name}\ncafé\n".encode("cp1252")))
    assert source.encoding == "cp1252"


def test_one_bad_byte_does_not_spoil_a_utf8_file(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, "größe überall äöü\n".encode() + b"\xff\n"))
    assert source.text == "größe überall äöü\n\ufffd\n"


def test_binary(tmp_path: Path) -> None:
    assert reason_of(write(tmp_path, b"\x7fELF\0\0\0\1" * 10)) is SkipReason.BINARY
    assert reason_of(write(tmp_path, bytes(range(1, 32)) * 10)) is SkipReason.BINARY
    assert reason_of(write(tmp_path, b"a\0b\0\0\0\0c" * 9)) is SkipReason.BINARY


@given(st.binary(max_size=400))
def test_content_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    reason = None
    try:
        assert read_source(path).digest == digest_of(data)
    except SkippedFileError as error:
        reason = error.reason
    assert reason in (None, SkipReason.BINARY)


def test_limits(tmp_path: Path) -> None:
    path = write(tmp_path, b"x" * 50 + b"\n" + b"y" * 49)
    assert read_source(path, max_bytes=100, max_line_characters=50).size == 100
    assert reason_of(path, max_bytes=99) is SkipReason.TOO_LARGE
    assert reason_of(path, max_line_characters=49) is SkipReason.LONG_LINE


def test_what_is_no_file(tmp_path: Path) -> None:
    assert reason_of(tmp_path) is SkipReason.NOT_A_FILE
    assert reason_of(Path(os.devnull)) is SkipReason.NOT_A_FILE
    assert reason_of(tmp_path / "gone") is SkipReason.UNREADABLE
    assert reason_of(Path("nul\0name")) is SkipReason.UNREADABLE


def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, b"x = 1\n")
    real_fstat = os.fstat

    def fstat_then_append(descriptor: int) -> os.stat_result:
        result = real_fstat(descriptor)
        with path.open("ab") as file:
            file.write(b"y = 2\n")
        return result

    monkeypatch.setattr(os, "fstat", fstat_then_append)
    assert reason_of(path) is SkipReason.UNREADABLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason_of(tmp_path / "pipe") is SkipReason.NOT_A_FILE


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_permission_denied(tmp_path: Path) -> None:
    path = write(tmp_path, b"x")
    path.chmod(0)
    assert reason_of(path) is SkipReason.UNREADABLE


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("a\r\r\nb", ["a", "", "b"]),
        ("a\x0bb\x0cc\u2028d\u2029e\x85f\x1cg", ["a\x0bb\x0cc\u2028d\u2029e\x85f\x1cg"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines


@given(st.lists(st.text(st.characters(exclude_characters="\r\n")), min_size=1))
def test_lines_do_not_depend_on_their_terminators(lines: list[str]) -> None:
    for end in ("\n", "\r\n", "\r"):
        assert split_lines("".join(line + end for line in lines)) == lines
