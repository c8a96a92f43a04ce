"""Random small repositories that hold everything that blame has to get right."""

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.equality.edits import edit
from tests.equality.lines import body, git_lines
from tests.equality.mover import AUTHORS
from tests.equality.trusted import IGNORED_REVISIONS
from tests.unit.git.repositories import RepositoryBuilder

IDENTICAL = [b"", b"}", b"    return", b"        }"]
"""Lines that occur again and again, as in real code."""

_ATTRIBUTES = """\
windows/* text=auto eol=crlf
wide.txt working-tree-encoding=UTF-16LE-BOM
"""
_ODD_NAMES = [
    "with space.txt",
    'quo"te\\.txt',
    "new\nline.txt",
    "tab\t.txt",
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "\u6f22\u5b57/\u00fcn\u00ef.txt",
    "latin-\udce9.txt",
    "-dash.txt",
    "sub/--",
    ":(glob)*.txt",
]


def lines_of(chance: random.Random, label: str, count: int = 80) -> list[str]:
    """Lines of which about a third are like others."""
    return [
        chance.choice(IDENTICAL).decode()
        if chance.random() < 0.3
        else f"{label} {number} {chance.randrange(10**6)}"
        for number in range(count)
    ]


def generate(root: Path, seed: int, steps: int = 40) -> RepositoryBuilder:
    """A repository in the folder `root`; the same seed makes the same commits."""
    chance = random.Random(f"generated {seed}")
    builder = RepositoryBuilder(root)
    if seed % 2:
        builder.git("config", "core.autocrlf", "true")
        builder.git("config", "blame.ignoreRevsFile", IGNORED_REVISIONS)
        builder.write(IGNORED_REVISIONS, "# nothing yet\n")
    for path, content in _first_files(chance, seed).items():
        builder.write(path, content)
    (root / "link").symlink_to("plain.txt")
    builder.commit("Begin")
    story = _Story(builder, chance)
    for step in range(steps):
        story.go_on(step)
    return builder


def _first_files(chance: random.Random, seed: int) -> Mapping[str, bytes]:
    def text(label: str, end: str = "\n") -> str:
        return "".join(line + end for line in lines_of(chance, label))

    mixed = "".join(line + chance.choice(["\n", "\r\n"]) for line in _unique(chance, "mixed"))
    single_returns = "".join(
        line + chance.choice(["\n", "\r", "\r\n"]) for line in _unique(chance, "returns")
    )
    files = {
        ".gitattributes": _ATTRIBUTES.encode(),
        ".mailmap": b"Ada Lovelace <ada@example.org> <author@example.org>\n",
        "plain.txt": text("plain").encode(),
        "src/code.py": text("code").encode(),
        "src/other.py": text("other").encode(),
        "dos.txt": text("dos", "\r\n").encode(),
        "windows/auto.txt": text("windows", "\r\n").encode(),
        "mixed.txt": mixed.encode(),
        "returns.txt": single_returns.encode(),
        "mark.cs": b"\xef\xbb\xbf" + text("mark", "\r\n").encode(),
        "wide.txt": b"\xff\xfe" + text("wide ö €").encode("utf-16-le"),
        "latin.txt": text("latin é").encode("latin-1"),
        "damaged.txt": b"".join(
            line.encode() + bytes([chance.randrange(0x80, 0x100)]) + b"\n"
            for line in _unique(chance, "damaged")
        ),
        "unended.txt": text("unended").encode().rstrip(b"\n}") + b"the end",
        "empty.txt": b"",
        "one-line.txt": b"word " * 20_000,
        "image.bin": b"\x89PNG\0\1\2",
    }
    for name in _ODD_NAMES:
        files[name] = text(f"odd {len(name)}").encode()
    return files


def _unique(chance: random.Random, label: str) -> list[str]:
    return [f"{label} {number} {chance.randrange(10**6)}" for number in range(40)]


class _Story:
    """How a repository goes on: each step is one or more commits."""

    def __init__(self, builder: RepositoryBuilder, chance: random.Random) -> None:
        self._builder = builder
        self._chance = chance
        self._gone: dict[str, bytes] = {}
        self._contended: list[str] = []
        self._kinds: dict[Callable[[str], None], int] = {
            self._change: 8,
            self._rename: 3,
            self._exchange: 1,
            self._copy: 2,
            self._delete: 1,
            self._bring_back: 2,
            self._reformat: 2,
            self._turn_line_ends: 1,
            self._shuffle: 1,
            self._merge: 4,
            self._octopus: 1,
            self._same_change_twice: 1,
        }

    def go_on(self, step: int) -> None:
        """Take one step."""
        kinds = list(self._kinds)
        self._chance.choices(kinds, list(self._kinds.values()))[0](str(step))

    def _commit(self, label: str) -> str:
        # Clocks are not all right: some commits are older than their parents.
        self._builder.time += self._chance.choice([0, 0, 0, 600, -300])
        return self._builder.commit(f"Step {label}", author=self._chance.choice(AUTHORS))

    def _paths(self, suffixes: tuple[str, ...] = ("",)) -> list[str]:
        listed = self._builder.git("ls-files", "-z").split(b"\0")
        names = [os.fsdecode(name) for name in listed if name and not name.startswith(b".git")]
        plain = [name for name in names if name not in ("link", "image.bin")]
        return [name for name in plain if name.endswith(suffixes)]

    def _read(self, path: str) -> bytes:
        return (self._builder.root / path).read_bytes()

    def _edit(self, path: str, label: str, times: int = 3) -> None:
        content = self._read(path)
        encoding = "utf-16-le" if content.startswith(b"\xff\xfe") else "latin-1"
        lines = git_lines(content.decode(encoding).encode())
        for number in range(self._chance.randint(1, times)):
            edit(lines, self._chance, f"step {label} {number}")
        self._builder.write(path, b"".join(lines).decode().encode(encoding))

    def _change(self, label: str) -> None:
        paths = self._paths()
        chosen = self._chance.sample(paths, min(len(paths), self._chance.randint(1, 8)))
        for path in sorted({*chosen, *self._contended}):
            self._edit(path, label)
        self._commit(label)

    def _rename(self, label: str) -> None:
        for path in self._chance.sample(self._paths((".txt", ".py")), 2):
            folder, name = os.path.split(path)
            target = os.path.join(folder, f"{label} {name[-20:]}")  # noqa: PTH118 - a name
            # What .gitattributes says of it must stay true.
            if path != "wide.txt":
                self._builder.git("mv", "--", path, target)
                if self._chance.random() < 0.5:
                    self._edit(target, label)
        self._commit(label)

    def _exchange(self, label: str) -> None:
        first, second = self._chance.sample(self._paths((".py",)), 2)
        contents = self._read(first), self._read(second)
        self._builder.write(first, contents[1])
        self._builder.write(second, contents[0])
        self._commit(label)

    def _copy(self, label: str) -> None:
        path = self._chance.choice(self._paths((".py",)))
        target = f"src/copy {label}.py"
        self._builder.write(target, self._read(path))
        if self._chance.random() < 0.5:
            self._edit(target, label)
        if self._chance.random() < 0.5:
            self._edit(path, label)
        self._commit(label)

    def _delete(self, label: str) -> None:
        path = self._chance.choice(self._paths(("0.txt", "e.txt", "n.txt", "t.txt")))
        if path != "wide.txt":
            self._gone[path] = self._read(path)
            (self._builder.root / path).unlink()
            self._commit(label)

    def _bring_back(self, label: str) -> None:
        if not self._gone:
            self._delete(label)
            return
        path = self._chance.choice(sorted(self._gone))
        self._builder.write(path, self._gone.pop(path))
        if self._chance.random() < 0.5:
            self._edit(path, label)
        self._commit(label)

    def _reformat(self, label: str) -> None:
        """Indent a file, and name that commit in the list of those to ignore, if any."""
        path = self._chance.choice(self._paths((".py",)))
        self._builder.write(path, b"".join(b"  " + line for line in git_lines(self._read(path))))
        identity = self._commit(label)
        listed = self._builder.root / IGNORED_REVISIONS
        if listed.exists():
            with listed.open("a") as file:
                file.write(f"{identity}  # step {label}\n")
            self._commit(label)

    def _turn_line_ends(self, label: str) -> None:
        content = self._read("dos.txt") if "dos.txt" in self._paths() else b""
        if content:
            ends = self._chance.choice([b"\n", b"\r\n"])
            self._builder.write("dos.txt", b"".join(body(x) + ends for x in git_lines(content)))
        self._commit(label)

    def _shuffle(self, label: str) -> None:
        path = self._chance.choice(self._paths((".py",)))
        lines = git_lines(self._read(path))
        cut = self._chance.randint(0, len(lines))
        self._builder.write(path, b"".join([*lines[cut:], *lines[:cut]]))
        self._commit(label)

    def _side(self, name: str, label: str) -> None:
        """A branch with a change or two, while the work tree stays where it is."""
        self._builder.git("checkout", "-q", "-b", name)
        for number in range(self._chance.randint(1, 2)):
            self._change(f"{label} {name} {number}")
        self._builder.git("checkout", "-q", "main")

    def _join(self, *names: str, side: str) -> None:
        self._builder.time += 60
        # Two sides may delete and change the same file: then ours is taken whole.
        with_side = ("merge", "-q", "--no-ff", "--no-edit", "-X", side, *names)
        try:
            self._builder.git(*(with_side if len(names) == 1 else with_side[:4] + names))
        except AssertionError:
            self._builder.git("reset", "-q", "--hard")
            self._builder.git("merge", "-q", "--no-edit", "-s", "ours", *names)

    def _merge(self, label: str) -> None:
        # Both sides change these, so that neither parent of the merge has all of its lines.
        self._contended = self._chance.sample(self._paths(), 5)
        self._side("side", label)
        self._change(label)
        self._contended = []
        self._join("side", side=self._chance.choice(["ours", "theirs"]))
        self._builder.git("branch", "-q", "-D", "side")
        if self._chance.random() < 0.3:
            self._edit(self._chance.choice(self._paths()), f"merge {label}")
            self._builder.git("commit", "-q", "-a", "--amend", "--no-edit")

    def _octopus(self, label: str) -> None:
        for name in ("left", "right"):
            self._side(name, label)
        self._join("left", "right", side="ours")
        self._builder.git("branch", "-q", "-D", "left", "right")

    def _same_change_twice(self, label: str) -> None:
        """Both parents of a merge hold the same lines, committed twice."""
        path = self._chance.choice(self._paths((".py",)))
        self._edit(path, label)
        content = self._read(path)
        self._builder.git("checkout", "-q", "-b", "twin")
        self._commit(label)
        self._builder.git("checkout", "-q", "main")
        self._builder.write(path, content)
        self._change(f"{label} again")
        self._join("twin", side="ours")
        self._builder.git("branch", "-q", "-D", "twin")
