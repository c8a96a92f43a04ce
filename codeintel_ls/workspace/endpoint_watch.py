"""Asks an endpoint which model it serves, again and again, for as long as texts may be sent there.

Invariants: nothing is asked without consent, which is looked at anew all the time, as other
processes take answers, too; whatever goes wrong is told, and asked again after a pause.
"""

import logging
import time
from collections.abc import Callable
from math import inf
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import Endpoint, RemoteModel
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.workspace.consent import Permission

if TYPE_CHECKING:
    from codeintel_ls.embedding.http_client import HttpEmbedder
    from codeintel_ls.embedding.probe import ModelRecords

_log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_LOOK_SECONDS: Final = 1.0
_BETWEEN_LOOKS: Final = 0.1


class EndpointWatch:
    """One thread for one folder. Thread-safe.

    `trouble` is why asking failed, empty where it did not.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        records: "ModelRecords",
        permission: Permission,
        *,
        use: Callable[[RemoteModel], bool],
        is_well: Callable[[], bool],
        stop: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        """Nothing is asked before `start`.

        `use` takes the model that was found and returns whether it is at work; `is_well` says
        whether it goes on well with it. `stop` ends all sending. `changed` is told of news.
        """
        self.trouble = ""
        self._endpoint = endpoint
        self._records = records
        self._permission = permission
        self._use = use
        self._is_well = is_well
        self._stop = stop
        self._changed = changed
        self._lock = Lock()
        self._wake = Event()
        self._told = Event()
        self._closing = Event()
        self._embedder: HttpEmbedder | None = None
        self._thread: Thread | None = None

    @property
    def may_send(self) -> bool:
        """Whether texts may be sent now."""
        return not self.closed and self._permission.is_given

    @property
    def closed(self) -> bool:
        """Whether it has come to an end."""
        return self._closing.is_set()

    def start(self) -> None:
        """Begin, unless that was done before; returns at once."""
        with self._lock:
            if not self.closed and self._thread is None:
                self._thread = Thread(target=self._run, name="embedding-endpoint", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Have it ask again soon."""
        self._wake.set()

    def wait(self, cancellation: Cancellation) -> None:
        """Return when something is known of the endpoint, or nothing may be sent there."""
        # Others may wait for the same, and go on waiting where one is cancelled.
        while self._thread is not None and self.may_send and not self._told.wait(_BETWEEN_LOOKS):
            cancellation.raise_if_cancelled()

    def stay(self, event: Event, seconds: float = inf) -> None:
        """Wait for the event, but no longer than texts may be sent."""
        end = time.monotonic() + seconds
        while self.may_send and (left := end - time.monotonic()) > 0:
            if event.wait(min(left, _LOOK_SECONDS)):
                return

    def tell(self, trouble: str) -> None:
        """What came of asking; empty where all is well."""
        changed = trouble != self.trouble and not self.closed
        if changed:
            self.trouble = trouble
        self._told.set()
        if changed:
            self._changed()

    def forget(self) -> None:
        """Nothing is known of the endpoint any more."""
        self.trouble = ""
        self._told.clear()

    def close(self) -> None:
        """Ask nothing more, and end the question that is under way."""
        with self._lock:
            self._closing.set()
            embedder = self._embedder
        self._wake.set()
        if embedder is not None:
            embedder.close()

    def join(self, seconds: float) -> None:
        """Wait for the end of what was closed."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self.closed:
            self._wake.clear()
            if not self._permission.is_given:
                self._stop()
                self._wake.wait(_LOOK_SECONDS)
                continue
            at_work = self._ask()
            # What goes wrong at once again is not to be tried all the time.
            self.stay(self._closing, pause)
            is_well = at_work and self._is_well()
            pause = _FIRST_PAUSE if is_well else min(pause * 2, _LONGEST_PAUSE)
            if at_work:
                self.stay(self._wake)

    def _ask(self) -> bool:
        """Whether the model that there is is at work now."""
        try:
            return self._use(self._records.ask(self._client()))
        except CodeIntelError as error:
            self.tell(str(error))
        # Nobody else would ask again: the thread must outlive whatever befalls it.
        except Exception as error:  # noqa: BLE001
            _log.exception("Asking an embedding endpoint failed")
            self.tell(f"Asking the embedding endpoint failed with {type(error).__name__}.")
        return False

    def _client(self) -> "HttpEmbedder":
        from codeintel_ls.embedding.http_client import HttpEmbedder

        with self._lock:
            if self.closed:
                raise CancelledError
            if self._embedder is None:
                self._embedder = HttpEmbedder(self._endpoint)
            return self._embedder
