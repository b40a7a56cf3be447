"""The shapes of a body: whole, byte by byte, cut anywhere, they say the same."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeagent.resources.shapes import Lines, Sized, Text

TEXTS = st.text(alphabet="ab é\r\n\u2028\U0001f389", max_size=40)


def cuts(data: bytes, places: list[int]) -> Iterator[bytes]:
    start = 0
    for place in sorted(place % (len(data) + 1) for place in places):
        yield data[start:place]
        start = place
    yield data[start:]


def shaped(shape: Any, pieces: Iterator[bytes]) -> list[Any]:
    return [*(piece for data in pieces for piece in shape.feed(data)), *shape.end()]


@given(TEXTS, st.lists(st.integers(0, 200), max_size=8))
@example("a\r\nb\rc\n\r\n\r", [])
@example("a\r\n", [2])
def test_lines(text: str, places: list[int]) -> None:
    """LF, CR LF and CR end a line, and nothing else does; however the bytes are cut."""
    expected = [line.rstrip("\n") for line in io.StringIO(text, newline=None)]
    data = text.encode()
    assert shaped(Text(Lines()), cuts(data, places)) == expected
    assert shaped(Text(Lines()), cuts(data, list(range(len(data))))) == expected


@given(TEXTS, st.lists(st.integers(0, 200), max_size=8), st.integers(1, 9))
def test_sizes(text: str, places: list[int], size: int) -> None:
    """Pieces have the size that was asked for, but for the last one, and hold everything."""
    data = text.encode()
    pieces = shaped(Sized(b"", size), cuts(data, places))
    assert pieces == [data[i : i + size] for i in range(0, len(data), size)]
    characters = shaped(Text(Sized("", size)), cuts(data, places))
    assert characters == [text[i : i + size] for i in range(0, len(text), size)]
    assert "".join(shaped(Text(Sized("", None)), cuts(data, places))) == text


@pytest.mark.parametrize("data", [b"a\xff", b"a\xf0\x9f"])
def test_bytes_that_are_no_text(data: bytes) -> None:
    """They are replaced, also where the body ends in the middle of a character."""
    assert "".join(shaped(Text(Sized("", None)), iter([data]))) == "a\ufffd"


@pytest.mark.parametrize("size", [0, -1])
def test_pieces_of_nothing(size: int) -> None:
    """There would be no end of them."""
    with pytest.raises(ValueError, match="chunk_size"):
        Sized(b"", size)
