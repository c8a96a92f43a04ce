"""Several questions at once that are of use only together."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def all_or_none(asked: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The answers in the order of the questions.

    The first question that fails ends all others and raises what it failed with. Cancelling ends
    all.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in asked]
    except ExceptionGroup as failures:
        # Whoever asks knows the errors of one question, and no groups of them.
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]
