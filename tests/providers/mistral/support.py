"""Short ways to ask the codec, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.mistral import MistralChatCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse

__all__ = ["CODEC", "MODEL", "USER", "answer", "asking", "chunk", "decoded", "encode", "refused", "sse", "streamed"]

CODEC = MistralChatCodec()
MODEL = "mistral-small-latest"
USER = {"role": "user", "content": "Hi"}


def asking(**params: Any) -> ChatRequest:
    """A request with a user's word in it, unless `messages` says otherwise."""
    return ChatRequest.model_validate({"model": MODEL, "messages": [USER], **params})


def encode(*, stream: bool = False, **params: Any) -> Encoded:
    """The encoded request of these parameters."""
    return CODEC.encode_request(asking(**params), model=MODEL, stream=stream)


def refused(**params: Any) -> str | None:
    """The field that is named when these parameters are refused."""
    with pytest.raises(RequestValidationError) as caught:
        encode(**params)
    return caught.value.param


def answer(message: dict[str, Any], finish: str | None = "stop", **fields: Any) -> dict[str, Any]:
    """An answer of the vendor's with one choice."""
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    top = {"id": "a1", "object": "chat.completion", "created": 7, "model": MODEL}
    return {**top, "choices": [choice], "usage": usage, **fields}


def decoded(value: Any) -> ChatCompletion:
    """The completion of a whole answer."""
    return CODEC.decode_response(HTTPResponse(200, content=json.dumps(value).encode()))


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    """A chunk of the vendor's with one choice."""
    top = {"id": "a1", "object": "chat.completion.chunk", "created": 7, "model": MODEL}
    return {**top, "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **fields}


def sse(*values: Any, done: bool = True) -> bytes:
    """Server-sent events as the vendor writes them."""
    data = b"".join(f"data: {json.dumps(value)}\n\n".encode() for value in values)
    return data + b"data: [DONE]\n\n" if done else data


def streamed(*values: Any) -> tuple[list[ChatCompletionChunk], ChatCompletion]:
    """The chunks of a stream of these events, and the completion they say."""
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(sse(*values))
    assert decoder.finished
    assert decoder.end() == []
    return chunks, assemble(chunks)
