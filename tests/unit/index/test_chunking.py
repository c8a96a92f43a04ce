"""Every text, in any language and however broken, is cut into chunks that partition its lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeintel_ls.index import chunking
from codeintel_ls.index.chunking import Chunk, chunk_source, grammars
from codeintel_ls.index.source import split_lines

LANGUAGES = sorted({*grammars._GRAMMARS, *grammars._GRAMMAR_OF, "plaintext", "haskell"})
ALPHABET = st.sampled_from(
    [
        *"{}()[]<>;:=,.#@*/\\'\"`|&!?-+~$%^ \t\n\r\0\x0b\x0c\u2028é𝔘",
        *("\r\n", "\n\n", "/*", "*/", "//", " class ", "def ", "function ", "fn ", "end", "do\n"),
        *("if ", "struct ", "namespace ", "x", "export ", "template<", "impl ", "module ", "# "),
        *("## ", "- ", "a: ", "<div>", "CREATE "),
    ]
)
CODE = st.lists(ALPHABET, max_size=200).map("".join)
SAMPLES = {
    "python": "@wrap\nclass A(B):\n    x = 1\n\n    def f(self):\n        return '''\n#'''\n" * 20,
    "typescript": "export class A<T> {\n  @dec() m(): void { if (x) { y() } }\n}\n" * 20,
    "cpp": "namespace a {\ntemplate <class T> struct S { int f() { return 1; } };\n}\n" * 20,
    "go": "// c\nfunc (r *R) M() error {\n\treturn nil\n}\ntype T struct{ a int }\n" * 20,
    "ruby": "module A\n  class B\n    def c\n      1\n    end\n  end\nend\n" * 20,
    "markdown": "# A\n\ntext\n\n## B\n\n```\n# no\n```\n\nC\n===\n" * 20,
    "yaml": "a:\n  b:\n    - c\n    - d: e\n" * 20,
    "elixir": 'defmodule A do\n  @doc "x"\n  def f(x), do: x\nend\n' * 20,
}


def assert_partition(text: str, chunks: list[Chunk]) -> None:
    at = 0
    for chunk in chunks:
        assert chunk.start_line == at
        assert chunk.end_line > at
        assert (chunk.symbol is None) == (chunk.kind is None)
        at = chunk.end_line
    assert at == len(split_lines(text))


@given(text=st.one_of(st.text(max_size=300), CODE), language=st.sampled_from(LANGUAGES))
@settings(max_examples=400, deadline=None)
def test_any_text_in_any_language_is_partitioned(text: str, language: str) -> None:
    assert_partition(text, chunk_source(text, language))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_code_is_partitioned(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(sorted(SAMPLES)))
    text = SAMPLES[language]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 60)))
        text = text[:start] + data.draw(CODE) + text[end:]
    assert_partition(text, chunk_source(text, language))


@given(lengths=st.lists(st.integers(0, 400), max_size=300), language=st.sampled_from(LANGUAGES))
@settings(max_examples=60, deadline=None)
def test_no_chunk_is_too_big(lengths: list[int], language: str) -> None:
    lines = ["w" * length for length in lengths]
    text = "\n".join(lines)
    for chunk in chunk_source(text, language):
        assert chunk.end_line - chunk.start_line <= 120
        assert sum(map(len, lines[chunk.start_line : chunk.end_line])) <= 6_000


def test_empty_text_has_no_chunks() -> None:
    assert chunk_source("", "python") == []
    assert chunk_source("\n", "python") == [Chunk(0, 1, None, None)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "opening", ["(", "{", "[", "if (x) {\n", "<div>\n", "- ", "> ", "def f():\n "]
)
def test_deep_nesting_neither_fails_nor_recurses(language: str, opening: str) -> None:
    text = opening * 400
    assert_partition(text, chunk_source(text, language))


def test_nested_functions_deeper_than_the_interpreter_would_recurse() -> None:
    text = "".join(f"function f{n}() {{\n  step();\n" for n in range(1_500)) + "}\n" * 1_500
    chunks = chunk_source(text, "javascript")
    assert_partition(text, chunks)
    assert chunks[0].symbol == "f0"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_the_editors_whatever_ends_them(end: str) -> None:
    body = [f"    step({n})  # \x0b \u2028 \x85" for n in range(8)]
    lines = ["# why", "", "# how", "def run():", *body, "", "def stop():", *body]
    chunks = chunk_source(end.join(lines), "python")
    assert [(c.start_line, c.end_line, c.symbol) for c in chunks] == [
        (0, 13, "run"),
        (13, 22, "stop"),
    ]


def test_long_text_without_a_grammar_is_cut_at_blank_lines() -> None:
    paragraph = ["-- words"] * 9
    text = "\n".join([*paragraph, ""] * 30)
    starts = [chunk.start_line for chunk in chunk_source(text, "haskell")]
    assert len(starts) > 5
    assert all(start % 10 == 0 for start in starts)


def test_a_missing_grammar_is_logged_and_its_files_are_cut_by_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rules = grammars._GRAMMARS["lua"][1]
    monkeypatch.setitem(grammars._GRAMMARS, "lua", ("no_such_grammar_module", rules))
    grammars._load.cache_clear()
    try:
        text = "function f()\n  return 1\nend\n" * 40
        chunks = chunk_source(text, "lua")
    finally:
        grammars._load.cache_clear()
    assert_partition(text, chunks)
    assert {chunk.symbol for chunk in chunks} == {None}
    assert "lua" in caplog.text


def test_a_broken_file_is_chunked_as_far_as_it_parses() -> None:
    body = "".join(f"    total += {n}\n" for n in range(8))
    text = f"def good():\n{body}\n\nclass 3Broken ???\n\n\ndef after():\n{body}"
    symbols = [chunk.symbol for chunk in chunk_source(text, "python")]
    assert "good" in symbols
    assert "after" in symbols


def test_the_same_text_gives_the_same_chunks() -> None:
    text = SAMPLES["cpp"]
    assert chunk_source(text, "cpp") == chunk_source(text, "cpp")
    assert chunking.CHUNKER_VERSION >= 1


def test_deep_indentation_takes_no_time_to_speak_of() -> None:
    text = "".join(" " * n + "if x:\n" for n in range(3_000))
    assert_partition(text, chunk_source(text, "haskell"))
    assert_partition(text[: len(text) // 8], chunk_source(text[: len(text) // 8], "json"))
