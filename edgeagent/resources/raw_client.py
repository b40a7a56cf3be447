"""`client.with_raw_response` and `client.with_streaming_response`: the client's resources, each giving responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeagent.resources.raw_chat import WithCompletions

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.resources import raw_calls, raw_chat, raw_responses

__all__ = [
    "AsyncClientWithRawResponse",
    "AsyncClientWithStreamingResponse",
    "ClientWithRawResponse",
    "ClientWithStreamingResponse",
]


class ClientWithRawResponse:
    """The same client, each of whose calls gives the HTTP response."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @property
    def chat(self) -> WithCompletions[raw_chat.CompletionsWithRawResponse]:
        """Chat completions."""
        return WithCompletions(self._client.chat.completions.with_raw_response)

    @property
    def embeddings(self) -> raw_calls.EmbeddingsWithRawResponse:
        """Vectors of texts."""
        return self._client.embeddings.with_raw_response

    @property
    def models(self) -> raw_calls.ModelsWithRawResponse:
        """What models there are."""
        return self._client.models.with_raw_response

    @property
    def moderations(self) -> raw_calls.ModerationsWithRawResponse:
        """Judgements of texts."""
        return self._client.moderations.with_raw_response

    @property
    def responses(self) -> raw_responses.ResponsesWithRawResponse:
        """The Responses API."""
        return self._client.responses.with_raw_response


class ClientWithStreamingResponse:
    """The same client, each of whose calls gives a context manager over the HTTP response."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @property
    def chat(self) -> WithCompletions[raw_chat.CompletionsWithStreamingResponse]:
        """Chat completions."""
        return WithCompletions(self._client.chat.completions.with_streaming_response)

    @property
    def embeddings(self) -> raw_calls.EmbeddingsWithStreamingResponse:
        """Vectors of texts."""
        return self._client.embeddings.with_streaming_response

    @property
    def models(self) -> raw_calls.ModelsWithStreamingResponse:
        """What models there are."""
        return self._client.models.with_streaming_response

    @property
    def moderations(self) -> raw_calls.ModerationsWithStreamingResponse:
        """Judgements of texts."""
        return self._client.moderations.with_streaming_response

    @property
    def responses(self) -> raw_responses.ResponsesWithStreamingResponse:
        """The Responses API."""
        return self._client.responses.with_streaming_response


class AsyncClientWithRawResponse:
    """The same for code that awaits."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @property
    def chat(self) -> WithCompletions[raw_chat.AsyncCompletionsWithRawResponse]:
        """Chat completions."""
        return WithCompletions(self._client.chat.completions.with_raw_response)

    @property
    def embeddings(self) -> raw_calls.AsyncEmbeddingsWithRawResponse:
        """Vectors of texts."""
        return self._client.embeddings.with_raw_response

    @property
    def models(self) -> raw_calls.AsyncModelsWithRawResponse:
        """What models there are."""
        return self._client.models.with_raw_response

    @property
    def moderations(self) -> raw_calls.AsyncModerationsWithRawResponse:
        """Judgements of texts."""
        return self._client.moderations.with_raw_response

    @property
    def responses(self) -> raw_responses.AsyncResponsesWithRawResponse:
        """The Responses API."""
        return self._client.responses.with_raw_response


class AsyncClientWithStreamingResponse:
    """The same for code that awaits."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @property
    def chat(self) -> WithCompletions[raw_chat.AsyncCompletionsWithStreamingResponse]:
        """Chat completions."""
        return WithCompletions(self._client.chat.completions.with_streaming_response)

    @property
    def embeddings(self) -> raw_calls.AsyncEmbeddingsWithStreamingResponse:
        """Vectors of texts."""
        return self._client.embeddings.with_streaming_response

    @property
    def models(self) -> raw_calls.AsyncModelsWithStreamingResponse:
        """What models there are."""
        return self._client.models.with_streaming_response

    @property
    def moderations(self) -> raw_calls.AsyncModerationsWithStreamingResponse:
        """Judgements of texts."""
        return self._client.moderations.with_streaming_response

    @property
    def responses(self) -> raw_responses.AsyncResponsesWithStreamingResponse:
        """The Responses API."""
        return self._client.responses.with_streaming_response
