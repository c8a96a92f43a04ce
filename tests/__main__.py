"""The one check: `python -m tests` runs format, lint, types, walls and all tests.

`python -m tests lint types` runs only those; anything after `--` goes to pytest.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable

_IN_PROCESSES = "-n auto --maxprocesses 4 --dist loadfile".split()
STEPS: dict[str, list[str]] = {
    "format": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "lint": [PYTHON, "-m", "ruff", "check", "."],
    "types": [PYTHON, "-m", "pyright", "--pythonpath", PYTHON],
    "walls": [str(Path(PYTHON).with_name("lint-imports"))],
    # Half of their time they wait for git and for processes of their own.
    "unit": [PYTHON, "-m", "pytest", "tests/unit", *_IN_PROCESSES],
    "e2e": [PYTHON, "-m", "pytest", "tests/e2e"],
    "faults": [PYTHON, "-m", "pytest", "tests/faults"],
    "nvim": [PYTHON, "-m", "tests.editors.nvim"],
    "vscode": [PYTHON, "-m", "tests.editors.vscode"],
}


def main(arguments: list[str]) -> int:
    """Run the steps named (all without a name); 0 when every one passed."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    names, extra = arguments[:split], arguments[split + 1 :]
    unknown = set(names) - set(STEPS)
    if unknown:
        print(f"Unknown step {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}.")
        return 2
    failed = [name for name in names or STEPS if not run(name, extra)]
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All checks passed.'}", flush=True)
    return 1 if failed else 0


def run(name: str, extra: list[str]) -> bool:
    """Run one step and say how long it took."""
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    command = STEPS[name] + (extra if name in {"unit", "e2e", "faults", "nvim"} else [])
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    word = "passed" if code == 0 else f"failed with exit code {code}"
    print(f"== {name} {word} in {time.monotonic() - started:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
