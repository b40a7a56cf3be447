"""`client.beta.chat.completions`: where openai's client had `parse` and `stream` before they moved out of beta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgeagent.resources.elsewhere import Partial

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.resources.chat import AsyncChat, Chat
    from edgeagent.resources.raw_client import (
        AsyncClientWithRawResponse,
        AsyncClientWithStreamingResponse,
        ClientWithRawResponse,
        ClientWithStreamingResponse,
    )

__all__ = ["AsyncBeta", "Beta"]

_NOT_HERE: Final = frozenset({"agents", "assistants", "chatkit", "realtime", "responses", "threads"})


class Beta(Partial):
    """`client.beta`."""

    _path = "beta."
    _elsewhere = _NOT_HERE

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> ClientWithRawResponse:
        """The same as `client.with_raw_response`."""
        return self._client.with_raw_response

    @property
    def with_streaming_response(self) -> ClientWithStreamingResponse:
        """The same as `client.with_streaming_response`."""
        return self._client.with_streaming_response

    @property
    def chat(self) -> Chat:
        """The same as `client.chat`."""
        return self._client.chat


class AsyncBeta(Partial):
    """`client.beta` of an async client."""

    _path = "beta."
    _elsewhere = _NOT_HERE

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> AsyncClientWithRawResponse:
        """The same as `client.with_raw_response`."""
        return self._client.with_raw_response

    @property
    def with_streaming_response(self) -> AsyncClientWithStreamingResponse:
        """The same as `client.with_streaming_response`."""
        return self._client.with_streaming_response

    @property
    def chat(self) -> AsyncChat:
        """The same as `client.chat`."""
        return self._client.chat
