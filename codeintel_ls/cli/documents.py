"""Results as JSON documents: fields as `editors/protocol.md` has them, in the same order.

Lines are 0-based; characters are counted in UTF-16 code units, LSP's default. Invariant: every
text in a document is valid Unicode.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from codeintel_ls.cli.output import text_of
from codeintel_ls.settings.spec import camel_case

if TYPE_CHECKING:
    from codeintel_ls.git import BlameResult, Commit, GitClient, HistoryPage, Person
    from codeintel_ls.index.status import IndexStatus
    from codeintel_ls.search.values import Explanation, Hit, SearchResult
    from codeintel_ls.workspace.commit_search import CommitAnswer

Document = dict[str, object]

_MOST_PATHS: Final = 20


def search_document(root: Path, result: "SearchResult") -> Document:
    """The result of `semanticSearch`."""
    freshness = result.freshness
    return {
        "hits": [_hit(root, hit) for hit in result.hits],
        "freshness": {
            "generation": freshness.generation,
            "pending": freshness.pending,
            "complete": freshness.complete,
            "refined": freshness.refined,
        },
        **({} if result.stopped_early is None else {"stoppedEarly": result.stopped_early}),
    }


def commits_document(client: "GitClient", answer: "CommitAnswer") -> Document:
    """The result of `searchHistory`."""
    return {
        "commits": [
            {
                **_commit(hit.commit, client.commit_url(hit.commit.id)),
                "score": hit.score,
                "paths": [text_of(path) for path in hit.paths[:_MOST_PATHS]],
            }
            for hit in answer.hits
        ],
        "complete": answer.complete,
        "indexed": answer.indexed,
    }


def status_document(statuses: Mapping[Path, "IndexStatus"]) -> Document:
    """The result of `indexStatus`."""
    return {"folders": [_folder(root, status) for root, status in statuses.items()]}


def blame_document(path: Path, client: "GitClient", result: "BlameResult") -> Document:
    """The result of `blameRange`, and of which file."""
    return {
        "uri": path.as_uri(),
        "hunks": [
            {
                "startLine": hunk.start_line,
                "endLine": hunk.end_line,
                "commit": hunk.commit,
                "originalLine": hunk.original_line,
                "originalPath": text_of(hunk.original_path),
            }
            for hunk in result.hunks
        ],
        "commits": {
            commit.id: _commit(commit, client.commit_url(commit.id))
            for commit in result.commits.values()
        },
    }


def history_document(path: Path, client: "GitClient", page: "HistoryPage") -> Document:
    """The result of `fileHistory`, and of which file."""
    entries = [
        {
            **_commit(entry.commit, client.commit_url(entry.commit.id)),
            "path": text_of(entry.path),
            **({"previousPath": text_of(entry.previous_path)} if entry.previous_path else {}),
            "status": str(entry.status),
            "additions": entry.additions,
            "deletions": entry.deletions,
        }
        for entry in page.entries
    ]
    cursor = {"nextCursor": page.next_cursor} if page.next_cursor is not None else {}
    boundary = {"boundary": str(page.boundary)} if page.boundary is not None else {}
    return {"uri": path.as_uri(), "entries": entries, **cursor, **boundary}


def _hit(root: Path, hit: "Hit") -> Document:
    named = {"symbol": hit.symbol, "kind": hit.kind}
    end = {
        "line": max(hit.end_line - 1, hit.start_line),
        "character": _utf16_units(hit.last_line.rstrip("\r\n")),
    }
    document: Document = {
        "uri": (root / hit.path).as_uri(),
        "path": text_of(hit.path),
        "range": {"start": {"line": hit.start_line, "character": 0}, "end": end},
        **{name: text_of(value) for name, value in named.items() if value is not None},
        "language": hit.language,
        "score": hit.score,
        "snippet": text_of(hit.snippet),
        "snippetStartLine": hit.snippet_start_line,
        "stale": hit.stale,
    }
    if hit.explanation is not None:
        document["explanation"] = _explanation(hit.explanation)
    return document


def _explanation(explanation: "Explanation") -> Document:
    return {
        "denseRank": explanation.dense_rank,
        "denseScore": explanation.dense_score,
        "lexicalRank": explanation.lexical_rank,
        "lexicalScore": explanation.lexical_score,
        "fusedScore": explanation.fused_score,
        "boosts": {camel_case(name): boost for name, boost in explanation.boosts.items()},
    }


def _folder(root: Path, status: "IndexStatus") -> Document:
    return {
        "uri": root.as_uri(),
        "state": str(status.state),
        "files": status.files,
        "chunks": status.chunks,
        "pending": status.pending,
        "generation": status.generation,
        "primary": {
            "kind": status.primary_kind,
            "vectors": status.primary_vectors,
            "recall": status.primary_recall,
        },
        "secondary": {"vectors": status.secondary_vectors},
        "tombstones": status.tombstones,
        "embedder": status.embedder,
        "memoryBytes": status.memory_bytes,
        "diskBytes": status.disk_bytes,
        "skipped": dict(status.skipped),
        "notices": [text_of(notice) for notice in (*status.notices, *status.remarks)],
        **({"lastError": text_of(status.last_error)} if status.last_error is not None else {}),
    }


def _commit(commit: "Commit", url: str | None) -> Document:
    parents: Sequence[str] = commit.parents
    return {
        "id": commit.id,
        "shortId": commit.short_id,
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "summary": text_of(commit.summary),
        "message": text_of(commit.message),
        "parents": list(parents),
        **({"url": url} if url is not None else {}),
    }


def _person(person: "Person") -> Document:
    return {
        "name": text_of(person.name),
        "email": text_of(person.email),
        "time": person.time,
        "offset": person.offset,
    }


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
