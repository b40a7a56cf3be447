"""Short ways to ask the codec, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.bedrock import BedrockConverseCodec
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.bedrock.reading import frame

__all__ = ["CLAUDE", "CODEC", "LLAMA", "NOVA", "answered", "asking", "encode", "framed", "refused", "streamed"]

CODEC = BedrockConverseCodec()
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA = "us.meta.llama4-maverick-17b-instruct-v1:0"
USER = {"role": "user", "content": "Hi"}


def asking(**params: Any) -> ChatRequest:
    """A request with a user's word in it, unless `messages` says otherwise."""
    return ChatRequest.model_validate({"model": "m", "messages": [USER], **params})


def encode(model: str = CLAUDE, *, stream: bool = False, **params: Any) -> Encoded:
    """The encoded request of these parameters."""
    return CODEC.encode_request(asking(**params), model=model, stream=stream)


def refused(model: str = CLAUDE, **params: Any) -> str | None:
    """The field that is named when these parameters are refused."""
    with pytest.raises(RequestValidationError) as caught:
        encode(model, **params)
    return caught.value.param


def answered(*blocks: dict[str, Any], stop: str = "end_turn", **fields: Any) -> ChatCompletion:
    """The completion of an answer with these blocks."""
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    output = {"message": {"role": "assistant", "content": list(blocks)}}
    body = {"output": output, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 1}, **fields}
    return CODEC.decode_response(HTTPResponse(200, content=json.dumps(body).encode()))


def framed(*events: tuple[str, dict[str, Any]]) -> bytes:
    """The bytes of these events."""
    return b"".join(
        frame(json.dumps(event).encode(), event_type=name, content_type="application/json", message_type="event")
        for name, event in events
    )


def streamed(*events: tuple[str, dict[str, Any]], request: ChatRequest | None = None) -> ChatCompletion:
    """The completion of a stream of these events, with start and end."""
    end = [("messageStop", {"stopReason": "end_turn"}), ("metadata", {"usage": {}, "metrics": {"latencyMs": 1}})]
    decoder = CODEC.stream_decoder(request or asking())
    chunks = decoder.feed(framed(("messageStart", {"role": "assistant"}), *events, *end))
    assert decoder.finished
    return assemble(chunks + decoder.end())
