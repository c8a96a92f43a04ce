"""`openCommit` and `openFileAtRevision`: let the client show what belongs to a commit.

Invariant: nothing but pages of the repository's own site and our virtual documents is opened; a
client that cannot show them learns their URI.
"""

import json
from pathlib import PurePosixPath
from urllib.parse import quote

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.server import wire
from codeintel_ls.server.blame import Blame
from codeintel_ls.server.folders import Place
from codeintel_ls.server.history import SCHEME, text_of_file
from codeintel_ls.server.session import Session
from codeintel_ls.server.site import https_page


async def open_commit(session: Session, params: wire.OpenCommitParams) -> wire.ShownResult:
    """Open the page of a commit in a browser."""
    place = session.folders.place(params.uri)
    settings = await place.folder.settled()
    url = await session.pools.files.run(
        lambda _: https_page(session.repositories.of(place.path, settings), params.commit)
    )
    if url is None:
        raise InvalidRequestError("no site is known that has a page for this commit.")
    return wire.ShownResult(uri=url, shown=await session.client.show_document(url, external=True))


async def open_file_at_revision(
    session: Session, params: wire.FileAtRevisionParams
) -> wire.ShownResult:
    """Open a file as it was at a commit. Fails as `fileAtRevision` does where there is none."""
    place = session.folders.place(params.uri)
    await text_of_file(session, place, params.commit)
    uri = virtual_uri(place, params.commit)
    return wire.ShownResult(uri=uri, shown=await session.client.show_document(uri, external=False))


def virtual_uri(place: Place, commit: str) -> str:
    """The virtual document of a file as it was at a commit."""
    query = json.dumps({"commit": commit, "folder": place.folder.uri})
    return f"{SCHEME}:/{quote(place.relative, errors='surrogateescape')}?{quote(query, safe='')}"


def uri_then(place: Place, blame: Blame, original_path: str) -> str | None:
    """The URI of a path of the repository of `blame`, which blamed the file at `place`.

    None for what lies outside the folder.
    """
    in_folder, in_repository = PurePosixPath(place.relative).parts, PurePosixPath(blame.path).parts
    shorter = min(len(in_folder), len(in_repository))
    if in_folder[-shorter:] != in_repository[-shorter:]:
        return None
    above, inside = in_repository[:-shorter], in_folder[:-shorter]
    then = PurePosixPath(original_path).parts
    if then[: len(above)] != above:
        return None
    return place.folder.uri_of(str(PurePosixPath(*inside, *then[len(above) :])))
