"""The body of a response in the pieces that a caller asks for. Without I/O: bytes are fed, pieces come out."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

__all__ = ["Lines", "Shape", "Sized", "Text"]

P = TypeVar("P", str, bytes)
P_co = TypeVar("P_co", covariant=True)


class Shape(Protocol[P_co]):
    """Bytes in, pieces out."""

    def feed(self, data: bytes) -> Iterator[P_co]:
        """What has become complete."""
        ...

    def end(self) -> Iterator[P_co]:
        """The rest."""
        ...


class Part(Protocol[P]):
    """Pieces in, pieces out."""

    def feed(self, data: P) -> Iterator[P]:
        """What has become complete."""
        ...

    def end(self) -> Iterator[P]:
        """The rest."""
        ...


class Sized(Generic[P]):
    """Pieces of one size; without a size as they come."""

    def __init__(self, empty: P, size: int | None) -> None:
        if size is not None and size < 1:
            raise ValueError(f"chunk_size must be 1 or more; got {size}.")
        self._rest: P = empty
        self._size = size

    def feed(self, data: P) -> Iterator[P]:
        """What has become complete."""
        size = self._size
        if size is None:
            if data:
                yield data
            return
        rest = self._rest + data
        while len(rest) >= size:
            yield rest[:size]
            rest = rest[size:]
        self._rest = rest

    def end(self) -> Iterator[P]:
        """The rest."""
        if self._rest:
            yield self._rest


class Text:
    """UTF-8 cut anywhere → text, undecodable bytes replaced."""

    def __init__(self, part: Part[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._part = part

    def feed(self, data: bytes) -> Iterator[str]:
        """What has become complete."""
        return self._part.feed(self._decoder.decode(data))

    def end(self) -> Iterator[str]:
        """The rest."""
        yield from self._part.feed(self._decoder.decode(b"", final=True))
        yield from self._part.end()


class Lines:
    """Text cut anywhere → lines, which end with LF, CR LF or CR."""

    def __init__(self) -> None:
        self._rest: deque[str] = deque()
        self._returned = False

    def feed(self, data: str) -> Iterator[str]:
        """What has become complete."""
        if self._returned:  # whether the line's end has a second character shows only now
            data, self._returned = "\r" + data, False
        if data.endswith("\r"):
            data, self._returned = data[:-1], True
        lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines[:-1]:
            self._rest.append(line)
            yield "".join(self._rest)
            self._rest.clear()
        if lines[-1]:
            self._rest.append(lines[-1])

    def end(self) -> Iterator[str]:
        """The rest."""
        if self._rest or self._returned:
            yield "".join(self._rest)
