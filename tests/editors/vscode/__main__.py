"""The step `vscode` of the one check: `python -m tests.editors.vscode [NAME...]`.

Without a browser, and without a way to get one, what needs it is skipped, and says so.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.editors.vscode import configuration, packaging, toolchain
from tests.editors.vscode.layout import COMPILED, EXTENSION, KEPT, CheckError, UnavailableError
from tests.editors.vscode.sessions import in_the_browser, in_the_host, without_a_server

_VSIX = KEPT / "codeintel-ls.vsix"


def _settings() -> None:
    _fail_with(configuration.drift(), "Run `python -m tests.editors.vscode.configuration`.")


def _types() -> None:
    for project in (".", "src/webview", "test/browser"):
        toolchain.run_quietly([*toolchain.tool("tsc"), "--noEmit", "-p", project], EXTENSION)


def _lint() -> None:
    toolchain.run_quietly([*toolchain.tool("eslint"), ".", "--max-warnings", "0"], EXTENSION)


def _unit() -> None:
    packaging.compile_tests()
    tests = sorted(str(path) for path in (COMPILED / "unit").glob("*.test.js"))
    if not tests:
        raise CheckError("There are no unit tests.")
    print(toolchain.run_quietly([str(toolchain.node()), "--test", *tests], EXTENSION)[-400:])


def _package() -> None:
    made = packaging.package()
    print(f"{made.name}: {made.stat().st_size / 1e6:.1f} MB")
    _fail_with([*packaging.bundle_faults(), *packaging.faults_of(made)])


def _vsix() -> Path:
    if not _VSIX.exists():
        _package()
    return _VSIX


def _host() -> None:
    packaging.compile_tests()
    in_the_host(_vsix())


def _missing() -> None:
    packaging.compile_tests()
    without_a_server(_vsix())


def _browser() -> None:
    packaging.compile_tests()
    in_the_browser(_vsix())


CHECKS: dict[str, Callable[[], None]] = {
    "packages": toolchain.install_packages,
    "settings": _settings,
    "types": _types,
    "lint": _lint,
    "unit": _unit,
    "package": _package,
    "host": _host,
    "missing": _missing,
    "browser": _browser,
}


def _fail_with(faults: list[str], advice: str = "") -> None:
    if faults:
        raise CheckError("\n".join([*faults, advice]).strip())


def main(names: list[str]) -> int:
    """Run the checks named, or all; 0 when none failed."""
    unknown = set(names) - set(CHECKS)
    if unknown:
        print(f"Unknown check {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}.")
        return 2
    failed: list[str] = []
    for name in names or CHECKS:
        started = time.monotonic()
        try:
            CHECKS[name]()
            word = "passed"
        except UnavailableError as reason:
            word = f"SKIPPED: THIS WAS NOT CHECKED. {reason}"
        except CheckError as fault:
            print(fault)
            failed.append(name)
            word = "FAILED"
        print(f"-- {name}: {word} ({time.monotonic() - started:.0f} s)", flush=True)
        if name in failed and name == "packages":
            break
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
