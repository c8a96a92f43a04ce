"""Ranking layers over fused candidates, each named and on its own.

Every layer multiplies; none looks at another's result. The weights are general: no repository,
language or path of any project is named here.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from attrs import evolve, field, frozen

from codeintel_ls.embedding import split_token, words_of
from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.search.candidates import FusedChunk

_SYMBOL_NAMED: Final = 1.6
_SYMBOL_WORDS: Final = 0.4
_STEM_WORDS: Final = 0.5
_FOLDER_WORDS: Final = 0.15
_COHERENCE: Final = 0.3
_REPEATED_FILE: Final = 0.6

_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|fixtures?|mocks?)(/|$)"
    r"|(^|/)(test_|conftest\.)"
    r"|[._-](test|spec|tests)\.",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(^|/)(examples?|samples?|demos?|docs?|benchmarks?|bench"
    r"|third_party|vendor|vendored|deprecated|legacy|compat)(/|$)",
    re.IGNORECASE,
)
_REEXPORT = re.compile(r"(^|/)(__init__\.py|index\.[jt]sx?|mod\.rs|lib\.rs)$")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")


@frozen
class Candidate:
    """A fused chunk with its place; `score` is what the layers have made of it so far."""

    chunk: FusedChunk
    place: ChunkPlace
    score: float
    boosts: Mapping[str, float] = field(factory=dict[str, float])


@frozen
class Question:
    """A query taken apart once for all layers."""

    words: frozenset[str]
    identifiers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Question":
        """Words are lower-case; identifiers are tokens as written that look like code."""
        identifiers = frozenset(
            token
            for token in _IDENTIFIER.findall(text)
            if "_" in token or len(split_token(token)) > 1
        )
        only = text.strip()
        if _IDENTIFIER.fullmatch(only):
            identifiers |= {only}
        return cls(frozenset(words_of(text)), identifiers)


Layer = Callable[[Question, Candidate], float]


def symbol_layer(question: Question, candidate: Candidate) -> float:
    """Chunks that define what the question names stand higher."""
    symbol = candidate.place.symbol
    if not symbol:
        return 1.0
    name = symbol.rpartition(".")[2] or symbol
    if name in question.identifiers or symbol in question.identifiers:
        return _SYMBOL_NAMED
    return 1.0 + _SYMBOL_WORDS * _share(split_token(name), question.words)


def file_name_layer(question: Question, candidate: Candidate) -> float:
    """Files named after the question's words stand higher; their folders count a little."""
    folders, _, name = candidate.place.path.rpartition("/")
    stem = words_of(name.partition(".")[0])
    near = words_of(folders.rpartition("/")[2])
    return (
        1.0
        + _STEM_WORDS * _share(stem, question.words)
        + _FOLDER_WORDS * _share(near, question.words)
    )


def aside_layer(question: Question, candidate: Candidate) -> float:
    """Tests, examples and re-exporting files stand back unless they are asked for."""
    path, factor = candidate.place.path, 1.0
    if _TEST.search(path) and not question.words & {"test", "tests", "testing", "spec", "mock"}:
        factor *= 0.6
    if _ASIDE.search(path) and not question.words & set(words_of(path)):
        factor *= 0.75
    if _REEXPORT.search(path) and candidate.place.symbol is None:
        factor *= 0.85
    return factor


LAYERS: Final[Mapping[str, Layer]] = {
    "symbol": symbol_layer,
    "fileName": file_name_layer,
    "aside": aside_layer,
}


def rank(text: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, the best first, with what each layer did to them."""
    question = Question.of(text)
    boosted = [_boost(question, candidate) for candidate in candidates]
    return _saturate(_cohere(boosted))


def _boost(question: Question, candidate: Candidate) -> Candidate:
    boosts = {name: layer(question, candidate) for name, layer in LAYERS.items()}
    score = candidate.score
    for factor in boosts.values():
        score *= factor
    return evolve(candidate, score=score, boosts=boosts)


def _cohere(candidates: Sequence[Candidate]) -> list[Candidate]:
    """A file of which several chunks answer lifts all of them a little."""
    by_file: dict[int, list[float]] = defaultdict(list)
    for candidate in candidates:
        by_file[candidate.place.file_id].append(candidate.score)
    lifts: dict[int, float] = {}
    for file_id, scores in by_file.items():
        scores.sort(reverse=True)
        rest = sum(score * 0.5**n for n, score in enumerate(scores[1:6], 1))
        lifts[file_id] = 1.0 + _COHERENCE * rest / scores[0] if scores[0] else 1.0
    return [
        evolve(
            candidate,
            score=candidate.score * lifts[candidate.place.file_id],
            boosts={**candidate.boosts, "coherence": lifts[candidate.place.file_id]},
        )
        for candidate in candidates
    ]


def _saturate(candidates: Sequence[Candidate]) -> list[Candidate]:
    """A file's second, third, ... chunk stands back, so that one file does not fill the list."""
    seen: dict[int, int] = defaultdict(int)
    ranked: list[Candidate] = []
    for candidate in sorted(candidates, key=_order):
        before = seen[candidate.place.file_id]
        seen[candidate.place.file_id] += 1
        factor = _REPEATED_FILE**before
        boosts = {**candidate.boosts, "repeatedFile": factor}
        ranked.append(evolve(candidate, score=candidate.score * factor, boosts=boosts))
    return sorted(ranked, key=_order)


def _order(candidate: Candidate) -> tuple[float, str, int]:
    return (-candidate.score, candidate.place.path, candidate.place.start_line)


def _share(words: Sequence[str], asked: frozenset[str]) -> float:
    """How much of a name the question says, 0..1; plural and singular count as one."""
    if not words:
        return 0.0
    return sum(_is_said(word, asked) for word in words) / len(words)


def _is_said(word: str, asked: frozenset[str]) -> bool:
    return word in asked or f"{word}s" in asked or (word.endswith("s") and word[:-1] in asked)
