"""Wrong keys, types and bounds are named; the rest works; the JSON Schema says the same."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from codeintel_ls.settings import (
    Settings,
    SettingsProblem,
    fill_template,
    json_schema,
    load_settings,
)

NOWHERE = {"XDG_CONFIG_HOME": "/nonexistent"}
SCHEMA: dict[str, Any] = json_schema()
LEAVES = [
    (section, key, leaf)
    for section, described in SCHEMA["properties"].items()
    for key, leaf in described["properties"].items()
]


def load(client: object) -> tuple[Settings, tuple[SettingsProblem, ...]]:
    loaded = load_settings(None, client=client, environ=NOWHERE)
    return loaded.settings, loaded.problems


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("search", "limit", "7", "a whole number from 1 to 200"),
        ("search", "limit", True, "a whole number from 1 to 200"),
        ("search", "limit", 7.0, "a whole number from 1 to 200"),
        ("search", "limit", 0, "a whole number from 1 to 200"),
        ("search", "limit", 10**9, "a whole number from 1 to 200"),
        ("index", "watch", 1, "true or false"),
        ("index", "watch", "true", "true or false"),
        ("index", "exclude", "*.py", "a list of patterns"),
        ("index", "exclude", ["*.py", 3], "a list of patterns"),
        ("index", "exclude", ["!"], "a list of patterns"),
        ("git", "path", "", "the name of a command"),
        ("git", "path", "../bin/git", "the name of a command"),
        ("git", "path", ["git"], "the name of a command"),
        ("git", "path", "git\0", "the name of a command"),
        ("cache", "directory", "relative", "an absolute path"),
        ("cache", "maxMegabytes", 99, "a whole number from 100 to"),
        ("cache", "maxWorkspaceMegabytes", 49, "a whole number from 50 to"),
        ("index", "primary", "hnsw", 'one of "auto", "flat", "sq8", "rabitq"'),
        ("index", "workerMegabytes", 255, "a whole number from 256 to"),
        ("blame", "hover", True, 'one of "off", "lineEnd", "everywhere"'),
        ("blame", "inlayHints", "on", 'one of "off", "line", "visible"'),
        ("blame", "codeLens", "on", "true or false"),
        ("blame", "format", 3, "a text with no placeholders but {author}, {email}, {date}"),
        ("log", "level", "loud", 'one of "error", "warning", "info", "debug"'),
        ("log", "level", 3, 'one of "error", "warning", "info", "debug"'),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected_and_the_default_stays(
    section: str, key: str, value: object, expected: str
) -> None:
    settings, (problem,) = load({section: {key: value}})
    assert settings == Settings()
    assert problem.key == f"{section}.{key}"
    assert f"{section}.{key} (workspace/configuration) must be {expected}" in problem.message


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{autor}, {date}", "this one names {autor}, which is no placeholder"),
        ("{author.name}", "this one names {author.name}, which is no placeholder"),
        ("{author!r:>9}", "this one names {author!r:>9}, which is no placeholder"),
        ("{}", "this one names {}, which is no placeholder"),
        ("{author", "this one has a brace that stands alone"),
        ("author}", "this one has a brace that stands alone"),
        (" ", "this one is empty"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(template: str, problem: str) -> None:
    settings, (told,) = load({"blame": {"format": template}})
    assert settings == Settings()
    assert problem in told.message


def test_a_template_is_filled_in_with_values_alone() -> None:
    settings, problems = load({"blame": {"format": "{{{id}}} {author}{author}"}})
    assert problems == ()
    values = {"id": "1", "author": "{date}", "date": "2"}
    assert fill_template(settings.blame.format, values) == "{1} {date}{date}"


def test_the_rest_of_a_source_works_beside_what_is_wrong() -> None:
    settings, problems = load(
        {"serch": {"limit": 1}, "search": {"limit": "x", "snippetLines": 4}, "index": 7}
    )
    assert settings == attrs.evolve(
        Settings(), search=attrs.evolve(Settings().search, snippet_lines=4)
    )
    assert {problem.key for problem in problems} == {"serch", "search.limit", "index"}


def test_a_misspelt_name_gets_a_suggestion() -> None:
    _, problems = load({"serch": {}, "search": {"limt": 3}})
    assert "Did you mean search?" in problems[0].message
    assert "Did you mean search.limit?" in problems[1].message


def test_a_name_like_no_other_gets_the_known_ones() -> None:
    _, (problem,) = load({"search": {"zzz": 3}})
    assert "Known are limit, snippetLines, deep, deepPercent, workspaceSymbols." in problem.message


def test_a_long_value_is_shortened_in_the_message() -> None:
    _, (problem,) = load({"search": {"limit": "x" * 10_000}})
    assert len(problem.message) < 300


def test_the_schema_is_a_valid_one_and_accepts_its_own_defaults() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    defaults: dict[str, dict[str, Any]] = {}
    for section, key, leaf in LEAVES:
        defaults.setdefault(section, {})[key] = leaf["default"]
    assert Draft202012Validator(SCHEMA).is_valid(defaults)
    assert load(defaults) == (Settings(), ())


def test_every_setting_says_what_it_is_and_who_may_set_it() -> None:
    assert {section for section, _, _ in LEAVES} == {a.name for a in attrs.fields(Settings)}
    for section, key, leaf in LEAVES:
        assert leaf["description"].endswith("."), (section, key)
        assert leaf["x-scope"] in {"machine", "window", "resource"}, (section, key)
        assert leaf["type"] != "integer" or {"minimum", "maximum"} <= leaf.keys(), (section, key)


# Floats are left out: JSON Schema calls 7.0 an integer, the settings do not.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.sampled_from(LEAVES), json_values)
def test_what_the_schema_refuses_is_never_taken(
    leaf: tuple[str, str, dict[str, object]], value: object
) -> None:
    section, key, _ = leaf
    document: Any = {section: {key: value}}
    if value is not None and not Draft202012Validator(SCHEMA).is_valid(document):
        settings, problems = load(document)
        assert settings == Settings()
        assert [problem.key for problem in problems] == [f"{section}.{key}"]


@given(json_values)
def test_no_json_value_makes_loading_fail(value: object) -> None:
    settings, _ = load(value)
    assert isinstance(settings, Settings)
