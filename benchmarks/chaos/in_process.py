"""Targets that answer by themselves: one that blocks, one that is only async."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio

from benchmarks.chaos.script import TARGETS, answer_to
from edgeagent.testing import Faulty, faults
from edgeagent.testing.faults import Fault, Mix
from edgeagent.types import ChatRequest

__all__ = ["in_process_providers"]

FAULTS: dict[Fault, float] = {
    faults.Hang(): 1,
    faults.Reset(): 4,
    faults.Reset(sent=False): 4,
    faults.Status(429, retry_after=0.02): 2,
    faults.Status(500): 4,
    faults.Truncated(): 2,
    faults.Empty(): 2,
    faults.HalfStream(): 4,
    faults.ErrorEvent(): 2,
    faults.Slow(first=0.05, between=0.01): 4,
}
SECONDS = 0.002
"""How long an answer takes, and a piece of one."""


class Blocking:
    """One answer takes a thread a while."""

    vendor = "openai"  # whose prices there are

    def __init__(self, name: str) -> None:
        self.name = name

    def complete(self, request: ChatRequest) -> str:
        time.sleep(SECONDS)
        return answer_to(request)

    def stream(self, request: ChatRequest) -> Iterator[str]:
        for piece in _pieces(request):
            time.sleep(SECONDS)
            yield piece


class Awaiting:
    """One answer takes a task a while."""

    vendor = "openai"

    def __init__(self, name: str) -> None:
        self.name = name

    async def acomplete(self, request: ChatRequest) -> str:
        await anyio.sleep(SECONDS)
        return answer_to(request)

    async def astream(self, request: ChatRequest) -> AsyncIterator[str]:
        for piece in _pieces(request):
            await anyio.sleep(SECONDS)
            yield piece


def _pieces(request: ChatRequest) -> list[str]:
    return [f"{word} " for word in answer_to(request).split(" ")[:-1]] + [answer_to(request).split(" ")[-1]]


def in_process_providers(rate: float, seed: int) -> list[Any]:
    """The second target and the third."""
    return [
        Faulty(Blocking(TARGETS[1]), Mix(FAULTS, rate, seed=seed * 10 + 1)),
        Faulty(Awaiting(TARGETS[2]), Mix(FAULTS, rate, seed=seed * 10 + 2)),
    ]
