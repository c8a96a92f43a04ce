"""`indexStatus`, `updateIndex`, `rebuildIndex` and `mergeIndexes`.

Invariant: an operation that changes the index answers when the change is searchable.
"""

import asyncio
from collections.abc import Callable, Sequence

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.progress import Progress
from codeintel_ls.server import wire
from codeintel_ls.server.folders import Folder, FolderFailedError, Place
from codeintel_ls.server.session import Session
from codeintel_ls.server.status import failed_status
from codeintel_ls.server.uris import shown
from codeintel_ls.workspace import WorkspaceFolder


async def index_status(session: Session, _params: wire.NoParams) -> wire.IndexStatusResult:
    """The index of every folder; one that cannot be used says why."""
    folders = list(session.folders)

    async def ask(folder: Folder) -> wire.FolderStatus:
        try:
            live = await folder.live()
        except FolderFailedError as error:
            return wire_status(folder, failed_status(str(error)))
        status = await session.pools.files.run(lambda _: live.index_status())
        use = folder.use
        seen = status if use is None or use.live is None else use.live.seen_by(use, status)
        return wire_status(folder, seen)

    return wire.IndexStatusResult(folders=tuple(await asyncio.gather(*map(ask, folders))))


async def update_index(
    session: Session, params: wire.UpdateIndexParams, progress: Progress
) -> wire.IndexStatusResult:
    """Bring the named files and directories up to date, or everything."""
    places: dict[Folder, list[Place] | None] = {}
    if params.uris is None:
        places = dict.fromkeys(session.folders.named(None))
        for folder in places:
            session.resume_indexing(folder)
    for uri in params.uris or ():
        place = session.folders.place(uri)
        known = places.setdefault(place.folder, [])
        if known is not None:
            known.append(place)

    def update(folder: Folder, live: WorkspaceFolder, cancellation: Cancellation) -> IndexStatus:
        paths = _single_files(places[folder])
        return live.update(paths, progress=progress, cancellation=cancellation)

    return await _change(session, list(places), update)


def _single_files(places: Sequence[Place] | None) -> list[str] | None:
    """The paths to update one by one; None where a directory is among them: the whole folder."""
    if places is None or any(place.path.is_dir() for place in places):
        return None
    return [place.relative for place in places]


async def rebuild_index(
    session: Session, params: wire.FolderParams, progress: Progress
) -> wire.IndexStatusResult:
    """Index a folder, or all, from nothing."""

    def rebuild(_: Folder, live: WorkspaceFolder, cancellation: Cancellation) -> IndexStatus:
        return live.rebuild(progress=progress, cancellation=cancellation)

    folders = session.folders.named(params.folder)
    for folder in folders:
        session.resume_indexing(folder)
    return await _change(session, folders, rebuild)


async def merge_indexes(
    session: Session, params: wire.FolderParams, progress: Progress
) -> wire.IndexStatusResult:
    """Make one index of the large and the small one; nothing to merge is no error."""

    def merge(_: Folder, live: WorkspaceFolder, cancellation: Cancellation) -> IndexStatus:
        return live.merge(progress=progress, cancellation=cancellation)

    return await _change(session, session.folders.named(params.folder), merge)


async def _change(
    session: Session,
    folders: Sequence[Folder],
    work: Callable[[Folder, WorkspaceFolder, Cancellation], IndexStatus],
) -> wire.IndexStatusResult:
    async def change(folder: Folder) -> wire.FolderStatus:
        live = await folder.live(retry=True)
        status = await session.pools.index.run(
            lambda cancellation: work(folder, live, cancellation)
        )
        return wire_status(folder, status)

    return wire.IndexStatusResult(folders=tuple(await asyncio.gather(*map(change, folders))))


def wire_status(folder: Folder, status: IndexStatus) -> wire.FolderStatus:
    """The status of a folder's index as the protocol has it."""
    return wire.FolderStatus(
        uri=folder.uri,
        state=status.state,
        files=status.files,
        chunks=status.chunks,
        pending=status.pending,
        generation=status.generation,
        primary=wire.Primary(
            kind=status.primary_kind,
            vectors=status.primary_vectors,
            recall=status.primary_recall,
        ),
        secondary=wire.Secondary(vectors=status.secondary_vectors),
        tombstones=status.tombstones,
        embedder=status.embedder,
        embedded=status.embedded,
        memory_bytes=status.memory_bytes,
        disk_bytes=status.disk_bytes,
        skipped=dict(status.skipped),
        notices=tuple(map(shown, (*status.notices, *status.remarks))),
        last_error=status.last_error,
    )
