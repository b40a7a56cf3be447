"""Responses whose bodies are read piece by piece: `with_streaming_response`.

with client.chat.completions.with_streaming_response.create(model=…, messages=…, stream=True) as response:
    for line in response.iter_lines(): …
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from edgeagent.errors import EdgeAgentError
from edgeagent.resources.raw import LiveBody, ResponseHead
from edgeagent.resources.shapes import Lines, Shape, Sized, Text

if TYPE_CHECKING:
    from edgeagent.core.record import WireRecord

__all__ = ["APIResponse", "AsyncAPIResponse", "AsyncResponseContextManager", "ResponseContextManager"]

R = TypeVar("R")
T = TypeVar("T")
Q = TypeVar("Q")


class _Pieces(ResponseHead[R]):
    """What both kinds have: the body, whole or to come of a stream, and how far it has been read."""

    _stream: Any = None
    _body: LiveBody
    _content: bytes | None = None
    _begun = False
    _closed = False

    def attach(self, record: WireRecord) -> None:
        """Say where the body comes from."""
        session = getattr(self._result, "_session", None)
        if session is None:
            self._content = self.http_response.content
        else:
            self._stream, self._body = self._result, LiveBody(session, record)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is to come."""
        return self._closed

    def _parse(self, to: Any, body: Callable[[], bytes]) -> Any:
        if self._stream is not None and not self._parsed and to is not str and to is not bytes:
            self._begin()  # the stream that is given reads the same body
        return super()._parse(to, body)

    def _begin(self) -> None:
        if self._begun:
            raise EdgeAgentError("The body of this response has been read already: it cannot be read twice.")
        self._check_open()
        self._begun = True

    def _check_open(self) -> None:
        """What had come before it was closed must not pass for the whole."""
        if self._closed:
            raise EdgeAgentError("This response was closed before its body had been read.")


class APIResponse(_Pieces[R]):
    """A response under way."""

    @overload
    def parse(self) -> R: ...

    @overload
    def parse(self, *, to: type[T]) -> T: ...

    def parse(self, *, to: Any = None) -> Any:
        """What the call gives without the prefix: a completion, a parsed one, or a stream; see `RawResponse.parse`."""
        return self._parse(to, self.read)

    def read(self) -> bytes:
        """The whole body."""
        if self._content is None:
            self._content = b"".join(self._pieces())
        return self._content

    def text(self) -> str:
        """The whole body as text."""
        return self.read().decode("utf-8", "replace")

    def json(self) -> Any:
        """The whole body as JSON. Raises `json.JSONDecodeError` if it is none."""
        return json.loads(self.read())

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The body as it comes, or in pieces of this many bytes."""
        return self._shaped(Sized(b"", chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """The body's text as it comes, or in pieces of this many characters."""
        return self._shaped(Text(Sized("", chunk_size)))

    def iter_lines(self) -> Iterator[str]:
        """The body's lines, without their ends."""
        return self._shaped(Text(Lines()))

    def close(self) -> None:
        """Give the connection back. Idempotent."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()

    def _shaped(self, shape: Shape[Q]) -> Iterator[Q]:
        for data in self._pieces() if self._content is None else (self._content,):
            yield from shape.feed(data)
        yield from shape.end()

    def _pieces(self) -> Iterator[bytes]:
        self._begin()
        while (data := self._next()) is not None:
            yield data

    def _next(self) -> bytes | None:
        self._check_open()
        try:
            data: bytes | None = self._stream._driver.step(self._body.next(), self._stream._scope)
        except BaseException:
            self.close()
            raise
        if data is None:
            self.close()
        return data


class AsyncAPIResponse(_Pieces[R]):
    """A response under way, for code that awaits."""

    @overload
    async def parse(self) -> R: ...

    @overload
    async def parse(self, *, to: type[T]) -> T: ...

    async def parse(self, *, to: Any = None) -> Any:
        """What the call gives without the prefix; see `RawResponse.parse`."""
        content = await self.read() if to is str or to is bytes else b""
        return self._parse(to, lambda: content)

    async def read(self) -> bytes:
        """The whole body."""
        if self._content is None:
            self._content = b"".join([data async for data in self.iter_bytes()])
        return self._content

    async def text(self) -> str:
        """The whole body as text."""
        return (await self.read()).decode("utf-8", "replace")

    async def json(self) -> Any:
        """The whole body as JSON. Raises `json.JSONDecodeError` if it is none."""
        return json.loads(await self.read())

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The body as it comes, or in pieces of this many bytes."""
        return self._shaped(Sized(b"", chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """The body's text as it comes, or in pieces of this many characters."""
        return self._shaped(Text(Sized("", chunk_size)))

    def iter_lines(self) -> AsyncIterator[str]:
        """The body's lines, without their ends."""
        return self._shaped(Text(Lines()))

    async def close(self) -> None:
        """Give the connection back. Idempotent."""
        self._closed = True
        if self._stream is not None:
            await self._stream.close()

    def _shaped(self, shape: Shape[Q]) -> AsyncIterator[Q]:
        if self._content is not None:
            return _AsyncPieces(_Rest(self._content).next, shape)
        self._begin()
        return _AsyncPieces(self._next, shape)

    async def _next(self) -> bytes | None:
        self._check_open()
        try:
            data: bytes | None = await self._stream._driver.step(self._body.next(), self._stream._scope)
        except BaseException:
            await self.close()
            raise
        if data is None:
            await self.close()
        return data


class _AsyncPieces(Generic[Q]):
    """The pieces of a shape. (No async generator: one that is left half-way is closed by whoever collects it.)"""

    def __init__(self, read: Callable[[], Awaitable[bytes | None]], shape: Shape[Q]) -> None:
        self._read = read
        self._shape = shape
        self._pending: deque[Q] = deque()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Q]:
        return self

    async def __anext__(self) -> Q:
        while not self._pending:
            if self._ended:
                raise StopAsyncIteration
            data = await self._read()
            self._ended = data is None
            self._pending += self._shape.end() if data is None else self._shape.feed(data)
        return self._pending.popleft()


class _Rest:
    """A content that is held, as something to read once."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    async def next(self) -> bytes | None:
        content, self._content = self._content, None
        return content


class ResponseContextManager(Generic[R]):
    """Sends the request when its `with` block is entered, and gives the connection back when it is left."""

    def __init__(self, send: Callable[[], APIResponse[R]]) -> None:
        self._send = send
        self._response: APIResponse[R] | None = None

    def __enter__(self) -> APIResponse[R]:
        self._response = self._send()
        return self._response

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()


class AsyncResponseContextManager(Generic[R]):
    """The same for `async with`."""

    def __init__(self, send: Callable[[], Awaitable[AsyncAPIResponse[R]]]) -> None:
        self._send = send
        self._response: AsyncAPIResponse[R] | None = None

    async def __aenter__(self) -> AsyncAPIResponse[R]:
        self._response = await self._send()
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            await self._response.close()
