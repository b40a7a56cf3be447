"""Entries: what is encoded comes back whole, and nothing else ever does."""

from __future__ import annotations

import struct
from decimal import Decimal
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache.entry import Entry, decode_entry, encode_entry

TEXT = st.text(max_size=20)
ENTRIES = st.builds(
    Entry,
    created=st.floats(allow_nan=False),
    provider=TEXT,
    model=TEXT,
    vendor=st.none() | TEXT,
    cost_usd=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    request_id=st.none() | TEXT,
    completion=st.binary(max_size=100),
    native=st.binary(max_size=100),
    native_streamed=st.booleans(),
    expires=st.none() | st.floats(allow_nan=False),
    keep=st.floats(0, 1e9),
    asked=TEXT,
    namespace=st.none() | TEXT,
    tags=st.lists(TEXT, max_size=3).map(tuple),
    chunks=st.binary(max_size=100),
)
ENTRY = Entry(
    1_700_000_000.5,
    "openai",
    "gpt-4o",
    "openai",
    Decimal("0.00012"),
    "req_1",
    b'{"id":"x"}',
    b"{}\n{}",
    1_800_000_000.0,
    tags=("a tag", ""),
)


@given(ENTRIES)
def test_an_entry_comes_back_whole(entry: Entry) -> None:
    """Every field, empty and absent ones told apart, the cost to its last zero."""
    decoded = decode_entry(encode_entry(entry))
    assert decoded == entry
    assert decoded is not None
    assert str(decoded.cost_usd) == str(entry.cost_usd)


@given(ENTRIES, st.data())
def test_a_flipped_byte_gives_no_entry(entry: Entry, data: st.DataObject) -> None:
    """Any one byte changed in any way."""
    encoded = bytearray(encode_entry(entry))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    assert decode_entry(bytes(encoded)) is None


def test_every_flipped_bit_of_an_entry_gives_no_entry() -> None:
    """The same without chance, bit by bit."""
    encoded = encode_entry(ENTRY)
    for at in range(len(encoded)):
        for bit in range(8):
            changed = bytearray(encoded)
            changed[at] ^= 1 << bit
            assert decode_entry(bytes(changed)) is None


@given(ENTRIES, st.data())
def test_a_truncated_entry_is_none(entry: Entry, data: st.DataObject) -> None:
    """Any prefix, down to nothing."""
    encoded = encode_entry(entry)
    assert decode_entry(encoded[: data.draw(st.integers(0, len(encoded) - 1))]) is None


@given(ENTRIES, st.binary(min_size=1, max_size=10))
def test_trailing_bytes_give_no_entry(entry: Entry, more: bytes) -> None:
    """Neither after nor before the entry."""
    encoded = encode_entry(entry)
    assert decode_entry(encoded + more) is None
    assert decode_entry(more + encoded) is None


@given(st.binary(max_size=300))
def test_foreign_bytes_give_no_entry(data: bytes) -> None:
    """Whatever lay in the store before."""
    assert decode_entry(data) is None


def test_a_tier_may_give_other_kinds_of_bytes() -> None:
    """What a tier of somebody else's gives is read if it is bytes of any kind, and is none if it is not."""
    entry = Entry(1.0, "p", "m", None, None, None, b"{}")
    data = encode_entry(entry)
    for kind in (bytearray, memoryview, bytes):
        assert decode_entry(kind(data)) == entry
    for wrong in ("x" * 500, 500, [data], {}):
        assert decode_entry(wrong) is None


def test_another_version_gives_no_entry() -> None:
    """A later version's entry is not read, even if its sum is right."""
    encoded = encode_entry(ENTRY)
    assert decode_entry(encoded[:3] + b"\x03" + encoded[4:]) is None


def _with_right_sum(body: bytes) -> bytes:
    return encode_entry(ENTRY)[:4] + struct.pack(">I", crc32(body)) + body


@given(st.binary(max_size=120))
def test_a_right_sum_over_nonsense_never_raises(body: bytes) -> None:
    """Somebody who can compute the sum still cannot make the reader fail."""
    decoded = decode_entry(_with_right_sum(body))
    assert decoded is None or isinstance(decoded, Entry)


@pytest.mark.parametrize(
    ("find", "replace"),
    [
        (b"openai", b"\xffpenai"),
        (b"0.00012", b"0.0001x"),
        (b"req_1", b"req\xff1"),
        (b"a tag", b"a ta\xff"),
        (b"\x05a tag", b"\x0aa tag"),
    ],
)
def test_a_right_sum_over_wrong_text_gives_no_entry(find: bytes, replace: bytes) -> None:
    """Names that are not UTF-8, costs that are no numbers, tags longer than there is room for."""
    body = encode_entry(ENTRY)[8:].replace(find, replace)
    assert decode_entry(_with_right_sum(body)) is None


@pytest.mark.parametrize("field", range(11))
def test_a_right_sum_over_wrong_lengths_gives_no_entry(field: int) -> None:
    """Lengths that do not add up to the whole, also absurd ones."""
    body = encode_entry(ENTRY)[8:]
    head = struct.Struct(">B3d8I3Q")
    values = list(head.unpack_from(body))
    for length in (values[4 + field] + 1, 2**32 - 1):
        values[4 + field] = length
        assert decode_entry(_with_right_sum(head.pack(*values) + body[head.size :])) is None
