"""Whether searches of a folder are refined, and by which endpoint: the settings become an object.

Without an endpoint there is `NoRefinement`, which adds nothing and imports nothing.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from threading import Event

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Endpoint, Provider
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.store import Store
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.values import SearchFilter
from codeintel_ls.settings import (
    EmbeddingSettings,
    Settings,
    model_records_directory,
    state_directory,
)
from codeintel_ls.workspace.consent import Consents, Permission
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.refinement import Refinement


class NoRefinement:
    """The first model answers alone."""

    asks: str | None = None
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    disk_bytes: int = 0
    worker_pids: Sequence[int] = ()

    def allow(self, allowed: bool) -> None:
        """Nothing was asked."""

    def start(self) -> None:
        """There is nothing to begin."""

    def settle(self, cancellation: Cancellation) -> None:
        """Nothing is under way."""

    def configure(self, settings: Settings) -> None:
        """Which endpoint there is, is settled when a folder is opened."""

    def note_changes(self, paths: Collection[str]) -> None:
        """Nothing is kept here."""

    def note_rescan(self) -> None:
        """Nothing is kept here."""

    def cancel(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is held."""

    def candidates(
        self,
        _text: str,
        _wanted: SearchFilter,
        _k: int,
        first: Sequence[RankedChunk],
        _generation: Generation,
        _store: Store,
    ) -> Sequence[RankedChunk]:
        """Those that there are."""
        return first

    async def embed_ahead(self, text: str, chunks: int) -> None:
        """Nobody is asked."""

    def share(self, _chunks: int) -> float:
        """None of them."""
        return 0.0


def refinement_of(
    root: Path,
    shared: Path,
    settings: Settings,
    *,
    discover: Callable[[Cancellation], Discovered],
    policy: Callable[[], PathPolicy],
    after: Event,
    changed: Callable[[], None],
    environ: Mapping[str, str] = os.environ,
) -> Refinement | NoRefinement:
    """What refines searches of a folder; see `Refinement`. Nothing is sent yet."""
    endpoint = endpoint_of(settings.embedding)
    if endpoint is None:
        return NoRefinement()
    from codeintel_ls.embedding.probe import ModelRecords

    consents = Consents(state_directory(environ))
    refinement = Refinement(
        root,
        shared,
        endpoint,
        settings,
        records=ModelRecords(model_records_directory(settings.cache, environ)),
        permission=Permission(endpoint, consents, allow_remote=settings.embedding.allow_remote),
        discover=discover,
        policy=policy,
        after=after,
        changed=changed,
    )
    refinement.open_known()
    return refinement


def endpoint_of(settings: EmbeddingSettings) -> Endpoint | None:
    """The endpoint that the user has set, if any."""
    if not settings.endpoint:
        return None
    return Endpoint(
        url=settings.endpoint,
        model=settings.endpoint_model,
        provider=Provider(str(settings.provider)),
        api_key_environment=settings.api_key_environment,
        api_key_file=settings.api_key_file,
        dimensions=settings.dimensions,
        truncate_tokens=settings.truncate_prompt_tokens,
        query_prefix=settings.query_prefix,
        document_prefix=settings.document_prefix,
        batch_tokens=settings.batch_tokens,
        batch_texts=settings.batch_texts,
        query_seconds=settings.query_timeout_milliseconds / 1_000,
        bulk_seconds=settings.bulk_timeout_seconds,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
    )
