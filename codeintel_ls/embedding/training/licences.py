"""Which licences training data may have, and how a package's metadata says which it has.

Permissive only. What is not understood is refused: an unknown licence is no licence.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import cast

from attrs import frozen

_PERMISSIVE = frozenset(
    """
    0bsd afl-2.1 apache apache-2 apache-2.0 apache2 apache2.0 blueoak-1.0.0 boost boost-1.0
    bsd bsd-1-clause bsd-2-clause bsd-2 bsd-3-clause bsd-3 bsd-like bsl-1.0 bsl cc0 cc0-1.0 curl
    expat isc mit mit-0 mit-license mit/x11 mit-x11 psf psf-2 psf-2.0 python-2.0 public-domain
    unlicense unlicence wtfpl wtfpl-2 x11 zlib zlib/libpng zpl-2.1 ncsa postgresql python
    upl-1.0 unicode-dfs-2016 unicode-3.0
    """.split()
)
_CLASSIFIERS = {
    "mit license": "mit",
    "mit no attribution license (mit-0)": "mit-0",
    "bsd license": "bsd-3-clause",
    "apache software license": "apache-2.0",
    "isc license (iscl)": "isc",
    "python software foundation license": "psf-2.0",
    "the unlicense (unlicense)": "unlicense",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "cc0-1.0",
    "boost software license 1.0 (bsl-1.0)": "bsl-1.0",
    "zlib/libpng license": "zlib",
    "zero-clause bsd (0bsd)": "0bsd",
    "public domain": "public-domain",
    "zope public license": "zpl-2.1",
    "university of illinois/ncsa open source license": "ncsa",
    "universal permissive license (upl)": "upl-1.0",
}
_WORDING = {
    "the mit license": "mit",
    "mit license": "mit",
    "the mit license (mit)": "mit",
    "apache license 2.0": "apache-2.0",
    "apache license, version 2.0": "apache-2.0",
    "apache software license": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "apache license version 2.0": "apache-2.0",
    "bsd license": "bsd-3-clause",
    "new bsd license": "bsd-3-clause",
    "bsd 3-clause": "bsd-3-clause",
    "3-clause bsd": "bsd-3-clause",
    "3-clause bsd license": "bsd-3-clause",
    "bsd 3-clause license": "bsd-3-clause",
    "modified bsd license": "bsd-3-clause",
    "simplified bsd": "bsd-2-clause",
    "isc license": "isc",
    "public domain": "public-domain",
}
_OR = re.compile(r"\s+or\s+|\s*\|\s*|,?\s+or\s+")
_AND = re.compile(r"\s+and\s+|\s*,\s*|\s*&\s*")
_EXCEPTION = re.compile(r"\s+with\s+[\w.+-]+(?:\s+exceptions?)?")


def is_permissive(licence: str) -> bool:
    """Whether an expression leaves a permissive choice: one of its `or` sides is so entirely.

    SPDX names, Debian's short names and the usual wordings; `and` binds tighter than `or`.
    """
    plain = " ".join(licence.lower().replace("(", " ").replace(")", " ").split())
    whole = _WORDING.get(" ".join(licence.lower().split()), plain)
    # Nested brackets are not taken apart: where `and` meets `or`, both must hold everywhere.
    if "(" in licence and _OR.search(plain) and _AND.search(plain):
        return all(_is_known(part) for part in re.split(r"\s+(?:and|or)\s+", plain))
    return any(
        all(_is_known(part) for part in _AND.split(side)) for side in _OR.split(whole) if side
    )


def _is_known(name: str) -> bool:
    bare = _EXCEPTION.sub("", name.strip())
    bare = _WORDING.get(bare, bare)
    return bare in _PERMISSIVE or bare.removesuffix("~").split("~")[0] in _PERMISSIVE


@frozen
class Stanza:
    """Files that match `patterns` are under `licence`; of several that match the last counts."""

    patterns: tuple[str, ...]
    licence: str


@frozen
class FileLicences:
    """A package's licences, file by file."""

    stanzas: tuple[Stanza, ...]

    def of(self, path: str) -> str:
        """The licence of a file, its path relative to the source's root; empty when unknown."""
        found = ""
        for stanza in self.stanzas:
            if any(_matches(path, pattern) for pattern in stanza.patterns):
                found = stanza.licence
        return found

    def all_permissive(self) -> bool:
        """Whether every stanza but the packaging's own is permissive."""
        own = [each for each in self.stanzas if not _is_packaging(each)]
        return bool(own) and all(is_permissive(stanza.licence) for stanza in own)

    def summary(self) -> str:
        """The distinct licences, for the manifest."""
        return ", ".join(dict.fromkeys(s.licence for s in self.stanzas if not _is_packaging(s)))


def _is_packaging(stanza: Stanza) -> bool:
    return all(pattern.startswith("debian/") for pattern in stanza.patterns)


def _matches(path: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    return fnmatchcase(path, pattern) or (
        not pattern.endswith("*") and path.startswith(pattern.rstrip("/") + "/")
    )


def read_debian_copyright(text: str) -> FileLicences | None:
    """The stanzas of a machine-readable `debian/copyright`; None when it is not one."""
    if "format:" not in text[:2_000].lower() or "files:" not in text.lower():
        return None
    stanzas: list[Stanza] = []
    for fields in _paragraphs(text):
        patterns = tuple(fields.get("files", "").split())
        if patterns:
            licence = fields.get("license", "").strip()
            stanzas.append(Stanza(patterns, licence.splitlines()[0].strip() if licence else ""))
    return FileLicences(tuple(stanzas)) if stanzas else None


def _paragraphs(text: str) -> Iterable[Mapping[str, str]]:
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line[:1].isspace():
                if name:
                    fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        yield fields


def python_licence(metadata: str) -> str:
    """The licence in a distribution's METADATA: its expression, classifiers or licence field.

    Several classifiers mean all of them, unless the expression says otherwise.
    """
    head = metadata.partition("\n\n")[0]
    expression = _header(head, "License-Expression")
    if expression:
        return expression[0]
    classifiers = [
        line.rpartition("::")[2].strip().lower()
        for line in _header(head, "Classifier")
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    if classifiers:
        return " and ".join(_CLASSIFIERS.get(each, f"unknown {each}") for each in classifiers)
    plain = _header(head, "License")
    return plain[0] if plain and len(plain[0]) < 80 else ""


def _header(head: str, name: str) -> list[str]:
    start = f"{name}: "
    return [line[len(start) :].strip() for line in head.splitlines() if line.startswith(start)]


def npm_licence(package_json: str) -> str:
    """The licence in a `package.json`; the old list form means a choice. Empty when unclear."""
    try:
        loaded: object = json.loads(package_json)
    except ValueError:
        return ""
    if not isinstance(loaded, dict):
        return ""
    found = cast("Mapping[str, object]", loaded)
    licence = found.get("license") or found.get("licence")
    if isinstance(licence, str):
        return licence
    names = [_npm_name(each) for each in _several(licence) or _several(found.get("licenses"))]
    names = names or [_npm_name(licence)]
    return " or ".join(name for name in names if name)


def _several(entry: object) -> Sequence[object]:
    return cast("Sequence[object]", entry) if isinstance(entry, list) else ()


def _npm_name(entry: object) -> str:
    if isinstance(entry, dict):
        entry = cast("Mapping[str, object]", entry).get("type")
    return entry if isinstance(entry, str) else ""
