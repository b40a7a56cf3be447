"""Stale answers on the wire: an outage that nobody notices, and an answer that is renewed behind the caller's back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import edgeagent
from edgeagent.cache import Cache, CachePolicy
from tests.e2e.harness import Gate, Vendor, text_of
from tests.support.loopback import Loopback, Request


class Numbered:
    """Answers with the number of the request; fails while `down`."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.down = False
        self.asked = 0
        self.go = threading.Event()
        self.go.set()

    def __call__(self, request: Request) -> Any:
        self.asked += 1
        number = self.asked
        self.go.wait(30)
        if self.down:
            return self.vendor.fail(503)
        return self.vendor.serve(request, str(number))


def cache(**controls: Any) -> Cache:
    return Cache(policy=CachePolicy({"ttl": 0.05, **controls}))


async def said(gate: Gate, stream: bool, **params: Any) -> tuple[str | None, bool]:
    if stream:
        streamed = await gate.stream(**params)
        return text_of([piece async for piece in streamed]), streamed.edge.stale
    answer = await gate.create(**params)
    return answer.choices[0].message.content, answer.edge.stale


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_outage_is_not_noticed(kind: str, vendor: Vendor, stream: bool) -> None:
    """The last good answer, marked stale, with the story of the attempts; then the provider is back."""
    numbered = Numbered(vendor)
    with Loopback(numbered) as server:
        async with Gate(kind, [vendor.provider(server)], cache=cache(stale_if_error=3600), retry=1) as gate:
            assert await said(gate, stream, model=vendor.model) == ("1", False)
            await gate.pause(0.06)
            numbered.down = True
            assert await said(gate, stream, model=vendor.model) == ("1", True)
            assert numbered.asked == 3
            with pytest.raises(edgeagent.InternalServerError):
                await gate.create(model=vendor.model, edge={"cache": {"stale_if_error": None}})
            numbered.down = False
            assert (await said(gate, stream, model=vendor.model))[1] is False


async def test_renewed_behind_the_callers_back(kind: str, vendor: Vendor) -> None:
    """The stale answer at once, by one request for all who ask; then the new one."""
    numbered = Numbered(vendor)
    with Loopback(numbered) as server:
        async with Gate(kind, [vendor.provider(server)], cache=cache(stale_while_revalidate=3600)) as gate:
            await gate.create(model=vendor.model)
            await gate.pause(0.06)
            numbered.go.clear()
            answers = await gate.together(10, lambda: gate.create(model=vendor.model))
            assert {(a.choices[0].message.content, a.edge.stale) for a in answers} == {("1", True)}
            numbered.go.set()
            refreshes = gate.client._engine.pipeline.layers.refreshes
            await gate.until(lambda: refreshes.stats().done == 1)
            assert numbered.asked == 2
            assert (await gate.create(model=vendor.model)).choices[0].message.content == "2"


async def test_followers_of_a_failing_leader_get_the_stale_answer_each(
    kind: str, vendor: Vendor, tmp_path: Path
) -> None:
    """From disk, where only the leader looked: one ladder of attempts, ten stale answers."""
    numbered = Numbered(vendor)
    described = Cache(disk=tmp_path / "cache", policy=CachePolicy({"ttl": 0.05, "stale_if_error": 3600}))
    with Loopback(numbered) as server:
        async with Gate(kind, [vendor.provider(server)], cache=described) as gate:
            await gate.create(model=vendor.model)
        numbered.down = True
        async with Gate(kind, [vendor.provider(server)], cache=described, retry=0) as gate:
            await gate.pause(0.06)
            answers = await gate.together(10, lambda: gate.create(model=vendor.model))
    assert {(a.choices[0].message.content, a.edge.stale) for a in answers} == {("1", True)}


async def test_what_is_renewed_is_dropped_at_close(kind: str, vendor: Vendor) -> None:
    """Closing does not wait for a provider that takes its time."""
    numbered = Numbered(vendor)
    with Loopback(numbered) as server:
        gate = Gate(kind, [vendor.provider(server)], cache=cache(stale_while_revalidate=3600), retry=100)
        await gate.create(model=vendor.model)
        await gate.pause(0.06)
        numbered.down = True
        gate.client._engine.runtime.sync_driver._sleep = lambda _: gate_waits()
        assert (await gate.create(model=vendor.model)).edge.stale
        await gate.close()
        refreshes = gate.client._engine.pipeline.layers.refreshes
        await gate.until(lambda: refreshes.stats().running == 0)
        assert refreshes.stats().done == 0


def gate_waits() -> None:
    """Between two attempts, a moment: the flow has somewhere to be ended."""
    threading.Event().wait(0.01)
