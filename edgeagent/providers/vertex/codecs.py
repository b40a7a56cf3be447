"""The other vendors' wire formats as Vertex AI has them: their bodies, and errors of Google's or of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import APIStatusError
from edgeagent.providers.anthropic.blocks import WIRE
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.anthropic.native import drop_unsigned
from edgeagent.providers.base import Encoded
from edgeagent.providers.gemini.errors import decode_error as decode_google_error
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["ANTHROPIC_VERSION", "VertexAnthropicCodec", "VertexOpenAICodec"]

ANTHROPIC_VERSION: Final = "vertex-2023-10-16"


class VertexAnthropicCodec(AnthropicMessagesCodec):
    """Anthropic's messages with the version in the body and the model in the URL.

    https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
    """

    __slots__ = ()

    def continues(self, model: str) -> bool:
        """See `edgeagent.providers.base.ChatCodec`."""
        return super().continues(_name(model))

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`. Raises `RequestValidationError`."""
        encoded = super().encode_request(request, model=_name(model), stream=stream)
        body = {"anthropic_version": ANTHROPIC_VERSION, **encoded.body}
        body.pop("model", None)
        headers = {field: value for field, value in encoded.headers.items() if field != "anthropic-version"}
        return Encoded(body, headers, encoded.dropped, encoded.edits, encoded.promises)

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """A caller's own body, with the version in it and the model in the URL."""
        copy = {"anthropic_version": ANTHROPIC_VERSION, **body}
        moved = copy.pop("model", None) is not None
        if bool(copy.get("stream")) != stream:
            copy["stream"] = stream
        edits = ["model sent in the URL"] if moved else []
        return Encoded(copy, edits=(*edits, *drop_unsigned(copy, _name(model))))

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request; its model is in the URL, so it may be empty. Raises `RequestValidationError`."""
        rest = {name: value for name, value in body.items() if name != "anthropic_version"}
        return super().decode_request({"model": "", **rest})

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """Anthropic's error, or Google's where Google answered. Never raises."""
        return decode_google_error(response) if is_google_error(response) else super().decode_error(response)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VertexAnthropicCodec)

    def __hash__(self) -> int:
        return hash((WIRE, "vertex"))


class VertexOpenAICodec(OpenAIChatCodec):
    """OpenAI's chat completions with Google's errors."""

    __slots__ = ()

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """OpenAI's error, or Google's. Never raises."""
        return decode_google_error(response) if is_google_error(response) else super().decode_error(response)


def _name(model: str) -> str:
    """Without the path before it: a project may be called as another model is."""
    return model.rpartition("/")[2]


def is_google_error(response: HTTPResponse) -> bool:
    """Whether the error has Google's form: a number for its code and a status in words, perhaps in an array."""
    try:
        document = from_json(response.content)
    except ValueError:
        return False
    if isinstance(document, list):
        document = document[0] if document else None
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and isinstance(error.get("code"), int) and isinstance(error.get("status"), str)
