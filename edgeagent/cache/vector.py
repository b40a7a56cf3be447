"""One vector as bytes: what an entry of an embedding holds.

The first byte says how: `f` and `d` are little-endian floats of 32 and 64 bits, of which the shorter is used where it
is exact (all that vendors send as base64 is), `j` is JSON, for a vendor's own form. Whoever asks for numbers or for
base64 is served by the same bytes.
"""

from __future__ import annotations

import base64
import struct
import sys
from array import array
from collections.abc import Iterable
from math import isfinite
from typing import Final, Literal

from pydantic_core import from_json

from edgeagent.types.embedding import text_of
from edgeagent.wire.json import dump_json, parsed_json

__all__ = ["frames", "is_vector", "pack_vector", "unframed", "unpack_vector"]

_LENGTHS: Final = struct.Struct(">2I")


def pack_vector(vector: list[float] | str, *, own_form: bool = False) -> bytes:
    """The bytes of a vector: numbers, base64 of 32-bit floats, or anything in a vendor's own form.

    Raises:
        ValueError: text that is no such base64, or numbers that could not be told in it.
    """
    if own_form:
        return b"j" + dump_json(vector)
    if isinstance(vector, str):
        raw = base64.b64decode(vector, validate=True)
        if len(raw) % 4:
            raise ValueError("not a whole number of 32-bit floats")
        return b"f" + raw
    try:
        short = array("f", vector)
    except OverflowError:  # some versions of Python make it infinite instead
        raise ValueError("too large for base64") from None
    if short.tolist() == vector:
        return b"f" + _little(short)
    if not all(map(isfinite, short)):
        raise ValueError("too large for base64")
    return b"d" + _little(array("d", vector))


def is_vector(data: bytes) -> bool:
    """Whether `unpack_vector` can read this, found out without reading the numbers."""
    kind, length = data[:1], len(data) - 1
    if kind == b"j":
        return parsed_json(data[1:]) is not None
    return (kind == b"f" and length % 4 == 0) or (kind == b"d" and length % 8 == 0)


def unpack_vector(data: bytes, *, as_text: bool) -> list[float] | str:
    """The vector as numbers or as base64; one in a vendor's own form as it was.

    Raises:
        ValueError: bytes that `pack_vector` does not write.
    """
    kind, raw = data[:1], data[1:]
    if kind == b"j":
        own: list[float] | str = from_json(raw)
        return own
    if kind == b"f":
        return base64.b64encode(raw).decode() if as_text else _numbers("f", raw)
    if kind != b"d":
        raise ValueError("no vector")
    numbers = _numbers("d", raw)
    return text_of(numbers) if as_text else numbers


def frames(parts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Pairs of bytes, one after the other."""
    return b"".join(piece for one, other in parts for piece in (_LENGTHS.pack(len(one), len(other)), one, other))


def unframed(data: bytes) -> list[tuple[bytes, bytes]]:
    """The pairs that `frames` wrote."""
    pairs, at = [], 0
    while at < len(data):
        one, other = _LENGTHS.unpack_from(data, at)
        start = at + _LENGTHS.size
        at = start + one + other
        pairs.append((data[start : start + one], data[start + one : at]))
    return pairs


def _little(numbers: array[float]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(code: Literal["f", "d"], raw: bytes) -> list[float]:
    numbers = array(code, raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
