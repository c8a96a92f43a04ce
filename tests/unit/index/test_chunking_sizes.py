"""Big definitions are split at inner boundaries, small ones joined with their neighbours."""

import pytest

from codeintel_ls.index.chunking import Chunk, chunk_source


def at(line: int, chunks: list[Chunk]) -> Chunk:
    return next(c for c in chunks if c.start_line <= line < c.end_line)


def row(text: str, needle: str) -> int:
    return text[: text.index(needle)].count("\n")


def python_function(name: str, lines: int, indent: str = "") -> str:
    body = "".join(f"{indent}    value_{n} = compute({n})\n" for n in range(lines - 1))
    return f"{indent}def {name}(self):\n{body}"


def test_a_small_class_stays_whole() -> None:
    text = "class Point:\n    x = 1\n\n" + python_function("move", 6, "    ")
    assert chunk_source(text, "python") == [Chunk(0, 9, "Point", "class")]


def test_a_big_class_has_a_head_and_its_methods() -> None:
    methods = "\n".join(python_function(f"m{n}", 15, "    ") for n in range(4))
    text = f'class Big:\n    """What it is."""\n\n    size = 3\n\n{methods}'
    chunks = chunk_source(text, "python")
    assert [(c.symbol, c.kind) for c in chunks] == [
        ("Big", "class"),
        *((f"Big.m{n}", "method") for n in range(4)),
    ]
    assert chunks[0] == Chunk(0, 5, "Big", "class")


def test_the_pieces_of_a_long_function_keep_its_symbol() -> None:
    blocks = "".join(
        f"    if flag_{n}:\n" + "        work()\n" * 7 + "    done()\n\n" for n in range(20)
    )
    text = f"def long():\n{blocks}"
    lines = text.split("\n")
    chunks = chunk_source(text, "python")
    assert {(c.symbol, c.kind) for c in chunks} == {("long", "function")}
    assert 4 <= len(chunks) <= 8
    assert all(lines[c.start_line].startswith("    if flag_") for c in chunks[1:])


def test_nested_definitions_of_a_long_function_have_their_own_chunks() -> None:
    text = (
        "def outer():\n"
        + "    step()\n" * 30
        + python_function("inner", 20, "    ")
        + "    step()\n" * 30
    )
    chunks = chunk_source(text, "python")
    assert at(row(text, "def inner"), chunks).symbol == "outer.inner"
    assert chunks[0].symbol == chunks[-1].symbol == "outer"


def test_small_neighbours_are_joined() -> None:
    text = "".join(f"def get_{n}():\n    return {n}\n\n\n" for n in range(8))
    assert chunk_source(text, "python") == [Chunk(0, 32, None, None)]


def test_joined_small_members_carry_the_class() -> None:
    small = "".join(f"    int get{n}() {{ return {n}; }}\n" for n in range(10))
    big = "    void run() {\n" + "        step();\n" * 50 + "    }\n"
    chunks = chunk_source(f"class A {{\n{big}{small}}}\n", "java")
    assert (chunks[-1].symbol, chunks[-1].kind) == ("A", "class")
    assert chunks[-1].end_line == 64


def test_closing_brackets_belong_to_what_they_close() -> None:
    function = "  void f%d() {\n" + "    step();\n" * 30 + "  }\n"
    text = "namespace n {\nclass A {\n" + function % 1 + function % 2 + "};\n}  // namespace n\n"
    chunks = chunk_source(text, "cpp")
    assert chunks[-1].symbol == "n.A.f2"
    assert chunks[-1].end_line == text.count("\n")


def test_a_lone_function_among_imports_does_not_name_them() -> None:
    imports = "".join(f"import module_{n}\n" for n in range(20))
    chunks = chunk_source(imports + "\n\ndef tiny():\n    return 1\n", "python")
    assert [c.symbol for c in chunks] == [None]


def test_overloads_stand_with_their_implementation() -> None:
    text = (
        "@overload\ndef read(a: int) -> int: ...\n@overload\ndef read(a: str) -> str: ...\n"
        + python_function("read", 12)
    )
    assert chunk_source(text, "python") == [Chunk(0, 16, "read", "function")]


def test_comments_directly_above_belong_to_the_definition_and_others_do_not() -> None:
    body = "  step();\n" * 6
    text = (
        f"void first() {{\n{body}}}\n// A note of its own.\n\n/*\n * What second does.\n */\n"
        f"// Mind the gap.\nvoid second() {{\n{body}}}\n"
    )
    chunks = chunk_source(text, "c")
    second = at(row(text, "void second"), chunks)
    assert at(row(text, " * What second"), chunks) == second
    assert second.symbol == "second"


def test_macros_do_not_hide_a_cpp_class() -> None:
    method = "  MY_API MY_INLINE void draw%d(int a) {\n" + "    step();\n" * 30 + "  }\n"
    text = "LIB_BEGIN_NAMESPACE\n\nclass MY_EXPORT Widget : Base {\n"
    text += method % 1 + method % 2 + "};\nLIB_END_NAMESPACE\n"
    symbols = [c.symbol for c in chunk_source(text, "cpp")]
    assert "Widget.draw1" in symbols
    assert "Widget.draw2" in symbols


def test_a_header_is_cpp_when_it_says_so() -> None:
    method = "  void f%d() {\n" + "    step();\n" * 30 + "  }\n"
    text = "#pragma once\nclass A {\n public:\n" + method % 1 + method % 2 + "};\n"
    assert "A.f1" in [c.symbol for c in chunk_source(text, "c")]


def test_underlined_headings_are_sections() -> None:
    words = "Words about it.\n" * 20
    text = f"Install\n=======\n\n{words}\nLinux\n-----\n\n{words}\nUse\n===\n\n{words}"
    assert [c.symbol for c in chunk_source(text, "markdown")] == [
        "Install",
        "Install > Linux",
        "Use",
    ]


def test_a_wrapped_module_is_looked_into() -> None:
    function = "  function f%d() {\n" + "    step();\n" * 12 + "  }\n\n"
    text = "(function () {\n" + "".join(function % n for n in range(4)) + "})();\n"
    assert [c.symbol for c in chunk_source(text, "javascript")] == ["f0", "f1", "f2", "f3"]


def test_an_object_of_functions_is_looked_into() -> None:
    function = "  f%d() {\n" + "    step();\n" * 12 + "  },\n"
    text = "module.exports = {\n" + "".join(function % n for n in range(4)) + "};\n"
    symbols = [c.symbol for c in chunk_source(text, "javascript")]
    assert symbols[-3:] == ["f1", "f2", "f3"]


@pytest.mark.parametrize(
    ("language", "head", "field", "tail"),
    [
        ("go", "type Mux struct {", "\tfield%d string // a field with a comment\n", "}"),
        ("c", "typedef struct Mux {", "    int field%d; /* a field with a comment */\n", "} Mux;"),
    ],
)
def test_a_type_that_names_itself_twice_has_one_name(
    language: str, head: str, field: str, tail: str
) -> None:
    body = "".join(field % number for number in range(100))
    chunks = chunk_source(f"{head}\n{body}{tail}\n", language)
    assert len(chunks) > 1
    assert {chunk.symbol for chunk in chunks} == {"Mux"}
