"""The step `vscode` of the one check: `python -m tests.editors.vscode [NAME...]`.

Without a browser, and without a way to get one, what needs it is skipped, and says so.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Final

from tests.editors.vscode import configuration, packaging, toolchain
from tests.editors.vscode.layout import COMPILED, EXTENSION, ROOT, CheckError, UnavailableError
from tests.editors.vscode.sessions import in_the_browser, in_the_host, without_a_server

_ALONGSIDE: Final = "missing"
"""Runs beside the other sessions: most of its time it waits for what it installs."""


def _settings() -> None:
    _fail_with(configuration.drift(), "Run `python -m tests.editors.vscode.configuration`.")


def _types() -> None:
    for project in (".", "src/webview", "test/browser"):
        toolchain.run_quietly([*toolchain.tool("tsc"), "--noEmit", "-p", project], EXTENSION)


def _lint() -> None:
    toolchain.run_quietly([*toolchain.tool("eslint"), ".", "--max-warnings", "0"], EXTENSION)


def _unit() -> None:
    tests = sorted(str(path) for path in (COMPILED / "unit").glob("*.test.js"))
    if not tests:
        raise CheckError("There are no unit tests.")
    output = toolchain.run_quietly([str(toolchain.node()), "--test", *tests], EXTENSION)
    print("\n".join(line for line in output.splitlines() if line.startswith(("ℹ tests", "ℹ pass"))))


def _package() -> None:
    made = packaging.package()
    print(f"{made.name}: {made.stat().st_size / 1e6:.1f} MB")
    _fail_with(
        [*packaging.bundle_faults(), *packaging.picture_faults(), *packaging.faults_of(made)]
    )


CHECKS: dict[str, Callable[[], None]] = {
    "packages": toolchain.install_packages,
    "compile": packaging.compile_tests,
    "settings": _settings,
    "types": _types,
    "lint": _lint,
    "unit": _unit,
    "package": _package,
    "host": lambda: in_the_host(packaging.PACKAGE),
    "browser": lambda: in_the_browser(packaging.PACKAGE),
    "missing": lambda: without_a_server(packaging.PACKAGE),
}


ON_REQUEST: dict[str, Callable[[], None]] = {
    "pictures": packaging.take_pictures,
}
"""What changes files that are committed."""


def _fail_with(faults: list[str], advice: str = "") -> None:
    if faults:
        raise CheckError("\n".join([*faults, advice]).strip())


def main(names: list[str]) -> int:
    """Run the checks named, or all; 0 when none failed."""
    known = {**CHECKS, **ON_REQUEST}
    unknown = set(names) - set(known)
    if unknown:
        print(f"Unknown check {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
        return 2
    if names:
        passed = [_passes(name) for name in names]
        return 0 if all(passed) else 1
    # What sessions need is fetched while the machine computes other things; what goes wrong with it
    # is told by the session that asks for it again.
    toolchain.node_environment()
    for fetch in (toolchain.code_server, toolchain.browser):
        Thread(target=_try, args=(fetch,), daemon=True).start()
    before = [name for name in CHECKS if name not in {"host", "browser", _ALONGSIDE}]
    passed = [_passes(name) for name in before]
    if not passed[0] or not packaging.PACKAGE.exists():
        return 1
    with _alongside(_ALONGSIDE, passed):
        passed += [_passes(name) for name in ("host", "browser")]
    return 0 if all(passed) else 1


@contextmanager
def _alongside(name: str, passed: list[bool]) -> Iterator[None]:
    """Run a check in a process of its own; its output comes at the end."""
    command = [sys.executable, "-m", "tests.editors.vscode", name]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    try:
        yield
    finally:
        output, _ = process.communicate()
        print(output, end="", flush=True)
        passed.append(process.returncode == 0)


def _try(work: Callable[[], object]) -> None:
    with suppress(CheckError, UnavailableError):
        work()


def _passes(name: str) -> bool:
    started = time.monotonic()
    passed = True
    try:
        (CHECKS | ON_REQUEST)[name]()
        word = "passed"
    except UnavailableError as reason:
        word = f"SKIPPED: THIS WAS NOT CHECKED. {reason}"
    except CheckError as fault:
        print(fault)
        passed = False
        word = "FAILED"
    print(f"-- {name}: {word} ({time.monotonic() - started:.0f} s)", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
