"""Short ways to ask the codec, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.cohere import CohereChatCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse

__all__ = ["CODEC", "MODEL", "USER", "answer", "asking", "decoded", "encode", "refused", "sse", "streamed", "told"]

CODEC = CohereChatCodec()
MODEL = "command-a-reasoning-08-2025"
USER = {"role": "user", "content": "Hi"}


def asking(**params: Any) -> ChatRequest:
    """A request with a user's word in it, unless `messages` says otherwise."""
    return ChatRequest.model_validate({"model": MODEL, "messages": [USER], **params})


def encode(model: str = MODEL, *, stream: bool = False, **params: Any) -> Encoded:
    """The encoded request of these parameters."""
    return CODEC.encode_request(asking(**params), model=model, stream=stream)


def refused(model: str = MODEL, **params: Any) -> str | None:
    """The field that is named when these parameters are refused."""
    with pytest.raises(RequestValidationError) as caught:
        encode(model, **params)
    return caught.value.param


def answer(message: dict[str, Any], finish: str | None = "COMPLETE", **fields: Any) -> dict[str, Any]:
    """An answer of the vendor's."""
    tokens = {"input_tokens": 500, "output_tokens": 3}
    usage = {"billed_units": {"input_tokens": 5, "output_tokens": 3}, "tokens": tokens}
    message = {"role": "assistant", **message}
    return {"id": "a1", "message": message, "finish_reason": finish, "usage": usage, **fields}


def decoded(value: Any) -> ChatCompletion:
    """The completion of a whole answer."""
    return CODEC.decode_response(HTTPResponse(200, content=json.dumps(value).encode()))


def told(kind: str, message: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """An event of the vendor's, with a message in its delta."""
    delta = {} if message is None else {"delta": {"message": message}}
    return {"type": kind, **delta, **fields}


def sse(*values: dict[str, Any]) -> bytes:
    """Server-sent events as the vendor writes them."""
    return b"".join(f"event: {value.get('type')}\ndata: {json.dumps(value)}\n\n".encode() for value in values)


def streamed(*values: dict[str, Any], finish: str = "COMPLETE") -> tuple[list[ChatCompletionChunk], ChatCompletion]:
    """The chunks of a stream of these events between its beginning and end, and the completion they say."""
    start = told("message-start", {"role": "assistant"}, id="a1")
    usage = {"tokens": {"input_tokens": 500, "output_tokens": 3}}
    end = {"type": "message-end", "delta": {"finish_reason": finish, "usage": usage}}
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(sse(start, *values, end))
    assert decoder.finished
    assert decoder.end() == []
    return chunks, assemble(chunks)
