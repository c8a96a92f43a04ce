"""Hits for a person: highlighted with line numbers on a terminal, plain text elsewhere."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from codeintel_ls.cli import output

if TYPE_CHECKING:
    from rich.console import Console

    from codeintel_ls.cli.shared import SharedExplanation, SharedHit
    from codeintel_ls.search.values import Explanation, Hit

    AnyHit = Hit | SharedHit
    AnyExplanation = Explanation | SharedExplanation

_THEME: Final = "ansi_dark"
_STALE: Final = "stale: changed since it was indexed"


def print_hits(root: Path, hits: Sequence["AnyHit"]) -> None:
    """Print all of them, the best first."""
    if output.on_terminal():
        console = output.console()
        for rank, hit in enumerate(hits, 1):
            _print_coloured(console, root, hit, rank)
        sys.stdout.flush()
    else:
        for number, hit in enumerate(hits):
            if number:
                output.print_line()
            _print_plain(root, hit)


def _place(root: Path, hit: "AnyHit") -> str:
    """`path:first-last`, 1-based, as seen from the current folder."""
    path = output.printable(output.relative_path(root / hit.path))
    return f"{path}:{hit.start_line + 1}-{max(hit.end_line, hit.start_line + 1)}"


def _print_plain(root: Path, hit: "AnyHit") -> None:
    parts = [_place(root, hit), *_symbol(hit), f"({hit.score:.2f})"]
    if hit.stale:
        parts.append(f"[{_STALE}]")
    output.print_line("  ".join(parts))
    if hit.explanation is not None:
        output.print_line(f"    {_reasons(hit.explanation)}")
    for line in _snippet(hit):
        output.print_line(f"    {line}".rstrip())


def _print_coloured(console: "Console", root: Path, hit: "AnyHit", rank: int) -> None:
    from rich.style import Style
    from rich.syntax import Syntax
    from rich.text import Text

    link = Style(color="cyan", bold=True, link=(root / hit.path).as_uri())
    head = Text.assemble((f"{rank:>2}  ", "dim"), (_place(root, hit), link))
    styles = ("bold", "dim")
    for part, style in zip(_symbol(hit), styles, strict=False):
        head.append("  ").append(part, style)
    head.append(f"  {hit.score:.2f}", "green")
    if hit.stale:
        head.append(f"  {_STALE}", "yellow")
    console.print(head, soft_wrap=True)
    if hit.explanation is not None:
        console.print(Text(f"    {_reasons(hit.explanation)}", "dim"), soft_wrap=True)
    lines = _snippet(hit)
    if lines:
        code = "\n".join(lines)
        syntax = Syntax(
            code,
            Syntax.guess_lexer(hit.path, code),
            theme=_THEME,
            background_color="default",
            line_numbers=True,
            start_line=hit.snippet_start_line + 1,
        )
        console.print(syntax)
    console.print()


def _symbol(hit: "AnyHit") -> list[str]:
    return [output.printable(part) for part in (hit.symbol, hit.kind) if part]


def _snippet(hit: "AnyHit") -> list[str]:
    """The snippet's lines without blank ones at its end."""
    lines = [output.printable(line) for line in hit.snippet.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _reasons(explanation: "AnyExplanation") -> str:
    parts = [
        _rank("meaning", explanation.dense_rank, explanation.dense_score),
        _rank("words", explanation.lexical_rank, explanation.lexical_score),
        f"together {explanation.fused_score:.4f}",
        *(f"{name} ×{boost:.2f}" for name, boost in explanation.boosts.items() if boost != 1),
    ]
    return ", ".join(parts)


def _rank(name: str, rank: int | None, score: float | None) -> str:
    if rank is None:
        return f"not by {name}"
    return f"{name} #{rank}" + ("" if score is None else f" ({score:.3f})")
