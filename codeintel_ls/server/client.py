"""What the server says to its client, and asks of it, as far as the client can hear it.

Invariant: nothing is sent that the client's capabilities do not allow, and no error of the
server pops up before a person; `warn` alone does, for what a person wrote and must mend.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from cattrs.errors import BaseValidationError
from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from codeintel_ls.server.protocol import ASK_TIMEOUT_SECONDS, SessionProtocol
from codeintel_ls.server.validation import write_result
from codeintel_ls.server.wire import StatusNotification

logger: Final = logging.getLogger(__name__)

STATUS_METHOD: Final = "codeintel/status"
_PERSON_SECONDS: Final = 24 * 60 * 60.0
"""A person may be away from the screen."""


class Client:
    """The other end of a session."""

    def __init__(self, protocol: SessionProtocol) -> None:
        self.protocol = protocol
        self.capabilities = types.ClientCapabilities()

    def can(self, capability: str) -> bool:
        """Whether the client's capability of this dotted name is there and true."""
        return bool(get_capability(self.capabilities, capability, False))

    @property
    def hover_format(self) -> types.MarkupKind:
        """What the client can show in a hover."""
        formats = get_capability(self.capabilities, "text_document.hover.content_format", ())
        if types.MarkupKind.Markdown in formats:
            return types.MarkupKind.Markdown
        return types.MarkupKind.PlainText

    @property
    def trusts_markdown(self) -> bool:
        """Whether links to commands work in Markdown that comes from here.

        LSP has no capability for it: the client says so in `experimental.codeintel`.
        """
        experimental = self.capabilities.experimental
        ours = _field(experimental, "codeintel")
        return _field(ours, "trustedMarkdown") is True

    def log(self, kind: types.MessageType, message: str) -> None:
        """Put a line into the client's log of this server."""
        self.protocol.notify(
            types.WINDOW_LOG_MESSAGE, types.LogMessageParams(type=kind, message=message)
        )

    def warn(self, message: str) -> None:
        """Show a person what they should mend."""
        self.protocol.notify(
            types.WINDOW_SHOW_MESSAGE,
            types.ShowMessageParams(type=types.MessageType.Warning, message=message),
        )
        self.log(types.MessageType.Warning, message)

    async def choose(self, message: str, choices: Sequence[str]) -> str | None:
        """What a person has chosen; None where they have not, or are not there to be asked."""
        params = types.ShowMessageRequestParams(
            type=types.MessageType.Info,
            message=message,
            actions=[types.MessageActionItem(title=choice) for choice in choices],
        )
        answer = await self._ask(
            types.WINDOW_SHOW_MESSAGE_REQUEST, params, timeout_seconds=_PERSON_SECONDS
        )
        return answer.title if isinstance(answer, types.MessageActionItem) else None

    def tell_status(self, status: StatusNotification) -> None:
        """Send `codeintel/status`."""
        self.protocol.notify(STATUS_METHOD, write_result(status))

    def progress(self, token: int | str, value: Any) -> None:
        """Send `$/progress`."""
        self.protocol.notify(types.PROGRESS, types.ProgressParams(token=token, value=value))

    async def create_progress(self, token: str) -> bool:
        """Whether the client took the token of a progress that the server begins."""
        if not self.can("window.work_done_progress"):
            return False
        params = types.WorkDoneProgressCreateParams(token=token)
        return await self._ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params) is not _REFUSED

    async def show_document(self, uri: str, *, external: bool) -> bool:
        """Whether the client showed a document, `external` in a browser."""
        if not self.can("window.show_document.support"):
            return False
        params = types.ShowDocumentParams(uri=uri, external=external, take_focus=True)
        answer = await self._ask(types.WINDOW_SHOW_DOCUMENT, params)
        return isinstance(answer, types.ShowDocumentResult) and answer.success

    async def refresh_blame(self) -> None:
        """Let the client ask again for what shows blame: HEAD has moved, or settings changed."""
        if self.can("workspace.inlay_hint.refresh_support"):
            await self._ask(types.WORKSPACE_INLAY_HINT_REFRESH, None)
        if self.can("workspace.code_lens.refresh_support"):
            await self._ask(types.WORKSPACE_CODE_LENS_REFRESH, None)

    async def configuration(self, scopes: Sequence[str | None]) -> list[Any] | None:
        """The section `codeintel` for each scope, or None where the client cannot say."""
        if not self.can("workspace.configuration"):
            return None
        items = [types.ConfigurationItem(scope_uri=scope, section="codeintel") for scope in scopes]
        params = types.ConfigurationParams(items=items)
        answer = await self._ask(types.WORKSPACE_CONFIGURATION, params)
        if not isinstance(answer, list | tuple):
            return None
        values = list(cast("Sequence[Any]", answer))
        return values if len(values) == len(items) else None

    async def register(self, registrations: Sequence[types.Registration]) -> None:
        """Register capabilities while running."""
        if registrations:
            params = types.RegistrationParams(registrations=registrations)
            await self._ask(types.CLIENT_REGISTER_CAPABILITY, params)

    async def unregister(self, registered: Sequence[types.Unregistration]) -> None:
        """Take back what was registered while running."""
        params = types.UnregistrationParams(unregisterations=registered)
        await self._ask(types.CLIENT_UNREGISTER_CAPABILITY, params)

    async def _ask(
        self, method: str, params: Any, timeout_seconds: float = ASK_TIMEOUT_SECONDS
    ) -> Any:
        try:
            return await self.protocol.ask(method, params, timeout_seconds)
        except TimeoutError:
            logger.warning("The client did not answer %s.", method)
        except (JsonRpcException, BaseValidationError, TypeError, ValueError, KeyError):
            logger.warning("The client refused %s.", method)
        return _REFUSED


_REFUSED: Final = object()


def _field(value: object, name: str) -> object:
    return cast("Mapping[str, object]", value).get(name) if isinstance(value, Mapping) else None
