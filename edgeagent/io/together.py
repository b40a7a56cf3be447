"""The same question to several, at once: in threads for code that blocks, in tasks for code that awaits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["atogether", "together"]

T = TypeVar("T")
R = TypeVar("R")


def together(ask: Callable[[T], R], all_: Sequence[T], *, most: int) -> list[R]:
    """What `ask` gives of each, in their order; `most` at a time. What it raises is raised when all have ended."""
    if not all_:
        return []
    with ThreadPoolExecutor(min(most, len(all_)), thread_name_prefix="edgeagent-together") as pool:
        return list(pool.map(ask, all_))


async def atogether(ask: Callable[[T], Awaitable[R]], all_: Sequence[T], *, most: int) -> list[R]:
    """The same, awaited; what one raises cancels the others."""
    import anyio

    free = anyio.Semaphore(most)
    found: dict[int, R] = {}

    async def one(place: int, each: T) -> None:
        async with free:
            found[place] = await ask(each)

    async with anyio.create_task_group() as group:
        for place, each in enumerate(all_):
            group.start_soon(one, place, each)
    return [found[place] for place in range(len(all_))]
