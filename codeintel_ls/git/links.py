"""The web page of a commit, from the URL of a remote.

Invariant: no user name, password or token of the remote's URL is ever part of the answer.
"""

import re
from urllib.parse import quote, unquote, urlsplit

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_SCP_LIKE = re.compile(r"(?:[^@/]+@)?([^:/@\[\]]+):(?!//)(.+)")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_STANDARD_PORTS = {"http": 80, "https": 443}
# Where ssh goes through port 443, the name differs from that of the pages.
_ALIASES = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "www.github.com": "github.com",
}


def commit_url(remote: str, commit: str) -> str | None:
    """The page of `commit` on GitHub, GitLab (also self-hosted) or Bitbucket, or None."""
    place = _place(remote.strip())
    if place is None or _COMMIT.fullmatch(commit) is None:
        return None
    base, host, path = place
    steps = [step for step in path.strip("/").removesuffix(".git").split("/") if step]
    page = _page(host)
    if page is None or len(steps) < 2 or any(step in {".", ".."} for step in steps):
        return None
    project = "/".join(quote(step, safe="~") for step in steps)
    return f"{base}/{project}/{page}/{commit}"


def _place(remote: str) -> tuple[str, str, str] | None:
    """The base of the pages' URL, the host and the project's path."""
    if "://" not in remote:
        match = _SCP_LIKE.fullmatch(remote)
        return _checked("https", match[1], None, match[2]) if match else None
    try:
        url = urlsplit(remote)
        port = url.port
    except ValueError:
        return None
    path = unquote(url.path)
    if url.scheme in _STANDARD_PORTS:
        return _checked(url.scheme, url.hostname or "", port, path)
    if url.scheme in {"ssh", "git", "git+ssh", "ssh+git"}:
        return _checked("https", url.hostname or "", None, path)
    return None


def _checked(scheme: str, host: str, port: int | None, path: str) -> tuple[str, str, str] | None:
    host = _ALIASES.get(host.lower(), host.lower())
    if _HOST.fullmatch(host) is None:
        return None
    if host in {"github.com", "gitlab.com", "bitbucket.org"}:
        return f"https://{host}", host, path
    shown = "" if port in (None, _STANDARD_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host}{shown}", host, path


def _page(host: str) -> str | None:
    labels = host.split(".")
    if host == "bitbucket.org":
        return "commits"
    if "gitlab" in labels:
        return "-/commit"
    return "commit" if "github" in labels else None
