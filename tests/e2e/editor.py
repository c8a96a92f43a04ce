"""An editor for tests: a client of pytest-lsp on the server's real standard input and output."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from lsprotocol import types
from pygls.protocol import JsonRPCNotification, JsonRPCResponseMessage, default_converter
from pytest_lsp.client import LanguageClient, register_lsp_features

from codeintel_ls.server.uris import uri_from_path

SERVER = [sys.executable, "-m", "codeintel_ls", "serve", "--stdio"]
CONNECT = [sys.executable, "-m", "codeintel_ls", "connect"]
SECONDS = 30.0
DOORS = ["request", "command"]
CAPABILITIES = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(
        position_encodings=[types.PositionEncodingKind.Utf16],
    ),
    text_document=types.TextDocumentClientCapabilities(
        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown])
    ),
    window=types.WindowClientCapabilities(work_done_progress=True),
    workspace=types.WorkspaceClientCapabilities(
        configuration=True,
        workspace_folders=True,
        file_operations=types.FileOperationClientCapabilities(
            did_create=True, did_rename=True, did_delete=True
        ),
        did_change_configuration=types.DidChangeConfigurationClientCapabilities(
            dynamic_registration=True
        ),
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(
            dynamic_registration=True
        ),
    ),
)


def _plain_results():
    converter = default_converter()
    for kind in (JsonRPCResponseMessage, JsonRPCNotification):
        # pygls would turn objects into named tuples, whose names cannot be commit ids.
        converter.register_structure_hook(kind, lambda message, to: to(**message))

    def action_or_command(given, _):
        # lsprotocol takes every action that has a command for a command.
        kind = types.Command if isinstance(given.get("command"), str) else types.CodeAction
        return converter.structure(given, kind)

    converter.register_structure_hook(types.Command | types.CodeAction, action_or_command)
    return converter


class Editor(LanguageClient):
    """One session with one server process."""

    def __init__(self, configuration: dict[str, Any] | None = None) -> None:
        super().__init__(converter_factory=_plain_results, configuration=configuration)
        register_lsp_features(self)
        self.statuses: list[dict[str, Any]] = []
        self.registrations: list[types.Registration] = []
        self.feature("codeintel/status")(partial(self.statuses.append))
        self.feature(types.CLIENT_REGISTER_CAPABILITY)(
            lambda params: self.registrations.extend(params.registrations)
        )
        self.initialized_with: types.InitializeResult | None = None

    async def open(
        self,
        environment: Mapping[str, str],
        folders: Sequence[Path],
        capabilities: types.ClientCapabilities = CAPABILITIES,
        options: object = None,
        command: Sequence[str] = SERVER,
    ) -> Self:
        await self.start_io(*command, env=dict(environment))
        self.initialized_with = await self.initialize_session(
            types.InitializeParams(
                capabilities=capabilities,
                process_id=os.getpid(),
                workspace_folders=[
                    types.WorkspaceFolder(uri=uri_from_path(folder), name=folder.name)
                    for folder in folders
                ],
                initialization_options=options,
            )
        )
        return self

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._server is not None
        return self._server

    async def close(self) -> None:
        await asyncio.wait_for(self.shutdown_session(), SECONDS)
        await self.stop()

    async def ask(self, method: str, params: object = None) -> Any:
        return await asyncio.wait_for(self.protocol.send_request_async(method, params), SECONDS)

    def begin(
        self, door: str, operation: str, params: object, msg_id: str | None = None
    ) -> asyncio.Future[Any]:
        """Send an operation through one of its doors, now: what is sent later comes after it."""
        method, given = f"codeintel/{operation}", params
        if door == "command":
            method = types.WORKSPACE_EXECUTE_COMMAND
            given = types.ExecuteCommandParams(f"codeintel.{operation}", [params])
        return asyncio.wrap_future(self.protocol.send_request(method, given, msg_id=msg_id))

    async def call(self, door: str, operation: str, params: object = None) -> Any:
        """An operation through one of its doors."""
        if door == "request":
            return await self.ask(f"codeintel/{operation}", params)
        arguments = [] if params is None else [params]
        command = types.ExecuteCommandParams(f"codeintel.{operation}", arguments)
        return await self.ask("workspace/executeCommand", command)

    async def ready(self) -> None:
        """Wait until every folder is indexed."""
        await self.call("request", "updateIndex", {})

    async def search(self, query: str, **params: object) -> list[dict[str, Any]]:
        found = await self.call("request", "semanticSearch", {"query": query, **params})
        return found["hits"]

    def open_text(self, path: Path, text: str, version: int = 1) -> str:
        uri = uri_from_path(path)
        item = types.TextDocumentItem(uri, "python", version, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change_text(self, uri: str, version: int, *changes: tuple[tuple[int, ...], str]) -> None:
        """Edits of (start line, start character, end line, end character) and new text."""
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=version, uri=uri),
                [
                    types.TextDocumentContentChangePartial(
                        range=types.Range(
                            types.Position(place[0], place[1]), types.Position(place[2], place[3])
                        ),
                        text=text,
                    )
                    for place, text in changes
                ],
            )
        )

    async def hover(self, uri: str, line: int) -> str | None:
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, 0))
        hover = await self.text_document_hover_async(params)
        if hover is None:
            return None
        assert isinstance(hover.contents, types.MarkupContent)
        return hover.contents.value


class PartsEditor(Editor):
    """Keeps partial results too, which the client of pytest-lsp takes for wrong progress."""

    def __init__(self, configuration: dict[str, Any] | None = None) -> None:
        super().__init__(configuration)
        features = self.protocol.fm.features
        work_done = features[types.PROGRESS]

        self.parts: dict[int | str, list[dict[str, Any]]] = {}

        def progress(params: types.ProgressParams) -> None:
            value = params.value
            if isinstance(value, dict) and "kind" not in value:
                self.parts.setdefault(params.token, []).append(value)
            else:
                work_done(params)

        features[types.PROGRESS] = progress


async def eventually(check: Any) -> Any:
    """The first true value of `check()`, which may be a coroutine function."""
    async with asyncio.timeout(SECONDS):
        while True:
            value = check()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.02)
