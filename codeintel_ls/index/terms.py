"""Terms: the stemmed words and whole identifiers that a chunk can be found by.

A term is known by a 32-bit hash alone, so no vocabulary has to be kept. The packed form of a
chunk's terms is what the store holds, and all that a lexical view is ever built from.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np
import Stemmer
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.embedding.words import count_tokens, split_token

TERMS_VERSION: Final = 2
"""Part of the index's recipe: raised when the terms of a text change."""

_POSTING: Final = np.dtype([("term", "<u4"), ("frequency", "u1")])
_MOST: Final = 255
_SYMBOL_WEIGHT: Final = 3
_STEM_WEIGHT: Final = 3
_FOLDER_WEIGHT: Final = 1

_QUESTION_WORDS: Final = frozenset(
    """
    a an and any are as at be been but by can could did do does each for from get gets had has
    have how i if in into is it its me my of on or our should so some such than that the their
    them then there these they this those through to under up use used uses using via was we
    were what when where which while who whom whose why will with within would you your
    code file files function method class implemented implementation handled
    """.split()
)

_stemmer = Stemmer.Stemmer("english", 0)


@frozen
class TermCounts:
    """Terms of a text: `terms` uint32 of shape (n,), `frequencies` uint8 of the same shape."""

    terms: NDArray[np.uint32]
    frequencies: NDArray[np.uint8]


def hash_term(term: str) -> int:
    """The 32-bit name of a term, the same in every process."""
    return crc32(term.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=200_000)
def terms_of_token(token: str) -> tuple[int, ...]:
    """Hashes of a token's terms: its stemmed words and, where it has several, itself whole."""
    words = split_token(token)
    terms = {hash_term(stem(word)) for word in words}
    if len(words) > 1:
        terms.add(hash_term(token.lower()))
    return tuple(terms)


def pack_terms(document: str, symbol: str | None) -> bytes:
    """The packed postings of a chunk's text with its symbol before it, which counts extra."""
    counts: dict[int, int] = {}
    _add(counts, count_tokens(document), 1)
    if symbol:
        _add(counts, count_tokens(symbol), _SYMBOL_WEIGHT - 1)
    return _packed(counts)


@lru_cache(maxsize=4_096)
def pack_path_terms(path: str) -> bytes:
    """The packed postings that each chunk of a file has for the file's path."""
    counts: dict[int, int] = {}
    folders, _, name = path.rpartition("/")
    _add(counts, count_tokens(name.partition(".")[0]), _STEM_WEIGHT)
    _add(counts, count_tokens(folders.replace("/", " ")), _FOLDER_WEIGHT)
    return _packed(counts)


def unpack_terms(packed: bytes) -> TermCounts:
    """The reverse of packing; concatenated packs give concatenated counts."""
    postings = np.frombuffer(packed, dtype=_POSTING)
    return TermCounts(postings["term"], postings["frequency"])


def posting_bytes() -> int:
    """The size of one packed posting."""
    return _POSTING.itemsize


def query_terms(text: str) -> dict[int, float]:
    """Hashes of a question's terms with their weights; words that only ask are left out."""
    weights: dict[int, float] = {}
    for token in telling_tokens(text):
        for term in terms_of_token(token):
            weights[term] = 1.0
    return weights


def telling_tokens(text: str) -> Collection[str]:
    """A question's identifiers, words and numbers without those that only ask, if others remain."""
    tokens = count_tokens(text).keys()
    return [token for token in tokens if token.lower() not in _QUESTION_WORDS] or tokens


def identifier_terms(identifiers: Iterable[str]) -> frozenset[int]:
    """Hashes of the terms that stand for whole identifiers."""
    terms: set[int] = set()
    for token in identifiers:
        words = split_token(token)
        if len(words) > 1:
            terms.add(hash_term(token.lower()))
        else:
            terms.update(hash_term(stem(word)) for word in words)
    return frozenset(terms)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A lower-case word without its ending, so that evicts, evicted and eviction are one."""
    return _stemmer.stemWord(word) if word.isalpha() else word


def _packed(counts: Mapping[int, int]) -> bytes:
    packed = np.empty(len(counts), dtype=_POSTING)
    packed["term"] = np.fromiter(counts.keys(), dtype=np.uint32, count=len(counts))
    frequencies = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
    packed["frequency"] = np.minimum(frequencies, _MOST)
    return packed.tobytes()


def _add(counts: dict[int, int], tokens: Mapping[str, int], weight: int) -> None:
    for token, count in tokens.items():
        for term in terms_of_token(token):
            counts[term] = counts.get(term, 0) + count * weight
