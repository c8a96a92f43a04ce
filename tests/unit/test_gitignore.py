"""The pattern language against git itself, and against patterns that are made to hang."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeintel_ls.gitignore import IgnoreList, InvalidPatternError, check_pattern

names = st.text("ab.-]", min_size=1, max_size=4).filter(lambda name: name not in {".", ".."})
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
pieces = st.sampled_from(
    [
        *["a", "b", ".", "-", "/", "?", "!", "#", " ", "\\", "[", "]", "a*", "*.a", "/a", "\\*"],
        *["*", "**", "***", "**/", "/**", "[ab]", "[!a]", "[^b]", "[a-b]", "[]]", "[[:alpha:]]"],
    ]
)
# Left out is where git goes against its own manual: it compares `a**/b` without the literal `a`
# first and then takes the stars for a leading `**/`; in `**\/b` no zero directories match; and a
# slash within brackets, which can match nothing, is part of them.
_AS_GIT_DOCUMENTS = re.compile(r"(?!.*(?:[^/!]\*\*+/|\*\\/|\[[^\]]*/))")
lines = st.lists(pieces, min_size=1, max_size=5).map("".join).filter(_AS_GIT_DOCUMENTS.match)


class Git:
    """`git check-ignore` in an empty repository, for one ignore file after another."""

    def __init__(self, root: Path) -> None:
        self.root = root
        environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "init", "-q", root], check=True, env=environ)
        self._environ = environ

    def ignored(self, patterns: list[str], wanted: list[str]) -> set[str]:
        (self.root / ".gitignore").write_text("".join(f"{line}\n" for line in patterns))
        told = subprocess.run(
            ["git", "check-ignore", "--stdin", "-z", "--no-index"],
            input="".join(f"{path}\0" for path in wanted),
            cwd=self.root,
            env=self._environ,
            capture_output=True,
            text=True,
        )
        return set(told.stdout.split("\0")) - {""}


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return Git(tmp_path_factory.mktemp("ignored"))


def ignored(rules: IgnoreList, path: str) -> bool:
    """As git decides: what lies in an ignored directory is ignored."""
    parts = path.split("/")
    parents = ("/".join(parts[:end]) for end in range(1, len(parts)))
    if any(rules.verdict(parent, is_directory=True) for parent in parents):
        return True
    return bool(rules.verdict(path, is_directory=False))


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, min_size=1, max_size=4), st.lists(paths, min_size=5, max_size=30))
def test_it_ignores_what_git_ignores(git: Git, patterns: list[str], wanted: list[str]) -> None:
    rules = IgnoreList(patterns)
    ours = {path for path in wanted if ignored(rules, path)}
    assert ours == git.ignored(patterns, wanted)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 100 + "*b", "a" * 4000),
        ("/" + "**/a/" * 100 + "b", "a/" * 2000 + "c"),
        ("/" + "**/*a*a*a/" * 30 + "b", "a/" * 2000 + "c"),
        ("**/" + "*a" * 60 + "b/x", ("a" * 250 + "/") * 16),
        ("[a]*" * 100 + "b", "a" * 4000),
    ],
)
@pytest.mark.timeout(20)
def test_no_pattern_makes_matching_hang(pattern: str, path: str) -> None:
    assert IgnoreList([pattern]).verdict(path, is_directory=False) is None


@pytest.mark.parametrize("line", ["[", "a[b", "\\", "a\\", "[z-a]", "/", "//", "!", "a//b", "a\0b"])
def test_a_line_that_is_not_valid_is_told_and_does_not_count(line: str) -> None:
    with pytest.raises(InvalidPatternError):
        check_pattern(line)
    assert not IgnoreList([line])
    assert IgnoreList([line, "a"]).verdict("a", is_directory=False) is True


@pytest.mark.parametrize("line", ["", "   ", "# a comment", "#"])
def test_blank_lines_and_comments_name_nothing(line: str) -> None:
    check_pattern(line)
    assert not IgnoreList([line])


def test_the_last_line_that_names_a_path_decides() -> None:
    rules = IgnoreList(["*.log", "!keep.log", "/sub/keep.log"])
    assert rules.verdict("a.log", is_directory=False) is True
    assert rules.verdict("keep.log", is_directory=False) is False
    assert rules.verdict("sub/keep.log", is_directory=False) is True
    assert rules.verdict("a.py", is_directory=False) is None
