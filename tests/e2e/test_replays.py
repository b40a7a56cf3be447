"""Stored streams on the wire: both vendors' chunks come again as they came, from memory and from disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Gate, Vendor
from tests.support.loopback import Loopback


def dumped(chunks: list[Any]) -> list[Any]:
    return [chunk.model_dump(exclude_unset=True) for chunk in chunks]


@pytest.mark.parametrize("usage", [False, True], ids=["plain", "usage"])
async def test_the_same_chunks(kind: str, vendor: Vendor, usage: bool, tmp_path: Path) -> None:
    """Three times the same stream, one request."""
    params: dict[str, Any] = {"model": vendor.model, "stream_options": {"include_usage": usage}}

    def serve(request: Any) -> Any:
        return vendor.serve(request, "Pa", "ri", "s", " is it.")

    with Loopback(serve) as server:
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
            live = await gate.chunks(**params)
            near = await gate.chunks(**params)
            assert near[-1].edge.cache_tier == "memory"
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
            far = await gate.chunks(**params)
            assert far[-1].edge.cache_tier == "disk"
            whole = await gate.create(model=vendor.model)
            assert whole.choices[0].message.content == "Paris is it."
    assert len(live) >= 4
    assert dumped(live) == dumped(near) == dumped(far)
    assert len(server.requests) == 1


async def test_the_pace_of_the_original(kind: str, vendor: Vendor) -> None:
    """Between chunks the driver sleeps as long as the provider took."""
    with Loopback(lambda request: vendor.serve(request, "Pa", "ri", "s")) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            stream = await gate.stream(model=vendor.model)
            pieces = [await stream.next()]
            await gate.pause(0.05)
            pieces += [piece async for piece in stream]
            again = await gate.chunks(model=vendor.model, edge={"cache": {"pace": "original"}})
    assert dumped(again) == dumped(pieces)
    assert all(0 < seconds < 30 for seconds in gate.slept)
