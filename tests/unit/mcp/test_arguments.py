"""What tools are given is checked, and the message says which argument is wrong."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.mcp.arguments import Parameter, read_arguments, schema_of
from codeintel_ls.mcp.errors import ToolArgumentError
from codeintel_ls.mcp.tools import TOOLS

PARAMETERS = {
    "query": Parameter(kind="string", meaning="What.", required=True),
    "limit": Parameter(kind="integer", meaning="How many.", default=8, bounds=(1, 50)),
    "globs": Parameter(kind="array", meaning="Where."),
    "exact": Parameter(kind="boolean", meaning="How."),
    "mode": Parameter(kind="string", meaning="Which.", choices=("a", "b")),
}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "query"),
        ({"query": None}, "query"),
        ({"query": 7}, "query"),
        ({"query": "x", "limit": "7"}, "limit"),
        ({"query": "x", "limit": True}, "limit"),
        ({"query": "x", "limit": 0}, "limit"),
        ({"query": "x", "limit": 51}, "limit"),
        ({"query": "x", "globs": "src"}, "globs"),
        ({"query": "x", "globs": [1]}, "globs"),
        ({"query": "x", "exact": 1}, "exact"),
        ({"query": "x", "mode": "c"}, "mode"),
        ({"query": "x", "querry": "y"}, "querry"),
    ],
)
def test_what_is_wrong_is_named(given, named):
    with pytest.raises(ToolArgumentError, match=f"`{named}`"):
        read_arguments(PARAMETERS, given)


def test_defaults_stand_for_what_is_not_given():
    assert read_arguments(PARAMETERS, {"query": "x", "globs": []}) == {
        "query": "x",
        "limit": 8,
        "globs": [],
        "exact": None,
        "mode": None,
    }


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 60),
    st.floats(),
    st.sampled_from(["a", "b", "c", ""]),
    st.lists(st.one_of(st.text(max_size=2), st.integers())),
)


@given(st.dictionaries(st.sampled_from([*PARAMETERS, "other"]), values))
def test_the_check_and_the_schema_agree(given):
    # JSON Schema takes 1.0 for an integer, and null is another way of leaving something out.
    whole = {
        name: value
        for name, value in given.items()
        if value is not None and not isinstance(value, float)
    }
    validator = jsonschema.Draft202012Validator(schema_of(PARAMETERS))
    try:
        read_arguments(PARAMETERS, whole)
    except ToolArgumentError:
        assert not validator.is_valid(whole)
    else:
        assert validator.is_valid(whole)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_schemas_of_tools_are_schemas(tool):
    jsonschema.Draft202012Validator.check_schema(schema_of(tool.parameters))
    assert tool.description
    assert len(tool.description) < 300
