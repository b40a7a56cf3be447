"""`with_raw_response` and `with_streaming_response` of embeddings, models and moderations.

Where several responses make up the answer (the lists of several providers, a batch that was split, or of which the
cache had a part), none of them is it: one is made up, in OpenAI's format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeagent.resources.models import AsyncModels, Models
from edgeagent.resources.operations import AsyncEmbeddings, AsyncModerations, Embeddings, Moderations
from edgeagent.resources.raw_methods import async_raw, async_streaming, raw, streaming

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
]


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
