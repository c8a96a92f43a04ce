"""`codeintel/status`: how the server is, told when it changes and not more often than useful.

Invariant: the last status that the client heard is the one that holds, at the latest
`SECONDS_BETWEEN` after it came to hold; the same status is never told twice in a row.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from attrs import frozen

from codeintel_ls.index.status import IndexState, IndexStatus
from codeintel_ls.server.wire import StatusNotification

SECONDS_BETWEEN: Final = 0.2
_WORST_FIRST: Final = (
    IndexState.FAILED,
    IndexState.SCANNING,
    IndexState.INDEXING,
    IndexState.MERGING,
    IndexState.READY,
)


@frozen
class FolderHealth:
    """What one folder adds to the status of all."""

    name: str
    status: IndexStatus
    stopped: bool = False


def failed_status(reason: str) -> IndexStatus:
    """The status of a folder that has no index, for this reason."""
    return IndexStatus.of_none(reason)


def summarize(folders: list[FolderHealth]) -> StatusNotification:
    """The status of all folders in one: the worst of each."""
    if not folders:
        return StatusNotification(health="ok", state="ready", message="No folder is open.")
    state = min((folder.status.state for folder in folders), key=_WORST_FIRST.index)
    sentences = [sentence for folder in folders for sentence in _complaints(folder)]
    failed = state is IndexState.FAILED
    health = "error" if failed else "warning" if sentences else "ok"
    return StatusNotification(
        health=health, state=str(state), message=" ".join(sentences) or _counts(folders)
    )


def _complaints(folder: FolderHealth) -> list[str]:
    status = folder.status
    sentences = [f"{folder.name}: {notice}" for notice in status.notices]
    if folder.stopped:
        sentences.append(
            f"{folder.name}: indexing was stopped; the command codeintel.updateIndex goes on."
        )
    if status.last_error is not None:
        sentences.append(f"{folder.name}: {status.last_error}")
    return sentences


def _counts(folders: list[FolderHealth]) -> str:
    files = sum(folder.status.files for folder in folders)
    pending = sum(folder.status.pending for folder in folders)
    return f"{files} files, {pending} to come." if pending else f"{files} files."


class StatusReporter:
    """Tells a client the latest status, at once or when the pause is over."""

    def __init__(self, tell: Callable[[StatusNotification], None]) -> None:
        self._tell = tell
        self._told: StatusNotification | None = None
        self._next: StatusNotification | None = None
        self._pause: asyncio.TimerHandle | None = None

    def set(self, status: StatusNotification) -> None:
        """Take over what holds now."""
        self._next = status
        if self._pause is None:
            self._flush()

    def _flush(self) -> None:
        self._pause = None
        if self._next is None or self._next == self._told:
            return
        self._told, self._next = self._next, None
        self._tell(self._told)
        self._pause = asyncio.get_running_loop().call_later(SECONDS_BETWEEN, self._flush)

    def close(self) -> None:
        """Tell nothing more."""
        self._next = None
        if self._pause is not None:
            self._pause.cancel()
