"""Which packages are mined, in which order: a seeded shuffle, so that any part is a fair sample."""

import random
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

_BINARY = re.compile(r"^(?:golang-.*-dev|librust-.*-dev|ruby-.*|php-.*|node-.*|python3-.*|lua-.*)$")
_NOT_SOURCE = re.compile(r"(?:-doc|-dbg|-dbgsym|-tests?|-common|-data|-locales?)$")
_SECTIONS = {
    "java": 8_000_000,
    "haskell": 3_000_000,
    "ocaml": 3_000_000,
    "lua": 3_000_000,
    "libs": 4_000_000,
    "libdevel": 4_000_000,
    "database": 6_000_000,
    "httpd": 4_000_000,
    "shells": 3_000_000,
    "interpreters": 6_000_000,
    "cli-mono": 20_000_000,
    "devel": 3_000_000,
    "web": 3_000_000,
}
# The languages of which a distribution has little else.
LARGE = frozenset({"elixir-lang", "scala", "kotlin", "mono", "swiftlang", "guava-libraries"})


def debian_binaries(packages: str) -> Iterator[str]:
    """The names of packages that hold source text, from the text of a `Packages` index."""
    for fields in _stanzas(packages):
        name = fields.get("Package", "")
        portable = fields.get("Architecture") == "all" or name.startswith("librust-")
        if portable and _BINARY.match(name) and not _NOT_SOURCE.search(name):
            yield name


def debian_sources(sources: str) -> Iterator[str]:
    """The names of source packages worth reading, from the text of a `Sources` index."""
    for fields in _stanzas(sources):
        name = fields.get("Package", "")
        section = fields.get("Section", "").rpartition("/")[2]
        sizes = [
            int(size) for size in re.findall(r"(\d+) \S+\.orig\.tar\.", fields.get("Files", ""))
        ]
        if name in LARGE or (sizes and 0 < sum(sizes) <= _SECTIONS.get(section, 0)):
            yield name


def _stanzas(index: str) -> Iterator[Mapping[str, str]]:
    for stanza in index.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith(" "):
                fields[name] = fields.get(name, "") + line
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        if fields:
            yield fields


def read_index(lists: Path, ending: str) -> str:
    """The text of the apt indices in `lists` whose names hold `ending`, whatever packs them."""
    found = sorted(path for path in lists.iterdir() if ending in path.name)
    texts = [
        subprocess.run(
            ["/usr/lib/apt/apt-helper", "cat-file", path], capture_output=True, check=True
        ).stdout.decode("utf-8", "replace")
        for path in found
    ]
    return "\n\n".join(texts)


def shuffled(
    names: Mapping[str, Iterable[str]], shares: Mapping[str, int], seed: int
) -> Sequence[tuple[str, str]]:
    """(registry, name) of all, mixed; at most `shares` of a registry where it is named there."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    mixed: list[tuple[str, str]] = []
    for registry, several in names.items():
        distinct = sorted(set(several))
        chance.shuffle(distinct)
        mixed += [(registry, name) for name in distinct[: shares.get(registry, len(distinct))]]
    chance.shuffle(mixed)
    return sorted(mixed, key=lambda each: each[1] not in LARGE)
