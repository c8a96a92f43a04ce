"""What a new daemon must be told of a session that another daemon has begun.

Invariant: as much as the session needs, whatever it has been through: `initialize` with the
folders that are open now, the last settings and trace level, every open text as it is now. What
is not kept here (saves, changes on the disk) a new daemon finds out from the disk.
"""

from typing import Any, Final, cast

from codeintel_ls.daemon.connect_messages import Message, MessageId, dump, field
from codeintel_ls.daemon.replay_documents import OpenDocuments

DEFAULT_ENCODING: Final = "utf-16"
_ENCODINGS: Final = ("utf-8", "utf-16", "utf-32")


class Replay:
    """The state of one session, as far as it must outlive a daemon."""

    def __init__(self) -> None:
        self.documents = OpenDocuments()
        self.encoding = DEFAULT_ENCODING
        self._initialize: Message | None = None
        self._initialize_body = b""
        self._folders: list[Any] | None = None
        self._latest: dict[str, bytes] = {}

    # What the editor says

    def begin(self, message: Message, body: bytes) -> None:
        """The editor initializes the session."""
        self._initialize, self._initialize_body = message, body
        params = message.get("params")
        self._folders = None
        offered = field(params, "capabilities", "general", "positionEncodings")
        if isinstance(offered, list):
            known = [one for one in cast("list[Any]", offered) if one in _ENCODINGS]
            self.encoding = known[0] if known else DEFAULT_ENCODING

    def begun(self, result: object) -> None:
        """A daemon has answered `initialize`."""
        encoding = field(result, "capabilities", "positionEncoding")
        self.encoding = encoding if encoding in _ENCODINGS else DEFAULT_ENCODING

    def note(self, message: Message, body: bytes) -> bool:
        """Take a notification of the editor in. False: it is nothing that a new daemon is told."""
        params = message.get("params")
        match message["method"]:
            case "textDocument/didOpen":
                self.documents.open(params)
            case "textDocument/didChange":
                self.documents.change(params, self.encoding)
            case "textDocument/didClose":
                self.documents.close(params)
            case "workspace/didChangeWorkspaceFolders":
                self._change_folders(field(params, "event"))
            case "initialized" | "workspace/didChangeConfiguration" | "$/setTrace" as method:
                self._latest[method] = body
            case _:
                return False
        return True

    def _change_folders(self, event: object) -> None:
        folders = self._folders if self._folders is not None else self._first_folders()
        removed = {field(one, "uri") for one in _objects(field(event, "removed"))}
        folders = [one for one in folders if field(one, "uri") not in removed]
        present = {field(one, "uri") for one in folders}
        added = _objects(field(event, "added"))
        self._folders = [*folders, *(one for one in added if field(one, "uri") not in present)]

    def _first_folders(self) -> list[Any]:
        params = field(self._initialize, "params")
        folders = field(params, "workspaceFolders")
        if isinstance(folders, list):
            return cast("list[Any]", folders)
        root = field(params, "rootUri")
        return [{"uri": root, "name": ""}] if isinstance(root, str) else []

    # What a new daemon is told

    def messages(self, msg_id: MessageId | None) -> list[bytes]:
        """All of it, in order. `initialize` keeps its own id where none is given."""
        if self._initialize is None:
            return []
        told = [self._initialize_again(msg_id)]
        # In the order in which they are noted first: nothing goes before `initialized`.
        order = ("initialized", "$/setTrace", "workspace/didChangeConfiguration")
        told += [self._latest[method] for method in order if method in self._latest]
        return told + [document.opened() for document in self.documents]

    def _initialize_again(self, msg_id: MessageId | None) -> bytes:
        if self._initialize is None or (msg_id is None and self._folders is None):
            return self._initialize_body
        message = dict(self._initialize)
        if msg_id is not None:
            message["id"] = msg_id
        params: Any = message.get("params")
        if self._folders is not None and isinstance(params, dict):
            message["params"] = {**params, "workspaceFolders": self._folders}
        return dump(message)


def _objects(value: object) -> list[Message]:
    """The objects of a list that name something by a URI."""
    if not isinstance(value, list):
        return []
    given = cast("list[Any]", value)
    return [one for one in given if isinstance(field(one, "uri"), str)]
