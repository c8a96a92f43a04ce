"""The extension's settings: `python -m tests.editors.vscode.configuration [--check]` writes them.

Sources: the server's schema; `setting-defaults.json` of the extension for defaults of the server's
that differ in it; `own-settings.json` for what the server does not know. Written are
`contributes.configuration` of package.json and the keys `configuration.*` of package.nls.json.
Invariant: what the server takes from the user alone has the scope `machine`, so that VS Code does
not read it from a workspace either.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from codeintel_ls.settings import json_schema
from tests.editors.vscode.layout import EXTENSION, MANIFEST, STRINGS, CheckError

Json = dict[str, Any]

PREFIX: Final = "codeintel"
_KEYS: Final = "configuration."
_MARK: Final = '\n    "configuration": '
_OWN: Final = EXTENSION / "own-settings.json"
_DEFAULTS: Final = EXTENSION / "setting-defaults.json"
_TITLES: Final = {
    "index": "Index",
    "search": "Search",
    "blame": "Blame",
    "git": "Git",
    "embedding": "Embedding",
    "cache": "Cache",
    "daemon": "Daemon",
    "log": "Log",
}
_SCOPES: Final = {"machine": "machine", "window": "window", "resource": "resource"}
_WORDS: Final = {"description": "", "markdownDescription": "", "deprecationMessage": ".deprecation"}
_LISTS: Final = ("enumDescriptions", "markdownEnumDescriptions", "enumItemLabels")


def server_sections() -> list[Json]:
    """The server's settings as sections of VS Code's, in plain English."""
    sections = cast("Json", json_schema()["properties"])
    defaults: Json = json.loads(_DEFAULTS.read_text("utf-8")) if _DEFAULTS.exists() else {}
    results: list[Json] = []
    for name, section in sections.items():
        properties = {
            f"{PREFIX}.{name}.{key}": _property(leaf) for key, leaf in section["properties"].items()
        }
        for key in properties.keys() & defaults.keys():
            properties[key]["default"] = defaults.pop(key)
        results.append({"title": _TITLES[name], "properties": properties})
    if defaults:
        raise CheckError(f"{_DEFAULTS.name} names settings that are not: {', '.join(defaults)}.")
    return results


def _property(leaf: Mapping[str, Any]) -> Json:
    kept = {key: value for key, value in leaf.items() if key not in {"description", "x-scope"}}
    return {
        **kept,
        # Backquotes are Markdown, which only this field shows.
        "markdownDescription": leaf["description"],
        "scope": _SCOPES[leaf["x-scope"]],
    }


def own_sections() -> list[Json]:
    """The settings that only the extension knows."""
    return json.loads(_OWN.read_text("utf-8")) if _OWN.exists() else []


def localised(sections: Iterable[Json]) -> tuple[list[Json], dict[str, str]]:
    """Sections whose texts are keys of package.nls.json, numbered in order; and those texts."""
    strings: dict[str, str] = {}

    def key_of(name: str, text: str) -> str:
        strings[name] = text
        return f"%{name}%"

    results: list[Json] = []
    for order, section in enumerate(sections):
        properties: Json = {}
        for place, (name, described) in enumerate(section["properties"].items()):
            base = f"{_KEYS}{name.removeprefix(PREFIX + '.')}"
            shown: Json = {**described, "order": place}
            for word, ending in _WORDS.items():
                if word in shown:
                    shown[word] = key_of(base + ending, shown[word])
            for word in _LISTS:
                if word in shown:
                    shown[word] = [
                        key_of(f"{base}.{word}.{number}", text)
                        for number, text in enumerate(shown[word])
                    ]
            properties[name] = shown
        title = key_of(f"{_KEYS}{section['title'].lower().replace(' ', '-')}", section["title"])
        results.append({"order": order, "title": title, "properties": properties})
    return results, strings


def generated(manifest: str, strings: str) -> tuple[str, str]:
    """Both files' texts as they should be; the rest of them stays as it was written."""
    sections, texts = localised([*own_sections(), *server_sections()])
    start = manifest.index(_MARK) + len(_MARK)
    _, length = json.JSONDecoder().raw_decode(manifest[start:])
    shown = json.dumps(sections, indent=2, ensure_ascii=False).replace("\n", "\n    ")
    others = {key: text for key, text in json.loads(strings).items() if not key.startswith(_KEYS)}
    nls = json.dumps({**others, **texts}, indent=2, ensure_ascii=False) + "\n"
    return manifest[:start] + shown + manifest[start + length :], nls


def drift() -> list[str]:
    """What is not as generated; empty where all is well."""
    kept = (MANIFEST.read_text("utf-8"), STRINGS.read_text("utf-8"))
    names = ("contributes.configuration of package.json", "package.nls.json")
    return [
        f"{name} is not as generated."
        for name, is_so, should in zip(names, kept, generated(*kept), strict=True)
        if json.loads(is_so) != json.loads(should)
    ]


def write() -> None:
    """Write both files."""
    manifest, strings = generated(MANIFEST.read_text("utf-8"), STRINGS.read_text("utf-8"))
    MANIFEST.write_text(manifest, "utf-8")
    STRINGS.write_text(strings, "utf-8")


def main(arguments: list[str]) -> int:
    """Write, or with `--check` only say what is wrong."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    if not arguments:
        write()
        return 0
    problems = drift()
    for problem in problems:
        print(problem)
    if problems:
        print("Run `python -m tests.editors.vscode.configuration`.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
