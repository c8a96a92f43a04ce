"""The folders that an agent may ask about, and the files that its paths mean.

They are the client's roots where it has some, else the folder that the server was started for.
Invariant: no path outside of them is ever asked about.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from codeintel_ls.mcp.errors import OutsideRootsError


@frozen
class Roots:
    """Absolute folders, without symbolic links; the first is the main one."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folders: Iterable[Path]) -> "Roots":
        """Those that exist, each once. May be empty."""
        real = dict.fromkeys(folder.resolve() for folder in folders if folder.is_dir())
        return cls(tuple(real))

    def resolve(self, path: str) -> tuple[Path, Path]:
        """The folder in which `path` lies, and where in it, without symbolic links.

        `path` is absolute, or relative to the folder in which it exists, the first where it exists
        in none. Raises OutsideRootsError.
        """
        if "\0" in path:
            raise OutsideRootsError("This path")
        candidates = [Path(os.path.normpath(folder / path)) for folder in self.folders]
        for place in [place for place in candidates if place.exists()] or candidates:
            # A link inside may lead outside; where it leads is what would be read.
            real = place.resolve()
            for folder in self.folders:
                if real.is_relative_to(folder):
                    return folder, real.relative_to(folder)
        raise OutsideRootsError(path)
