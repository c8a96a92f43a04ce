"""Where the extension lies, and where its checks put what they install and make.

Invariant: everything that is made lies in folders that git ignores.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
EXTENSION: Final = ROOT / "editors" / "vscode"
MANIFEST: Final = EXTENSION / "package.json"
STRINGS: Final = EXTENSION / "package.nls.json"
MEDIA: Final = EXTENSION / "media"
COMPILED: Final = EXTENSION / "out"
"""Tests, bundled for Node and for the extension host."""

KEPT: Final = ROOT / "build" / "editors"
"""What is installed once and used by every run."""
SCREENSHOTS: Final = KEPT / "screenshots"


class UnavailableError(Exception):
    """Something that these checks need cannot be had on this machine."""


class CheckError(Exception):
    """A check failed; the message says what is wrong."""
