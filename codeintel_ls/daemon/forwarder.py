"""One editor's session, relayed to one daemon after the other.

Invariants: every request of the editor gets exactly one answer, whatever becomes of daemons;
messages keep their order and, as long as the first daemon lives, their very bytes; nothing here
waits (who brings messages waits in `Outlet`), so no side is held up by work for the other.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from codeintel_ls.daemon import connect_messages as messages
from codeintel_ls.daemon.connect_messages import MalformedMessageError, Message, MessageId, field
from codeintel_ls.daemon.connect_outlet import Outlet
from codeintel_ls.daemon.connect_questions import Questions
from codeintel_ls.daemon.connect_waiting import Waiting
from codeintel_ls.daemon.replay import Replay

_REPLAYED: Final = "codeintel-connect/initialize"
"""The id of an `initialize` whose answer the editor has had already."""
RESTARTED: Final = (
    "CodeIntel LS had to start again while it worked on this request. Ask again in a moment."
)
_TOO_MANY: Final = "CodeIntel LS is starting again and too many requests wait. Ask again later."
_NOT_INITIALIZED: Final = "The server is not initialized."
_SHUTTING_DOWN: Final = "The server is shutting down."


class BrokenDaemonError(Exception):
    """The daemon does not do what a daemon does: another one is needed."""


class Forwarder:
    """What stands between an editor and its daemon. Any thread may call it."""

    def __init__(self, editor: Outlet, on_begin: Callable[[object], object]) -> None:
        """`on_begin` gets the parameters of the first `initialize`, and sees to a daemon."""
        self.exit_code: int | None = None
        self.asked_again = threading.Event()
        self._on_begin = on_begin
        self._lock = threading.RLock()
        self._editor = editor
        self._daemon: Outlet | None = None
        self._begun = False
        self._shut_down = False
        self._trouble: str | None = None
        self._initialize_id: MessageId | None = None
        self._pending: dict[MessageId, int] = {}
        self._shutdowns: set[MessageId] = set()
        self._replay = Replay()
        self._questions = Questions()
        self._waiting = Waiting()

    @property
    def shut_down(self) -> bool:
        """Whether the editor has asked to shut down."""
        return self._shut_down

    @property
    def daemon(self) -> Outlet | None:
        """Where the editor's messages go now."""
        return self._daemon

    # From the editor

    def from_editor(self, body: bytes) -> None:
        """Take a body of the editor in."""
        try:
            message = messages.parse(body)
        except MalformedMessageError as error:
            self._editor.put(messages.error(None, error.code, str(error)))
            return
        with self._lock:
            if "method" not in message:
                self._answer(message, body)
            elif "id" in message:
                self._request(message, body)
            else:
                self._notification(message, body)

    def _answer(self, message: Message, body: bytes) -> None:
        answer = self._questions.answered(message, body)
        if answer is not None and self._daemon is not None:
            self._daemon.put(answer)

    def _request(self, message: Message, body: bytes) -> None:
        msg_id, method = message["id"], message["method"]
        if method == "initialize" and not self._begun:
            self._begin(message, body)
        elif self._daemon is not None:
            self._pass_on(self._daemon, message, body)
        elif not self._begun:
            self._refuse(msg_id, messages.SERVER_NOT_INITIALIZED, _NOT_INITIALIZED)
        elif self._shut_down:
            self._refuse(msg_id, messages.INVALID_REQUEST, _SHUTTING_DOWN)
        elif method == "shutdown":
            self._shut_down = True
            self._refuse_waiting(messages.RETRY, RESTARTED)
            self._editor.put(messages.result(msg_id, None))
        elif self._trouble is not None:
            self._refuse(msg_id, messages.REQUEST_FAILED, self._trouble)
            self.asked_again.set()
        elif not self._waiting.add(message, body):
            self._refuse(msg_id, messages.RETRY, _TOO_MANY)

    def _begin(self, message: Message, body: bytes) -> None:
        self._begun = True
        self._initialize_id = message["id"]
        self._replay.begin(message, body)
        if self._daemon is not None:
            self._daemon.put(body)
        elif self._trouble is None:
            self._on_begin(message.get("params"))
        else:
            self.asked_again.set()

    def _pass_on(self, daemon: Outlet, message: Message, body: bytes) -> None:
        msg_id: MessageId = message["id"]
        self._pending[msg_id] = self._pending.get(msg_id, 0) + 1
        if message["method"] == "shutdown" and self._begun:
            self._shut_down = True
            self._shutdowns.add(msg_id)
        daemon.put(body)

    def _refuse(self, msg_id: MessageId, code: int, why: str) -> None:
        self._editor.put(messages.error(msg_id, code, why))

    def _refuse_waiting(self, code: int, why: str) -> None:
        if self._initialize_id is not None:
            self._refuse(self._initialize_id, code, why)
            self._initialize_id = None
        for message, _ in self._waiting.take():
            if "id" in message:
                self._refuse(message["id"], code, why)

    def _notification(self, message: Message, body: bytes) -> None:
        method = message["method"]
        if method == "exit":
            self.exit_code = 0 if self._shut_down else 1
        remembered = self._begun and self._replay.note(message, body)
        if self._daemon is not None:
            if method == "window/workDoneProgress/cancel":
                body = self._questions.stopped(message, body)
            self._daemon.put(body)
        elif self._begun and not remembered:
            self._waiting.add(message, body)

    # From the daemon

    def connected(self, daemon: Outlet) -> bool:
        """Have `daemon` serve from now on: tell it of the session, and what waited for it.

        False where the session has ended in the meantime.
        """
        with self._lock:
            if self._shut_down:
                return False
            self._daemon = daemon
            self._trouble = None
            self._questions.next_daemon()
            asked_before = self._initialize_id is None
            for body in self._replay.messages(_REPLAYED if asked_before else None):
                daemon.put(body)
            for message, body in self._waiting.take():
                if "id" in message:
                    self._pass_on(daemon, message, body)
                else:
                    daemon.put(body)
            return True

    def from_daemon(self, body: bytes) -> None:
        """Take a body of the daemon in.

        Raises:
            BrokenDaemonError: it is nothing that a daemon says.

        """
        msg_id = messages.answered_id(body)
        if msg_id is not None and msg_id not in {self._initialize_id, _REPLAYED}:
            with self._lock:
                self._answered(msg_id, body)
            return
        try:
            message = messages.parse(body)
            with self._lock:
                self._take(message, body)
        except (MalformedMessageError, KeyError, TypeError) as error:
            raise BrokenDaemonError from error

    def _take(self, message: Message, body: bytes) -> None:
        msg_id: Any = message.get("id")
        if "method" not in message:
            self._initialized_or_answered(msg_id, message, body)
        elif "id" not in message:
            self._editor.put(self._questions.tell(message, body))
        else:
            asked = self._questions.ask(message, body)
            for one in asked:
                self._editor.put(one)
            if not asked and self._daemon is not None:
                self._daemon.put(messages.result(msg_id, None))

    def _initialized_or_answered(self, msg_id: Any, message: Message, body: bytes) -> None:
        if msg_id == _REPLAYED:
            if "error" in message:
                raise BrokenDaemonError
        elif msg_id is not None and msg_id == self._initialize_id:
            self._initialize_id = None
            if "error" in message:
                self._begun = False
                self._replay = Replay()
            else:
                self._replay.begun(field(message, "result"))
            self._editor.put(body)
        else:
            self._answered(msg_id, body)

    def _answered(self, msg_id: MessageId | None, body: bytes) -> None:
        if msg_id is not None:
            left = self._pending.pop(msg_id, 1) - 1
            if left:
                self._pending[msg_id] = left
        self._editor.put(body)

    def lost(self) -> bool:
        """The daemon is gone. Whether the session needs another."""
        with self._lock:
            self._daemon = None
            for msg_id, times in self._pending.items():
                for _ in range(times):
                    self._editor.put(self._answer_without_daemon(msg_id))
            self._pending.clear()
            for body in self._questions.lost():
                self._editor.put(body)
            return not self._shut_down and self.exit_code is None

    def _answer_without_daemon(self, msg_id: MessageId) -> bytes:
        if msg_id in self._shutdowns:
            # Nothing is left that could be shut down.
            return messages.result(msg_id, None)
        return messages.error(msg_id, messages.RETRY, RESTARTED)

    def give_up(self, trouble: str) -> None:
        """There is no daemon for now: requests are answered with `trouble`, a person is told."""
        with self._lock:
            self._trouble = trouble
            self.asked_again.clear()
            if self._initialize_id is not None:
                self._begun = False
                self._replay = Replay()
            self._refuse_waiting(messages.REQUEST_FAILED, trouble)
            self._editor.put(messages.shown(trouble))
            status = {"health": "error", "state": "failed", "message": trouble}
            self._editor.put(messages.notification("codeintel/status", status))
