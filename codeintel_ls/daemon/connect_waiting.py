"""What the editor sends while there is no daemon, kept for the next one within bounds."""

from typing import Final

from codeintel_ls.daemon.connect_messages import Message

MOST_MESSAGES: Final = 1_000
MOST_BYTES: Final = 16 * 1024 * 1024


class Waiting:
    """Messages in their order."""

    def __init__(self) -> None:
        self._messages: list[tuple[Message, bytes]] = []
        self._bytes = 0

    def add(self, message: Message, body: bytes) -> bool:
        """Keep one; False where there is no room for it."""
        if len(self._messages) >= MOST_MESSAGES or self._bytes + len(body) > MOST_BYTES:
            return False
        self._messages.append((message, body))
        self._bytes += len(body)
        return True

    def take(self) -> list[tuple[Message, bytes]]:
        """All of them, which wait no longer."""
        taken, self._messages, self._bytes = self._messages, [], 0
        return taken
