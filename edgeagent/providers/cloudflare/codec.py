"""The codec of Cloudflare Workers AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.cloudflare.answer import WIRE
from edgeagent.providers.cloudflare.errors import decode_error, encode_error
from edgeagent.providers.cloudflare.request import decode_request, encode_request
from edgeagent.providers.cloudflare.response import concluded, decode_response, encode_response
from edgeagent.providers.cloudflare.stream import RunStreamDecoder, RunStreamEncoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["CloudflareRunCodec"]


class CloudflareRunCodec:
    """Pure functions between our model and `POST /ai/run/{model}`; see `edgeagent.providers.base.ChatCodec`.

    https://developers.cloudflare.com/api/resources/ai/methods/run/
    """

    __slots__ = ()

    @property
    def wire(self) -> str:
        """`"cloudflare.run"`."""
        return WIRE

    def encode_request(
        self,
        request: ChatRequest,
        *,
        model: str,  # the address names it, not the body
        stream: bool,
    ) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for what Workers AI has not."""
        return encode_request(request, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response)

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        if is_json(head):
            return DocumentDecoder(head, lambda whole: concluded(decode_response(whole), request))
        return RunStreamDecoder(request, head)

    def concluded(self, completion: ChatCompletion, request: ChatRequest) -> None:
        """Say in the completion that its length was reached, which Cloudflare does not say."""
        concluded(completion, request)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request, its model empty. Raises `RequestValidationError`."""
        return decode_request(body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return encode_response(completion)

    def stream_encoder(self) -> RunStreamEncoder:
        """An encoder for one streamed answer."""
        return RunStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Cloudflare's envelope with its status."""
        return encode_error(error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CloudflareRunCodec)

    def __hash__(self) -> int:
        return hash(WIRE)
