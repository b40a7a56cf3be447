"""The codec of Cohere's chat API, version 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.cohere.blocks import WIRE
from edgeagent.providers.cohere.encoder import ChatStreamEncoder, answer_of
from edgeagent.providers.cohere.errors import decode_error, encode_error
from edgeagent.providers.cohere.inbound import decode_request
from edgeagent.providers.cohere.request import encode_request
from edgeagent.providers.cohere.response import decode_response
from edgeagent.providers.cohere.stream import ChatStreamDecoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["CohereChatCodec"]


class CohereChatCodec:
    """Pure functions between our model and `POST /v2/chat`; see `edgeagent.providers.base.ChatCodec`.

    `model` is what is asked: answers do not name theirs.

    https://docs.cohere.com/v2/reference/chat
    """

    __slots__ = ("_model",)

    def __init__(self, model: str = "") -> None:
        self._model = model

    @property
    def wire(self) -> str:
        """`"cohere.chat_v2"`."""
        return WIRE

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for what this vendor has not."""
        return encode_request(request, model=model, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response, model=self._model)

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        if is_json(head):
            return DocumentDecoder(head, self.decode_response)
        return ChatStreamDecoder(self._model or request.model)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return answer_of(completion)

    def stream_encoder(self) -> ChatStreamEncoder:
        """An encoder for one streamed answer."""
        return ChatStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"id", "message"}` with its status."""
        return encode_error(error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CohereChatCodec)

    def __hash__(self) -> int:
        return hash(WIRE)
