"""Rows and the machine they were measured on, as a table for a person and as JSON."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen
from rich.console import Console
from rich.table import Table

from tests.benchmarks.measuring import Row


@frozen(kw_only=True)
class Failure:
    """A benchmark that could not be carried out to its end."""

    name: str
    reason: str


@frozen(kw_only=True)
class Report:
    """Everything that one run found out. `machine` and `trees` are facts by their names."""

    machine: Mapping[str, object]
    trees: Mapping[str, Mapping[str, object]]
    rows: Sequence[Row] = field(factory=list[Row])
    failures: Sequence[Failure] = field(factory=list[Failure])

    def as_json(self) -> dict[str, Any]:
        """Plain values; a figure that does not exist is null."""
        return {
            "machine": dict(self.machine),
            "trees": {name: dict(facts) for name, facts in self.trees.items()},
            "rows": [row_as_json(row) for row in self.rows],
            "failures": [{"name": fault.name, "reason": fault.reason} for fault in self.failures],
        }


def row_as_json(row: Row) -> dict[str, Any]:
    """The figures of a row, without its single values."""
    return {
        "name": row.name,
        "on": row.on,
        "n": len(row.values),
        "p50": row.p50,
        "p95": row.p95,
        "unit": row.unit,
        "peer": row.peer or None,
        "peerP50": row.peer_p50,
        "peerP95": row.peer_p95,
        "ratio": row.ratio,
        "worstRatio": row.worst_ratio,
        "ratioOf": row.ratio_of if row.ratio is not None else None,
        "goal": str(row.goal) if row.goal else None,
        "reached": row.reached,
        "note": row.note or None,
    }


def machine_facts() -> dict[str, object]:
    """What the figures depend on, without anything that names the machine or its user."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "python": platform.python_version(),
        "git": git.split()[2],
        "system": f"{platform.system()} {platform.machine()}",
        "loadBefore": round(os.getloadavg()[0], 2),
    }


def print_report(report: Report, console: Console) -> None:
    """The table, and what it was measured on."""
    facts = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    console.print(f"Machine: {facts}", highlight=False)
    for name, tree in report.trees.items():
        facts = ", ".join(f"{fact} {value}" for fact, value in tree.items())
        console.print(f"{name}: {facts}", highlight=False)
    table = Table(title="Ratios: own time / peer's time, below 1 is faster")
    table.add_column("what", overflow="fold")
    for heading in ("n", "p50", "p95", "unit"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("peer", overflow="fold")
    for heading in ("peer p50", "ratio", "worst"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("reached", no_wrap=True)
    for row in report.rows:
        table.add_row(*_cells(row), end_section=False)
    console.print(table)
    for row in report.rows:
        if row.note:
            console.print(f"{row.name}: {row.note}", highlight=False)
    for fault in report.failures:
        console.print(f"FAILED {fault.name}: {fault.reason}", style="red", highlight=False)


def _cells(row: Row) -> list[str]:
    reached = {None: "", True: "yes", False: "[red]no[/red]"}[row.reached]
    return [
        f"{row.name} ({row.on})" if row.on else row.name,
        str(len(row.values)),
        _figure(row.p50),
        _figure(row.p95) or "–",
        row.unit,
        row.peer,
        _figure(row.peer_p50),
        _figure(row.ratio),
        _figure(row.worst_ratio),
        str(row.goal or ""),
        reached,
    ]


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")
