"""Server-sent events, fed whole, byte by byte, and cut at random."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

TABLE = [
    pytest.param(b"", [], id="nothing"),
    pytest.param(b"\n\n\n", [], id="only blank lines"),
    pytest.param(b"data: a\n\n", [("message", "a")], id="one event"),
    pytest.param(b"data:a\n\n", [("message", "a")], id="no space"),
    pytest.param(b"data:  a \n\n", [("message", " a ")], id="one space is taken, others stay"),
    pytest.param(b"data: a\r\n\r\n", [("message", "a")], id="CRLF"),
    pytest.param(b"data: a\rdata: b\ndata: c\n\n", [("message", "a\nb\nc")], id="CR, then LF"),
    pytest.param(b"data: a\r\r", [("message", "a")], id="CR"),
    pytest.param(b"data: a\r\r\n\ndata: b\n\r\n", [("message", "a"), ("message", "b")], id="mixed line ends"),
    pytest.param(b"data: a\rdata: b\n\n", [("message", "a\nb")], id="CR, then LF behind the next line"),
    pytest.param(b"\r\ndata: a\r\n\n\r", [("message", "a")], id="line ends before and behind"),
    pytest.param(b"data: a\ndata: b\ndata:\n\n", [("message", "a\nb\n")], id="several data lines"),
    pytest.param(b"data\n\n", [("message", "")], id="a field without a colon"),
    pytest.param(b"data:\n\n", [("message", "")], id="empty data is an event"),
    pytest.param(b"event: ping\n\ndata: a\n\n", [("message", "a")], id="no data, no event; its type is forgotten"),
    pytest.param(b"event: error\ndata: a\n\ndata: b\n\n", [("error", "a"), ("message", "b")], id="a type holds once"),
    pytest.param(b"event:x\nevent\ndata: a\n\n", [("message", "a")], id="an empty type is none"),
    pytest.param(b"event:x\nevent:y\ndata: a\n\n", [("y", "a")], id="the last type counts"),
    pytest.param(b": OPENROUTER PROCESSING\n\n:\ndata: a\n\n", [("message", "a")], id="comments"),
    pytest.param(b"id: 7\nretry: 10\nfoo: b\ndatax: c\n data: d\ndata: a\n\n", [("message", "a")], id="ignored fields"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [("message", "a")], id="a byte-order mark"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [("message", "b")], id="only one of them"),
    pytest.param("data: é€🎈\u2028\u0085x\n\n".encode(), [("message", "é€🎈\u2028\u0085x")], id="UTF-8"),
    pytest.param(b"data: \xff\xc3\ndata: b\n\n", [("message", "\ufffd\ufffd\nb")], id="bytes that are not UTF-8"),
    pytest.param(b"data: a\n\ndata: [DONE]", [("message", "a"), ("message", "[DONE]")], id="no line end at the end"),
    pytest.param(b"data: a\n\ndata: b\n", [("message", "a"), ("message", "b")], id="no blank line at the end"),
    pytest.param(b"data: a\n\nevent: x\n", [("message", "a")], id="a type without data at the end"),
]


def decode(pieces: list[bytes], decoder: SSEDecoder | None = None) -> list[SSEEvent]:
    decoder = decoder or SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.end()


def naive(data: bytes) -> list[tuple[str, str]]:
    """The standard's text, word by word, over the whole stream."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    events: list[tuple[str, str]] = []
    buffer, kind = "", ""
    for line in [*lines, "", ""]:
        if not line:
            if buffer:
                events.append((kind or "message", buffer[:-1]))
            buffer, kind = "", ""
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value[:1] == " " else value
        if field == "data":
            buffer += value + "\n"
        elif field == "event":
            kind = value
    return events


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(("data", "events"), TABLE)
def test_table(data: bytes, events: list[tuple[str, str]]) -> None:
    """Each stream gives its events: whole, byte by byte, and with every single cut."""
    assert decode([data]) == events
    assert decode([data[i : i + 1] for i in range(len(data))]) == events
    for place in range(len(data)):
        assert decode([data[:place], b"", data[place:]]) == events
    assert naive(data) == events


LINES = st.sampled_from(
    ["data: a", "data:", "data", "data:  é", "event: x", "event", ":", "id: 1", "", "", "\ufeff", "🎈", "data: \ufeff"]
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"])), max_size=12).map(
    lambda rows: "".join(line + end for line, end in rows).encode()
) | st.binary(max_size=60)


@settings(max_examples=400)
@given(data=STREAMS, places=st.lists(st.integers(0, 10_000), max_size=8))
def test_cuts_do_not_matter(data: bytes, places: list[int]) -> None:
    """Any stream, cut anywhere, gives what a naive reading of the standard gives."""
    assert decode(cut(data, places)) == naive(data)


def test_events_are_delivered_as_soon_as_they_are_complete() -> None:
    """An event does not wait for the next one, also when its last line end is a lone CR."""
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\nda") == [("message", "a")]
    assert decoder.feed(b"ta: b\r\r") == [("message", "b")]
    assert decoder.feed(b"\n") == []
    assert decoder.end() == []


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"data: " + b"x" * 200], id="a line without an end"),
        pytest.param([b"data: " + b"x" * 200 + b"\n\n"], id="one line"),
        pytest.param([b"data: 12345678\n"] * 20, id="many lines"),
        pytest.param([b"x"] * 200, id="many pieces"),
        pytest.param([b"data: 12345678\n" * 20 + b"\n"], id="many lines at once"),
        pytest.param([b"data:\n" * 200], id="many empty lines"),
    ],
)
def test_an_event_that_is_too_large_is_an_error(pieces: list[bytes]) -> None:
    """What would need more memory than the limit is refused."""
    with pytest.raises(SSEError, match="larger than 100 bytes"):
        decode(pieces, SSEDecoder(limit=100))


@pytest.mark.parametrize("tail", [b"data: " + b"x" * 200, b"data: " + b"x" * 200 + b"\n\n"])
def test_events_before_the_error_are_delivered(tail: bytes) -> None:
    """The events before one that is too large come out first, and the error with every call after."""
    decoder = SSEDecoder(limit=100)
    assert decoder.feed(b"data: a\n\n" + tail) == [("message", "a")]
    for _ in range(2):
        with pytest.raises(SSEError):
            decoder.feed(b"\n")
    with pytest.raises(SSEError):
        decoder.end()


def test_many_events_of_bounded_size_pass_the_limit() -> None:
    """The limit is for one event, not for the stream."""
    assert len(decode([b"data: 123\n\n: comment\n"] * 1000, SSEDecoder(limit=20))) == 1000


@pytest.mark.bulk
@pytest.mark.parametrize(
    ("piece", "count", "times"),
    [
        pytest.param(b"x" * 10, 1, 200_000, id="one long line in small pieces"),
        pytest.param(b"data: a\n", 1, 200_000, id="one event of many lines"),
        pytest.param(b"data: a\n\n", 200_000, 200_000, id="many small events"),
    ],
)
def test_time_is_linear(piece: bytes, count: int, times: int) -> None:
    """Two megabytes in tiny pieces take a fraction of a second, where a quadratic decoder takes minutes."""
    start = time.perf_counter()
    events = decode([b"data: ", *[piece] * times])
    assert time.perf_counter() - start < 60
    assert len(events) == count
