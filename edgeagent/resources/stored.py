"""What openai's client has for completions that OpenAI keeps (`store=True`), and a gateway has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient

__all__ = ["Stored", "StoredMessages"]


class Stored:
    """`list`, `retrieve`, `update`, `delete` and `messages` of stored completions: there, and refused.

    They ask for no answer of a model, exist at one vendor and are bound to its account; nothing of the pipeline would
    apply to them. Storing (`store=True`) works.
    """

    _client: EdgeClient | AsyncEdgeClient

    def list(self, *args: Any, **params: Any) -> NoReturn:
        """Raises `ConfigurationError`."""
        self._refuse("list", args, params)

    def retrieve(self, *args: Any, **params: Any) -> NoReturn:
        """Raises `ConfigurationError`."""
        self._refuse("retrieve", args, params)

    def update(self, *args: Any, **params: Any) -> NoReturn:
        """Raises `ConfigurationError`."""
        self._refuse("update", args, params)

    def delete(self, *args: Any, **params: Any) -> NoReturn:
        """Raises `ConfigurationError`."""
        self._refuse("delete", args, params)

    @property
    def messages(self) -> StoredMessages:
        """The messages of a stored completion."""
        return StoredMessages(self)

    def _refuse(self, name: str, *_: object) -> NoReturn:
        error = ConfigurationError(
            f"chat.completions.{name}: stored completions are kept by OpenAI alone; use openai's own client for them."
        )
        raise self._client._told(error)


class StoredMessages:
    """`chat.completions.messages`: there, and refused."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    @property
    def with_raw_response(self) -> StoredMessages:
        """The same: refused, too."""
        return self

    with_streaming_response = with_raw_response

    def list(self, *args: Any, **params: Any) -> NoReturn:
        """Raises `ConfigurationError`."""
        self._stored._refuse("messages.list", args, params)
