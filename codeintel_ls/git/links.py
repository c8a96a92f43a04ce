"""The web pages of commits and files, from the URL of a remote.

Invariant: no user name, password or token of the remote's URL is ever part of an answer.
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from codeintel_ls.git.sites import Lines, Project, Site, site_of

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_SCP_LIKE = re.compile(r"(?:[^@/]+@)?([^:/@\[\]]+):(?!//)(.+)")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_PLACEHOLDER = re.compile(r"\{(host|path|commit)\}")
_STANDARD_PORTS = {"http": 80, "https": 443}
_SSH = frozenset({"ssh", "git", "git+ssh", "ssh+git"})
# Where ssh goes through port 443, the name differs from that of the pages.
_ALIASES = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "www.github.com": "github.com",
}
_ENCODED_SCP = (".azure.com", ".visualstudio.com")
_PUBLIC = frozenset({"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht"})


def commit_url(remote: str, commit: str, template: str = "") -> str | None:
    """The page of `commit`, or None where none is known.

    A `template` (a URL with `{host}`, `{path}` and `{commit}`) goes before what is known of sites.
    `{path}` is the remote's path without `.git`; where the remote has none, no page is known.
    """
    if _COMMIT.fullmatch(commit) is None:
        return None
    project = _project(remote.strip())
    if template:
        return _filled(template, project, commit)
    return _page(project, lambda site, known: site.commit(known, commit))


def file_url(
    remote: str,
    commit: str,
    path: str,
    first_line: int | None = None,
    last_line: int | None = None,
) -> str | None:
    """The page of the file `path` (relative to the repository) as it was in `commit`, or None.

    Lines are 0-based and inclusive; a page of the whole file for None.
    """
    steps = path.split("/")
    if _COMMIT.fullmatch(commit) is None or not all(steps) or {".", ".."} & set(steps):
        return None
    shown = "/".join(quote(step.encode("utf-8", "surrogateescape"), safe="~") for step in steps)
    lines = None
    if first_line is not None:
        last = first_line if last_line is None else max(first_line, last_line)
        lines = Lines(first_line + 1, last + 1)
    return _page(
        _project(remote.strip()), lambda site, known: site.file(known, commit, shown, lines)
    )


def _page(project: Project | None, make: Callable[[Site, Project], str]) -> str | None:
    found = site_of(project) if project is not None else None
    return make(*found) if found is not None else None


def _filled(template: str, project: Project | None, commit: str) -> str | None:
    values = {"commit": commit}
    if project is not None:
        values |= {"host": project.host, "path": project.path}
    names = set(_PLACEHOLDER.findall(template))
    if not names <= set(values):
        return None
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


class _Remote(NamedTuple):
    scheme: str
    host: str
    port: int | None
    path: str


def _project(remote: str) -> Project | None:
    """Where the remote's project lies, without credentials; None for what is no such URL."""
    found = _parsed(remote)
    if found is None:
        return None
    host = _ALIASES.get(found.host.lower(), found.host.lower())
    steps = [step for step in found.path.strip("/").removesuffix(".git").split("/") if step]
    # An unescaped "/" in a password makes the rest of it look like a path.
    unsound = any(step in {".", ".."} or "@" in step or not step.isprintable() for step in steps)
    if _HOST.fullmatch(host) is None or unsound or not steps:
        return None
    over_ssh = found.scheme in _SSH
    scheme = "https" if over_ssh or host in _PUBLIC else found.scheme
    port = None if over_ssh or host in _PUBLIC else found.port
    shown = "" if port in (None, _STANDARD_PORTS[scheme]) else f":{port}"
    encoded = tuple(quote(step, safe="~") for step in steps)
    return Project(f"{scheme}://{host}{shown}", host, encoded, found.port if over_ssh else None)


def _parsed(remote: str) -> _Remote | None:
    if "://" not in remote:
        match = _SCP_LIKE.fullmatch(remote)
        if match is None:
            return None
        host, path = match.groups()
        # The path is taken as it stands, but Azure hands it out percent-encoded.
        encoded = host.lower().endswith(_ENCODED_SCP)
        return _Remote("ssh", host, None, unquote(path) if encoded else path)
    try:
        url = urlsplit(remote)
        port = url.port
    except ValueError:
        return None
    if url.scheme not in _STANDARD_PORTS and url.scheme not in _SSH:
        return None
    return _Remote(url.scheme, url.hostname or "", port, unquote(url.path))
