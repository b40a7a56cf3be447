"""Single flight in real threads and loops: callers of every kind come, fail, give up and are cancelled, at random."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import anyio
import pytest

import edgeagent
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.testing import FakeProvider

CALLS = 60
KEYS = 3


class Provider:
    """Takes a moment, fails now and then; tells how many identical calls it saw at once."""

    name = "mine"

    def __init__(self) -> None:
        self.random = Random(1)
        self.calls = 0
        self._lock = threading.Lock()

    async def acomplete(self, request: Any) -> str:
        await anyio.sleep(self._pause())
        return self._answer(request)

    def complete(self, request: Any) -> str:
        threading.Event().wait(self._pause())
        return self._answer(request)

    def _pause(self) -> float:
        with self._lock:
            self.calls += 1
            return self.random.choice([0.0, 0.001, 0.004])

    def _answer(self, request: Any) -> str:
        with self._lock:
            if self.random.random() < 0.2:
                raise edgeagent.InternalServerError("down")
        return str(request.messages[-1]["content"])


def params(random: Random) -> dict[str, Any]:
    edge: dict[str, Any] = {"cache": {"ttl": 0.002}}
    if random.random() < 0.2:
        edge["deadline"] = 0.003
    prompt = str(random.randrange(KEYS))
    return {"model": "mine/m", "messages": [{"role": "user", "content": prompt}], "edge": edge}


def checked(asked: dict[str, Any], answer: Any) -> None:
    assert answer.choices[0].message.content == asked["messages"][0]["content"]


def in_a_thread(client: EdgeClient, seed: int) -> int:
    random, done = Random(seed), 0
    for _ in range(CALLS):
        asked = params(random)
        try:
            checked(asked, client.chat.completions.create(**asked))
            done += 1
        except edgeagent.APIError:
            done += 1
    return done


async def in_tasks(client: AsyncEdgeClient, seed: int) -> int:
    random, done = Random(seed), 0

    async def one(asked: dict[str, Any], patience: float | None) -> None:
        nonlocal done
        with anyio.move_on_after(patience):
            with contextlib.suppress(edgeagent.APIError):
                checked(asked, await client.chat.completions.create(**asked))
        done += 1

    for _ in range(CALLS // 6):
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(one, params(random), random.choice([None, None, 0.0, 0.002]))
    return done


@pytest.mark.parametrize("seed", range(3))
def test_everyone_ends_and_nothing_is_left(seed: int) -> None:
    """Threads, asyncio loops and trio loops on one client: all calls end, no flight and no waiter stays."""
    client = EdgeClient(providers=[Provider()], retry=1)
    runtime = client._engine.runtime
    runtime.sync_driver._sleep = lambda seconds: None

    async def brief(seconds: float) -> None:
        await anyio.sleep(0)

    runtime.async_driver._sleep = brief
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(in_a_thread, client, 10 * seed + number) for number in range(4)]
        loops = [
            pool.submit(anyio.run, in_tasks, client.to_async(), 100 * seed + number, backend=backend)
            for number, backend in enumerate(["asyncio", "trio", "asyncio", "trio"])
        ]
        assert [made.result(60) for made in (*threads, *loops)] == [CALLS] * 8
    assert time.monotonic() - began < 60
    assert len(client._engine.pipeline.flights) == 0
    client.close()


def test_one_call_when_all_goes_well() -> None:
    """Everyone at the same moment, of every kind: one provider call."""
    fake = FakeProvider("Paris", latency=0.3)
    client = EdgeClient(providers=[fake])
    asked: dict[str, Any] = {"model": "fake/m", "messages": [{"role": "user", "content": "x"}]}

    async def crowd() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(lambda: client.to_async().chat.completions.create(**asked))

    with ThreadPoolExecutor(12) as pool:
        calls = [pool.submit(client.chat.completions.create, **asked) for _ in range(10)]
        loops = [pool.submit(anyio.run, crowd, backend=backend) for backend in ("asyncio", "trio")]
        for made in (*calls, *loops):
            made.result(60)
    assert fake.calls == 1
    client.close()
