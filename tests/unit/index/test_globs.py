"""Globs that restrict a search, as people write them in editors."""

import pytest

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.index.globs import GlobSet, InvalidGlobError

PATHS = (
    "main.py",
    "README.md",
    "src/app.py",
    "src/app.ts",
    "src/web/page.tsx",
    "src/web/test_page.py",
    "tests/test_app.py",
    "docs/src/app.py",
)


def matching(*globs: str) -> list[str]:
    compiled = GlobSet.compile(globs)
    return [path for path in PATHS if compiled.matches(path)]


def test_without_globs_everything_matches() -> None:
    assert matching() == list(PATHS)


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (["*.md"], ["README.md"]),
        (["main.*"], ["main.py"]),
        (["/*.py"], ["main.py"]),
        (["src/*.py"], ["src/app.py"]),
        (["./src/*.py"], ["src/app.py"]),
        (["src/**/*.py"], ["src/app.py", "src/web/test_page.py"]),
        (["src/web/"], ["src/web/page.tsx", "src/web/test_page.py"]),
        (["web"], ["src/web/page.tsx", "src/web/test_page.py"]),
        (["/src/**"], [path for path in PATHS if path.startswith("src/")]),
        (["**/test_*"], ["src/web/test_page.py", "tests/test_app.py"]),
        (["*.{ts,tsx}"], ["src/app.ts", "src/web/page.tsx"]),
        (["{src,tests}/{app,test_app}.*"], ["src/app.py", "src/app.ts", "tests/test_app.py"]),
        (["*.ts?"], ["src/web/page.tsx"]),
        (["[mR]*"], ["main.py", "README.md"]),
        (["*.md", "*.ts"], ["README.md", "src/app.ts"]),
        (["*.PY"], []),
    ],
)
def test_including_globs(globs: list[str], expected: list[str]) -> None:
    assert matching(*globs) == expected


def test_excluding_globs_win_wherever_they_stand() -> None:
    assert matching("!*.py") == ["README.md", "src/app.ts", "src/web/page.tsx"]
    assert matching("!src/web/**", "/src/**") == ["src/app.py", "src/app.ts"]
    assert matching("/src/**", "!*.{ts,tsx}", "!**/test_*") == ["src/app.py"]


def test_a_name_that_begins_with_a_hash_is_no_comment() -> None:
    assert GlobSet.compile(["#*"]).matches("#notes")


@pytest.mark.parametrize(
    "glob",
    ["", " ", "/", "!", "!/", "[", "a[b", "\\", "a//b", "[z-a]", "[[:nope:]]", "a\nb", "a\0"],
)
def test_a_bad_glob_is_named(glob: str) -> None:
    with pytest.raises(InvalidGlobError) as raised:
        GlobSet.compile(["*.py", glob])
    assert repr(glob) in str(raised.value)
    assert isinstance(raised.value, InvalidRequestError)


@pytest.mark.timeout(20)
def test_braces_that_multiply_without_end_are_refused() -> None:
    with pytest.raises(InvalidGlobError):
        GlobSet.compile(["{a,b}" * 40])


@pytest.mark.timeout(20)
def test_a_glob_of_a_million_characters_is_answered() -> None:
    GlobSet.compile(["*a" * 1000]).matches("a" * 4000)
    for glob in ("[" * 1_000_000, "*a" * 500_000, "{a,b}" * 200_000):
        with pytest.raises(InvalidGlobError):
            GlobSet.compile([glob])
