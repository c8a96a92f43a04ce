"""Ranking layers over fused candidates, each named and on its own.

Every layer multiplies; none looks at another's result. The weights are general: no repository,
language or path of any project is named here. Layers that compare words step back where the
question shares few words with the code at all: there, words that are the same are the same by
chance. What each layer is worth: `ranking.md`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import mul
from typing import Final, NamedTuple

from attrs import frozen

from codeintel_ls.embedding import split_token, words_of
from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.index.terms import stem
from codeintel_ls.search.candidates import FusedChunk

_SYMBOL_NAMED: Final = 1.6
_SYMBOL_WORDS: Final = 0.4
_SPELLED: Final = 3.0
_QUOTED: Final = 20.0
"""More than all other layers can make of a chunk that does not hold what is quoted."""
_STEM_WORDS: Final = 0.5
_FOLDER_WORDS: Final = 0.15
_COHERENCE: Final = 1.0
_COHERENCE_ALWAYS: Final = 0.1
_REST_SHARES: Final = (0.5, 0.25, 0.125, 0.0625, 0.03125)
_REPEATED_FILE: Final = 0.6
_STEPPING_BACK: Final = 2.0
"""The exponent with which layers follow the agreement of the letters."""

_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|fixtures?|mocks?)(/|$)"
    r"|(^|/)(test_|conftest\.)"
    r"|[._-](test|spec|tests)\.",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(^|/)(_?examples?|samples?|demos?|docs?|benchmarks?|bench|benches"
    r"|third_party|vendor|vendored|deprecated|legacy|compat)(/|$)"
    r"|[._-]bench(mark)?s?\.",
    re.IGNORECASE,
)
_REEXPORT = re.compile(r"(^|/)(__init__\.py|index\.[jt]sx?|mod\.rs|lib\.rs)$")
_TEST_WORDS = frozenset({"test", "tests", "testing", "spec", "mock"})
_PROSE = frozenset({"markdown", "restructuredtext"})
_PROSE_WORDS = frozenset(
    {"readme", "doc", "docs", "documentation", "documented", "guide", "manual", "tutorial"}
    | {"changelog", "changes", "release", "install", "installation", "licence", "license"}
)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_QUALIFIED = re.compile(r"[A-Za-z_$][\w$]*(?:(?:::|\.|#|->)[A-Za-z_$~][\w$]*)+[?!]?")
_SEPARATOR = re.compile(r"::|\.|#|->")
_SURELY_QUALIFIED = re.compile(r"::|#|->")


class Candidate(NamedTuple):
    """A fused chunk with its place; `score` is what the layers have made of it so far.

    `factors` are what each layer of `NAMES` did to it, once it has been ranked.
    """

    chunk: FusedChunk
    place: ChunkPlace
    score: float
    factors: tuple[float, ...] = ()

    @property
    def boosts(self) -> Mapping[str, float]:
        """What each layer did to it, by the layer's name."""
        return dict(zip(NAMES, self.factors, strict=False))


@frozen
class Question:
    """A query taken apart once for all layers.

    Words are lower-case, stems theirs; identifiers are names that look like code. `trust` (0..1) is
    what words that are the same in a question and a name say.
    """

    words: frozenset[str]
    stems: frozenset[str]
    identifiers: frozenset[str]
    trust: float = 1.0

    @classmethod
    def of(cls, text: str, agreement: float = 1.0) -> "Question":
        """The parts of `text`; `agreement` is that of its letters with the code."""
        identifiers = frozenset(
            token
            for token in _IDENTIFIER.findall(text)
            if "_" in token or len(split_token(token)) > 1
        )
        only = text.strip().removesuffix("()")
        if _IDENTIFIER.fullmatch(only.rstrip("?!")):
            identifiers |= {only.rstrip("?!")}
        for name in _QUALIFIED.findall(text):
            # In a sentence, what stands between two words may be a full stop.
            if _SURELY_QUALIFIED.search(name) or name == only:
                parts = _SEPARATOR.split(name.rstrip("?!"))
                identifiers |= {parts[-1], ".".join(parts)}
        words = frozenset(words_of(text))
        trust = agreement**_STEPPING_BACK
        return cls(words, frozenset(map(stem, words)), identifiers, trust)


ChunkLayer = Callable[[Question, Candidate], float]
FileLayer = Callable[[Question, ChunkPlace], float]
"""Is the same for all chunks of a file, and looked at once."""


def symbol_layer(question: Question, candidate: Candidate) -> float:
    """Chunks that define what the question names stand higher."""
    symbol = candidate.place.symbol
    if not symbol:
        return 1.0
    names, stems = _symbol_traits(symbol)
    if question.identifiers and not question.identifiers.isdisjoint(names):
        return _SYMBOL_NAMED
    return 1.0 + question.trust * _SYMBOL_WORDS * _share(stems, question.stems)


def spelling_layer(question: Question, candidate: Candidate) -> float:
    """Chunks that hold an identifier of the question, letter by letter, stand higher."""
    return _SPELLED if question.identifiers and candidate.chunk.spells else 1.0


def quoted_layer(_question: Question, candidate: Candidate) -> float:
    """Chunks that hold what the question quotes stand above those that do not."""
    return _QUOTED if candidate.chunk.quoted else 1.0


def reexport_layer(_question: Question, candidate: Candidate) -> float:
    """What only passes on the names of others stands behind them."""
    is_one = candidate.place.symbol is None and path_traits(candidate.place.path).is_reexport
    return 0.85 if is_one else 1.0


def file_name_layer(question: Question, place: ChunkPlace) -> float:
    """Files named after the question's words stand higher; their folders count a little."""
    traits = path_traits(place.path)
    name, folder = _share(traits.name, question.stems), _share(traits.folder, question.stems)
    return 1.0 + question.trust * (_STEM_WORDS * name + _FOLDER_WORDS * folder)


def aside_layer(question: Question, place: ChunkPlace) -> float:
    """Tests, examples, benchmarks and others' code stand back unless they are asked for."""
    traits, factor = path_traits(place.path), 1.0
    if traits.is_test and not question.words & _TEST_WORDS:
        factor *= 0.6
    if traits.is_aside and not question.words & traits.words:
        factor *= 0.6
    return factor


def prose_layer(question: Question, place: ChunkPlace) -> float:
    """Documents stand behind the code that they tell of, unless they are asked for."""
    is_prose = place.language in _PROSE
    return 0.75 if is_prose and not question.words & _PROSE_WORDS else 1.0


@frozen
class PathTraits:
    """What a path alone says: `name` and `folder` are stems, `words` those of the whole path."""

    name: tuple[str, ...]
    folder: tuple[str, ...]
    words: frozenset[str]
    is_test: bool
    is_aside: bool
    is_reexport: bool


@lru_cache(maxsize=50_000)
def path_traits(path: str) -> PathTraits:
    """The traits of a folder-relative path."""
    folders, _, name = path.rpartition("/")
    return PathTraits(
        name=tuple(map(stem, words_of(name.partition(".")[0]))),
        folder=tuple(map(stem, words_of(folders.rpartition("/")[2]))),
        words=frozenset(words_of(path)),
        is_test=bool(_TEST.search(path)),
        is_aside=bool(_ASIDE.search(path)),
        is_reexport=bool(_REEXPORT.search(path)),
    )


CHUNK_LAYERS: Final[Mapping[str, ChunkLayer]] = {
    "symbol": symbol_layer,
    "spelling": spelling_layer,
    "quoted": quoted_layer,
    "reexport": reexport_layer,
}
FILE_LAYERS: Final[Mapping[str, FileLayer]] = {
    "fileName": file_name_layer,
    "aside": aside_layer,
    "prose": prose_layer,
}
NAMES: Final = (*CHUNK_LAYERS, *FILE_LAYERS, "coherence", "repeatedFile")


def rank(question: Question, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, the best first, with what each layer did to them."""
    # Column by column: a search does this two hundred times while somebody is typing.
    columns = [_column(layer, question, candidates) for layer in CHUNK_LAYERS.values()]
    files = {candidate.place.file_id: candidate.place for candidate in candidates}
    for layer in FILE_LAYERS.values():
        of_files = {file_id: layer(question, place) for file_id, place in files.items()}
        columns.append([of_files[candidate.place.file_id] for candidate in candidates])
    scores = [candidate.score for candidate in candidates]
    for column in columns:
        scores = list(map(mul, scores, column))
    several = _several_of_a_file(candidates)
    columns.append(_coherence(_COHERENCE_ALWAYS + question.trust * _COHERENCE, several, scores))
    scores = list(map(mul, scores, columns[-1]))
    columns.append(_saturation(candidates, several, scores))
    scores = list(map(mul, scores, columns[-1]))
    factors = list(zip(*columns, strict=True))
    return [
        Candidate(candidates[n].chunk, candidates[n].place, scores[n], factors[n])
        for n in _order(candidates, scores)
    ]


def _column(layer: ChunkLayer, question: Question, candidates: Sequence[Candidate]) -> list[float]:
    return [layer(question, candidate) for candidate in candidates]


def _several_of_a_file(candidates: Sequence[Candidate]) -> list[list[int]]:
    """The positions of the candidates of each file that has more than one."""
    by_file: dict[int, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        by_file[candidate.place.file_id].append(number)
    return [numbers for numbers in by_file.values() if len(numbers) > 1]


def _coherence(
    weight: float, several: Sequence[Sequence[int]], scores: Sequence[float]
) -> list[float]:
    """A file of which several chunks answer lifts all of them."""
    lifts = [1.0] * len(scores)
    for numbers in several:
        found = sorted((scores[number] for number in numbers), reverse=True)
        rest = sum(map(mul, found[1:], _REST_SHARES))
        if rest:
            lift = 1.0 + weight * rest / found[0]
            for number in numbers:
                lifts[number] = lift
    return lifts


def _saturation(
    candidates: Sequence[Candidate], several: Sequence[Sequence[int]], scores: Sequence[float]
) -> list[float]:
    """A file's second, third, ... chunk stands back, so that one file does not fill the list."""
    factors = [1.0] * len(candidates)
    for numbers in several:
        order = sorted(numbers, key=lambda n: (-scores[n], candidates[n].place.start_line))
        for before, number in enumerate(order):
            factors[number] = _REPEATED_FILE**before
    return factors


def _order(candidates: Sequence[Candidate], scores: Sequence[float]) -> list[int]:
    """Positions of the candidates, the best first; ties stand by path and line."""
    places = [candidate.place for candidate in candidates]
    keys = [
        (-score, place.path, place.start_line) for score, place in zip(scores, places, strict=True)
    ]
    return sorted(range(len(candidates)), key=keys.__getitem__)


@lru_cache(maxsize=50_000)
def _symbol_traits(symbol: str) -> tuple[tuple[str, str], tuple[str, ...]]:
    """What a symbol is called, alone and in full, and the stems of its own name."""
    name = symbol.rpartition(".")[2] or symbol
    return (name.rstrip("?!"), symbol.rstrip("?!")), tuple(map(stem, split_token(name)))


def _share(stems: Sequence[str], asked: frozenset[str]) -> float:
    """How much of a name the question says, 0..1; both are stems."""
    if asked.isdisjoint(stems):
        return 0.0
    return sum(map(asked.__contains__, stems)) / len(stems)
