"""Which paths a search is restricted to: patterns in gitignore's syntax, `!` excludes.

Invariant: a pattern that cannot be understood is an error that names it; it never silently
matches nothing or everything.
"""

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.gitignore import LONGEST_PATTERN, InvalidPatternError, compile_inside

_BRACES: Final = re.compile(r"(?<!\\)\{([^{}]*,[^{}]*)(?<!\\)\}")
_MOST_ALTERNATIVES: Final = 256


class InvalidGlobError(InvalidRequestError):
    """A glob that cannot be understood."""


@frozen
class GlobSet:
    """Globs over folder-relative paths with `/`.

    A path matches when there are no including globs or one matches, and no excluding one does.
    As in gitignore(5), `*.py` matches at any depth, a glob with a slash inside from the root on,
    and a glob that matches a directory all that lies in it. `*.{ts,tsx}` is short for both.
    """

    _including: re.Pattern[str] | None
    _excluding: re.Pattern[str] | None

    @classmethod
    def compile(cls, patterns: Sequence[str]) -> "GlobSet":
        """Raises `InvalidGlobError` for a glob that cannot be understood."""
        return cls(
            _compiled([glob for glob in patterns if not glob.startswith("!")], ""),
            _compiled([glob[1:] for glob in patterns if glob.startswith("!")], "!"),
        )

    def matches(self, path: str) -> bool:
        """Whether a file is among those asked for."""
        if self._including is not None and not self._including.match(path):
            return False
        return self._excluding is None or not self._excluding.match(path)


def _compiled(globs: Sequence[str], sign: str) -> re.Pattern[str] | None:
    expanded: list[str] = []
    for glob in globs:
        try:
            alternatives = _expanded(_anchored(glob.strip()))
            compile_inside(alternatives)
        except InvalidPatternError as error:
            raise InvalidGlobError(_refusal(sign + glob)) from error
        expanded += alternatives
    return compile_inside(expanded)


def _anchored(glob: str) -> str:
    return glob[1:] if glob.startswith("./") else glob


def _expanded(glob: str) -> list[str]:
    """Every choice of the braces."""
    done: list[str] = []
    left = [glob]
    while left:
        if len(glob) > LONGEST_PATTERN or len(done) + len(left) > _MOST_ALTERNATIVES:
            raise InvalidPatternError(glob)
        text = left.pop()
        braces = _BRACES.search(text)
        if braces is None:
            done.append(text)
        else:
            before, after = text[: braces.start()], text[braces.end() :]
            left += [before + choice + after for choice in braces[1].split(",")]
    return done


def _refusal(glob: str) -> str:
    shown = glob if len(glob) <= 60 else glob[:59] + "…"
    return f"The glob {shown!r} is not valid: write it as in `*.py`, `src/**` or `!**/test_*`."
