"""`codeintel-ls search` where a server runs already: its warm index answers."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codeintel_ls.cli import output
from codeintel_ls.cli.hits import print_hits
from codeintel_ls.cli.progress_display import shown_progress
from codeintel_ls.cli.shared import SharedHit, ask_running

if TYPE_CHECKING:
    from codeintel_ls.daemon.client import DaemonClient


def search_shared(root: Path, params: Mapping[str, Any], *, as_json: bool) -> int | None:
    """Ask, print, and return the exit status; None where no server has answered.

    Raises AnsweredError.
    """
    answer = ask_running(root, lambda server: _fresh_answer(server, root, params))
    if answer is None:
        return None
    result, seconds = answer
    if as_json:
        output.print_json(result)
    elif result["hits"]:
        print_hits(root, [SharedHit.of(hit) for hit in result["hits"]])
        freshness = result["freshness"]
        state = freshness_text(freshness["pending"], complete=freshness["complete"])
        found = output.count(len(result["hits"]), "place")
        output.tell(f"{found} in {seconds:.2f} s; {state}.")
    else:
        text = params["query"] if len(params["query"]) <= 60 else params["query"][:59] + "…"
        narrowed = params["globs"] or params["languages"]
        advice = "Loosen --glob or --language." if narrowed else "Try other words."
        output.tell(f"Nothing found for '{text}' in {root.name}. {advice}")
    return 0 if result["hits"] else 1


def _fresh_answer(
    server: "DaemonClient", root: Path, params: Mapping[str, Any]
) -> tuple[Any, float]:
    """The result of a search of an index that is up to date, and how many seconds it took."""
    from codeintel_ls.daemon.client import AnsweredError

    started = time.monotonic()
    result = server.operation("semanticSearch", params)
    if not _is_fresh(result):
        try:
            with shown_progress(root.name, few_too=False, noun="") as progress:
                server.operation(
                    "updateIndex",
                    {},
                    lambda done, total, message: progress(
                        int(done), None if total is None else int(total), message
                    ),
                )
        except AnsweredError as error:
            # Indexing may be switched off: an older answer is better than none.
            output.tell(f"{error} The answer comes from the index as it is.", "warning")
        started = time.monotonic()
        result = server.operation("semanticSearch", params)
    return result, time.monotonic() - started


def _is_fresh(result: Mapping[str, Any]) -> bool:
    freshness = result["freshness"]
    return bool(freshness["complete"]) and not freshness["pending"]


def freshness_text(pending: int, *, complete: bool) -> str:
    """How far an answer can be trusted, as a part of a sentence."""
    if pending:
        return f"{output.count(pending, 'file')} still to be indexed"
    return "the index is up to date" if complete else "the index may be out of date"
