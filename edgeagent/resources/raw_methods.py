"""A resource's method → the same, giving the HTTP response: what `with_raw_response` and its like are made of.

Each call is made through a view of the client that keeps the response of the attempt that answers; any other call keeps
nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from edgeagent.core.record import WireRecord
from edgeagent.resources.raw import RawResponse, as_response
from edgeagent.resources.raw_streaming import (
    APIResponse,
    AsyncAPIResponse,
    AsyncResponseContextManager,
    ResponseContextManager,
)

__all__ = ["async_raw", "async_streaming", "raw", "streaming"]

P = ParamSpec("P")
T = TypeVar("T")
X = TypeVar("X")


def _seen(resource: X, record: WireRecord) -> X:
    """The same resource, whose calls fill the record."""
    mine: Any = resource
    client = mine._client
    seen: X = type(mine)(client._view(type(client), replace(client.options, record=record)))
    return seen


def raw(
    resource: X, method: Callable[Concatenate[X, P], T], read: Callable[[Any], Any] | None = None
) -> Callable[P, RawResponse[T]]:
    """A method that gives a `RawResponse`, whose `.parse()` is what `read` makes of the answer, if that is not it."""

    def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        record = WireRecord(body=False)
        return as_response(RawResponse, method(_seen(resource, record), *args, **kwargs), record, read)

    return call


def async_raw(
    resource: X, method: Callable[Concatenate[X, P], Awaitable[T]], read: Callable[[Any], Any] | None = None
) -> Callable[P, Awaitable[RawResponse[T]]]:
    """The same of a method that is awaited."""

    async def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        record = WireRecord(body=False)
        return as_response(RawResponse, await method(_seen(resource, record), *args, **kwargs), record, read)

    return call


def streaming(
    resource: X, method: Callable[Concatenate[X, P], T], read: Callable[[Any], Any] | None = None
) -> Callable[P, ResponseContextManager[T]]:
    """A method that gives a context manager over an `APIResponse`."""

    def send(*args: P.args, **kwargs: P.kwargs) -> APIResponse[T]:
        record = WireRecord(body=True)
        made = method(_seen(resource, record), *args, **kwargs)
        response: APIResponse[T] = as_response(APIResponse, made, record, read)
        response.attach(record)
        return response

    def call(*args: P.args, **kwargs: P.kwargs) -> ResponseContextManager[T]:
        return ResponseContextManager(partial(send, *args, **kwargs))

    return call


def async_streaming(
    resource: X, method: Callable[Concatenate[X, P], Awaitable[T]], read: Callable[[Any], Any] | None = None
) -> Callable[P, AsyncResponseContextManager[T]]:
    """The same of a method that is awaited."""

    async def send(*args: P.args, **kwargs: P.kwargs) -> AsyncAPIResponse[T]:
        record = WireRecord(body=True)
        made = await method(_seen(resource, record), *args, **kwargs)
        response: AsyncAPIResponse[T] = as_response(AsyncAPIResponse, made, record, read)
        response.attach(record)
        return response

    def call(*args: P.args, **kwargs: P.kwargs) -> AsyncResponseContextManager[T]:
        return AsyncResponseContextManager(partial(send, *args, **kwargs))

    return call
