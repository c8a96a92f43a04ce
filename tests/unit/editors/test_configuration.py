"""The extension has the settings of the server; no workspace can set what is the user's."""

import json
from typing import cast

from codeintel_ls.settings import json_schema
from tests.editors.vscode.configuration import drift, generated, localised, server_sections
from tests.editors.vscode.layout import MANIFEST, STRINGS


def test_what_is_committed_is_as_generated() -> None:
    assert drift() == []


def test_every_setting_of_the_server_is_there_with_its_scope() -> None:
    shown = {
        name: described["scope"]
        for section in server_sections()
        for name, described in section["properties"].items()
    }
    sections = cast("dict[str, dict[str, dict[str, dict[str, str]]]]", json_schema()["properties"])
    expected = {
        f"codeintel.{section}.{key}": leaf["x-scope"]
        for section, described in sections.items()
        for key, leaf in described["properties"].items()
    }
    assert shown == expected
    assert expected["codeintel.embedding.endpoint"] == "machine"


def test_texts_become_keys() -> None:
    section = {
        "title": "One Thing",
        "properties": {
            "codeintel.one.thing": {"description": "A.", "enumDescriptions": ["x", "y"]},
        },
    }
    (shown,), texts = localised([section])
    described = shown["properties"]["codeintel.one.thing"]
    assert described["description"] == "%configuration.one.thing%"
    assert [texts[key.strip("%")] for key in described["enumDescriptions"]] == ["x", "y"]
    assert texts[shown["title"].strip("%")] == "One Thing"


def test_generating_touches_nothing_else() -> None:
    manifest, strings = generated(MANIFEST.read_text("utf-8"), STRINGS.read_text("utf-8"))
    again = generated(manifest.replace('"configuration": [', '"configuration": [{}, '), strings)
    assert json.loads(again[0]) == json.loads(manifest)
    assert again[1] == strings
