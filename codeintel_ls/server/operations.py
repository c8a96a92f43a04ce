"""Every operation once: its name, parameters, result and handler.

Both doors are made from this table: the request `codeintel/<name>` and the command
`codeintel.<name>` of `workspace/executeCommand`. Invariant: whichever door is taken, the same
checks run, the same cancelling stops the work and the same errors come back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from attrs import frozen

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.progress import Progress
from codeintel_ls.server import (
    blame,
    commit_search,
    debug_information,
    history,
    index_operations,
    paths,
    search,
    showing,
    wire,
)
from codeintel_ls.server.partial_results import PartialResults
from codeintel_ls.server.session import Session
from codeintel_ls.server.validation import InvalidParamsError, read_params, write_result
from codeintel_ls.server.work_done import Token, WorkDone

WORK_DONE: Final = "workDoneToken"
PARTIAL_RESULT: Final = "partialResultToken"
SUPERSEDE: Final = "supersedeToken"


@frozen(kw_only=True)
class Operation:
    """One operation. `title` is that of its progress bar, None where it shows none.

    `streamed` serves clients that want partial results; `part` makes one of them.
    """

    name: str
    params: type
    result: type
    handler: Callable[[Session, Any, Progress], Awaitable[Any]]
    title: str | None = None
    streamed: Callable[[Session, Any, PartialResults[Any]], Awaitable[Any]] | None = None
    part: Callable[[Sequence[Any]], object] = list


@frozen
class _Tokens:
    """What any operation may be given beside its parameters."""

    work_done: Token | None = None
    partial_result: Token | None = None
    supersede: Token | None = None


def _quiet(
    handler: Callable[[Session, Any], Awaitable[Any]],
) -> Callable[[Session, Any, Progress], Awaitable[Any]]:
    return lambda session, params, _progress: handler(session, params)


OPERATIONS: Final = (
    Operation(
        name="semanticSearch",
        params=wire.SemanticSearchParams,
        result=wire.SearchResult,
        handler=_quiet(search.semantic_search),
        streamed=search.stream_semantic_search,
        part=search.part_of_search,
    ),
    Operation(
        name="findSimilar",
        params=wire.FindSimilarParams,
        result=wire.SearchResult,
        handler=_quiet(search.find_similar),
    ),
    Operation(
        name="blameRange",
        params=wire.BlameRangeParams,
        result=wire.BlameRangeResult,
        handler=_quiet(blame.blame_range),
        streamed=blame.stream_blame_range,
        part=blame.part_of_blame,
    ),
    Operation(
        name="fileHistory",
        params=wire.FileHistoryParams,
        result=wire.FileHistoryResult,
        handler=_quiet(history.file_history),
        streamed=history.stream_file_history,
        part=history.part_of_history,
    ),
    Operation(
        name="fileAtRevision",
        params=wire.FileAtRevisionParams,
        result=wire.TextResult,
        handler=_quiet(history.file_at_revision),
    ),
    Operation(
        name="openCommit",
        params=wire.OpenCommitParams,
        result=wire.ShownResult,
        handler=_quiet(showing.open_commit),
    ),
    Operation(
        name="openFileAtRevision",
        params=wire.FileAtRevisionParams,
        result=wire.ShownResult,
        handler=_quiet(showing.open_file_at_revision),
    ),
    Operation(
        name="searchHistory",
        params=wire.SearchHistoryParams,
        result=wire.SearchHistoryResult,
        handler=_quiet(commit_search.search_history),
    ),
    Operation(
        name="listPaths",
        params=wire.ListPathsParams,
        result=wire.ListPathsResult,
        handler=_quiet(paths.list_paths),
    ),
    Operation(
        name="indexStatus",
        params=wire.NoParams,
        result=wire.IndexStatusResult,
        handler=_quiet(index_operations.index_status),
    ),
    Operation(
        name="updateIndex",
        params=wire.UpdateIndexParams,
        result=wire.IndexStatusResult,
        handler=index_operations.update_index,
        title="Updating the index",
    ),
    Operation(
        name="rebuildIndex",
        params=wire.FolderParams,
        result=wire.IndexStatusResult,
        handler=index_operations.rebuild_index,
        title="Rebuilding the index",
    ),
    Operation(
        name="mergeIndexes",
        params=wire.FolderParams,
        result=wire.IndexStatusResult,
        handler=index_operations.merge_indexes,
        title="Merging the indexes",
    ),
    Operation(
        name="printDebugInformation",
        params=wire.NoParams,
        result=wire.TextResult,
        handler=_quiet(debug_information.print_debug_information),
    ),
)

REQUEST_PREFIX: Final = "codeintel/"
COMMAND_PREFIX: Final = "codeintel."
COMMANDS: Final = {f"{COMMAND_PREFIX}{operation.name}": operation for operation in OPERATIONS}


async def run_operation(session: Session, operation: Operation, given: Any) -> Any:
    """The JSON result of an operation for the parameters as they came.

    Raises:
        InvalidRequestError: naming the field that is wrong.
        SupersededError: a newer request came under the same `supersedeToken`.

    """
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    task.set_name(operation.name)
    tokens, given = _take_tokens(given)
    params = cast("Any", read_params(operation.params, given))
    work = _serve(session, operation, params, tokens, task)
    if tokens.supersede is None:
        return await work
    return await session.newest.serve((operation.name, tokens.supersede), work)


async def _serve(
    session: Session, operation: Operation, params: Any, tokens: _Tokens, task: asyncio.Task[Any]
) -> Any:
    if tokens.partial_result is not None and operation.streamed is not None:
        parts = PartialResults[Any](session.client, tokens.partial_result, operation.part)
        try:
            return write_result(await operation.streamed(session, params, parts))
        finally:
            parts.close()
    if tokens.work_done is None or operation.title is None:
        return write_result(await operation.handler(session, params, _nobody_listens))
    bar = WorkDone(session.client, session.tokens, tokens.work_done, lambda: _stop(task))
    bar.begin(operation.title)
    try:
        return write_result(await operation.handler(session, params, _reporter(bar)))
    finally:
        bar.end()


def _stop(task: asyncio.Task[Any]) -> None:
    task.cancel()


def _take_tokens(given: Any) -> tuple[_Tokens, Any]:
    """The tokens, and the parameters without them."""
    if not isinstance(given, dict):
        return _Tokens(), given
    fields = dict(cast("dict[str, Any]", given))
    tokens: list[Token | None] = []
    for name in (WORK_DONE, PARTIAL_RESULT, SUPERSEDE):
        if name in fields and type(fields[name]) not in {int, str}:
            raise InvalidParamsError("must be an integer or a string.", name)
        tokens.append(fields.pop(name, None))
    return _Tokens(*tokens), fields


def _nobody_listens(_done: int, _total: int | None, _message: str) -> None:
    pass


def _reporter(bar: WorkDone) -> Progress:
    loop = asyncio.get_running_loop()

    def report(done: int, total: int | None, message: str) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is told any more
            loop.call_soon_threadsafe(lambda: bar.report(loop.time(), done, total, message))

    return report


def request_handler(
    session: Session, operation: Operation
) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """The handler of `codeintel/<name>`."""
    return lambda given: run_operation(session, operation, given)


async def execute_command(session: Session, params: Any) -> Any:
    """`workspace/executeCommand`: exactly one object as argument, or none at all."""
    given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
    command = given.get("command")
    operation = COMMANDS.get(command) if isinstance(command, str) else None
    if operation is None:
        raise InvalidRequestError("this command is not known.")
    arguments: Any = given.get("arguments")
    if arguments is None:
        arguments = []
    if not isinstance(arguments, list) or len(cast("list[Any]", arguments)) > 1:
        raise InvalidRequestError(f"{command} takes one object as its only argument.")
    argument: Any = cast("list[Any]", arguments)[0] if arguments else {}
    if not isinstance(argument, dict):
        raise InvalidRequestError(f"{command} takes one object as its only argument.")
    fields = cast("dict[str, Any]", argument)
    if WORK_DONE in given:
        fields = {WORK_DONE: given[WORK_DONE], **fields}
    return await run_operation(session, operation, fields)
