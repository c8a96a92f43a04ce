"""One package's files become records: a piece of code with the questions that it answers.

Deterministic for a package. Links that need the whole package (a test and what it tests, a
paragraph and what it speaks of) are made when all of its files have been read.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import define, field

from codeintel_ls.embedding.training import prose
from codeintel_ls.embedding.words import split_token, words_of
from codeintel_ls.index.chunking import chunk_source
from codeintel_ls.index.languages import language_of
from codeintel_ls.index.source import split_lines

LANGUAGES = frozenset(
    """
    python javascript javascriptreact typescript typescriptreact go rust ruby php java kotlin scala
    swift csharp c cpp lua elixir shellscript haskell ocaml objective-c erlang
    """.split()
)
DOCUMENTS = frozenset({"markdown", "restructuredtext"})

_TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testing|testdata)/|[_.-](?:test|spec)s?\.|/test_"
)
_TEST_WORDS = frozenset("test tests should it spec case check testing when".split())
_SKIPPED_PATH = re.compile(
    r"(?:^|/)(?:node_modules|dist|umd|min|locales?|i18n|fixtures|snapshots|testdata|licenses?)/"
    r"|\.min\.|\.pb\.|_pb2|\.gen\.|generated|bundle|\.d\.[mc]ts|(?:changelog|changes|news|history"
    r"|licen[sc]e|authors|copying)\b",
    re.IGNORECASE,
)
_BEHAVIOUR = re.compile(r"""\b(?:it|test|specify|describe)\s*\(?\s*(["'`])([^"'`\n]{10,120})\1""")
_NAMED = re.compile(r"`{1,2}([A-Za-z_][\w.:#]{3,60})(?:\(\))?`{1,2}")
_LETTERS = re.compile(r"[A-Za-z]+")
_MOST_OF_FILE = 40
_READ_ON = 1.3
_MOST_CODE = 1_100
_LEAST_CODE = 40
_LONGEST_FILE = 250_000
_MOST_MENTIONS = 3


@define
class Record:
    """A piece of code and what asks for it: `queries` are (kind, text)."""

    language: str
    path: str
    symbol: str
    kind: str
    doc: str
    code: str
    is_test: bool = False
    queries: list[tuple[str, str]] = field(factory=list[tuple[str, str]])

    @property
    def name(self) -> str:
        """The last part of the symbol."""
        return self.symbol.rpartition(".")[2]


def records_of(files: Iterable[tuple[str, str]], most: int, seed: int) -> list[Record]:
    """The records of a package's (path, text) pairs, at most `most` of them.

    Files are read in the order given, and no more than are needed.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    records: list[Record] = []
    documents: list[str] = []
    for path, text in files:
        if len(records) > _READ_ON * most:
            break
        language = language_of(path, text.partition("\n")[0])
        if _SKIPPED_PATH.search(path) or len(text) > _LONGEST_FILE:
            continue
        if language in LANGUAGES and not _is_generated(text):
            found = _records_of_file(path, text, language)
            records += chance.sample(found, _MOST_OF_FILE) if len(found) > _MOST_OF_FILE else found
        elif language in DOCUMENTS:
            documents.append(text)
    _link_tests(records)
    _link_mentions(records, documents)
    if len(records) > most:
        records = chance.sample(records, most)
    return records


def _is_generated(text: str) -> bool:
    head = text[:1_500].lower()
    lines = text.count("\n") + 1
    return ("generated" in head and "do not edit" in head) or len(text) / lines > 120


def _records_of_file(path: str, text: str, language: str) -> list[Record]:
    lines = split_lines(text)
    is_test = _TEST_PATH.search(path) is not None
    records: list[Record] = []
    header = ""
    for chunk in chunk_source(text, language):
        body = "\n".join(lines[chunk.start_line : chunk.end_line])
        described = prose.describe(body, language)
        if chunk.start_line == 0 and not (chunk.symbol and described.doc):
            header = described.doc
        code = described.code.strip("\n")
        if not _is_code(code, language):
            continue
        record = Record(
            language,
            path,
            chunk.symbol or "",
            chunk.kind or "",
            described.doc if chunk.symbol else "",
            code[:_MOST_CODE],
            is_test,
        )
        if record.doc:
            record.queries.append(("doc", record.doc))
        _add_comments(record)
        records.append(record)
    if header and not is_test:
        for record in records[:2]:
            record.queries.append(("file", header))
    return records


def _is_code(code: str, language: str) -> bool:
    """Whether a piece is neither tiny nor mostly data or comments."""
    lines = [line.strip() for line in code.split("\n") if line.strip()]
    if len(code) < _LEAST_CODE or len(lines) < 2:
        return False
    if sum(prose.is_comment(line, language) for line in lines) > 0.6 * len(lines):
        return False
    return sum(map(len, _LETTERS.findall(code))) > 0.45 * len("".join(lines))


def _add_comments(record: Record) -> None:
    """Up to two comments within the code ask for it; their lines are not in the code then."""
    found = list(prose.inline_comments(record.code, record.language))
    asked = sorted(found, key=lambda each: -len(each[0]))[:2]
    if not asked:
        return
    gone = {row for _, start, end in asked for row in range(start, end)}
    lines = record.code.split("\n")
    record.code = "\n".join(line for row, line in enumerate(lines) if row not in gone)
    record.queries += [("comment", text) for text, _, _ in asked]


def _by_name(records: Sequence[Record]) -> dict[str, Record]:
    """Definitions that are the only one of their name in the package, tests left out."""
    named: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.symbol and not record.is_test:
            named[record.name].append(record)
    return {name: same[0] for name, same in named.items() if len(same) == 1}


def _link_tests(records: Sequence[Record]) -> None:
    """A test's name, or the behaviour that it states, asks for the definition it names and uses."""
    named = _by_name(records)
    words = {name: frozenset(split_token(name)) for name in named}
    for record in records:
        if not record.is_test:
            continue
        used = [each for each in set(re.findall(r"[A-Za-z_]\w{3,}", record.code)) if each in named]
        if not used:
            continue
        title = [word for word in words_of(record.name) if word not in _TEST_WORDS]
        stated = [match.group(2) for match in _BEHAVIOUR.finditer(record.code)][:2]
        for text in [" ".join(title), *stated]:
            asked = frozenset(words_of(text))
            fitting = [each for each in used if words[each] and words[each] <= asked]
            if fitting and len(asked) > 2:
                best = max(fitting, key=lambda each: (len(words[each]), each))
                if len(named[best].queries) < 6:
                    named[best].queries.append(("test", text))


def _link_mentions(records: Sequence[Record], documents: Iterable[str]) -> None:
    """A paragraph of the documents asks for the one definition whose name it quotes."""
    named = _by_name(records)
    mentions: dict[str, int] = defaultdict(int)
    for document in documents:
        for paragraph in prose.paragraphs(document):
            found = {re.split(r"[.:#]+", name)[-1] for name in _NAMED.findall(paragraph)}
            targets = [name for name in found if name in named and len(name) > 3]
            if len(targets) != 1 or mentions[targets[0]] >= _MOST_MENTIONS:
                continue
            text = prose.clean(paragraph)
            if len(text.split()) >= 6:
                mentions[targets[0]] += 1
                named[targets[0]].queries.append(("mention", text))
