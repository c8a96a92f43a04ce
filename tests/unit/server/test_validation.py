"""Parameters are read strictly, and errors name the field."""

import pytest

from codeintel_ls.search.values import SearchMode
from codeintel_ls.server import wire
from codeintel_ls.server.validation import InvalidParamsError, read_params, write_result

RANGE = {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}}


def test_defaults_hold_where_nothing_is_given():
    params = read_params(wire.SemanticSearchParams, {"query": "x"})
    assert (params.limit, params.offset, params.mode, params.explain) == (
        None,
        0,
        SearchMode.HYBRID,
        False,
    )
    assert read_params(wire.NoParams, None) == wire.NoParams()


def test_everything_given_arrives():
    params = read_params(
        wire.FileHistoryParams,
        {"uri": "file:///a", "range": RANGE, "limit": 3, "cursor": "c", "follow": False},
    )
    assert params.range is not None
    assert (params.range.start.line, params.limit, params.cursor, params.follow) == (
        1,
        3,
        "c",
        False,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "`query` is missing."),
        ([], "must be an object."),
        ("query", "must be an object."),
        ({"query": 7}, "`query` must be a string."),
        ({"query": None}, "`query` must be a string."),
        ({"query": "x", "limit": True}, "`limit` must be an integer."),
        ({"query": "x", "limit": 1.0}, "`limit` must be an integer."),
        ({"query": "x", "limit": "7"}, "`limit` must be an integer."),
        ({"query": "x", "limit": 0}, "`limit` must be from 1 to 200."),
        ({"query": "x", "limit": 10**9}, "`limit` must be from 1 to 200."),
        ({"query": "x", "limit": 10**30}, "`limit` must be from 1 to 200."),
        ({"query": "x", "offset": -1}, "`offset` must be from 0 to 10000."),
        ({"query": "x", "explain": 1}, "`explain` must be true or false."),
        ({"query": "x", "mode": "best"}, 'must be one of "hybrid", "semantic", "lexical".'),
        ({"query": "x", "globs": "*.py"}, "`globs` must be a list."),
        ({"query": "x", "globs": ["*.py", 7]}, "`globs[1]` must be a string."),
        ({"query": "x", "globs": ["x"] * 1001}, "`globs` must have at most 1000 elements."),
        ({"query": "x" * 10_001}, "`query` must have at most 10000 characters."),
        ({"query": "x", "author": "a" * 201}, "`author` must have at most 200 characters"),
        ({"query": "x", "changedSince": 2020}, "`changedSince` must be a string"),
        ({"query": "x", "limti": 3}, "`limti` is not a known field"),
        ({"query": "x", "snippet_lines": 3}, "`snippet_lines` is not a known field"),
    ],
)
def test_what_is_wrong_is_named(given, message):
    with pytest.raises(InvalidParamsError) as caught:
        read_params(wire.SemanticSearchParams, given)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"start": RANGE["start"]}, "`range.end` is missing."),
        (
            {**RANGE, "end": {"line": 1, "character": "0"}},
            "`range.end.character` must be an integer.",
        ),
        ({**RANGE, "end": {"line": -1, "character": 0}}, "`range.end` must hold integers"),
        ({**RANGE, "end": {"line": 1, "character": 0, "x": 1}}, "`range.end.x` is not a known"),
    ],
)
def test_what_is_wrong_deep_down_is_named_with_its_path(place, message):
    with pytest.raises(InvalidParamsError) as caught:
        read_params(wire.FindSimilarParams, {"uri": "file:///a", "range": place})
    assert message in str(caught.value)


def test_errors_do_not_repeat_what_was_sent():
    with pytest.raises(InvalidParamsError) as caught:
        read_params(wire.SemanticSearchParams, {"query": ["the secret source"]})
    assert "secret" not in str(caught.value)


def test_results_are_camel_case_and_leave_absent_fields_out():
    commit = wire.BlameHunk(
        start_line=1, end_line=2, commit=None, original_line=-1, original_path=""
    )
    result = wire.BlameRangeResult(hunks=(commit,), commits={}, version=None, cut_off=())
    assert write_result(result) == {
        "hunks": [
            {"startLine": 1, "endLine": 2, "commit": None, "originalLine": -1, "originalPath": ""}
        ],
        "commits": {},
        "version": None,
        "cutOff": [],
    }
    page = wire.FileHistoryResult(entries=())
    assert write_result(page) == {"entries": []}
