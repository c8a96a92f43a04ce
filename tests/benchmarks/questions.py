"""Two hundred different queries: questions, names from the tree, paths and single words."""

import random
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_VERBS = "parse validate open retry cache encode compare merge cancel format".split()
_THINGS = [
    "a configuration file",
    "an http request that timed out",
    "the arguments of the command line",
    "dates with a time zone",
    "a temporary folder",
    "user passwords",
    "rows of a table",
    "a broken connection",
]
_WORDS = (
    "logging checksum socket unicode thread timeout certificate version token buffer schema "
    "plugin proxy cookie metadata tarball matrix gradient iterator subprocess environment "
    "deprecated signature decorator exception traceback compression wheel hash redirect"
).split()
_DEFINITION = re.compile(
    r"^\s*(?:def|class|fn|func|function|struct)\s+([A-Za-z]\w{5,})", re.MULTILINE
)
_SEED = 20


def two_hundred(tree: Path, files: Sequence[str]) -> list[str]:
    """The same queries whenever the tree is the same; each is asked once."""
    chance = random.Random(_SEED)
    questions = [f"where do we {verb} {thing}" for verb in _VERBS for thing in _THINGS]
    stems = sorted({PurePosixPath(path).stem for path in files} - {"__init__"})
    paths = chance.sample(stems, min(30, len(stems)))
    names = _names(tree, chance.sample(files, min(200, len(files))))
    chosen = chance.sample(names, min(200 - len(questions) - len(paths) - len(_WORDS), len(names)))
    queries = [*questions, *paths, *_WORDS, *chosen]
    chance.shuffle(queries)
    return queries


def keyword(query: str) -> str:
    """What somebody would grep for: the longest word."""
    return max(query.split(), key=len)


def _names(tree: Path, files: Sequence[str]) -> list[str]:
    found: set[str] = set()
    for path in files:
        found.update(_DEFINITION.findall((tree / path).read_text(errors="replace")))
    return sorted(found)
