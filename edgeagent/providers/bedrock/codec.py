"""The codec of Bedrock's Converse API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.bedrock.blocks import WIRE
from edgeagent.providers.bedrock.encoder import ConverseStreamEncoder
from edgeagent.providers.bedrock.errors import decode_error, encode_error
from edgeagent.providers.bedrock.inbound import decode_request
from edgeagent.providers.bedrock.models import bedrock_facts
from edgeagent.providers.bedrock.request import encode_request
from edgeagent.providers.bedrock.response import decode_response, encode_response
from edgeagent.providers.bedrock.stream import ConverseStreamDecoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["BedrockConverseCodec"]


class BedrockConverseCodec:
    """Pure functions between our model and Converse and ConverseStream; see `edgeagent.providers.base.ChatCodec`.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    """

    __slots__ = ()

    @property
    def wire(self) -> str:
        """`"bedrock.converse"`."""
        return WIRE

    def continues(self, model: str) -> bool:
        """See `edgeagent.providers.base.ChatCodec`."""
        claude = bedrock_facts(model).claude
        return claude is not None and claude.prefill

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for what this vendor or model has not."""
        return encode_request(request, model=model, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response)

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else ConverseStreamDecoder(request, head)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return encode_response(completion)

    def stream_encoder(self) -> ConverseStreamEncoder:
        """An encoder for one streamed answer."""
        return ConverseStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → the vendor's own JSON, header and status."""
        return encode_error(error)
