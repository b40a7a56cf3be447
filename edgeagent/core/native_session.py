"""One streamed answer in the format in which the call was made: bytes for the caller in place of chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from edgeagent.core.ask import OpenedStream
from edgeagent.core.call import Call
from edgeagent.core.native import is_native
from edgeagent.core.session import Session
from edgeagent.effects import Flow
from edgeagent.errors import APIStatusError, StreamInterruptedError
from edgeagent.providers.base import FaultEncoder, StreamEncoder, StreamFilter
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.chunk_log import ChunkLog

__all__ = ["NativeSession"]


class NativeSession(Session[bytes]):
    """What a target of the same format sends goes on as it comes, at once; what another sends is told in the format.

    What had come before a fault is given to the caller first, the fault is raised by the `advance` after: the vendor's
    own word for it may be among those bytes.
    """

    def __init__(
        self,
        call: Call,
        opened: OpenedStream,
        finish: Callable[[ChatCompletion], None],
        log: ChunkLog | None = None,
    ) -> None:
        assert call.native is not None
        self._exchange = call.native
        codec, body = call.native.asked.codec, call.native.asked.body
        self._encoder: StreamEncoder | None = codec.stream_encoder() if opened.raw is None else None
        self._filter: StreamFilter | None = codec.native_filter(body) if is_native(codec) else None
        self._kept: list[bytes] = []
        self._fault: StreamInterruptedError | None = None
        super().__init__(call, opened, finish, log)

    @property
    def flowing(self) -> bool:
        """Whether more may come, or a fault is to be raised."""
        return self.state == "flowing" or self._fault is not None

    def advance(self) -> Flow[None]:
        """Read until bytes are pending or the stream has ended. Raises `StreamInterruptedError`."""
        fault, self._fault = self._fault, None
        if fault is not None:
            try:
                raise fault
            finally:
                del fault  # no cycle through this frame
        yield from super().advance()

    @property
    def retold(self) -> bool:
        """Whether the vendor's bytes are not the caller's: the stream is told anew in the caller's format."""
        return self._encoder is not None

    def fault(self, error: APIStatusError) -> bytes | None:
        """The event by which a stream that is told anew ends with an error; None if its format has none."""
        return self._encoder.fault(error) if self._encoder is not None and _tells_faults(self._encoder) else None

    def _sees_usage(self) -> bool:
        return True  # what the caller did not ask for is taken out of the bytes

    def _take(self) -> None:
        super()._take()
        raw = self._opened.raw
        if raw:
            self._kept += raw
            for data in raw:
                self._put(data)
            raw.clear()

    def _show(self, chunk: ChatCompletionChunk) -> None:
        if self._encoder is not None:
            self._put(self._encoder.feed(chunk))

    def _put(self, data: bytes) -> None:
        if self._filter is not None:
            data = self._filter.feed(data)
        if data:
            self.pending.append(data)

    def _end(self) -> None:
        if self._encoder is None:
            kind = self._exchange.headers.get("content-type", "")
            self._exchange.received(b"".join(self._kept), streamed=not kind.startswith("application/json"))
        super()._end()
        if self._encoder is not None:
            self._put(self._encoder.end())
        self._flush()

    def _flush(self) -> None:
        rest = self._filter.end() if self._filter is not None else b""
        if rest:
            self.pending.append(rest)

    def _interrupt(self, cause: Exception) -> None:
        try:
            super()._interrupt(cause)
        except StreamInterruptedError as fault:
            self._opened.chunks = []
            self._take()
            self._flush()
            if not self.pending:
                raise
            self._fault = fault


def _tells_faults(encoder: StreamEncoder) -> TypeGuard[FaultEncoder]:
    return hasattr(encoder, "fault")
