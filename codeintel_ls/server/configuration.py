"""What the client says of settings, and the settings that follow from it for each folder.

Sources are named in `codeintel_ls.settings`. Invariant: a wrong setting is told to the person
once, however often it is read, and everything else still holds.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from lsprotocol import types

from codeintel_ls.settings import LogLevel, Settings, load_settings

if TYPE_CHECKING:
    from codeintel_ls.server.session import Session

SECTION: Final = "codeintel"
_LEVELS: Final = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
}


class Configuration:
    """The client's side of the settings of one session."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.initialization_options: object = None
        self._values: dict[str | None, object] = {}
        self._told: set[str] = set()

    def take(self, scope: str | None, values: object) -> None:
        """Remember the client's answer for a folder's URI, or for the window (None)."""
        self._values[scope] = values

    def forget(self, scope: str) -> None:
        """The folder is gone."""
        self._values.pop(scope, None)

    def load(self, scope: str | None, folder: Path | None) -> tuple[Settings, list[str]]:
        """The settings of a folder, and what is wrong with them that was not told before.

        Reads files: call it off the event loop.
        """
        loaded = load_settings(
            folder,
            client=self._values.get(scope, self._values.get(None)),
            initialization_options=self.initialization_options,
            environ=self.environ,
        )
        messages = dict.fromkeys(problem.message for problem in loaded.problems)
        fresh = [message for message in messages if message not in self._told]
        self._told.update(fresh)
        return loaded.settings, fresh


async def pull(session: "Session", scopes: Sequence[str | None]) -> None:
    """Ask the client for the section `codeintel`, for folders' URIs or for the window (None)."""
    answers = await session.client.configuration(scopes)
    for scope, values in zip(scopes, answers or [], strict=False):
        session.configuration.take(scope, values)


async def did_change_configuration(
    session: "Session", params: types.DidChangeConfigurationParams
) -> None:
    """`workspace/didChangeConfiguration`: ask the client where it can be asked."""
    if session.client.can("workspace.configuration"):
        await pull(session, [None, *(folder.uri for folder in session.folders)])
    else:
        session.configuration.take(None, _section(params.settings))
    before = session.settings.blame
    await session.reconfigure()
    if session.settings.blame != before:
        await session.client.refresh_blame()


def _section(settings: Any) -> object:
    if isinstance(settings, Mapping) and SECTION in settings:
        return cast("Mapping[str, object]", settings)[SECTION]
    return None


def set_log_level(settings: Settings) -> None:
    """Log as the settings say."""
    logging.getLogger("codeintel_ls").setLevel(_LEVELS[settings.log.level])
