"""Newline-delimited JSON: the same lines wherever the bytes are cut, in linear time and bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.wire.ndjson import NDJSONDecoder, NDJSONError

__all__: list[str] = []


def lines_of(*parts: bytes, limit: int = 1000) -> list[bytes]:
    decoder = NDJSONDecoder(limit)
    return [line for part in parts for line in decoder.feed(part)] + decoder.end()


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n\r\n \n", []),
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n\r\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b"\xef\xbb\xbf{}\n", [b"{}"]),
        (b"{}\n\xef\xbb\xbf{}\n", [b"{}", b"\xef\xbb\xbf{}"]),
    ],
)
def test_lines(data: bytes, lines: list[bytes]) -> None:
    """Empty lines say nothing, CRLF and a missing last line end are read, one mark is skipped."""
    assert lines_of(data) == lines
    assert lines_of(*(data[i : i + 1] for i in range(len(data)))) == lines


@given(st.lists(st.binary(max_size=20)))
def test_lines_wherever_the_bytes_are_cut(parts: list[bytes]) -> None:
    """The lines are those of the whole, however it comes."""
    whole = b"".join(parts)
    expected = [line.strip() for line in whole.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    assert lines_of(*parts) == [line for line in expected if line]


@pytest.mark.parametrize("parts", [[b"x" * 11], [b"x" * 6, b"x" * 6], [b"x" * 11 + b"\n"]])
def test_a_line_over_the_limit(parts: list[bytes]) -> None:
    """It is refused, whether its end has come or not."""
    with pytest.raises(NDJSONError, match="larger than 10 bytes"):
        lines_of(*parts, limit=10)


def test_lines_before_one_over_the_limit() -> None:
    """They are delivered, the error comes with the next call, and with every call after it."""
    decoder = NDJSONDecoder(limit=10)
    assert decoder.feed(b"1\n2\n" + b"x" * 11) == [b"1", b"2"]
    for _ in range(2):
        with pytest.raises(NDJSONError):
            decoder.feed(b"3\n")
    with pytest.raises(NDJSONError):
        decoder.end()


def test_a_large_line_in_small_pieces() -> None:
    """A line of 10 MB in pieces of 100 bytes: its pieces are joined once, not with each piece."""
    decoder = NDJSONDecoder()
    for _ in range(100_000):
        assert decoder.feed(b"x" * 100) == []
    assert [len(line) for line in decoder.end()] == [10_000_000]


def test_a_million_tiny_lines() -> None:
    """In one piece."""
    assert len(NDJSONDecoder().feed(b"{}\n" * 1_000_000)) == 1_000_000
