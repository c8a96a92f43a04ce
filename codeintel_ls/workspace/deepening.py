"""The deep model's vectors, made in the background and kept beside those of the first model.

A second index is brought up to date by its own keeper with a small share of one processor, the
files that changed last first; while the machine is busy or on its battery, it waits. Invariants:
the first index never waits for it, and answers alone wherever it cannot help.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final

from attrs import evolve, frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import DeepEncoder, DeepModel, ModelUnavailableError
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.store import Store
from codeintel_ls.progress import no_progress
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.deep import DeepVectors, Reading
from codeintel_ls.search.values import SearchFilter
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.refined_index import RefinedIndex, open_refined
from codeintel_ls.workspace.spare_time import reason_to_wait

_log = logging.getLogger(__name__)

_BETWEEN_LOOKS: Final = 5.0
_STRIKES: Final = 3
_REST_SECONDS: Final = 60.0


@frozen(eq=False)
class _Live:
    refined: RefinedIndex[DeepModel, DeepEncoder]
    vectors: DeepVectors


class Deepening:
    """What the deep model adds to one folder. Thread-safe."""

    asks: str | None = None

    def __init__(
        self,
        root: Path,
        shared: Path,
        model: DeepModel,
        settings: Settings,
        *,
        discover: Callable[[Cancellation], Discovered],
        policy: Callable[[], PathPolicy],
        after: Event,
        changed: Callable[[], None],
        wait_because: Callable[[], str] = reason_to_wait,
        between_looks: float = _BETWEEN_LOOKS,
    ) -> None:
        """Nothing is loaded yet. Reading begins after `after`; `changed` is told of news.

        `wait_because` is asked again and again, with so many seconds in between.
        """
        self._root = root
        self._shared = shared
        self._model = model
        self._settings = settings
        self._discover = discover
        self._policy = policy
        self._after = after
        self._changed = changed
        self._wait_because = wait_because
        self._between_looks = between_looks
        self._lock = Lock()
        self._closing = Event()
        self._thread: Thread | None = None
        self._live: _Live | None = None
        self._may_index = settings.index.enabled
        self._reading = False
        self._waits = ""
        self._strikes = 0
        self._trouble = ""
        self._rests_until = 0.0

    def allow(self, allowed: bool) -> None:
        """Nothing was asked: nothing is sent anywhere."""

    # Its life

    def start(self) -> None:
        """Load the model and have everything read, in the background; returns at once."""
        self._may_index = self._settings.index.enabled
        with self._lock:
            if self._may_index and self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._run, name="deep-search", daemon=True)
                self._thread.start()

    def settle(self, cancellation: Cancellation) -> None:
        """Nobody waits for the deep model: it takes its time."""

    def configure(self, settings: Settings) -> None:
        """Read by other settings from now on, or not at all."""
        self._settings = settings
        live = self._live
        if live is not None:
            live.refined.configure(settings)
        if settings.index.enabled:
            self.start()
        else:
            self.cancel()

    def note_changes(self, paths: Collection[str]) -> None:
        """A hint that these files may have changed."""
        live = self._live
        if live is not None and self._reading:
            live.refined.keeper.note_changes(paths)

    def note_rescan(self) -> None:
        """A hint that anything may have changed."""
        self._may_index = self._settings.index.enabled
        live = self._live
        if live is not None and self._reading:
            live.refined.keeper.note_rescan()

    def cancel(self) -> None:
        """Read nothing until it is asked for again; what was read goes on to help."""
        self._may_index = False
        self._pause()

    def close(self) -> None:
        """Let go of everything."""
        self._closing.set()
        with self._lock:
            thread, live, self._live = self._thread, self._live, None
        if live is not None:
            live.refined.close()
        if thread is not None:
            thread.join(2.0)

    # What it adds

    def candidates(
        self,
        text: str,
        wanted: SearchFilter,
        k: int,
        first: Sequence[RankedChunk],
        generation: Generation,
        store: Store,
    ) -> Sequence[RankedChunk]:
        """See `DeepVectors.candidates`; `first` wherever it cannot help.

        Raises InvalidGlobError, and DamagedCacheError where `store` is damaged.
        """
        live = self._live
        if live is None or self._rests() or not live.refined.vectors.helps(generation.chunks):
            return first
        found = self._told(
            lambda: live.refined.told(
                lambda: live.vectors.candidates(text, wanted, k, first, generation, store)
            )
        )
        return first if found is None else found

    def reads(self, chunks: int) -> bool:
        """Whether reading the best of so many chunks would help a question now."""
        live = self._live
        return live is not None and not self._rests() and not live.refined.vectors.helps(chunks)

    def read(
        self,
        text: str,
        readings: Sequence[Reading],
        first: Sequence[RankedChunk],
        cancellation: Cancellation,
    ) -> Sequence[RankedChunk]:
        """See `DeepVectors.read`."""
        live = self._live
        if live is None:
            return first
        found = self._told(lambda: live.vectors.read(text, readings, first, cancellation))
        return first if found is None else found

    def _told(
        self, ask: Callable[[], Sequence[RankedChunk] | None]
    ) -> Sequence[RankedChunk] | None:
        """None where the model fails: then a person is told, and the search goes on."""
        try:
            found = ask()
        except ModelUnavailableError as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            self._tell_trouble(str(error))
            return None
        self._tell_trouble("")
        return found

    def _rests(self) -> bool:
        """Whether it failed a moment ago."""
        return bool(self._trouble) and time.monotonic() < self._rests_until

    def _tell_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._changed()

    async def embed_ahead(self, text: str, chunks: int) -> None:
        """A question is read in a millisecond or two."""

    def share(self, chunks: int) -> float:
        """How much of so many chunks the deep model has read, 0 to 1."""
        live = self._live
        return live.refined.vectors.share(chunks) if live is not None else 0.0

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know."""
        live = self._live
        told = (self._trouble,) if self._trouble else ()
        return (*told, *(live.refined.notices("the deep model") if live is not None else ()))

    @property
    def remarks(self) -> tuple[str, ...]:
        """How far it is."""
        live = self._live
        if live is None:
            return ()
        waits = f", and waits: {self._waits}" if self._waits else ""
        # It may be lost at this moment, and is then made anew.
        with suppress(IndexingError):
            chunks = live.refined.index.counts.chunks
            return (f"The deep model refines searches: it has read {chunks:,} chunks{waits}.",)
        return ()

    @property
    def disk_bytes(self) -> int:
        """What its index takes of the disk."""
        live = self._live
        return live.refined.index.disk_bytes() if live is not None else 0

    @property
    def worker_pids(self) -> Sequence[int]:
        """Process ids of its indexing processes."""
        live = self._live
        return live.refined.keeper.worker_pids if live is not None else ()

    # Behind it

    def _run(self) -> None:
        while not self._after.wait(0.2):
            if self._closing.is_set():
                return
        try:
            opened = self._open()
        except CodeIntelError as error:
            self._tell_trouble(str(error))
            return
        if opened:
            begun = False
            while not self._closing.is_set():
                begun = self._look(begun)
                self._closing.wait(self._between_looks)

    def _open(self) -> bool:
        encoder = DeepEncoder(self._model)
        refined = open_refined(
            self._root,
            self._shared,
            self._settings,
            self._model,
            encoder,
            discover=self._newest_first,
            policy=self._policy,
            changed=self._changed,
        )
        with self._lock:
            if not self._closing.is_set():
                self._live = _Live(refined, DeepVectors(refined.vectors, encoder))
                return True
        refined.close()
        return False

    def _look(self, begun: bool) -> bool:
        """Go on or wait, as the machine has time; whether the first pass has begun by then."""
        waits = self._wait_because() if self._may_index else ""
        # What is under way is lost: a moment's work elsewhere is no reason to stop it.
        self._strikes = self._strikes + 1 if waits else 0
        if waits and self._reading and self._strikes < _STRIKES:
            return begun
        if waits != self._waits:
            self._waits = waits
            self._changed()
        live = self._live
        if live is None:
            return begun
        if waits:
            self._pause()
        elif self._may_index and not self._reading:
            self._reading = True
            if begun:
                live.refined.keeper.note_rescan()
            else:
                live.refined.keeper.begin(lambda: None, no_progress)
            return True
        return begun

    def _pause(self) -> None:
        live = self._live
        if live is not None and self._reading:
            self._reading = False
            live.refined.keeper.cancel()

    def _newest_first(self, cancellation: Cancellation) -> Discovered:
        found = self._discover(cancellation)
        return evolve(found, files=tuple(sorted(found.files, key=lambda file: -file.mtime_ns)))
