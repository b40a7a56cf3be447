"""The codec of OpenAI's chat completions, for OpenAI itself and for every API of its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.providers.openai.adapting import modern_logprobs
from edgeagent.providers.openai.errors import decode_error, encode_error
from edgeagent.providers.openai.native import UsageFilter, asks_usage, encode_native
from edgeagent.providers.openai.quirks import OWN, Quirks
from edgeagent.providers.openai.request import decode_request, encode_request
from edgeagent.providers.openai.response import decode_response, encode_response
from edgeagent.providers.openai.stream import ChatStreamDecoder, ChatStreamEncoder
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["WIRE", "OpenAIChatCodec"]

WIRE: Final = "openai.chat"


class OpenAIChatCodec:
    """Pure functions between our model and `POST /chat/completions`; see `edgeagent.providers.base.ChatCodec`.

    https://platform.openai.com/docs/api-reference/chat
    """

    __slots__ = ("_quirks",)

    takes_functions = True

    def __init__(self, quirks: Quirks = OWN) -> None:
        self._quirks = quirks

    @property
    def wire(self) -> str:
        """`"openai.chat"`."""
        return WIRE

    def continues(self, _: str) -> bool:
        """See `edgeagent.providers.base.ChatCodec`."""
        return self._quirks.continues

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for numbers out of range."""
        return encode_request(request, self._quirks, model=model, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response, lenient=self._quirks.lenient, think=self._quirks.think_tags)

    def stream_decoder(
        self,
        request: ChatRequest,
        head: HTTPResponse | None = None,
    ) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        if is_json(head):
            return DocumentDecoder(head, self.decode_response)
        return ChatStreamDecoder(lenient=self._quirks.lenient, think=self._quirks.think_tags)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response, lenient=self._quirks.lenient)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(modern_logprobs(body) if self._quirks.logprobs_number else body)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return encode_response(completion)

    def stream_encoder(self) -> ChatStreamEncoder:
        """An encoder for one streamed answer."""
        return ChatStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": {…}}` with its status."""
        return encode_error(error)

    @property
    def is_dialect(self) -> bool:
        """Whether it is another server's than OpenAI's own."""
        return self._quirks.lenient

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """A caller's own body for `model`."""
        return encode_native(
            body, model=model, stream=stream, stream_options=self._quirks.stream_options, reasoning=self._quirks.lenient
        )

    def native_filter(self, body: Mapping[str, Any]) -> UsageFilter | None:
        """What hides the usage from a caller who did not ask for it."""
        return None if asks_usage(body) else UsageFilter()

    def native_document(self, stream: bytes) -> bytes | None:
        """None: chunks do not tell it exactly."""
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpenAIChatCodec) and other._quirks == self._quirks

    def __hash__(self) -> int:
        return hash((WIRE, self._quirks))
