import pytest

from codeintel_ls.settings import load_settings
from codeintel_ls.settings.page_template import page_template_problem

NOWHERE = {"XDG_CONFIG_HOME": "/nonexistent"}


@pytest.mark.parametrize(
    "template",
    [
        "",
        "https://git.example.org/{path}/commit/{commit}",
        "http://localhost:8080/{host}/{path}?id={commit}#top",
        "https://{host}/{path}/-/commit/{commit}",
        "https://[::1]:8080/{commit}",
    ],
)
def test_sound_templates(template: str) -> None:
    assert page_template_problem(template) is None


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("https://example.org/{path}", "does not name {commit}"),
        ("https://example.org/{Commit}/{commit}", "names {Commit}, which is no placeholder"),
        ("https://example.org/{commit}}", "a brace that stands alone"),
        ("https://example.org/{{commit}}", "a brace that stands alone"),
        ("https://example.org/{commit", "a brace that stands alone"),
        ("javascript:alert({commit})", "does not begin with http"),
        ("file:///srv/{commit}", "does not begin with http"),
        ("https:///{commit}", "does not begin with http"),
        ("{host}/{commit}", "does not begin with http"),
        ("https://example.org:port/{commit}", "is no URL"),
        ("https://ada:secret@example.org/{commit}", "holds a user or a password"),
        ("https://example.org/a b/{commit}", "must be percent-encoded"),
        ("https://example.org/{commit}\n", "must be percent-encoded"),
    ],
)
def test_a_template_that_is_wrong_is_named(template: str, problem: str) -> None:
    loaded = load_settings(None, client={"git": {"commitUrl": template}}, environ=NOWHERE)
    assert loaded.settings.git.commit_url == ""
    (told,) = loaded.problems
    assert "git.commitUrl" in told.message
    assert problem in told.message
