"""Annotated questions about repositories, kept as data."""

import json
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, frozen


@frozen
class Question:
    """Asks for `targets`, each a list of records of its repository of which one is enough."""

    repository: str
    category: str
    text: str
    targets: Sequence[Sequence[int]]


def save_questions(questions: Sequence[Question], path: Path) -> None:
    """Write questions."""
    path.write_text(json.dumps([asdict(each) for each in questions]), "utf-8")


def load_questions(path: Path) -> list[Question]:
    """The reverse of `save_questions`."""
    return [Question(**each) for each in json.loads(path.read_text("utf-8"))]
