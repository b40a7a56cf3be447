"""The codec of Google's generateContent, for the Gemini API and for Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.gemini.encoder import GenerateStreamEncoder
from edgeagent.providers.gemini.errors import decode_error, encode_error
from edgeagent.providers.gemini.framing import events_of
from edgeagent.providers.gemini.inbound import decode_request
from edgeagent.providers.gemini.names import FINISH_NUMBERS, FINISH_NUMBERS_VERTEX
from edgeagent.providers.gemini.native import signed
from edgeagent.providers.gemini.others import for_others
from edgeagent.providers.gemini.outbound import answer_of
from edgeagent.providers.gemini.parts import WIRE
from edgeagent.providers.gemini.request import encode_request
from edgeagent.providers.gemini.response import decode_response
from edgeagent.providers.gemini.stream import GenerateStreamDecoder
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["GeminiCodec"]


class GeminiCodec:
    """Pure functions between our model and `models/…:generateContent`; see `edgeagent.providers.base.ChatCodec`.

    https://ai.google.dev/api/generate-content

    Args:
        vertex: it is Vertex AI's form of the API: other numbers of enumerations, no service tiers.
    """

    __slots__ = ("_numbers", "_vertex")

    def __init__(self, *, vertex: bool = False) -> None:
        self._vertex = vertex
        self._numbers = FINISH_NUMBERS_VERTEX if vertex else FINISH_NUMBERS

    @property
    def wire(self) -> str:
        """`"google.generate"`."""
        return WIRE

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`; the URL says whether it streams. Raises `RequestValidationError`."""
        return encode_request(request, model=model, vertex=self._vertex)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response, self._numbers)

    def stream_decoder(
        self,
        request: ChatRequest,
        head: HTTPResponse | None = None,  # the first byte tells what it is
    ) -> GenerateStreamDecoder:
        """A decoder for one streamed answer: events, or one JSON array, or a single answer all the same."""
        return GenerateStreamDecoder(self._numbers)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request. Raises `RequestValidationError`."""
        return decode_request(body)

    def for_others(
        self,
        request: ChatRequest,
        body: Mapping[str, Any],
    ) -> tuple[ChatRequest, tuple[str, ...]]:
        """The decoded request as any codec takes it, and the names of what was dropped."""
        return for_others(request)

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer."""
        return answer_of(completion)

    def stream_encoder(self) -> GenerateStreamEncoder:
        """An encoder for one streamed answer, as server-sent events."""
        return GenerateStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": {…}}` with its status."""
        return encode_error(error)

    @property
    def is_dialect(self) -> bool:
        """False: the Gemini API and Vertex AI read it alike but for a few fields."""
        return False

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """A caller's own body; the URL says which model is asked, and whether it streams."""
        copy, edits = signed(body, model)
        return Encoded(copy, edits=edits)

    def native_filter(self, body: Mapping[str, Any]) -> None:
        """Nothing is in a stream that was not asked for."""

    def native_document(self, stream: bytes) -> bytes | None:
        """None: the pieces do not tell it exactly."""
        return None

    def native_stream(self, document: bytes) -> bytes | None:
        """A whole answer as the only event of a stream: each event is an answer of its own."""
        return events_of(document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GeminiCodec) and other._vertex == self._vertex

    def __hash__(self) -> int:
        return hash((WIRE, self._vertex))
