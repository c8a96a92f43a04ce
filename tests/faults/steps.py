"""The steps by which a process changes what is on disk, or says something to another process.

They are wrapped in the process that is to be killed, from outside: the product knows nothing of
it. Each step has a kind, such as "after rename manifest.json"; the process can be killed at the
n-th of any kind. A file is also left half written ("half write workspace.json").
"""

import os
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from attrs import define, field, frozen

_NUMBERS: Final = re.compile(r"[0-9a-f]*\d[0-9a-f-]*")


@frozen
class Target:
    """Where a process is to be killed: at the `number`-th step (from 1) of a kind."""

    kind: str
    number: int


@define
class Steps:
    """Counts the steps of this process, tells each in the file `trace`, and kills at `target`.

    Steps are those on files below `within`.
    """

    trace: Path
    within: Path
    target: Target | None
    _counts: Counter[str] = field(factory=Counter[str], init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _file: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = os.open(self.trace, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def at(self, kind: str) -> None:
        """A step: this process may end here."""
        if self.reaches(kind):
            os.kill(os.getpid(), signal.SIGKILL)

    def reaches(self, kind: str) -> bool:
        """The same, where something remains to be done before the end."""
        with self._lock:
            self._counts[kind] += 1
            os.write(self._file, f"{kind}\n".encode())
            target = self.target
            return target is not None and target == Target(kind, self._counts[kind])

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        """The two steps before and after something."""
        self.at(f"before {what}")
        yield
        self.at(f"after {what}")

    def wrap(self, owner: Any, name: str, naming: Callable[..., str | None]) -> None:
        """Have each call of a function be two steps, where `naming` gives it a name."""
        real = getattr(owner, name)

        def stepped(*arguments: Any, **options: Any) -> Any:
            named = naming(*arguments, **options)
            if named is None:
                return real(*arguments, **options)
            with self.around(named):
                return real(*arguments, **options)

        setattr(owner, name, stepped)

    def install(self) -> None:
        """Wrap whatever changes files and databases."""
        self.wrap(os, "fsync", lambda handle: self._named("fsync", f"/proc/self/fd/{handle}"))
        for name in ("replace", "rename"):
            self.wrap(os, name, lambda _, to, **__: self._named("rename", to))
        for name in ("mkdir", "unlink", "rmdir"):
            self.wrap(os, name, self._below(name))
        self.wrap(np, "save", lambda file, *_, **__: self._named("save", file))
        for name in ("write_bytes", "write_text"):
            self._wrap_writing(name)
        self._wrap_databases()

    def _below(self, operation: str) -> Callable[..., str | None]:
        def naming(path: Any, *_: Any, dir_fd: int | None = None, **__: Any) -> str | None:
            at = "" if dir_fd is None else f"/proc/self/fd/{dir_fd}/"
            return self._named(operation, f"{at}{os.fspath(path)}")

        return naming

    def _named(self, operation: str, path: Any) -> str | None:
        """A kind without what is another in each run; None for what lies elsewhere."""
        place = Path(os.path.realpath(path))
        if not place.is_relative_to(self.within):
            return None
        parts = place.relative_to(self.within).parts
        name = _NUMBERS.sub("*", parts[-1]) if parts else "cache"
        if parts[-1:] == (name,) and len(parts) > 2 and "segments" in parts[:-1]:
            name = f"segments/{name}"
        return f"{operation} {name}"

    def _wrap_writing(self, name: str) -> None:
        real = getattr(Path, name)

        def write(path: Path, content: Any, *arguments: Any, **options: Any) -> Any:
            named = self._named("write", path)
            if named is None:
                return real(path, content, *arguments, **options)
            with self.around(named):
                if self.reaches(f"half {named}"):
                    real(path, content[: len(content) // 2], *arguments, **options)
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(path, content, *arguments, **options)

        setattr(Path, name, write)

    def _wrap_databases(self) -> None:
        steps, connect = self, sqlite3.connect

        class Stepped(sqlite3.Connection):
            name = ""

            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                if sql != "COMMIT" or not self.in_transaction:
                    return super().execute(sql, *arguments)
                with steps.around(f"commit {self.name}"):
                    return super().execute(sql, *arguments)

            def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                with steps.around(f"{sql.split()[0].lower()} rows {self.name}"):
                    return super().executemany(sql, *arguments)

            def close(self) -> None:
                with steps.around(f"close {self.name}"):
                    super().close()

        def connected(path: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(path, factory=Stepped, **options)
            assert isinstance(connection, Stepped)
            connection.name = Path(path).stem
            return connection

        sqlite3.connect = connected
