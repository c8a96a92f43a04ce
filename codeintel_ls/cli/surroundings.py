"""What `doctor` looks at around this program: the index's keeper, the server, who uses it."""

import shutil
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import psutil

from codeintel_ls.cli.checks import Check, Health, Setting
from codeintel_ls.cli.daemon import is_ours
from codeintel_ls.daemon.place import place_of, runtime_directory

if TYPE_CHECKING:
    from codeintel_ls.embedding import Endpoint

_EDITORS: Final = {
    "VS Code": ("code", "code-server", "codium"),
    "Neovim": ("nvim",),
    "Emacs": ("emacs",),
    "Helix": ("hx", "helix"),
    "Kakoune": ("kak",),
    "Sublime Text": ("subl",),
    "Zed": ("zed", "zeditor"),
}
_AGENTS: Final = {"Claude Code": ("claude",), "Codex": ("codex",), "Gemini": ("gemini",)}
_CONNECT_SECONDS: Final = 3.0
_HTTP: Final = 80
_PORTS: Final = {"https": 443, "socks5": 1080, "socks5h": 1080}


def check_lock(setting: Setting) -> Check:
    """Which process writes the folder's index."""
    from codeintel_ls.index.lock import CacheLock
    from codeintel_ls.workspace import index_folder

    cache = index_folder(setting.folder.resolve(), setting.loaded.settings)
    owner = CacheLock(cache).owner() if cache.is_dir() else None
    if owner is None:
        return Check("lock", Health.OK, "no process keeps the index of this folder")
    try:
        name = psutil.Process(owner).name()
    except psutil.Error:
        return Check("lock", Health.OK, f"the index was kept by process {owner}, which has ended")
    return Check("lock", Health.OK, f"the index is kept by process {owner} ({name})")


def check_server(setting: Setting) -> Check:
    """The server that editors and terminals share for the folder."""
    base = runtime_directory()
    note = place_of(str(setting.folder)).note()
    if note is None or not is_ours(note):
        return Check("server", Health.OK, f"none runs for this folder; they are found in {base}")
    return Check("server", Health.OK, f"process {note.pid}, version {note.version}")


def check_endpoint(setting: Setting) -> Check:
    """Whether the endpoint for embeddings, where one is set, can be reached. Sends nothing.

    Where a proxy leads there, it is the proxy that is looked for.
    """
    from codeintel_ls.workspace.refining import endpoint_of

    endpoint = endpoint_of(setting.loaded.settings.embedding)
    if endpoint is None:
        return Check("endpoint", Health.OK, "none is set: nothing leaves this machine")
    proxy = endpoint.proxy or _proxy_of_environment(endpoint)
    parts = urlsplit(proxy or endpoint.url)
    # A proxy's user and password are told to nobody.
    place = parts.netloc.rpartition("@")[2]
    what = f"the proxy {place}" if proxy else place
    try:
        port = parts.port or _PORTS.get(parts.scheme, _HTTP)
        socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        advice = "Start it, or see the settings embedding.endpoint and embedding.proxy."
        return Check("endpoint", Health.WRONG, f"{what} cannot be reached: {reason}", advice)
    return Check("endpoint", Health.OK, f"{what} accepts connections")


def _proxy_of_environment(endpoint: "Endpoint") -> str:
    """The URL of the proxy that requests to an endpoint go through; empty without one."""
    parts = urlsplit(endpoint.url)
    if endpoint.is_on_this_machine or proxy_bypass(parts.hostname or ""):
        return ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all", "")
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def check_editors(_: Setting) -> Check:
    """Which editors and agents are installed that this program serves."""
    found = [
        name
        for name, programs in (_EDITORS | _AGENTS).items()
        if any(shutil.which(program) for program in programs)
    ]
    if not found:
        return Check("editors", Health.NOTE, "none that is known was found on PATH")
    return Check("editors", Health.OK, ", ".join(found))


def check_path(_: Setting) -> Check:
    """Whether editors find this program by its name."""
    program = shutil.which("codeintel-ls")
    if program is None:
        advice = "Name its whole path in the editor, or put its folder on PATH."
        return Check("program", Health.NOTE, "codeintel-ls is not on PATH", advice)
    return Check("program", Health.OK, program)
