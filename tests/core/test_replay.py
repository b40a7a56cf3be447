"""A stored stream given again: the same chunks, at full speed or at its own pace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from edgeagent.cache.entry import decode_entry, encode_entry
from edgeagent.core.call import CallOptions
from edgeagent.errors import DeadlineExceededError, StreamInterruptedError
from edgeagent.testing import FakeProvider
from tests.core.test_pipeline import House
from tests.core.test_staleness import options
from tests.core.world import World

PIECES = [
    "one ",
    "two ",
    {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{"}}]},
    "three",
]


class Slow(FakeProvider):
    """Streams a piece every second."""

    def __init__(self, world: World) -> None:
        super().__init__(lambda _: self.pieces())
        self.world = world

    def pieces(self) -> Iterator[Any]:
        for piece in PIECES:
            yield piece
            self.world.now += 1


@pytest.fixture
def here() -> House:
    world = World()
    return House(Slow(world), world=world)


ORIGINAL = options(ttl=None, pace="original")


def dumped(chunks: list[Any]) -> list[Any]:
    return [chunk.model_dump(exclude_unset=True) for chunk in chunks]


@pytest.mark.parametrize("usage", [False, True])
def test_a_hit_replays_the_chunks_that_came(here: House, usage: bool) -> None:
    """Piece by piece as it came, at once; usage for who asked for it; the last chunk carries `edge`."""
    live = here.chunks(here.stream(stream_options={"include_usage": True}))
    session = here.stream(stream_options={"include_usage": usage})
    replayed = here.chunks(session)
    assert dumped(replayed) == dumped([chunk for chunk in live if usage or chunk.choices])
    assert replayed[-1].edge is session.call.edge
    assert session.call.edge.cached
    assert session.usage is not None
    assert here.world.sleeps == []


def test_who_did_not_stream_gets_the_whole(here: House) -> None:
    """The same entry; and what was stored whole is streamed in few chunks."""
    live = here.chunks(here.stream())
    whole = here.complete()
    assert whole.edge.cached
    assert whole.choices[0].message.content == "one two three"
    other = House(FakeProvider("one two three"))
    other.complete()
    assert len(other.chunks(other.stream(options=ORIGINAL))) < len(live)


@pytest.mark.parametrize("mode", ["on", "write"])
def test_what_a_reader_does_to_his_chunks_is_his_alone(mode: Any) -> None:
    """To add up a tool call's fragments in the first of them, as openai's guide does, changes no stored answer."""
    name = {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]}
    fragments = [{"tool_calls": [{"index": 0, "function": {"arguments": text}}]} for text in ('{"a":', "1}")]
    here = House(FakeProvider(lambda _: ["Well", name, *fragments]))
    session = here.stream(options=options(mode=mode))
    calls: dict[int, Any] = {}
    while session.flowing or session.pending:
        if not session.pending:
            here.world.run(session.advance())
        chunk: Any = session.pending.popleft()
        for part in chunk.choices[0].delta.tool_calls or ():
            collected = calls.setdefault(part.index, part)
            if collected is not part:
                collected.function.arguments += part.function.arguments
        chunk.choices[0].delta.content, chunk.model = "changed", "changed"
        chunk.choices.clear()
    assert calls[0].function.arguments == '{"a":1}'
    message = here.complete().choices[0].message
    assert message.content == "Well"
    assert [call.function.arguments for call in message.tool_calls or () if call.function] == ['{"a":1}']
    deltas = [choice.delta for chunk in here.chunks(here.stream()) for choice in chunk.choices]
    assert [delta.tool_calls[0].function.arguments for delta in deltas if delta.tool_calls] == ["", '{"a":', "1}"]


def test_at_its_own_pace(here: House) -> None:
    """With the pauses that the provider made, by the clock; the first content is there at once."""
    live = here.chunks(here.stream())
    here.world.now += 100
    began = here.world.now
    session = here.stream(options=ORIGINAL)
    assert here.world.now == began
    assert session.pending
    assert dumped(here.chunks(session)) == dumped(live)
    assert here.world.sleeps == pytest.approx([1, 1, 1, 1])
    assert here.world.now - began == pytest.approx(4)


def test_a_slow_reader_is_not_made_to_wait_more(here: House) -> None:
    """The pauses are between the chunks' times, not between the reads."""
    here.chunks(here.stream())
    session = here.stream(options=ORIGINAL)
    session.pending.clear()
    here.world.now += 3.5
    here.chunks(session)
    assert here.world.sleeps == pytest.approx([0.5])


def test_the_pace_keeps_the_deadline(here: House) -> None:
    """It ends there as a stream that is too slow."""
    here.chunks(here.stream())
    session = here.stream(options=replace(ORIGINAL, deadline=1.5))
    with pytest.raises(StreamInterruptedError) as caught:
        here.chunks(session)
    assert isinstance(caught.value.__cause__, DeadlineExceededError)
    assert caught.value.partial is not None


def test_a_stream_that_was_closed_is_not_stored(here: House) -> None:
    """Only a clean end commits."""
    here.stream().close_early()
    assert not here.complete().edge.cached


def test_a_foreign_recording_is_left_aside(here: House) -> None:
    """The completion is what counts."""
    here.chunks(here.stream())
    (tier,) = here.pipeline.layers.tiers
    ((key, data),) = tier.items()  # type: ignore[attr-defined]  # of memory
    entry = decode_entry(data)
    assert entry is not None
    assert entry.chunks
    tier.put(key, encode_entry(entry._replace(chunks=b"{}")))
    chunks = here.chunks(here.stream(options=CallOptions()))
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == "one two three"
