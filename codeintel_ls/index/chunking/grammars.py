"""The tree-sitter grammars: loaded when first needed, kept, never downloaded.

A grammar that is missing or does not fit the runtime is told once in the log, and its language is
cut into plain windows.
"""

import importlib
import logging
import re
from functools import cache

from tree_sitter import Language, Parser, Tree

from codeintel_ls.index.chunking import document_rules as documents
from codeintel_ls.index.chunking import scripting_rules as scripting
from codeintel_ls.index.chunking import systems_rules as systems
from codeintel_ls.index.chunking.rules import Rules

_log = logging.getLogger(__name__)

_GRAMMARS: dict[str, tuple[str, Rules]] = {
    "bash": ("tree_sitter_bash", scripting.BASH),
    "c": ("tree_sitter_c", systems.C),
    "cpp": ("tree_sitter_cpp", systems.CPP),
    "csharp": ("tree_sitter_c_sharp", systems.CSHARP),
    "css": ("tree_sitter_css", documents.CSS),
    "elixir": ("tree_sitter_elixir", scripting.ELIXIR),
    "go": ("tree_sitter_go", systems.GO),
    "html": ("tree_sitter_html", documents.HTML),
    "java": ("tree_sitter_java", systems.JAVA),
    "javascript": ("tree_sitter_javascript", scripting.JAVASCRIPT),
    "json": ("tree_sitter_json", documents.JSON),
    "kotlin": ("tree_sitter_kotlin", systems.KOTLIN),
    "lua": ("tree_sitter_lua", scripting.LUA),
    "markdown": ("tree_sitter_markdown", documents.MARKDOWN),
    "php": ("tree_sitter_php.language_php", scripting.PHP),
    "python": ("tree_sitter_python", scripting.PYTHON),
    "ruby": ("tree_sitter_ruby", scripting.RUBY),
    "rust": ("tree_sitter_rust", systems.RUST),
    "scala": ("tree_sitter_scala", systems.SCALA),
    "sql": ("tree_sitter_sql", documents.SQL),
    "swift": ("tree_sitter_swift", systems.SWIFT),
    "toml": ("tree_sitter_toml", documents.TOML),
    "tsx": ("tree_sitter_typescript.language_tsx", scripting.TYPESCRIPT),
    "typescript": ("tree_sitter_typescript.language_typescript", scripting.TYPESCRIPT),
    "yaml": ("tree_sitter_yaml", documents.YAML),
}
_GRAMMAR_OF = {
    "astro": "html",
    "cuda-cpp": "cpp",
    "javascriptreact": "javascript",
    "jsonc": "json",
    "shellscript": "bash",
    "svelte": "html",
    "typescriptreact": "tsx",
    "vue": "html",
}
# What only C++ puts at the start of a line.
_CPP_MARK = re.compile(
    r"^[ \t]*(?:class\s+\w+|namespace\b|template\s*<|using\s+\w|(?:public|private|protected)\s*:)",
    re.MULTILINE,
)
# Macros that stand where C's grammar allows none, and make it misread all that follows: one alone
# on its line (`BEGIN_NAMESPACE`), some before a declaration (`MY_API MY_INLINE void draw()`), and
# one between `class` and its name (`class MY_API Widget`).
_LINE_MACROS = re.compile(
    r"^[ \t]*(?:[A-Z_]+_[A-Z0-9_]+[ \t]+)+(?=[\w:<>,]+[ \t*&]+[\w:~]+)|^[A-Z_][A-Z0-9_]{4,}[ \t]*$",
    re.MULTILINE,
)
_CLASS_MACROS = re.compile(r"((?:class|struct) )[A-Z_][A-Z0-9_]{3,}[ \t]+(?=\w)")
# The grammar makes sections of `#` headings only: underlined ones are shown to it as such.
_UNDERLINED = re.compile(
    r"(?:(?<=\n\n)|\A)(?![ \t]|[-*+>#|`~<=])([^\n]+)\n(?:(=+)|-+)[ \t]*(?=\n|\Z)"
)
# The YAML scanner keeps its indents in a fixed buffer and crashes the process when it overflows
# (250 levels, at most two a column), so that what nests so deeply is not shown to it.
_TOO_DEEP_YAML = re.compile(r"^[ \t?:-]{100}", re.MULTILINE)


def rules_of(language: str, text: str) -> tuple[str, Rules] | None:
    """The grammar's name and its table for a language id; None where there is no grammar.

    `text` decides between C and C++, which share `.h`.
    """
    grammar = _GRAMMAR_OF.get(language, language)
    if grammar == "c" and _CPP_MARK.search(text):
        grammar = "cpp"
    entry = _GRAMMARS.get(grammar)
    return (grammar, entry[1]) if entry is not None else None


def parse(grammar: str, source: str) -> Tree | None:
    """The syntax tree of a source whose lines end with LF.

    None where there is no parser, or none that survives the source. Garbage may take a parser
    seconds for 10 KB: parse where that can be borne.
    Its rows are the source's, but columns and texts may differ: what the grammar is known to
    misread is shown to it in another form.
    """
    language = _load(grammar)
    if language is None:
        return None
    if grammar in ("c", "cpp"):
        source = _CLASS_MACROS.sub(r"\1", _LINE_MACROS.sub("", source))
    elif grammar == "yaml" and _TOO_DEEP_YAML.search(source):
        return None
    elif grammar == "markdown":
        source = _UNDERLINED.sub(lambda m: f"{'#' if m[2] else '##'} {m[1]}\n", source)
    return Parser(language).parse(source.encode("utf-8", "replace"))


@cache
def _load(grammar: str) -> Language | None:
    module, _, function = _GRAMMARS[grammar][0].partition(".")
    try:
        capsule: object = getattr(importlib.import_module(module), function or "language")()
        return Language(capsule)
    except (ImportError, AttributeError, ValueError, TypeError, OSError) as error:
        _log.warning("No grammar for %s (%s): its files are cut by lines.", grammar, error)
        return None
