"""The step `nvim` of `python -m tests`: what the registries have is installed, then the tests run.

Arguments go to pytest. Where root installs nothing and a program is missing, what needs it is
skipped, and says so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
FOLDERS: Final = ("tests/editors/nvim", "tests/editors/emacs")
PACKAGES: Final = {
    "tmux": ("tmux",),
    "luacheck": ("lua-check",),
    "emacs": ("emacs-nox", "elpa-eglot"),
}
"""Programs, and Debian's packages that have them."""
STYLUA: Final = "@johnnymorganz/stylua@2.5.2"
TOOLS: Final = ROOT / "build/editors"


def install_packages() -> None:
    """What is missing of Debian's packages, where that is possible."""
    missing = [
        name for program, names in PACKAGES.items() if not shutil.which(program) for name in names
    ]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"NOT INSTALLED, for want of root or apt-get: {' '.join(missing)}", flush=True)
        return
    # Other steps and sessions install, too: wait for the lock.
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], env=quiet, check=False)
    done = subprocess.run(
        [*apt, "install", "-y", "--no-install-recommends", *missing],
        env=quiet,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        print(f"NOT INSTALLED, apt-get failed: {' '.join(missing)}", flush=True)


def install_stylua() -> None:
    """StyLua as WebAssembly: npm has no program of it that needs no download."""
    if (TOOLS / "node_modules/@johnnymorganz/stylua").is_dir():
        return
    npm = shutil.which("npm")
    if npm is None:
        print("NOT INSTALLED, there is no npm: StyLua", flush=True)
        return
    TOOLS.mkdir(parents=True, exist_ok=True)
    (TOOLS / "package.json").write_text("{}")
    command = [npm, "install", "--silent", "--ignore-scripts", "--no-save", STYLUA]
    if subprocess.run(command, cwd=TOOLS, check=False).returncode != 0:
        print("NOT INSTALLED, npm failed: StyLua", flush=True)


def main(arguments: list[str]) -> int:
    """Run the tests; 0 when every one passed."""
    if sys.platform != "linux":
        print("SKIPPED: Neovim for tests is a package for Linux on x64 alone.")
        return 0
    install_packages()
    install_stylua()
    folders = [folder for folder in FOLDERS if (ROOT / folder).is_dir()]
    command = [sys.executable, "-m", "pytest", "-rs", *folders, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
