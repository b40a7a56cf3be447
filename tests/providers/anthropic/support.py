"""Short ways to ask the codec, for the tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic import AnthropicMessagesCodec
from edgeagent.providers.base import Encoded
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "CODEC",
    "MODEL",
    "asking",
    "completion",
    "encode",
    "events",
    "message",
    "parsed_events",
    "refused",
    "streamed",
    "text_stream",
]

CODEC = AnthropicMessagesCodec()
MODEL = "claude-sonnet-4-6"
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


def message(*blocks: dict[str, Any], stop: str | None = "end_turn", **fields: Any) -> dict[str, Any]:
    """A message of the vendor's."""
    usage = {"input_tokens": 10, "output_tokens": 5}
    body = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": list(blocks)}
    return {**body, "stop_reason": stop, "stop_sequence": None, "usage": usage, **fields}


def completion(*blocks: dict[str, Any], **fields: Any) -> ChatCompletion:
    """The completion of a message with these blocks."""
    return CODEC.decode_response(HTTPResponse(200, content=json.dumps(message(*blocks, **fields)).encode()))


def events(*values: dict[str, Any]) -> bytes:
    """Server-sent events as the vendor writes them."""
    return b"".join(f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode() for value in values)


def parsed_events(data: bytes) -> list[dict[str, Any]]:
    """The data of a stream's events."""
    return [json.loads(line[6:]) for line in data.decode().split("\n") if line.startswith("data: ")]


def text_stream(*blocks: list[dict[str, Any]], stop: str = "end_turn", **usage: int) -> list[dict[str, Any]]:
    """The events of a stream; each block is its first content and then its deltas."""
    start = {**message(stop=None), "usage": {"input_tokens": 10, "output_tokens": 1}}
    result: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, (first, *deltas) in enumerate(blocks):
        result.append({"type": "content_block_start", "index": index, "content_block": first})
        result += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        result.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": stop, "stop_sequence": None}
    result.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 5, **usage}})
    return [*result, {"type": "message_stop"}]


def streamed(
    *values: dict[str, Any], request: ChatRequest | None = None
) -> tuple[list[ChatCompletionChunk], ChatCompletion]:
    """The chunks of a stream of these events, and the completion they say."""
    decoder = CODEC.stream_decoder(request or asking())
    chunks = decoder.feed(events(*values))
    assert decoder.finished
    assert decoder.end() == []
    return chunks, assemble(chunks)
