"""The codecs of Ollama's chat API, and of its older generate API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.providers.ollama.answer import WIRE
from edgeagent.providers.ollama.errors import decode_error, encode_error
from edgeagent.providers.ollama.generate import chat_answer, chat_body, generate_answer, generate_body
from edgeagent.providers.ollama.inbound import decode_request
from edgeagent.providers.ollama.outbound import AnswerStreamEncoder, answer_of
from edgeagent.providers.ollama.request import encode_request
from edgeagent.providers.ollama.response import decode_response
from edgeagent.providers.ollama.stream import AnswerStreamDecoder
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["OllamaChatCodec", "OllamaGenerateCodec"]


class OllamaChatCodec:
    """Pure functions between our model and `POST /api/chat`; see `edgeagent.providers.base.ChatCodec`.

    https://docs.ollama.com/api/chat
    """

    __slots__ = ()

    @property
    def wire(self) -> str:
        """`"ollama.chat"`."""
        return WIRE

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for what Ollama has not."""
        return encode_request(request, model=model, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response)

    def stream_decoder(
        self,
        request: ChatRequest,
        head: HTTPResponse | None = None,
    ) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else AnswerStreamDecoder()

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return answer_of(completion)

    def stream_encoder(self) -> AnswerStreamEncoder:
        """An encoder for one streamed answer."""
        return AnswerStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": "…"}` with its status."""
        return encode_error(error)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(self.wire)


class OllamaGenerateCodec(OllamaChatCodec):
    """The same for `POST /api/generate`: one prompt, no tools. https://docs.ollama.com/api/generate."""

    __slots__ = ()

    @property
    def wire(self) -> str:
        """`"ollama.generate"`."""
        return "ollama.generate"

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for a conversation."""
        encoded = encode_request(request, model=model, stream=stream)
        return replace(encoded, body=generate_body(encoded.body))

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response, chat_answer)

    def stream_decoder(
        self,
        request: ChatRequest,
        head: HTTPResponse | None = None,
    ) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else AnswerStreamDecoder(chat_answer)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(chat_body(body))

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return generate_answer(answer_of(completion))

    def stream_encoder(self) -> AnswerStreamEncoder:
        """An encoder for one streamed answer."""
        return AnswerStreamEncoder(generate_answer)
