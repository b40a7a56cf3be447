"""Short ways to ask the codec, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.ollama import OllamaChatCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["CODEC", "answer", "asking", "completion", "encode", "lines", "refused", "streamed"]

CODEC = OllamaChatCodec()
USER = {"role": "user", "content": "Hi"}


def asking(**params: Any) -> ChatRequest:
    """A request with a user's word in it, unless `messages` says otherwise."""
    return ChatRequest.model_validate({"model": "qwen3:4b", "messages": [USER], **params})


def encode(*, stream: bool = False, **params: Any) -> Encoded:
    """The encoded request of these parameters."""
    return CODEC.encode_request(asking(**params), model="qwen3:4b", stream=stream)


def refused(**params: Any) -> str | None:
    """The field that is named when these parameters are refused."""
    with pytest.raises(RequestValidationError) as caught:
        encode(**params)
    return caught.value.param


def answer(message: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """One of Ollama's answers."""
    whole = {"model": "qwen3:4b", "created_at": "2026-01-02T03:04:05.678Z", "done": True, "done_reason": "stop"}
    return {**whole, "message": {"role": "assistant", "content": "Hello", **(message or {})}, **fields}


def completion(message: dict[str, Any] | None = None, **fields: Any) -> ChatCompletion:
    """The completion of such an answer."""
    return CODEC.decode_response(HTTPResponse(200, content=json.dumps(answer(message, **fields)).encode()))


def lines(*documents: dict[str, Any]) -> bytes:
    """The lines of a stream."""
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def streamed(data: bytes) -> list[ChatCompletionChunk]:
    """The chunks of a stream."""
    decoder = CODEC.stream_decoder(asking())
    return decoder.feed(data) + decoder.end()
