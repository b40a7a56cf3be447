"""Amazon's event streams, against botocore's own reader and against damaged bytes."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.wire.eventstream import (
    MAX_PAYLOAD_SIZE,
    Byte,
    EventStreamDecoder,
    EventStreamError,
    HeaderValue,
    Long,
    Message,
    Short,
    Timestamp,
    encode_message,
)

VALUES: st.SearchStrategy[HeaderValue] = st.one_of(
    st.booleans(),
    st.integers(-(2**7), 2**7 - 1).map(Byte),
    st.integers(-(2**15), 2**15 - 1).map(Short),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.integers(0, 253402300799999).map(Timestamp),
    st.binary(max_size=300),
    st.text(max_size=100),
    st.uuids(),
)
NAMES = st.text(min_size=1, max_size=40)
MESSAGES = st.builds(Message, st.dictionaries(NAMES, VALUES, max_size=5), st.binary(max_size=200))


def decoded(data: bytes, size: int) -> list[Message]:
    decoder = EventStreamDecoder()
    return [message for i in range(0, len(data), size) for message in decoder.feed(data[i : i + size])]


@given(messages=st.lists(MESSAGES, max_size=4), size=st.integers(1, 60))
def test_messages_there_and_back(messages: list[Message], size: int) -> None:
    """Every type of value survives with its type, wherever the bytes are cut."""
    data = b"".join(map(encode_message, messages))
    found = decoded(data, size)
    assert found == messages
    for message, other in zip(messages, found, strict=True):
        assert [type(value) for value in message.headers.values()] == [type(v) for v in other.headers.values()]
    assert not EventStreamDecoder().pending


@given(message=MESSAGES)
def test_botocore_reads_the_same(message: Message) -> None:
    """What is written here is what AWS's own reader reads."""
    botocore = pytest.importorskip("botocore.eventstream")
    buffer = botocore.EventStreamBuffer()
    buffer.add_data(encode_message(message))
    [read] = list(buffer)
    assert read.payload == message.payload
    for name, value in message.headers.items():
        other = read.headers[name]
        if isinstance(value, UUID):
            assert other == value.bytes
        elif not isinstance(value, Timestamp):
            assert other == value


def test_the_published_example() -> None:
    """The bytes of a message without headers, and of one with a header, as the format's own test data has them."""
    plain = bytes.fromhex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")
    assert decoded(plain, 3) == [Message({}, b"{'foo':'bar'}")]
    assert encode_message(Message({}, b"{'foo':'bar'}")) == plain
    titled = bytes.fromhex(
        "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e"
        "7b27666f6f273a27626172277d8d9c08b1"
    )
    assert decoded(titled, 7) == [Message({"content-type": "application/json"}, b"{'foo':'bar'}")]


MESSAGE = Message({":message-type": "event", "n": 5}, b"payload")
DATA = encode_message(MESSAGE)


@pytest.mark.parametrize("place", range(len(DATA)))
def test_a_damaged_byte_is_noticed(place: int) -> None:
    """Each byte is covered by a checksum."""
    damaged = DATA[:place] + bytes([DATA[place] ^ 0x10]) + DATA[place + 1 :]
    decoder = EventStreamDecoder()
    with pytest.raises(EventStreamError):
        decoder.feed(damaged)
    with pytest.raises(EventStreamError):
        decoder.feed(DATA)


def test_what_came_before_a_fault_is_delivered() -> None:
    """Good messages first, the fault by the next call, whatever the cuts."""
    decoder = EventStreamDecoder()
    assert decoder.feed(DATA + DATA[:20] + b"\0" * 60) == [MESSAGE]
    with pytest.raises(EventStreamError, match="checksum"):
        decoder.feed(b"")


def prelude(total: int, headers: int) -> bytes:
    from zlib import crc32

    raw = total.to_bytes(4, "big") + headers.to_bytes(4, "big")
    return raw + crc32(raw).to_bytes(4, "big")


@pytest.mark.parametrize(("total", "headers"), [(15, 0), (100, 85), (2**31, 0), (200_000, 140_000)])
def test_impossible_lengths(total: int, headers: int) -> None:
    """Lengths are refused before anything is waited for."""
    with pytest.raises(EventStreamError, match="lengths"):
        EventStreamDecoder().feed(prelude(total, headers))


def raw_message(headers: bytes) -> bytes:
    from zlib import crc32

    body = prelude(16 + len(headers), len(headers)) + headers
    return body + crc32(body).to_bytes(4, "big")


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05ab",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x07\x00\x05xy",
        b"\x01a\x04\x00",
        b"\x01a\x09short",
        b"\x01\xff\x00",
        b"\x00\x00",
        b"\x01a\x00\x01a\x01",
        b"\x01a\x07\x00\x01\xff",
    ],
)
def test_broken_headers(headers: bytes) -> None:
    """Headers that are cut, of unknown types, unnamed or repeated."""
    with pytest.raises(EventStreamError):
        EventStreamDecoder().feed(raw_message(headers))


@pytest.mark.parametrize(
    "message",
    [
        Message({"": "x"}, b""),
        Message({"n" * 256: "x"}, b""),
        Message({"n": 2**31}, b""),
        Message({"n": "x" * 65536}, b""),
        Message({}, bytes(MAX_PAYLOAD_SIZE + 1)),
        Message({str(i): "x" * 60_000 for i in range(3)}, b""),
    ],
)
def test_what_cannot_be_written(message: Message) -> None:
    """Values beyond the format's limits."""
    with pytest.raises(EventStreamError):
        encode_message(message)


@settings(max_examples=200)
@given(data=st.binary(max_size=200), size=st.integers(1, 50))
def test_any_bytes(data: bytes, size: int) -> None:
    """Any bytes behind a message give that message, and then nothing or the typed error."""
    decoder = EventStreamDecoder()
    found: list[Message] = []
    whole = DATA + data
    try:
        for i in range(0, len(whole), size):
            found += decoder.feed(whole[i : i + size])
    except EventStreamError:
        assert len(data) >= 12
    assert found[:1] == [MESSAGE]


def test_linear() -> None:
    """A payload of megabytes in small pieces, and many small messages in one: a second at most, not minutes."""
    large = encode_message(Message({}, bytes(8 * 1024 * 1024)))
    start = time.perf_counter()
    assert len(decoded(large, 1000)) == 1
    assert len(decoded(DATA * 50_000, len(DATA) * 50_000)) == 50_000
    assert time.perf_counter() - start < 60


def test_pending() -> None:
    """A message that has begun is known to be missing its end."""
    decoder = EventStreamDecoder()
    decoder.feed(DATA[:5])
    assert decoder.pending
    decoder.feed(DATA[5:])
    assert not decoder.pending
    assert MESSAGE.text(":message-type") == "event"
    assert MESSAGE.text("n") == ""
