"""The body of a streamed answer: the session's bytes in the form that was asked for, and the last word of a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from edgeagent.core.native_session import NativeSession
from edgeagent.errors import StreamInterruptedError
from edgeagent.resources.streams import AsyncStream, Stream
from edgeagent.transports.faults import last_word
from edgeagent.transports.kinds import Kind
from edgeagent.transports.wires import Framing

__all__ = ["AsyncStreamed", "Streamed"]

S = TypeVar("S", Stream[bytes], AsyncStream[bytes])


class _Told(Generic[S]):
    """What both kinds share.

    Args:
        framing: gives the bytes their form; None: they have it.
    """

    def __init__(self, kind: Kind, session: NativeSession, stream: S, framing: Framing | None) -> None:
        self._kind, self._session, self._framing = kind, session, framing
        self._stream: S = stream
        self._ended = False

    def _piece(self, data: bytes) -> bytes:
        return data if self._framing is None else self._framing.feed(data)

    def _rest(self, fault: StreamInterruptedError | None) -> bytes:
        """What follows the last piece: nothing if the stream was closed before it.

        Raises the library's exception where only that can tell the fault.
        """
        if self._ended:
            return b""
        self._ended = True
        word = b"" if fault is None else last_word(self._session, fault)
        if word is None:
            raise self._kind.fault("ReadError", str(fault), None) from fault
        if self._framing is None:
            return word
        return self._framing.feed(word) + self._framing.end(told=fault is not None)


class Streamed(_Told[Stream[bytes]]):
    """The bytes of a stream; closing it early gives the vendor's connection back."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for data in self._stream:
                if piece := self._piece(data):
                    yield piece
        except StreamInterruptedError as error:
            rest = self._rest(error)
        else:
            rest = self._rest(None)
        if rest:
            yield rest

    def close(self) -> None:
        """Read no further."""
        self._ended = True
        self._stream.close()


class AsyncStreamed(_Told[AsyncStream[bytes]]):
    """The same for code that awaits."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._ended:
            try:
                piece = self._piece(await anext(self._stream))
            except StopAsyncIteration:
                piece = self._rest(None)
            except StreamInterruptedError as error:
                piece = self._rest(error)
            if piece:
                return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Read no further."""
        self._ended = True
        await self._stream.close()
