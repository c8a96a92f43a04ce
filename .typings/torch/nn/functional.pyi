"""Training needs this package, tests do not install it: whatever it has may be anything."""

from typing import Any

def __getattr__(name: str) -> Any: ...
