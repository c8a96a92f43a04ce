"""Questions and their answers, from the two formats that they are kept in.

The split is a folder of `repos.json` and `annotations/NAME.json`; own-words questions are one file
a repository, see `questions/README.md`. Both become the same values.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import field, frozen

from tests.benchmarks.retrieval.metric import Target


class UnreadableQuestionsError(Exception):
    """A file of questions is missing or is not what it should be; the message names it."""


@frozen(kw_only=True)
class Question:
    """What is asked, and every place that answers it."""

    text: str
    category: str
    targets: tuple[Target, ...]


@frozen(kw_only=True)
class Repository:
    """A repository at one revision, the folder of it that is indexed, and its questions.

    `references` are scores that others have published for it. Of one that is `held_out` no
    question and no question's score is ever shown.
    """

    name: str
    url: str
    revision: str
    language: str
    root: str
    questions: tuple[Question, ...]
    references: Mapping[str, float] = field(factory=dict[str, float])
    held_out: bool = False


def read_split(folder: Path) -> list[Repository]:
    """The repositories of a split. Raises UnreadableQuestionsError."""
    source = folder / "repos.json"
    return [_of_split(folder, source, entry) for entry in _load(source)]


def read_own_words(folder: Path) -> list[Repository]:
    """The repositories of every `NAME.json` in a folder. Raises UnreadableQuestionsError."""
    return [_of_own_words(path) for path in sorted(folder.glob("*.json"))]


def _of_split(folder: Path, source: Path, entry: Mapping[str, Any]) -> Repository:
    try:
        name = entry["name"]
        annotations = folder / "annotations" / f"{name}.json"
        return Repository(
            name=name,
            url=entry["url"],
            revision=entry["revision"],
            language=entry["language"],
            root=(entry.get("benchmark_root") or "").strip("/"),
            questions=_questions(_load(annotations), annotations, whole_paths=False),
            references=entry.get("reference", {}),
        )
    except KeyError as error:
        raise UnreadableQuestionsError(f"{source.name}: an entry has no {error}.") from error


def _of_own_words(path: Path) -> Repository:
    content = _load(path)
    try:
        return Repository(
            name=path.stem,
            url=content["repository"],
            revision=content["revision"],
            language=content["language"],
            root=(content.get("root") or "").strip("/"),
            questions=_questions(content["questions"], path, whole_paths=True),
            held_out=content["held_out"],
        )
    except KeyError as error:
        raise UnreadableQuestionsError(f"{path.name} has no {error}.") from error


def _questions(
    entries: Sequence[Mapping[str, Any]], source: Path, *, whole_paths: bool
) -> tuple[Question, ...]:
    """Own-words answers (`whole_paths`) must have lines, those of the split need not."""
    questions: list[Question] = []
    for entry in entries:
        answers = [*entry["relevant"], *entry.get("secondary", ())]
        targets = tuple(_target(answer, whole_path=whole_paths) for answer in answers)
        if not targets:
            raise UnreadableQuestionsError(f"{source.name}: a question has no answer.")
        if whole_paths and any(target.last_line is None for target in targets):
            raise UnreadableQuestionsError(f"{source.name}: an answer has no lines.")
        questions.append(Question(text=entry["query"], category=entry["category"], targets=targets))
    return tuple(questions)


def _target(answer: str | Mapping[str, Any], *, whole_path: bool) -> Target:
    if isinstance(answer, str):
        return Target(path=answer.strip("/"), whole_path=whole_path)
    return Target(
        path=answer["path"].strip("/"),
        first_line=answer.get("start_line"),
        last_line=answer.get("end_line"),
        whole_path=whole_path,
    )


def _load(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise UnreadableQuestionsError(f"{path.name} cannot be read: {error}") from error
