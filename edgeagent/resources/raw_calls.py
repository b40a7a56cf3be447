"""`with_raw_response` and `with_streaming_response` of embeddings, models and moderations, and what makes them.

Each call is made through a view of the client that keeps the response of the attempt that answers. Where several
responses make up the answer (the lists of several providers, a batch that was split, or of which the cache had a part),
none of them is it: one is made up, in OpenAI's format.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from edgeagent.core.record import WireRecord
from edgeagent.resources.models import AsyncModels, Models
from edgeagent.resources.operations import AsyncEmbeddings, AsyncModerations, Embeddings, Moderations
from edgeagent.resources.raw import RawResponse, as_response, recording
from edgeagent.resources.raw_streaming import (
    APIResponse,
    AsyncAPIResponse,
    AsyncResponseContextManager,
    ResponseContextManager,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.types import AsyncModelPage
    from edgeagent.types.params import QueryOptions

__all__ = [
    "AsyncEmbeddingsWithRawResponse",
    "AsyncEmbeddingsWithStreamingResponse",
    "AsyncModelsWithRawResponse",
    "AsyncModelsWithStreamingResponse",
    "AsyncModerationsWithRawResponse",
    "AsyncModerationsWithStreamingResponse",
    "EmbeddingsWithRawResponse",
    "EmbeddingsWithStreamingResponse",
    "ModelsWithRawResponse",
    "ModelsWithStreamingResponse",
    "ModerationsWithRawResponse",
    "ModerationsWithStreamingResponse",
    "async_raw",
    "async_streaming",
    "raw",
    "streaming",
]

P = ParamSpec("P")
T = TypeVar("T")
X = TypeVar("X")


def _seen(resource: X, record: WireRecord) -> X:
    """The same resource, whose calls fill the record."""
    kind: Any = type(resource)
    client: Any = resource
    seen: X = kind(recording(client._client, record))
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


async def _page(models: AsyncModels, /, **params: Unpack[QueryOptions]) -> AsyncModelPage:
    return await models.list(**params)


class EmbeddingsWithRawResponse:
    """`client.embeddings`, each of whose calls gives the HTTP response."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.create = raw(embeddings, Embeddings.create)


class EmbeddingsWithStreamingResponse:
    """`client.embeddings`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.create = streaming(embeddings, Embeddings.create)


class AsyncEmbeddingsWithRawResponse:
    """`client.embeddings`, each of whose calls gives the HTTP response, awaited."""

    def __init__(self, embeddings: AsyncEmbeddings) -> None:
        self.create = async_raw(embeddings, AsyncEmbeddings.create)


class AsyncEmbeddingsWithStreamingResponse:
    """`client.embeddings`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, embeddings: AsyncEmbeddings) -> None:
        self.create = async_streaming(embeddings, AsyncEmbeddings.create)


class ModelsWithRawResponse:
    """`client.models`, each of whose calls gives the HTTP response."""

    def __init__(self, models: Models) -> None:
        self.list = raw(models, Models.list)
        self.retrieve = raw(models, Models.retrieve)


class ModelsWithStreamingResponse:
    """`client.models`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, models: Models) -> None:
        self.list = streaming(models, Models.list)
        self.retrieve = streaming(models, Models.retrieve)


class AsyncModelsWithRawResponse:
    """`client.models`, each of whose calls gives the HTTP response, awaited."""

    def __init__(self, models: AsyncModels) -> None:
        self.list = async_raw(models, _page)
        self.retrieve = async_raw(models, AsyncModels.retrieve)


class AsyncModelsWithStreamingResponse:
    """`client.models`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, models: AsyncModels) -> None:
        self.list = async_streaming(models, _page)
        self.retrieve = async_streaming(models, AsyncModels.retrieve)


class ModerationsWithRawResponse:
    """`client.moderations`, each of whose calls gives the HTTP response."""

    def __init__(self, moderations: Moderations) -> None:
        self.create = raw(moderations, Moderations.create)


class ModerationsWithStreamingResponse:
    """`client.moderations`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, moderations: Moderations) -> None:
        self.create = streaming(moderations, Moderations.create)


class AsyncModerationsWithRawResponse:
    """`client.moderations`, each of whose calls gives the HTTP response, awaited."""

    def __init__(self, moderations: AsyncModerations) -> None:
        self.create = async_raw(moderations, AsyncModerations.create)


class AsyncModerationsWithStreamingResponse:
    """`client.moderations`, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, moderations: AsyncModerations) -> None:
        self.create = async_streaming(moderations, AsyncModerations.create)
