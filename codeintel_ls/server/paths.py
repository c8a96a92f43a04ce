"""`listPaths`: the files of a folder as the index knows them.

Invariant: paths are folder-relative with `/`, and `truncated` says whether there are more.
"""

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.server import wire
from codeintel_ls.server.session import Session
from codeintel_ls.server.uris import shown


async def list_paths(session: Session, params: wire.ListPathsParams) -> wire.ListPathsResult:
    """The paths below `path` that the globs let through."""
    folders = session.folders.named(params.folder)
    if len(folders) > 1:
        raise InvalidRequestError("several folders are open: name one in `folder`.")
    live = await folders[0].live(retry=True)
    paths, truncated = await session.pools.files.run(
        lambda _: live.list_paths(
            under=params.path.strip("/"), globs=params.globs, limit=params.limit
        )
    )
    return wire.ListPathsResult(paths=tuple(shown(path) for path in paths), truncated=truncated)
