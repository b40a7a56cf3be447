"""The codec of Anthropic's messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.errors import APIStatusError
from edgeagent.providers.anthropic.blocks import WIRE
from edgeagent.providers.anthropic.encoder import MessageStreamEncoder
from edgeagent.providers.anthropic.errors import decode_error, encode_error
from edgeagent.providers.anthropic.inbound import decode_request
from edgeagent.providers.anthropic.native import passed_to
from edgeagent.providers.anthropic.others import for_others
from edgeagent.providers.anthropic.outbound import message_of
from edgeagent.providers.anthropic.request import API_VERSION, encode_request
from edgeagent.providers.anthropic.response import decode_response
from edgeagent.providers.anthropic.stream import MessageStreamDecoder
from edgeagent.providers.base import Encoded, StreamDecoder
from edgeagent.providers.claude import UNKNOWN, model_facts
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["AnthropicMessagesCodec"]


class AnthropicMessagesCodec:
    """Pure functions between our model and `POST /v1/messages`; see `edgeagent.providers.base.ChatCodec`.

    https://platform.claude.com/docs/en/api/messages
    """

    __slots__ = ()

    @property
    def wire(self) -> str:
        """`"anthropic.messages"`."""
        return WIRE

    def continues(self, model: str) -> bool:
        """See `edgeagent.providers.base.ChatCodec`."""
        facts = model_facts(model)
        return facts.prefill and facts is not UNKNOWN

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError` for what this vendor or model has not."""
        return encode_request(request, model=model, stream=stream)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or the error that a 200 hides."""
        return decode_response(response)

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else MessageStreamDecoder(request)

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
        return message_of(completion)

    def stream_encoder(self) -> MessageStreamEncoder:
        """An encoder for one streamed answer."""
        return MessageStreamEncoder()

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"type": "error", …}` with its status."""
        return encode_error(error)

    @property
    def is_dialect(self) -> bool:
        """False: its servers read it alike."""
        return False

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """A caller's own body for `model`; the version is ours unless the caller's header fields say another."""
        copy, edits = passed_to(model, body, stream=stream)
        return Encoded(copy, {"anthropic-version": API_VERSION}, edits=tuple(edits))

    def native_filter(self, body: Mapping[str, Any]) -> None:
        """Nothing is in a stream that was not asked for."""

    def native_document(self, stream: bytes) -> bytes | None:
        """None: the events do not tell it exactly."""
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnthropicMessagesCodec)

    def __hash__(self) -> int:
        return hash(WIRE)
