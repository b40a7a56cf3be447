"""`client.beta.chat.completions`: where openai's client had `parse` and `stream` before they moved out of beta."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.resources.chat import AsyncChat, Chat

__all__ = ["AsyncBeta", "Beta"]


class Beta:
    """`client.beta`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @property
    def chat(self) -> Chat:
        """The same as `client.chat`."""
        return self._client.chat


class AsyncBeta:
    """`client.beta` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @property
    def chat(self) -> AsyncChat:
        """The same as `client.chat`."""
        return self._client.chat
