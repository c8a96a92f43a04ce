"""The pattern language of gitignore(5): for ignore files, the `exclude` setting and globs.

Patterns come from folders that were only opened, so a hostile one must not be able to stop the
process: Python's `re` holds the interpreter while it backtracks. Invariant: matching never
backtracks over more than one star, and takes time in proportion to path times pattern. That is
what the atomic groups are for: once the part between two stars has matched at its first place,
no later place can make a match that this one does not.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from attrs import frozen

from codeintel_ls.errors import InvalidRequestError

LONGEST_PATTERN: Final = 4096
_NONE: Final = sys.maxsize
_DIRECTORIES: Final = r"(?:[^/]+/)*"
_POSIX_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_ESCAPED_SLASH: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\/")
_TOKEN: Final = re.compile(
    r"\\(?P<escaped>.)"
    r"|\[(?P<class>[!^]?\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]"
    r"|(?P<star>\*+)|(?P<any>\?)|(?P<literal>[^\\\[])",
    re.DOTALL,
)
_CLASS_ITEM: Final = re.compile(r"\[:(?P<posix>[a-z]+):\]|\\(?P<escaped>.)|(?P<plain>.)", re.DOTALL)


class InvalidPatternError(InvalidRequestError):
    """A pattern that gitignore's language does not know."""

    def __init__(self, pattern: str) -> None:
        shown = pattern if len(pattern) <= 60 else pattern[:59] + "…"
        super().__init__(f"The pattern {shown!r} is not valid; see gitignore(5) for the syntax.")


@frozen
class _Pattern:
    """One line. `expression` (without an end) is for a name at any depth, or for a path."""

    expression: str
    at_any_depth: bool
    negated: bool
    directories_only: bool


class IgnoreList:
    """The lines of one ignore file, for paths relative to its directory."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Lines that are not valid count as if they were not there (as in git)."""
        patterns = list(filter(None, map(_parsed_or_none, lines)))
        # Git lets the last line win: the first alternative of an expression is the last line.
        patterns.reverse()
        for_files = [pattern for pattern in patterns if not pattern.directories_only]
        self._directories = _Verdicts(patterns)
        self._files = _Verdicts(for_files)

    def __bool__(self) -> bool:
        return bool(self._directories.negated)

    def verdict(self, path: str, *, is_directory: bool) -> bool | None:
        """True: ignored, False: re-included by `!`, None: not named. Parents are not asked."""
        return (self._directories if is_directory else self._files).of(path)


class _Verdicts:
    def __init__(self, patterns: Sequence[_Pattern]) -> None:
        self.negated = [pattern.negated for pattern in patterns]
        self._names = _Alternatives([(i, p) for i, p in enumerate(patterns) if p.at_any_depth])
        self._paths = _Alternatives([(i, p) for i, p in enumerate(patterns) if not p.at_any_depth])

    def of(self, path: str) -> bool | None:
        name = path[path.rfind("/") + 1 :]
        first = min(self._names.first(name), self._paths.first(path))
        return None if first == _NONE else not self.negated[first]


class _Alternatives:
    """Some patterns in one expression, which says the first that matches."""

    def __init__(self, patterns: Sequence[tuple[int, _Pattern]]) -> None:
        self._places = [place for place, _ in patterns]
        self._expression = re.compile(
            "|".join(rf"({pattern.expression}\Z)" for _, pattern in patterns), re.DOTALL
        )

    def first(self, path: str) -> int:
        match = self._expression.match(path) if self._places else None
        return _NONE if match is None else self._places[(match.lastindex or 1) - 1]


def compile_inside(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """What matches (from the start) the paths that a pattern names or that lie in what it names.

    `!` and `#` have no meaning here. None without patterns. Raises `InvalidPatternError`.
    """
    expressions = [
        (_DIRECTORIES if pattern.at_any_depth else "")
        + pattern.expression
        + ("/" if pattern.directories_only else r"(?:/|\Z)")
        for pattern in map(_translated, patterns)
    ]
    return re.compile("|".join(expressions), re.DOTALL) if expressions else None


def check_pattern(line: str) -> None:
    """Raise `InvalidPatternError` for a line of an ignore file that is not valid."""
    _parsed(line)


def _parsed_or_none(line: str) -> _Pattern | None:
    try:
        return _parsed(line)
    except InvalidPatternError:
        return None


def _parsed(line: str) -> _Pattern | None:
    text = _without_trailing_spaces(line.rstrip("\r\n"))
    if not text or text.startswith("#"):
        return None
    return _translated(text[1:], negated=True) if text.startswith("!") else _translated(text)


def _without_trailing_spaces(text: str) -> str:
    stripped = text.rstrip(" ")
    escapes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if escapes % 2 and len(stripped) < len(text) else stripped


def _translated(pattern: str, *, negated: bool = False) -> _Pattern:
    directories_only = pattern.endswith("/")
    text = pattern[:-1] if directories_only else pattern
    anchored = "/" in text
    segments = _ESCAPED_SLASH.sub(r"\1/", text.removeprefix("/")).split("/")
    if len(pattern) > LONGEST_PATTERN or not all(segments) or "\0" in text or "\n" in text:
        raise InvalidPatternError(pattern)
    try:
        expression = _path(segments)
        re.compile(expression)
    except (ValueError, re.error) as error:
        raise InvalidPatternError(pattern) from error
    return _Pattern(expression, not anchored, negated, directories_only)


def _path(segments: Sequence[str]) -> str:
    """`a/**/b/c` is a run of segments `a`, any directories, and a last run `b/c`."""
    runs: list[list[str]] = [[]]
    for is_any, group in groupby(segments, _is_any_depth):
        if is_any:
            runs.append([])
        else:
            runs[-1] = [_segment(segment) for segment in group]
    first, *others = ["/".join(run) for run in runs]
    if not others:
        return first
    start = first + "/" if first else ""
    between = "".join(f"(?>(?:[^/]+/)*?{run}/)" for run in others[:-1])
    return start + between + (_DIRECTORIES + others[-1] if others[-1] else ".+")


def _is_any_depth(segment: str) -> bool:
    # Git takes three stars and more for two.
    return len(segment) >= 2 and not segment.strip("*")


def _segment(text: str) -> str:
    """One name; what stands between two stars is matched once, at its first place."""
    parts = [""]
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(text)
        position = token.end()
        if token["star"]:
            parts.append("")
        else:
            parts[-1] += _character(token)
    first, *others = parts
    if not others:
        return first
    middle = "".join(f"(?>[^/]*?{part})" for part in others[:-1] if part)
    return f"{first}{middle}[^/]*{others[-1]}"


def _character(token: re.Match[str]) -> str:
    if token["any"]:
        return "[^/]"
    if token["class"] is not None:
        return _character_class(token["class"])
    return re.escape(token["escaped"] or token["literal"])


def _character_class(text: str) -> str:
    sign = "^" if text[:1] in {"!", "^"} else ""
    items = [_class_item(item) for item in _CLASS_ITEM.finditer(text[len(sign) :])]
    if not items:
        raise ValueError(text)
    return f"(?!/)[{sign}{''.join(items)}]"


def _class_item(item: re.Match[str]) -> str:
    if item["posix"]:
        if item["posix"] not in _POSIX_CLASSES:
            raise ValueError(item.string)
        return _POSIX_CLASSES[item["posix"]]
    if item["plain"] == "-":
        return "-"
    return re.escape(item["escaped"] or item["plain"])
