"""A repository of a few hundred small files in three languages, made up from a seed.

Its texts are different enough from one another that no two chunks answer a question equally well:
otherwise two right answers could come in two orders.
"""

import os
import random
import shutil
from pathlib import Path
from typing import Final
from zlib import crc32

from tests.unit.workspace.trees import commit_all, git, write_tree

SEED: Final = 20_240_817
FILES: Final = 180
WRITTEN: Final = 1_600_000_000
"""When all files were written: long ago, so that nothing is read again for being too fresh."""

WORDS: Final = (
    "account archive balance banner barrel basket beacon border bottle bridge broker bucket budget "
    "calendar camera canvas carbon castle channel chapter circuit climate cluster column comet "
    "compass copper counter courier crystal currency customer deposit desert diagram discount "
    "dragon drawer eclipse elevator emblem engine envelope factory falcon feather festival filter "
    "forest fountain freight gallery garden gateway glacier granite guitar hammer harbor harvest "
    "helmet horizon hospital insect invoice island jacket journal jungle kernel kettle kitchen "
    "ladder lantern ledger lemon lesson library lizard locker machine magnet mailbox marble market "
    "meadow melody meteor mirror monkey museum napkin needle notebook novel ocean olive orchard "
    "orchestra oxygen package painter palace parcel passport pebble pencil pepper picture pigeon "
    "pilot planet platform pocket portrait postage prison puzzle pyramid quarry rabbit railway "
    "receipt recipe refund ribbon river rocket sailor salmon sandal satellite scanner school"
).split()
_FIRST: Final = "bal cor dun fel gar hol jun kem lor mav nes pol quin ros sil tam vor wel yar zun"
_LAST: Final = "adin ebor ifex omun urat alis ekin ipod otar ulem adon evik izar onis uban"
NAMES: Final = [
    first + middle + last
    for first in _FIRST.split()
    for middle in ("", "ta", "mo", "ri", "se")
    for last in _LAST.split()
]
"""Words that are in few files each, so that few chunks say the same of a question."""

_SUFFIXES: Final = ("py", "go", "js")


def make_repository(root: Path, files: int = FILES) -> list[str]:
    """A repository with two branches, `before` and `after`, the first of them checked out.

    Returns the paths that differ: edited, added, deleted and renamed files.
    """
    chance = random.Random(SEED)
    before = {path_of(number): text_of(number, chance) for number in range(files)}
    write_tree(root, before)
    commit_all(root, "Before")
    git(root, "branch", "-m", "before")
    git(root, "checkout", "-q", "-b", "after")
    paths = list(before)
    third = files // 3
    edited, deleted, renamed = paths[:third:3], paths[third : 2 * third : 7], paths[2 * third :: 5]
    numbers = range(files, files + files // 9)
    added = {path_of(number): text_of(number, chance) for number in numbers}
    write_tree(root, added)
    write_tree(root, {path: text_of(paths.index(path), chance) for path in edited})
    for path in deleted:
        (root / path).unlink()
    moved = [f"moved/{path}" for path in renamed]
    for old, new in zip(renamed, moved, strict=True):
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)
    commit_all(root, "After")
    check_out(root, "before")
    return sorted([*edited, *deleted, *renamed, *moved, *added])


def check_out(root: Path, branch: str) -> None:
    """Put the files of a branch there, with the mtimes of old files that are new here."""
    git(root, "checkout", "-q", "-f", branch)
    for place, directories, names in os.walk(root):
        directories[:] = [name for name in directories if name != ".git"]
        for name in names:
            path = Path(place, name)
            # Another time for each text, as git would give it: a file that changed shows it.
            written = WRITTEN + crc32(path.read_bytes()) % 100_000
            os.utime(path, (written, written))


def path_of(number: int) -> str:
    """Where a file lies."""
    suffix = _SUFFIXES[number % 3]
    return f"{WORDS[number % 11]}/{WORDS[number % 97]}_{number}.{suffix}"


def text_of(number: int, chance: random.Random) -> str:
    """What is in a file: some functions about random things."""
    makers = {"py": _python, "go": _go, "js": _javascript}
    suffix = _SUFFIXES[number % 3]
    functions = [makers[suffix](chance) for _ in range(chance.randint(2, 5))]
    return ("package things\n\n" if suffix == "go" else "") + "\n\n".join(functions)


def copied(source: Path, target: Path) -> Path:
    """A copy of a cache with its times, in place of what is there."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def _about(chance: random.Random, function: str, line: str, end: str) -> str:
    """One function; the fields in braces are words."""
    words = dict(zip("abcdef", chance.sample(WORDS, 6), strict=True))
    body = "".join(
        line.format(*chance.sample(NAMES, 2), chance.randint(2, 999))
        for _ in range(chance.randint(3, 14))
    )
    return function.format(**words, name="".join(chance.sample(NAMES, 1))) + body + end


def _python(chance: random.Random) -> str:
    return _about(
        chance,
        "def {a}_{name}({c}, {d}):\n"
        '    """Take the {e} of a {c} to the {f}, where the {b} is."""\n',
        "    {0} = self.{1}({2})\n",
        "    return None\n",
    )


def _go(chance: random.Random) -> str:
    return _about(
        chance,
        "// Hands a {e} over to the {f} of the {c}.\nfunc {name}{a}({b} int, {d} string) int {{\n",
        "\t{0} := {1}({2})\n",
        "\treturn 0\n}\n",
    )


def _javascript(chance: random.Random) -> str:
    return _about(
        chance,
        "/** Looks for a {e} in the {f} before the {c} is closed. */\n"
        "export function {a}{name}({b}, {d}) {{\n",
        "  const {0} = {1}({2});\n",
        "  return null;\n}\n",
    )
