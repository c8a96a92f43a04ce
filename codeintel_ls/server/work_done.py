"""Progress bars (LSP 3.17, Work Done Progress): begun once, reported seldom, always ended.

Invariant: after `end` nothing of a token is kept and nothing more is sent for it.
"""

from collections.abc import Callable
from typing import Final

from lsprotocol import types

from codeintel_ls.server.client import Client

SECONDS_BETWEEN_REPORTS: Final = 0.1

Token = int | str


class WorkDone:
    """One progress bar. `cancel` is called where the person stops it."""

    def __init__(
        self, client: Client, tokens: "WorkDoneTokens", token: Token, cancel: Callable[[], None]
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._token = token
        self._last_report = 0.0
        self._percentage = 0
        self._ended = False
        tokens.add(token, cancel)

    def begin(self, title: str) -> None:
        """Show the bar."""
        self._client.progress(
            self._token,
            types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0),
        )

    def report(self, now: float, done: int, total: int | None, message: str) -> None:
        """Say how far the work is; `now` in seconds of a clock that never goes back."""
        if self._ended or now - self._last_report < SECONDS_BETWEEN_REPORTS:
            return
        self._last_report = now
        if total:
            # A percentage may not fall (LSP 3.17, WorkDoneProgressReport).
            self._percentage = max(self._percentage, min(100, done * 100 // total))
        self._client.progress(
            self._token,
            types.WorkDoneProgressReport(
                cancellable=True, message=message, percentage=self._percentage
            ),
        )

    def end(self, message: str | None = None) -> None:
        """Take the bar away."""
        if self._ended:
            return
        self._ended = True
        self._tokens.remove(self._token)
        self._client.progress(self._token, types.WorkDoneProgressEnd(message=message))


class WorkDoneTokens:
    """The progress bars that a client shows, by token."""

    def __init__(self) -> None:
        self._cancels: dict[Token, Callable[[], None]] = {}
        self._made = 0

    def make(self) -> str:
        """A token that no other bar of this session has."""
        self._made += 1
        return f"codeintel-progress-{self._made}"

    def add(self, token: Token, cancel: Callable[[], None]) -> None:
        """Call `cancel` where the person stops the bar of `token`."""
        self._cancels[token] = cancel

    def remove(self, token: Token) -> None:
        """Forget a bar."""
        self._cancels.pop(token, None)

    def cancel(self, token: Token) -> None:
        """Stop the work behind a bar; an unknown token stops nothing."""
        cancel = self._cancels.get(token)
        if cancel is not None:
            cancel()

    def __len__(self) -> int:
        return len(self._cancels)
