"""The codec of Hugging Face's text generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.providers.huggingface.answer import WIRE, decode_response, encode_response
from edgeagent.providers.huggingface.errors import decode_error, encode_error
from edgeagent.providers.huggingface.request import decode_request, encode_request
from edgeagent.providers.huggingface.stream import TextStreamDecoder, TextStreamEncoder
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["HuggingFaceInferenceCodec"]


class HuggingFaceInferenceCodec:
    """Pure functions between our model and `POST /models/{model}`; see `edgeagent.providers.base.ChatCodec`.

    https://huggingface.co/docs/inference-providers/tasks/text-generation
    """

    __slots__ = ()

    @property
    def wire(self) -> str:
        """`"huggingface.inference"`."""
        return WIRE

    def encode_request(
        self,
        request: ChatRequest,
        *,
        model: str,  # the address names it, not the body
        stream: bool,
    ) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for what is no one text."""
        return encode_request(request, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response)

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else TextStreamDecoder(request, head)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request, its model empty. Raises `RequestValidationError`."""
        return decode_request(body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return encode_response(completion)

    def stream_encoder(self) -> TextStreamEncoder:
        """An encoder for one streamed answer."""
        return TextStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Cloudflare's envelope with its status."""
        return encode_error(error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HuggingFaceInferenceCodec)

    def __hash__(self) -> int:
        return hash(WIRE)
