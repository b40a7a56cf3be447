"""Content encodings, cut anywhere."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.io import decoding
from edgeagent.io.decoding import inflater

__all__: list[str] = []


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def small_window(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=9)
    return packer.compress(data) + packer.flush()


def halves(data: bytes) -> bytes:
    """Two members, as servers send that compress block by block."""
    middle = len(data) // 2
    return gzip.compress(data[:middle]) + gzip.compress(data[middle:])


PACKINGS = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": (" X-GZIP ", gzip.compress),
    "members": ("gzip", halves),
    "padded": ("gzip", lambda data: gzip.compress(data) + bytes(7)),
    "zlib": ("deflate", zlib.compress),
    "zlib of a small window": ("deflate", small_window),
    "raw": ("deflate", raw_deflate),
    "raw, more behind": ("deflate", lambda data: raw_deflate(data) + b"\x00"),
}


def undone(encoding: str, packed: bytes, size: int) -> bytes:
    inflate = inflater(encoding)
    assert inflate is not None
    return b"".join(piece for i in range(0, len(packed), size) for piece in inflate.feed(packed[i : i + size]))


@given(data=st.binary(max_size=2000), size=st.integers(1, 64), packing=st.sampled_from(sorted(PACKINGS)))
def test_undone_however_it_is_cut(data: bytes, size: int, packing: str) -> None:
    """The pieces give what was packed."""
    encoding, pack = PACKINGS[packing]
    assert undone(encoding, pack(data), size) == data


@pytest.mark.parametrize("packing", sorted(PACKINGS))
@pytest.mark.parametrize("size", [1, 4096, 10_000_000])
def test_more_than_one_piece_at_a_time(packing: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece is never larger than the limit, and nothing is left behind in zlib where the limit cuts."""
    monkeypatch.setattr(decoding, "PIECE", 1000)
    encoding, pack = PACKINGS[packing]
    data = b"abc" * 10_000
    inflate = inflater(encoding)
    assert inflate is not None
    packed = pack(data)
    pieces = [piece for i in range(0, len(packed), size) for piece in inflate.feed(packed[i : i + size])]
    assert max(map(len, pieces)) <= 1000
    assert b"".join(pieces) == data


def test_a_bomb_is_given_out_bit_by_bit() -> None:
    """Memory is bounded by the piece, not by what the body inflates to."""
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    inflate = inflater("gzip")
    assert inflate is not None
    tracemalloc.start()
    try:
        assert sum(map(len, inflate.feed(bomb))) == 200_000_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", b'{"a": 1}'), ("gzip", zlib.compress(b"a")), ("deflate", b"\xff" * 9)]
)
def test_what_is_something_else(encoding: str, body: bytes) -> None:
    """It is not guessed at."""
    with pytest.raises(zlib.error):
        undone(encoding, body, 100)


@given(st.binary(), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes(data: bytes, encoding: str) -> None:
    """Nothing but `zlib.error` comes out."""
    with contextlib.suppress(zlib.error):
        undone(encoding, data, 7)


@pytest.mark.parametrize("encoding", [None, "", "identity", "br", "gzip, br"])
def test_nothing_to_undo(encoding: str | None) -> None:
    """What cannot be undone, and was not asked for, is left as it is."""
    assert inflater(encoding) is None
