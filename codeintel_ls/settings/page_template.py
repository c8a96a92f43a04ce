"""The template of a commit's page: a URL with `{host}`, `{path}` and `{commit}`.

Invariant: a template that passes makes only http and https URLs, and holds no user or password.
"""

import re
from typing import Final
from urllib.parse import urlsplit

PLACEHOLDERS: Final = ("host", "path", "commit")


def page_template_problem(template: str) -> str | None:
    """What is wrong with a template, as the end of a sentence; None where it is sound or empty."""
    if not template:
        return None
    if not template.isascii() or not template.isprintable() or " " in template:
        return "holds a character that must be percent-encoded in a URL"
    names = re.findall(r"\{([^{}]*)\}", template)
    unknown = next((name for name in names if name not in PLACEHOLDERS), None)
    if unknown is not None:
        return f"names {{{unknown}}}, which is no placeholder"
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", template)):
        return "has a brace that stands alone"
    if "commit" not in names:
        return "does not name {commit}"
    return _url_problem(re.sub(r"\{(host|path|commit)\}", "x", template))


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_sound:
        return "does not begin with http:// or https:// and a host"
    return "holds a user or a password" if "@" in parts.netloc else None
