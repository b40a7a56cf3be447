"""Short ways to ask the codec, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.cloudflare import CloudflareRunCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPRequest, HTTPResponse

__all__ = ["CODEC", "asking", "completion", "encode", "events", "head", "refused", "streamed"]

CODEC = CloudflareRunCodec()
MODEL = "@cf/meta/llama-4-scout-17b-16e-instruct"
URL = f"https://api.cloudflare.com/client/v4/accounts/a/ai/run/{MODEL}"


def asking(**params: Any) -> ChatRequest:
    """A request with a user's word in it, unless `messages` says otherwise."""
    return ChatRequest.model_validate({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], **params})


def encode(*, stream: bool = False, **params: Any) -> Encoded:
    """The encoded request of these parameters."""
    return CODEC.encode_request(asking(**params), model=MODEL, stream=stream)


def refused(**params: Any) -> str | None:
    """The field that is named when these parameters are refused."""
    with pytest.raises(RequestValidationError) as caught:
        encode(**params)
    return caught.value.param


def head(content: bytes = b"", status: int = 200, **headers: str) -> HTTPResponse:
    """An answer of Cloudflare's."""
    return HTTPResponse(status, {"cf-ray": "9ae803f5-YUL", **headers}, content, HTTPRequest("POST", URL))


def completion(result: Any, **envelope: Any) -> ChatCompletion:
    """The completion of an answer with this result."""
    whole = {"result": result, "success": True, "errors": [], "messages": [], **envelope}
    return CODEC.decode_response(head(json.dumps(whole).encode()))


def events(*values: Any, done: bool = True) -> bytes:
    """Server-sent events as Cloudflare writes them."""
    data = b"".join(f"data: {json.dumps(value)}\n\n".encode() for value in values)
    return data + (b"data: [DONE]\n\n" if done else b"")


def streamed(data: bytes, **params: Any) -> list[ChatCompletionChunk]:
    """The chunks of a stream."""
    decoder = CODEC.stream_decoder(asking(**params), head())
    return decoder.feed(data) + decoder.end()
