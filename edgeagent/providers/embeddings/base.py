"""What an embedding codec is, and how a provider offers one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.http import HTTPRequest, HTTPResponse

__all__ = ["EmbeddingCodec", "EmbeddingProvider", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request of a vendor takes; None where nothing is documented."""

    inputs: int | None = None
    tokens: int | None = None
    """Of all inputs together."""


class EmbeddingCodec(Protocol):
    """One vendor API's wire format for embeddings, both directions, without I/O."""

    @property
    def wire(self) -> str:
        """Its name, as in `"openai.embeddings"`."""
        ...

    def limits(self, model: str) -> Limits:
        """How much one request takes; see `batching.split`."""
        ...

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the vendor's body for `model`. Raises `RequestValidationError` for what it cannot be asked."""
        ...

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer → our answer: one vector for each input, in their order, in the form that was asked for.

        Raises `ResponseValidationError`, or an `APIStatusError` that a 200 hides.
        """
        ...

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        ...

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """The vendor's body → our request. Raises `RequestValidationError`.

        Where the vendor names the model in the URL only, who calls adds it to the body as `model`.
        """
        ...

    def encode_response(self, answer: CreateEmbeddingResponse) -> Any:
        """Our answer → the vendor's JSON document (an object, except for llama.cpp's own API)."""
        ...

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → the vendor's own error JSON and status."""
        ...


@runtime_checkable
class EmbeddingProvider(Protocol):
    """What an `HTTPProvider` has in addition if it offers embeddings; `Vendor` has it by `table.route`."""

    name: str

    def embedding_codec(self, model: str) -> EmbeddingCodec | None:
        """The wire format in which `model` embeds; None if it does not."""
        ...

    def embedding_path(self, model: str) -> str:
        """The path of embedding requests below the base URL."""
        ...

    def request_to(
        self,
        path: str,
        credential: Any,
        *,
        encoded: Encoded | None = None,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The whole HTTP request to a path; a GET where there is nothing to send."""
        ...
