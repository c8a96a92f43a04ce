"""Results as short text for a language model: one line where one line says it.

Lines are 1-based here, as agents and `path:line` have them. Invariant: whatever an answer lacks
(stale hits, an index that is still being built, a shallow clone) is said in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

_SUMMARY = 100


def search_text(result: Mapping[str, Any]) -> str:
    """Hits of `semanticSearch` or `findSimilar`."""
    lines: list[str] = []
    for hit in result["hits"]:
        what = " ".join(filter(None, (hit.get("kind"), hit.get("symbol"))))
        stale = " [changed since it was indexed: read the file]" if hit["stale"] else ""
        lines.append(f"{place_of(hit)}{f'  {what}' if what else ''}{stale}")
        if shared := hit.get("sharedIdentifiers"):
            lines.append(f"    both name: {', '.join(shared)}")
        lines.extend(f"    {line}" for line in hit["snippet"].splitlines())
    if not lines:
        lines.append("Nothing was found.")
    lines.extend(_doubts(result))
    return "\n".join(lines)


def place_of(hit: Mapping[str, Any]) -> str:
    """`path:first-last`."""
    start, end = hit["range"]["start"], hit["range"]["end"]
    # A range that ends at the very beginning of a line does not hold that line.
    last = end["line"] if end["character"] == 0 and end["line"] > start["line"] else end["line"] + 1
    return f"{hit['path']}:{start['line'] + 1}-{last}"


def _doubts(result: Mapping[str, Any]) -> Iterator[str]:
    freshness = result["freshness"]
    if not freshness["complete"]:
        yield "Note: the index is still being built; ask again later for the rest."
    elif freshness["pending"]:
        yield f"Note: {freshness['pending']} changed files are not indexed yet."
    if result.get("stoppedEarly"):
        yield "Note: there was no time to look at the history of every candidate."


def blame_text(result: Mapping[str, Any]) -> str:
    """Hunks of `blameRange`, each with its commit."""
    commits = result["commits"]
    lines = [
        f"{_span(hunk['startLine'] + 1, hunk['endLine'] + 1)}  {_hunk_commit(hunk, commits)}"
        for hunk in result["hunks"]
    ]
    if result["cutOff"]:
        lines.append(
            "Note: the clone is shallow; the oldest commits told may not be the true ones."
        )
    return "\n".join(lines)


def _hunk_commit(hunk: Mapping[str, Any], commits: Mapping[str, Any]) -> str:
    commit = commits.get(hunk["commit"]) if hunk["commit"] else None
    return commit_line(commit) if commit else "not committed yet"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def history_text(result: Mapping[str, Any]) -> str:
    """Entries of `fileHistory`."""
    lines: list[str] = []
    for entry in result["entries"]:
        counts = ""
        if entry["additions"] is not None:
            counts = f"  +{entry['additions']} -{entry['deletions']}"
        before = entry.get("previousPath")
        renamed = f"  from {before}" if before else ""
        lines.append(f"{commit_line(entry)}  [{entry['status']}]{counts}{renamed}")
    if not lines:
        lines.append("No commit changed it.")
    if result.get("nextCursor"):
        lines.append(f"More: ask again with cursor={result['nextCursor']}")
    if result.get("boundary"):
        lines.append(f"Note: the clone is {result['boundary']}; what is older is not in it.")
    return "\n".join(lines)


def commits_text(result: Mapping[str, Any]) -> str:
    """Commits of `searchHistory` with some of the paths that they touched."""
    lines: list[str] = []
    for commit in result["commits"]:
        lines.append(commit_line(commit))
        if commit["paths"]:
            lines.append(f"    {', '.join(commit['paths'][:6])}")
    if not lines:
        lines.append("Nothing was found.")
    if not result["complete"]:
        lines.append(f"Note: only {result['indexed']} commits are indexed yet; ask again later.")
    return "\n".join(lines)


def commit_line(commit: Mapping[str, Any]) -> str:
    """`1a2b3c4 2026-03-01 Ann: Say why`."""
    author = commit["author"]
    zone = timezone(timedelta(minutes=author["offset"]))
    day = _day(author["time"], zone)
    return f"{commit['shortId']} {day} {author['name']}: {commit['summary'][:_SUMMARY]}"


def _day(seconds: int, zone: timezone) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d}"
    except (OverflowError, OSError, ValueError):
        return f"{datetime.fromtimestamp(0, UTC):%Y-%m-%d}"


def paths_text(result: Mapping[str, Any]) -> str:
    """Paths of `listPaths`, a line each."""
    lines = list(result["paths"]) or ["No file matches."]
    if result["truncated"]:
        lines.append("Note: there are more; narrow `path` or `globs`, or raise `limit`.")
    return "\n".join(lines)


def status_text(result: Mapping[str, Any]) -> str:
    """Folders of `indexStatus`, a line each, and what is wrong with them."""
    return "\n".join(line for folder in result["folders"] for line in _folder_lines(folder))


def _folder_lines(folder: Mapping[str, Any]) -> Sequence[str]:
    skipped = sum(folder["skipped"].values())
    first = (
        f"{folder['state']}: {folder['files']} files, {folder['chunks']} chunks, "
        f"{folder['pending']} pending, {skipped} left out, model {folder['embedder']}"
    )
    error = folder.get("lastError")
    return [first, *folder["notices"], *([f"Error: {error}"] if error else [])]
