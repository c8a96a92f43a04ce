"""Records as arrays of word numbers: what training reads, small enough to be carried elsewhere.

Texts are the product's own words (identifiers split, lower case), in order, cut to a length. One
vocabulary serves every model: each tokenizer is applied to the vocabulary, once, not to the texts.
"""

import json
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from codeintel_ls.embedding.words import words_of

FIELDS: Final = ("folders", "stem", "symbol", "doc", "code")
KINDS: Final = ("doc", "comment", "file", "test", "mention")
_LONGEST: Final = (6, 6, 10, 60, 150)
_LONGEST_SEARCHED: Final = 250
_LONGEST_QUERY: Final = 60
_RAREST = 3
_LONGEST_WORD = 24
_ESCAPE, _BASE = 65_535, 60_000

Words = NDArray[np.uint32]


@frozen(eq=False)
class Corpus:
    """n records and m queries.

    `words` are all fields of all records one after another, `lengths` uint8 of shape (n, 5) their
    lengths, `signatures` uint8 (n,) how many of the code's words are its signature. `packages`
    uint32 and `languages` uint8 (n,) number `package_names` and `language_names`. Query i asks
    for record `answers[i]` uint32, is of `kinds[i]` and has `query_lengths[i]` of `query_words`.
    """

    vocabulary: Sequence[str]
    words: Words
    lengths: NDArray[np.uint8]
    signatures: NDArray[np.uint8]
    packages: NDArray[np.uint32]
    languages: NDArray[np.uint8]
    answers: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    query_words: Words
    query_lengths: NDArray[np.uint8]
    package_names: Sequence[str]
    language_names: Sequence[str]


@define
class CorpusBuilder:
    """Takes records as they come; the same code twice is taken once."""

    _numbers: dict[str, int] = field(factory=dict[str, int])
    _words: "array[int]" = field(factory=lambda: array("I"))
    _lengths: "array[int]" = field(factory=lambda: array("B"))
    _signatures: "array[int]" = field(factory=lambda: array("B"))
    _packages: "array[int]" = field(factory=lambda: array("I"))
    _languages: "array[int]" = field(factory=lambda: array("B"))
    _answers: "array[int]" = field(factory=lambda: array("I"))
    _kinds: "array[int]" = field(factory=lambda: array("B"))
    _query_words: "array[int]" = field(factory=lambda: array("I"))
    _query_lengths: "array[int]" = field(factory=lambda: array("B"))
    _package_names: dict[str, int] = field(factory=dict[str, int])
    _language_names: dict[str, int] = field(factory=dict[str, int])
    _seen: set[bytes] = field(factory=set[bytes])

    def add(
        self,
        package: str,
        language: str,
        path: str,
        symbol: str,
        doc: str,
        code: str,
        queries: Iterable[tuple[str, str]],
        *,
        always: bool = False,
    ) -> bool:
        """Take one record; False when it is tiny or its code was there already.

        `always` takes it all the same, and more of it: for what is searched, not trained on.
        """
        named = words_of(code)
        digest = blake2b(" ".join(named).encode("utf-8", "replace"), digest_size=8).digest()
        if not always and (digest in self._seen or len(named) < 6):
            return False
        self._seen.add(digest)
        folders, stem = path_words(path)
        fields = (folders, stem, words_of(symbol), words_of(doc), named)
        longest = (*_LONGEST[:-1], _LONGEST_SEARCHED) if always else _LONGEST
        for words, most in zip(fields, longest, strict=True):
            self._lengths.append(self._append(self._words, words[:most]))
        signature = len(words_of(code.strip().partition("\n")[0]))
        self._signatures.append(min(signature, 40))
        number = len(self._packages)
        self._packages.append(_number(self._package_names, package))
        self._languages.append(_number(self._language_names, language))
        for kind, text in queries:
            self.ask(text, number, kind)
        return True

    def ask(self, text: str, answer: int = 0, kind: str = KINDS[0]) -> None:
        """Take one query for a record that was taken."""
        self._answers.append(answer)
        self._kinds.append(KINDS.index(kind))
        asked = words_of(text)[:_LONGEST_QUERY]
        self._query_lengths.append(self._append(self._query_words, asked))

    def build(self) -> Corpus:
        """All that was taken, words numbered as they came."""
        return Corpus(
            vocabulary=list(self._numbers),
            words=np.frombuffer(self._words, dtype=np.uint32),
            lengths=np.frombuffer(self._lengths, dtype=np.uint8).reshape(-1, len(FIELDS)),
            signatures=np.frombuffer(self._signatures, dtype=np.uint8),
            packages=np.frombuffer(self._packages, dtype=np.uint32),
            languages=np.frombuffer(self._languages, dtype=np.uint8),
            answers=np.frombuffer(self._answers, dtype=np.uint32),
            kinds=np.frombuffer(self._kinds, dtype=np.uint8),
            query_words=np.frombuffer(self._query_words, dtype=np.uint32),
            query_lengths=np.frombuffer(self._query_lengths, dtype=np.uint8),
            package_names=list(self._package_names),
            language_names=list(self._language_names),
        )

    def _append(self, to: "array[int]", words: Sequence[str]) -> int:
        numbers = self._numbers
        to.extend([numbers.setdefault(word, len(numbers)) for word in words])
        return len(words)


def _number(names: dict[str, int], name: str) -> int:
    return names.setdefault(name, len(names))


def path_words(path: str) -> tuple[list[str], list[str]]:
    """The words of a path's last two folders, and those of its file's stem."""
    folders, _, name = path.rpartition("/")
    stem = name.partition(".")[0] or name
    return words_of(" ".join(folders.split("/")[-2:])), words_of(stem)


def read_records(
    paths: Iterable[Path], builder: CorpusBuilder, without: Collection[str] = ()
) -> Iterator[int]:
    """Add mined records, some packages left out; yields how many were taken, now and then."""
    taken = 0
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                package, language, file, symbol, doc, code, queries, _ = json.loads(line)
                if package in without:
                    continue
                taken += builder.add(package, language, file, symbol, doc, code, queries)
                if taken % 50_000 == 0:
                    yield taken
    yield taken


def pruned(corpus: Corpus, kept: Iterable[str] = ()) -> Corpus:
    """The corpus without its rarest and longest words, the others numbered by frequency.

    Words of `kept` stay, and are there even if the corpus has them not.
    """
    counts = np.bincount(corpus.words, minlength=len(corpus.vocabulary))
    counts += np.bincount(corpus.query_words, minlength=len(corpus.vocabulary))
    always = set(kept)
    stays = np.array(
        [
            word in always or (count >= _RAREST and len(word) <= _LONGEST_WORD)
            for word, count in zip(corpus.vocabulary, counts.tolist(), strict=True)
        ]
    )
    order = np.argsort(-np.where(stays, counts, -1), kind="stable")[: int(stays.sum())]
    numbers = np.full(len(corpus.vocabulary), -1, dtype=np.int64)
    numbers[order] = np.arange(len(order))
    vocabulary: list[str] = [corpus.vocabulary[int(number)] for number in order]
    vocabulary += sorted(always - set(vocabulary))
    words, lengths = _without(corpus.words, corpus.lengths.reshape(-1), numbers)
    query_words, query_lengths = _without(corpus.query_words, corpus.query_lengths, numbers)
    return Corpus(
        vocabulary,
        words,
        lengths.reshape(corpus.lengths.shape),
        corpus.signatures,
        corpus.packages,
        corpus.languages,
        corpus.answers,
        corpus.kinds,
        query_words,
        query_lengths,
        corpus.package_names,
        corpus.language_names,
    )


def _without(
    words: Words, lengths: NDArray[np.uint8], numbers: NDArray[np.int64]
) -> tuple[Words, NDArray[np.uint8]]:
    renamed = numbers[words]
    kept = renamed >= 0
    before = np.concatenate([[0], np.cumsum(kept)])
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - lengths
    return renamed[kept].astype(np.uint32), (before[ends] - before[starts]).astype(np.uint8)


_ARRAYS: Final = (
    "lengths",
    "signatures",
    "packages",
    "languages",
    "answers",
    "kinds",
    "query_lengths",
)


def save_corpus(corpus: Corpus, folder: Path) -> None:
    """Write a corpus as plain arrays, its words in two bytes where they fit."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(corpus, name))
    np.save(folder / "words.npy", _narrow(corpus.words))
    np.save(folder / "query_words.npy", _narrow(corpus.query_words))
    names = [corpus.vocabulary, corpus.package_names, corpus.language_names]
    (folder / "names.json").write_text(json.dumps(names, ensure_ascii=False), "utf-8")


def load_corpus(folder: Path) -> Corpus:
    """The reverse of `save_corpus`."""
    vocabulary, packages, languages = json.loads((folder / "names.json").read_text("utf-8"))
    arrays: Mapping[str, NDArray[np.generic]] = {
        name: np.load(folder / f"{name}.npy") for name in _ARRAYS
    }
    return Corpus(
        vocabulary=vocabulary,
        words=_wide(np.load(folder / "words.npy")),
        query_words=_wide(np.load(folder / "query_words.npy")),
        package_names=packages,
        language_names=languages,
        **arrays,  # pyright: ignore[reportArgumentType]
    )


def _narrow(words: Words) -> NDArray[np.uint16]:
    """Numbers from 60,000 on become three: an escape, and the number in base 60,000."""
    large = words >= _BASE
    sizes = np.where(large, 3, 1)
    places = np.cumsum(sizes) - sizes
    narrow = np.empty(int(sizes.sum()), dtype=np.uint16)
    narrow[places] = np.where(large, _ESCAPE, words)
    narrow[places[large] + 1] = words[large] // _BASE
    narrow[places[large] + 2] = words[large] % _BASE
    return narrow


def _wide(narrow: NDArray[np.uint16]) -> Words:
    escapes = np.flatnonzero(narrow == _ESCAPE)
    words = narrow.astype(np.uint32)
    words[escapes] = words[escapes + 1] * _BASE + words[escapes + 2]
    kept = np.ones(len(words), dtype=np.bool_)
    kept[escapes + 1] = kept[escapes + 2] = False
    return words[kept]


def word_counts(corpus: Corpus) -> Counter[str]:
    """How often each word occurs, for the tokenizer."""
    counts = np.bincount(corpus.words, minlength=len(corpus.vocabulary))
    counts += np.bincount(corpus.query_words, minlength=len(corpus.vocabulary))
    return Counter(dict(zip(corpus.vocabulary, counts.tolist(), strict=True)))
