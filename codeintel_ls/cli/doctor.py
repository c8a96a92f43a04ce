"""`codeintel-ls doctor`: whether everything is there that this program needs, and works."""

import sys
from typing import Final

import click

from codeintel_ls.cli import output, surroundings
from codeintel_ls.cli.checks import CHECKS, Check, Health, run_checks
from codeintel_ls.cli.folders import folder_to_look_at

_AROUND: Final = {
    "lock": surroundings.check_lock,
    "server": surroundings.check_server,
    "endpoint": surroundings.check_endpoint,
    "editors": surroundings.check_editors,
    "program": surroundings.check_path,
}
_MARKS: Final = {Health.OK: ("✓", "32"), Health.NOTE: ("!", "33"), Health.WRONG: ("✗", "31")}


@click.command("doctor")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str | None, as_json: bool) -> int:
    """Check that everything is there and works, and say what to do where it does not.

    Without FOLDER: the repository one stands in, else the current folder. Exit status 1: something
    is wrong.
    """
    checks = list(run_checks(folder_to_look_at(folder), {**CHECKS, **_AROUND}))
    wrong = sum(check.health is Health.WRONG for check in checks)
    if as_json:
        output.print_json({"ok": wrong == 0, "checks": [_document(check) for check in checks]})
    else:
        for check in checks:
            _print(check)
        output.print_line(
            "All is well." if not wrong else f"{output.count(wrong, 'thing')} to mend."
        )
    return 1 if wrong else 0


def _document(check: Check) -> dict[str, str]:
    document = {"name": check.name, "health": str(check.health)}
    document["message"] = output.text_of(check.message)
    return {**document, **({"advice": output.text_of(check.advice)} if check.advice else {})}


def _print(check: Check) -> None:
    mark, colour = _MARKS[check.health]
    if output.has_colours(sys.stdout):
        mark = f"\x1b[{colour}m{mark}\x1b[0m"
    output.print_line(f"{mark} {check.name:<10}  {output.printable(check.message)}")
    if check.advice:
        output.print_line(f"{'':14}→ {output.printable(check.advice)}")
