"""The vectors of an endpoint's model, made and kept beside those of the bundled one.

A second index, in a cache of its own for each model, is brought up to date by its own keeper at
the endpoint's pace; the first index never waits for it, and answers alone wherever it cannot help.
Invariants: nothing is sent without consent; an endpoint that fails costs searches nothing but its
help; it is asked again by itself until the folder is closed.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Final

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import EmbeddingError, Endpoint, ModelChangedError, RemoteModel
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.errors import (
    DamagedCacheError,
    DamagedSegmentError,
    IndexingError,
)
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.status import IndexState
from codeintel_ls.index.store import Store
from codeintel_ls.progress import no_progress
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.values import SearchFilter
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.consent import Permission
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.refined_index import RefinedIndex

if TYPE_CHECKING:
    from codeintel_ls.embedding.http_client import HttpEmbedder
    from codeintel_ls.embedding.probe import ModelRecords

_log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_BETWEEN_LOOKS: Final = 0.1


class Refinement:
    """What an endpoint adds to one folder. Thread-safe."""

    def __init__(
        self,
        root: Path,
        shared: Path,
        endpoint: Endpoint,
        settings: Settings,
        *,
        records: "ModelRecords",
        permission: Permission,
        discover: Callable[[Cancellation], Discovered],
        policy: Callable[[], PathPolicy],
        after: Event,
        changed: Callable[[], None],
    ) -> None:
        """Nothing is sent yet. Indexing waits for `after`; `changed` is told of news."""
        self._root = root
        self._shared = shared
        self._endpoint = endpoint
        self._settings = settings
        self._records = records
        self._permission = permission
        self._discover = discover
        self._policy = policy
        self._after = after
        self._changed = changed
        self._lock = RLock()
        self._wake = Event()
        self._told = Event()
        self._closing = Event()
        self._live: RefinedIndex | None = None
        self._at_work: RefinedIndex | None = None
        self._embedder: HttpEmbedder | None = None
        self._thread: Thread | None = None
        self._trouble = ""
        self._may_index = settings.index.enabled

    def allow(self, allowed: bool) -> None:
        """Take a person's answer to whether texts may be sent, and begin if it is yes."""
        self._permission.record(allowed)
        if allowed:
            self.start()
        self._changed()

    @property
    def asks(self) -> str | None:
        """The endpoint of which nobody has said yet whether texts may be sent there."""
        return self._permission.asks

    # Its life

    def open_known(self) -> None:
        """Use the vectors that are there already, of the model as it was found before."""
        model = self._records.known(self._endpoint) if self._permission.is_given else None
        if model is None:
            return
        try:
            self._use(model)
        except CodeIntelError as error:
            self._trouble = str(error)

    def start(self) -> None:
        """Find out which model there is, and have everything embedded; returns at once.

        Nothing begins where the folder is not to be indexed, or nobody has allowed it.
        """
        with self._lock:
            self._may_index = self._settings.index.enabled
            if not self._may_index or self._closing.is_set() or self._thread is not None:
                return
            if not self._permission.is_given:
                return
            self._thread = Thread(target=self._watch, name="embedding-endpoint", daemon=True)
            self._thread.start()

    def settle(self, cancellation: Cancellation) -> None:
        """Return when everything is embedded and written, or it is known that it cannot be now."""
        self.start()
        if self._thread is None or not self._may_index:
            return
        # Others may wait for the same, and go on waiting.
        while not self._told.wait(_BETWEEN_LOOKS):
            cancellation.raise_if_cancelled()
        live = self._live
        if live is None or self._trouble:
            return
        try:
            live.keeper.reconcile().wait(cancellation)
            live.keeper.settle().wait(cancellation)
        except CancelledError:
            raise
        except CodeIntelError as error:
            self._trouble = str(error)

    def configure(self, settings: Settings) -> None:
        """Index by other settings from now on, or not at all."""
        self._settings = settings
        live = self._live
        if live is not None:
            live.configure(settings)
        if settings.index.enabled:
            self.start()
        else:
            self.cancel()

    def note_changes(self, paths: Collection[str]) -> None:
        """A hint that these files may have changed."""
        live = self._begun
        if live is not None:
            live.keeper.note_changes(paths)

    def note_rescan(self) -> None:
        """A hint that anything may have changed."""
        self._may_index = self._settings.index.enabled
        live = self._begun
        if live is not None:
            live.keeper.note_rescan()

    def cancel(self) -> None:
        """Stop indexing until it is asked for again; what is there goes on to help."""
        self._may_index = False
        live = self._live
        if live is not None:
            live.keeper.cancel()

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._closing.set()
            live, self._live = self._live, None
            embedder = self._embedder
        self._wake.set()
        self._told.set()
        # What is under way there ends with it.
        if embedder is not None:
            embedder.close()
        if live is not None:
            live.close()
        if self._thread is not None:
            self._thread.join(2.0)

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
        """See `RefinedVectors.candidates`; `first` wherever it cannot help."""
        live = self._live
        if live is None:
            return first
        own = None
        try:
            own = live.index.store
            return live.vectors.candidates(text, wanted, k, first, generation, store)
        except ModelChangedError:
            self._wake.set()
        except EmbeddingError:
            self._changed()
        except DamagedSegmentError:
            live.keeper.note_damaged_segments()
        except DamagedCacheError:
            # Where it is the first index that is damaged, this one loses nothing that it embedded.
            if own is not None:
                live.keeper.note_damage(own)
        except IndexingError as error:
            _log.info("%s", error)
        return first

    async def embed_ahead(self, text: str, chunks: int) -> None:
        """Have a question's vector ready before a thread searches so many chunks for it."""
        live = self._live
        if live is not None and live.vectors.helps(chunks):
            await live.encoder.embed_ahead(text)

    def share(self, chunks: int) -> float:
        """How much of so many chunks the endpoint's model has seen, 0 to 1."""
        live = self._live
        return live.vectors.share(chunks) if live is not None else 0.0

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know or decide."""
        if self.asks is not None:
            return (
                f"Nothing is sent to the embedding endpoint {self.asks} until you allow it: answer "
                "your editor's question, or set embedding.allowRemote.",
            )
        trouble = self._trouble
        live = self._live
        if live is not None and not trouble:
            trouble = live.encoder.trouble or live.keeper.health.last_error or ""
        if not trouble:
            return ()
        return (f"{trouble} Until then, searches go on with what is there.",)

    @property
    def remarks(self) -> tuple[str, ...]:
        """How far it is."""
        origin = self._endpoint.origin
        if not self._permission.is_given:
            refused = self.asks is None
            return (f"The embedding endpoint {origin} is not used: you refused it.",) * refused
        live = self._live
        # It may be lost at this moment, and is then made anew.
        with suppress(IndexingError):
            if live is not None:
                model, chunks = live.model, live.index.counts.chunks
                return (
                    f"{model.endpoint.model or 'The model'} ({model.dimension} dimensions) at "
                    f"{origin} refines searches: {chunks:,} chunks.",
                )
        return ()

    @property
    def disk_bytes(self) -> int:
        """What its index takes of the disk."""
        live = self._live
        return live.index.disk_bytes() if live is not None else 0

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of its indexing processes."""
        live = self._live
        return live.keeper.worker_pids if live is not None else []

    # Behind it

    @property
    def _begun(self) -> RefinedIndex | None:
        return self._live if self._thread is not None else None

    def _watch(self) -> None:
        """Ask which model there is, now and whenever something went wrong, and go on by it."""
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            self._wake.clear()
            live = self._found()
            # What goes wrong at once again is not to be tried all the time.
            self._closing.wait(pause)
            is_well = live is not None and live.keeper.health.is_ready
            pause = _FIRST_PAUSE if is_well else min(pause * 2, _LONGEST_PAUSE)
            if live is not None:
                self._wake.wait()

    def _found(self) -> RefinedIndex | None:
        """The index of the model that there is, at work; None where that went wrong."""
        try:
            live = self._use(self._records.ask(self._client()))
            self._tell("")
            self._begin(live)
        except CodeIntelError as error:
            self._tell(str(error))
        # Nobody else would ask again: the thread must outlive whatever befalls it.
        except Exception as error:  # noqa: BLE001
            _log.exception("Asking an embedding endpoint failed")
            self._tell(f"Asking the embedding endpoint failed with {type(error).__name__}.")
        else:
            return live
        return None

    def _begin(self, live: RefinedIndex) -> None:
        """Bring an index up to date, at first or after it failed."""
        if live is self._at_work:
            # One that is lost is made anew first, which its keeper tries by itself.
            if live.keeper.health.state is IndexState.FAILED and not live.index.is_lost:
                live.keeper.note_rescan()
            return
        # What needs no endpoint is searchable first.
        self._after.wait()
        self._at_work = live
        # Cancelling the first pass ends it, too.
        if self._may_index and not self._closing.is_set():
            live.keeper.begin(lambda: None, no_progress)

    def _client(self) -> "HttpEmbedder":
        """What asks which model there is. Raises CancelledError."""
        from codeintel_ls.embedding.http_client import HttpEmbedder

        with self._lock:
            if self._closing.is_set():
                raise CancelledError
            if self._embedder is None:
                self._embedder = HttpEmbedder(self._endpoint)
            return self._embedder

    def _use(self, model: RemoteModel) -> RefinedIndex:
        """Let this model's vectors help, and no other's. Raises the index's errors."""
        with self._lock:
            before = self._live
            if before is not None and before.model == model:
                return before
            if self._closing.is_set():
                raise CancelledError
            self._live = RefinedIndex.open(
                self._root,
                self._shared,
                self._settings,
                model,
                discover=self._listed,
                policy=self._policy,
                changed=self._keeper_changed,
                recovered=self._wake.set,
            )
        if before is not None:
            before.close()
        return self._live

    def _listed(self, cancellation: Cancellation) -> Discovered:
        # Whoever looks at the whole folder, for whatever reason, comes by here.
        if not self._may_index:
            raise CancelledError
        return self._discover(cancellation)

    def _keeper_changed(self) -> None:
        live = self._live
        if live is not None and live.keeper.health.state is IndexState.FAILED:
            self._wake.set()
        self._changed()

    def _tell(self, trouble: str) -> None:
        """What came of asking; empty where all is well."""
        changed = trouble != self._trouble and not self._closing.is_set()
        if changed:
            self._trouble = trouble
        self._told.set()
        if changed:
            self._changed()
