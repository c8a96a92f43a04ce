"""Where a history goes on: an opaque text that only this process can make.

git cannot resume a followed history at a commit (the frontier of a walk over merges is no single
commit), so a cursor holds where the walk began and how many of its records were handed out.
Invariant: a cursor that was changed, or belongs to another question, is refused.
"""

import base64
import binascii
import hmac
import json
import secrets

from attrs import frozen

from codeintel_ls.errors import InvalidRequestError

_KEY = secrets.token_bytes(32)
_SEAL_BYTES = 16


@frozen
class HistoryCursor:
    """The walk from `start` over `path` (as it was named there), `consumed` records along.

    `first_line` and `last_line` are lines of the file in `start`; -1 for a history of all of it.
    `asked` is the path that the caller named.
    """

    asked: str
    start: str
    path: str
    follow: bool
    first_line: int
    last_line: int
    consumed: int

    def encode(self) -> str:
        """The cursor as text."""
        fields = [
            self.asked,
            self.start,
            self.path,
            self.follow,
            self.first_line,
            self.last_line,
            self.consumed,
        ]
        content = json.dumps(fields).encode()
        return base64.urlsafe_b64encode(_seal(content) + content).decode("ascii")

    @classmethod
    def decode(cls, text: str, asked: str, follow: bool, of_lines: bool) -> "HistoryCursor":
        """The cursor that `encode` wrote for the same question. Raises `InvalidRequestError`."""
        try:
            sealed = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error) as error:
            raise _refused() from error
        seal, content = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, _seal(content)):
            raise _refused()
        cursor = cls(*json.loads(content))
        if (cursor.asked, cursor.follow, cursor.first_line >= 0) != (asked, follow, of_lines):
            raise _refused()
        return cursor


def _seal(content: bytes) -> bytes:
    return hmac.digest(_KEY, content, "sha256")[:_SEAL_BYTES]


def _refused() -> InvalidRequestError:
    return InvalidRequestError(
        "The history cursor is not one that was given for this question. Ask without a cursor."
    )
