"""Which git is run, in which environment, and with which flags before the command.

Invariant: git is never taken from the workspace or from a relative entry of PATH, and nothing that
a repository's configuration names (hooks, monitors, pagers, filters, transports) is run by it.
See git(1) "ENVIRONMENT VARIABLES" and git-config(1).
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from threading import Lock

from codeintel_ls.git.errors import GitMissingError

MINIMUM_VERSION = (2, 30)
_VERSION_SECONDS = 10

SAFE_FLAGS = (
    "--no-optional-locks",
    "--literal-pathspecs",
    "--no-pager",
    *(
        part
        for setting in (
            "core.quotepath=off",
            "core.fsmonitor=false",
            "core.hooksPath=" + os.devnull,
            "core.askPass=",
            "core.sshCommand=false",
            "core.alternateRefsCommand=false",
            "credential.helper=",
            "protocol.allow=never",
            "safe.bareRepository=explicit",
            "gc.auto=0",
            "maintenance.auto=false",
            "log.showSignature=false",
            "log.mailmap=true",
            "log.follow=false",
            "i18n.logOutputEncoding=UTF-8",
            "color.ui=false",
            "diff.external=",
            "diff.noprefix=false",
            "diff.mnemonicPrefix=false",
            "diff.relative=false",
            "submodule.recurse=false",
        )
        for part in ("-c", setting)
    ),
)

# Where the *user* keeps settings; safe.directory is among them.
_KEPT_VARIABLES = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})

_SET_VARIABLES = {
    "LC_ALL": "C",
    "LANGUAGE": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ATTR_NOSYSTEM": "1",
}

_versions: dict[Path, tuple[int, int]] = {}
_versions_lock = Lock()


def safe_environment() -> dict[str, str]:
    """Our environment without what would point git elsewhere or let it run or ask something."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT_VARIABLES
    }
    return kept | _SET_VARIABLES


def find_git(workspace: Path, command: str = "git") -> Path:
    """The absolute path of a git of at least `MINIMUM_VERSION` that lies outside `workspace`.

    `command` is a name to look up in PATH or an absolute path. Raises `GitMissingError`.
    """
    program = _search(workspace, command)
    if program is None:
        message = (
            "git was not found on PATH. Install git 2.30 or newer."
            if command == "git"
            else f'The git named by the setting "git.path" ({Path(command).name}) cannot be run.'
        )
        raise GitMissingError(message)
    with _versions_lock:
        version = _versions.get(program)
        if version is None:
            version = _versions[program] = _ask_version(program)
    if version < MINIMUM_VERSION:
        found = ".".join(map(str, version))
        message = f"git {found} is too old. Install git 2.30 or newer."
        raise GitMissingError(message)
    return program


def _search(workspace: Path, command: str) -> Path | None:
    forbidden = workspace.resolve()
    if Path(command).is_absolute():
        folders, name = [Path(command).parent], Path(command).name
    else:
        path = os.environ.get("PATH", os.defpath)
        folders, name = [Path(entry) for entry in path.split(os.pathsep)], command
    for folder in folders:
        if not folder.is_absolute():
            continue
        # A name with a folder is not looked for anywhere else, the current folder included.
        found = shutil.which(str(folder / name))
        if found is None:
            continue
        if not any(place.is_relative_to(forbidden) for place in (folder, Path(found).resolve())):
            return Path(found)
    return None


def _ask_version(program: Path) -> tuple[int, int]:
    try:
        answer = subprocess.run(
            [program, "--version"],
            cwd=program.parent,
            env=safe_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = "git is installed but does not start. Try `git --version` in a terminal."
        raise GitMissingError(message) from error
    match = re.search(rb"(\d+)\.(\d+)", answer.stdout)
    if match is None:
        message = "git does not tell its version. Try `git --version` in a terminal."
        raise GitMissingError(message)
    return int(match[1]), int(match[2])
