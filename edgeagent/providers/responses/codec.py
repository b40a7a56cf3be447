"""The codec of OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.providers.openai.errors import decode_error, encode_error
from edgeagent.providers.responses.echo import echo_of
from edgeagent.providers.responses.encoder import ResponseStreamEncoder
from edgeagent.providers.responses.inbound import decode_request
from edgeagent.providers.responses.items import WIRE
from edgeagent.providers.responses.native import document_of, encode_native
from edgeagent.providers.responses.others import for_others
from edgeagent.providers.responses.outbound import response_of
from edgeagent.providers.responses.replay import stream_of
from edgeagent.providers.responses.request import encode_request
from edgeagent.providers.responses.response import decode_response
from edgeagent.providers.responses.stream import ResponseStreamDecoder
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["ResponsesCodec"]


class ResponsesCodec:
    """Pure functions between our model and `POST /responses`; see `edgeagent.providers.base.ChatCodec`.

    https://platform.openai.com/docs/api-reference/responses

    Args:
        own: whether this is OpenAI's own server (or Azure's): numbers are refused outside the ranges that it documents,
            and errors are read by code alone. Other servers have ranges and words of their own.
        asked: the body of the one request that is answered with this codec; what answers repeat of it.
    """

    __slots__ = ("_asked", "_own")

    def __init__(self, *, own: bool = True, asked: Mapping[str, Any] | None = None) -> None:
        self._own = own
        self._asked = asked

    @property
    def wire(self) -> str:
        """`"openai.responses"`."""
        return WIRE

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for what this API cannot be asked."""
        return encode_request(request, model=model, stream=stream, own=self._own)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response)

    def stream_decoder(
        self,
        request: ChatRequest,
        head: HTTPResponse | None = None,
    ) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else ResponseStreamDecoder()

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response, lenient=not self._own)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return response_of(completion, self._echo())

    def stream_encoder(self) -> ResponseStreamEncoder:
        """An encoder for one streamed answer."""
        return ResponseStreamEncoder(self._echo())

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": {…}}` with its status."""
        return encode_error(error)

    @property
    def is_dialect(self) -> bool:
        """False: who asks a server in this format writes what that server takes, which may be more than OpenAI does."""
        return False

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """A caller's own body for `model`."""
        return encode_native(body, model=model, stream=stream)

    def for_others(self, request: ChatRequest, body: Mapping[str, Any]) -> tuple[ChatRequest, tuple[str, ...]]:
        """The request for a vendor that has only chat. Raises `RequestValidationError` for what it cannot do."""
        return for_others(request, body)

    def native_filter(self, body: Mapping[str, Any]) -> None:
        """Nothing is in a stream that was not asked for."""

    def native_document(self, stream: bytes) -> bytes | None:
        """The response in the stream's last event, with the items that came before it."""
        return document_of(stream)

    def native_stream(self, document: bytes) -> bytes:
        """The events that tell a response."""
        return stream_of(from_json(document))

    def _echo(self) -> dict[str, Any]:
        return {} if self._asked is None else echo_of(self._asked)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResponsesCodec) and (other._own, other._asked) == (self._own, self._asked)

    def __hash__(self) -> int:
        return hash((WIRE, self._own))
