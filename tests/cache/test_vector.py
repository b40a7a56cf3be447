"""Vectors as bytes: exact, as short as that allows, and readable in either form."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache.vector import frames, pack_vector, unframed, unpack_vector
from edgeagent.types.embedding import floats_of, text_of

FLOAT32 = 3.4028234663852886e38
short = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20)
long = st.lists(st.floats(-FLOAT32, FLOAT32, allow_nan=False), max_size=20)


@given(short | long)
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    """Bit for bit, whether they fit 32 bits or not."""
    found = unpack_vector(pack_vector(numbers), as_text=False)
    assert isinstance(found, list)
    assert struct.pack(f"{len(found)}d", *found) == struct.pack(f"{len(numbers)}d", *numbers)


@given(short)
def test_base64_comes_back_exactly(numbers: list[float]) -> None:
    """As text, and as the numbers that it stands for."""
    text = text_of(numbers)
    assert unpack_vector(pack_vector(text), as_text=True) == text
    assert unpack_vector(pack_vector(text), as_text=False) == floats_of(text)


@given(long)
def test_either_form_of_the_same_bytes(numbers: list[float]) -> None:
    """Base64 is what the codecs make of the numbers."""
    assert unpack_vector(pack_vector(numbers), as_text=True) == text_of(numbers)


def test_the_shorter_form_where_it_is_exact() -> None:
    """Four bytes a number if nothing is lost, else eight."""
    assert len(pack_vector([0.5, -0.25])) == 1 + 8
    assert len(pack_vector([0.5, 0.1])) == 1 + 16


@pytest.mark.parametrize("value", ["AAE=", [1.0, 0.0], "not base64 at all"])
def test_a_vendors_own_form_is_kept(value: list[float] | str) -> None:
    """Whatever it is, whoever asks."""
    data = pack_vector(value, own_form=True)
    assert unpack_vector(data, as_text=True) == unpack_vector(data, as_text=False) == value


@pytest.mark.parametrize("value", ["?", "AAA=", [1e39]], ids=str)
def test_what_has_no_bytes(value: list[float] | str) -> None:
    """No base64, no whole floats, too large for base64."""
    with pytest.raises(ValueError, match=r"base64|floats"):
        pack_vector(value)


def test_other_bytes_are_no_vector() -> None:
    """An unknown kind."""
    with pytest.raises(ValueError, match="no vector"):
        unpack_vector(b"x123", as_text=False)


@given(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)), max_size=5))
def test_frames(pairs: list[tuple[bytes, bytes]]) -> None:
    """Pairs of any bytes, one after the other, come back as they were."""
    assert unframed(frames(pairs)) == pairs
