"""Where a history goes on: an opaque text.

git cannot resume a history at a commit (the frontier of a walk over merges is no single commit), so
a cursor holds where the walks began and how many records of the present one were handed out.
Invariant: a cursor that was damaged, or belongs to another question, is refused; whatever one
holds, it can name only commits and paths of the asked repository.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, cast

from attrs import frozen

from codeintel_ls.errors import InvalidRequestError

_SEAL_BYTES = 16
_LARGEST = 10_000_000
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class HistoryKind(StrEnum):
    """Of what a history is."""

    FILE = "file"
    LINES = "lines"
    FOLDER = "folder"


@frozen
class Stretch:
    """The part of a history that is under one name: what `git log TIPS -- PATH` lists.

    What lies at or before one of the `cuts` is not of it: there the name belonged to another file.
    """

    path: str
    tips: tuple[str, ...]
    cuts: tuple[str, ...] = ()


@frozen
class HistoryCursor:
    """A history of which the stretches before number `at` are told, and `consumed` of its records.

    `asked` is the path that the caller named; `lines` are the first and the last line (0-based) of
    the first stretch's file in its tip.
    """

    kind: HistoryKind
    asked: str
    follow: bool
    stretches: tuple[Stretch, ...]
    lines: tuple[int, int] = (-1, -1)
    at: int = 0
    consumed: int = 0

    @property
    def first(self) -> Stretch:
        """The stretch under the newest name."""
        return self.stretches[0]

    def encode(self) -> str:
        """The cursor as text."""
        stretches = [[one.path, one.tips, one.cuts] for one in self.stretches]
        fields = [self.asked, self.follow, stretches, self.lines, self.at, self.consumed]
        content = json.dumps([self.kind, *fields], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(_seal(content) + zlib.compress(content, 9)).decode("ascii")

    @classmethod
    def decode(cls, text: str, kind: HistoryKind, asked: str, follow: bool) -> "HistoryCursor":
        """The cursor that `encode` wrote for the same question. Raises `InvalidRequestError`."""
        try:
            sealed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
            unpacking = zlib.decompressobj()
            content = unpacking.decompress(sealed[_SEAL_BYTES:], _LARGEST)
        except (UnicodeEncodeError, binascii.Error, zlib.error) as error:
            raise _refused() from error
        whole = unpacking.eof and not unpacking.unused_data
        if sealed[:_SEAL_BYTES] != _seal(content) or not whole:
            raise _refused()
        try:
            cursor = cls(*_fields(json.loads(content)))
        except (ValueError, TypeError) as error:
            raise _refused() from error
        if (cursor.kind, cursor.asked, cursor.follow) != (kind, asked, follow):
            raise _refused()
        return cursor


def _fields(
    given: Any,
) -> tuple[HistoryKind, str, bool, tuple[Stretch, ...], tuple[int, int], int, int]:
    """The fields of a cursor. Raises ValueError or TypeError for what no cursor holds."""
    kind, asked, follow, stretches, lines, at, consumed = given
    first, last = lines
    numbers = [first, last, at, consumed]
    if not isinstance(asked, str) or type(follow) is not bool or not stretches:
        raise ValueError(kind)
    if any(type(number) is not int or number < -1 for number in numbers):
        raise ValueError(kind)
    walks = tuple(Stretch(_path(path), _ids(tips), _ids(cuts)) for path, tips, cuts in stretches)
    return HistoryKind(kind), asked, follow, walks, (first, last), max(at, 0), max(consumed, 0)


def _path(given: Any) -> str:
    if not isinstance(given, str) or "\0" in given:
        raise ValueError(given)
    steps = PurePosixPath(given)
    if steps.is_absolute() or ".." in steps.parts:
        raise ValueError(given)
    return given


def _ids(given: Any) -> tuple[str, ...]:
    ids = tuple(cast("list[Any]", given))
    if not all(isinstance(one, str) and _ID.fullmatch(one) for one in ids):
        raise ValueError(given)
    return ids


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:_SEAL_BYTES]


def _refused() -> InvalidRequestError:
    return InvalidRequestError(
        "The history cursor is not one that was given for this question. Ask without a cursor."
    )
