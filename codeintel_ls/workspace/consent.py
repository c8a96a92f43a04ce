"""What a person has answered to the question whether source text may be sent to an endpoint.

Kept for each endpoint (scheme, host and port) in the user's state folder. Invariants: what was not
answered, or cannot be read, is no consent; no workspace has a say in it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final, cast

from filelock import FileLock

from codeintel_ls.embedding import Endpoint
from codeintel_ls.index.errors import CacheUnavailableError

_NAME: Final = "endpoints.json"
_LARGEST: Final = 1 << 20


class Consents:
    """The answers, read anew for each question. Thread-safe, also between processes."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the user's state folder; it need not exist yet."""
        self._path = folder / _NAME
        self._lock = Lock()

    def answer(self, origin: str) -> bool | None:
        """Whether texts may be sent there; None where nobody has answered."""
        answer = self._read().get(origin)
        return answer if isinstance(answer, bool) else None

    def record(self, origin: str, allowed: bool) -> None:
        """Remember an answer. Raises OSError."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock, FileLock(self._path.with_suffix(".lock"), mode=0o600):
            answers = {**self._read(), origin: allowed}
            unfinished = self._path.with_suffix(f".{os.getpid()}")
            unfinished.write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")
            unfinished.replace(self._path)

    def _read(self) -> Mapping[str, object]:
        try:
            with self._path.open("rb") as file:
                values = cast("object", json.loads(file.read(_LARGEST)))
        except (OSError, ValueError, RecursionError):
            return {}
        return cast("Mapping[str, object]", values) if isinstance(values, dict) else {}


class Permission:
    """Whether texts may be sent to one endpoint. Thread-safe."""

    def __init__(self, endpoint: Endpoint, consents: Consents, *, allow_remote: bool) -> None:
        """`allow_remote`: the user's settings say so, whatever the endpoint."""
        self._endpoint = endpoint
        self._consents = consents
        self._needs_no_question = allow_remote or endpoint.is_on_this_machine

    @property
    def is_given(self) -> bool:
        """Whether texts may be sent."""
        return self._needs_no_question or self._consents.answer(self._endpoint.origin) is True

    @property
    def asks(self) -> str | None:
        """The endpoint where nobody has answered yet."""
        origin = self._endpoint.origin
        if self._needs_no_question or self._consents.answer(origin) is not None:
            return None
        return origin

    def record(self, allowed: bool) -> None:
        """Remember an answer. Raises CacheUnavailableError."""
        try:
            self._consents.record(self._endpoint.origin, allowed)
        except OSError as error:
            raise CacheUnavailableError(
                f"The answer cannot be kept in the user's state folder: {error.strerror}."
            ) from error
