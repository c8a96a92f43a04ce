"""Check-outs of annotated repositories become records and questions, to score by."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from attrs import frozen

from codeintel_ls.embedding.training.corpus import Corpus, CorpusBuilder
from codeintel_ls.embedding.training.questions import Question
from codeintel_ls.embedding.training.records import LANGUAGES
from codeintel_ls.index.chunking import chunk_source
from codeintel_ls.index.languages import language_of
from codeintel_ls.index.source import split_lines

_LARGEST: Final = 1_000_000


def read_benchmark(split: Path, checkouts: Path) -> tuple[Corpus, list[Question]]:
    """All repositories of a split (`repos.json`, `annotations/`) that lie in `checkouts`.

    A question's own text is one of the corpus's queries, in the order of the questions.
    """
    builder = CorpusBuilder()
    questions: list[Question] = []
    first = 0
    for repository in json.loads((split / "repos.json").read_text("utf-8")):
        name = repository["name"]
        root = checkouts / name
        if not root.is_dir():
            continue
        places = read_repository(name, root, repository.get("benchmark_root"), builder)
        annotations = split / "annotations" / f"{name}.json"
        questions += read_questions(name, annotations, places, first)
        first += len(places)
    for question in questions:
        builder.ask(question.text)
    return builder.build(), questions


@frozen
class Place:
    """A record's file and lines, 1-based and inclusive."""

    path: str
    first: int
    last: int


def read_repository(
    name: str, root: Path, below: str | None, builder: CorpusBuilder
) -> list[Place]:
    """Add the chunks of a check-out (those below a folder, if given) to a builder."""
    places: list[Place] = []
    start = root / below if below else root
    for path in sorted(start.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            continue
        text = path.read_text("utf-8", "replace")
        language = language_of(path.name, text.partition("\n")[0])
        if language not in LANGUAGES:
            continue
        relative = path.relative_to(root).as_posix()
        searched = path.relative_to(start).as_posix()
        lines = split_lines(text)
        for chunk in chunk_source(text, language):
            body = "\n".join(lines[chunk.start_line : chunk.end_line])
            symbol = chunk.symbol or ""
            builder.add(name, language, searched, symbol, "", body, (), always=True)
            places.append(Place(relative, chunk.start_line + 1, chunk.end_line))
    return places


def read_questions(
    name: str, annotations: Path, places: Sequence[Place], first: int
) -> list[Question]:
    """The annotated questions of a repository whose records are numbered from `first` on."""
    found: list[Question] = []
    for each in json.loads(annotations.read_text("utf-8")):
        targets = [
            [first + row for row, place in enumerate(places) if _is_hit(place, target)]
            for target in [*each.get("relevant", ()), *each.get("secondary", ())]
        ]
        found.append(Question(name, each.get("category", ""), each["query"], targets))
    return found


def _is_hit(place: Place, target: object) -> bool:
    if isinstance(target, str):
        return _ends(place.path, target)
    fields = cast("Mapping[str, object]", target)
    if not _ends(place.path, str(fields["path"])):
        return False
    start, end = fields.get("start_line"), fields.get("end_line")
    if not isinstance(start, int) or not isinstance(end, int):
        return True
    return place.first <= end and start <= place.last


def _ends(path: str, wanted: str) -> bool:
    return f"/{path}".endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{path}")
