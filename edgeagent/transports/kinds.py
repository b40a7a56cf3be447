"""httpx or httpx2: a request is answered in its own kind.

The two libraries are one API under two names, and neither accepts the other's objects. What belongs to one is made
from the module that the request came from.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol

__all__ = ["AsyncBody", "Body", "Kind", "kind_of"]

REMEMBERED: Final = 256
"""Heads of responses."""


class Body(Protocol):
    """A streamed body for code that blocks."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class AsyncBody(Protocol):
    """A streamed body for code that awaits."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Give back what is held."""
        ...


class Kind:
    """One of the two libraries.

    Args:
        library: its module.
    """

    def __init__(self, library: Any) -> None:
        self.library = library
        self._body: Callable[[Body], Any] = _body_class(library.SyncByteStream)
        self._async_body: Callable[[AsyncBody], Any] = _async_body_class(library.AsyncByteStream)
        # a response takes a copy, which costs a third of reading the fields anew
        self._headers: Callable[[tuple[tuple[str, str], ...]], Any] = lru_cache(REMEMBERED)(library.Headers)

    def response(self, status: int, headers: Iterable[tuple[str, str]], content: bytes, *, recurs: bool = False) -> Any:
        """A whole response, which is read like one from the network; `recurs`: others will have the same fields."""
        fields: Any = (*headers, ("content-length", str(len(content))))
        if recurs:
            fields = self._headers(fields)
        return self.library.Response(status, headers=fields, stream=self.library.ByteStream(content))

    def streamed(self, status: int, headers: Iterable[tuple[str, str]], body: Body) -> Any:
        """A response whose body is still to come."""
        return self.library.Response(status, headers=list(headers), stream=self._body(body))

    def streamed_async(self, status: int, headers: Iterable[tuple[str, str]], body: AsyncBody) -> Any:
        """The same for code that awaits."""
        return self.library.Response(status, headers=list(headers), stream=self._async_body(body))

    def fault(self, name: str, message: str, request: Any) -> Exception:
        """One of the library's exceptions, by its name; for an unknown one the general one of transports."""
        made = getattr(self.library, name, None)
        if not (isinstance(made, type) and issubclass(made, self.library.RequestError)):
            made = self.library.TransportError
        fault: Exception = made(message, request=request)
        return fault


def kind_of(request: Any) -> Kind:
    """The library whose request this is."""
    return _kind(type(request).__module__.partition(".")[0])


@lru_cache(maxsize=4)
def _kind(name: str) -> Kind:
    return Kind(sys.modules[name])


def _body_class(base: Any) -> Callable[[Body], Any]:
    class SyncBody(base):  # type: ignore[misc]  # a class of the library that the request came from
        def __init__(self, body: Body) -> None:
            self._body = body

        def __iter__(self) -> Iterator[bytes]:
            return iter(self._body)

        def close(self) -> None:
            self._body.close()

    return SyncBody


def _async_body_class(base: Any) -> Callable[[AsyncBody], Any]:
    class AwaitedBody(base):  # type: ignore[misc]  # a class of the library that the request came from
        def __init__(self, body: AsyncBody) -> None:
            self._body = body

        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(self._body)

        async def aclose(self) -> None:
            await self._body.aclose()

    return AwaitedBody
