"""One session of a real server, as its client sees it; what is sent goes nowhere."""

from pathlib import Path
from typing import Any

import orjson

from codeintel_ls.server.folders import Folder
from codeintel_ls.server.session import Session
from codeintel_ls.server.shared import Shared


class Window:
    """A session with a small folder `root`, which is not open yet.

    `health` is what the client was told of it, in order.
    """

    def __init__(self, place: Path) -> None:
        self.root = place / "app"
        self.root.mkdir()
        (self.root / "notes.py").write_text("def remember():\n    pass\n")
        self._cache = place / "cache"
        self.health: list[str] = []
        self.session = Session(Shared(), {"XDG_CONFIG_HOME": str(place / "config")})
        options = {
            "index": {"workers": 1},
            "cache": {"directory": str(self._cache)},
            "search": {"deep": "off"},
        }
        self.session.configuration.initialization_options = options
        self.session.protocol.connect(self._take)
        self.session.ready.set()

    def _take(self, frame: bytes) -> None:
        message: dict[str, Any] = orjson.loads(frame.partition(b"\r\n\r\n")[2])
        if message.get("method") == "codeintel/status":
            self.health.append(message["params"]["health"])

    def add(self) -> Folder:
        """Begin to open the folder."""
        folder = self.session.folders.add(self.root.as_uri())
        assert folder is not None
        return folder

    def block(self) -> None:
        """Have the folder fail to be opened: its caches cannot be made."""
        self._cache.write_text("in the way")

    def unblock(self) -> None:
        """Take away what `block` has put in the way."""
        self._cache.unlink()

    async def close(self) -> None:
        await self.session.close()
        await self.session.shared.close()
