"""Raw events: nothing is lost, and the cuts do not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.wire.split import EventSplitter

CASES = [
    (b"data: 1\n\ndata: 2\n\n", [b"data: 1\n\n", b"data: 2\n\n"], b""),
    (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"], b""),
    (b"data: 1\r\rdata: 2\r\r", [b"data: 1\r\r", b"data: 2\r\r"], b""),
    (b"data: 1\n\r\ndata: 2", [b"data: 1\n\r\n"], b"data: 2"),
    (b": note\n\nevent: x\ndata: 1\n\nda", [b": note\n\n", b"event: x\ndata: 1\n\n"], b"da"),
    (b"", [], b""),
]


@pytest.mark.parametrize(("data", "events", "rest"), CASES)
def test_events_are_split_whole_and_byte_by_byte(data: bytes, events: list[bytes], rest: bytes) -> None:
    """Each event has the blank line that ends it, whatever the line ends."""
    whole, single = EventSplitter(), EventSplitter()
    assert (whole.feed(data), whole.end()) == (events, rest)
    assert [event for at in range(len(data)) for event in single.feed(data[at : at + 1])] == events
    assert single.end() == rest


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"\r", b"\r\n", b"data: x"]), max_size=20))
def test_the_events_joined_are_what_was_fed(pieces: list[bytes]) -> None:
    """No byte is lost, added or moved."""
    splitter = EventSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    assert b"".join((*events, splitter.end())) == b"".join(pieces)
