"""Where llama.cpp's Anthropic endpoint differs from Anthropic's own."""

from __future__ import annotations

import json

from edgeagent.providers.anthropic.stream import MessageStreamDecoder
from edgeagent.types import ChatRequest
from edgeagent.types.assembly import assemble

EVENTS = [
    {"type": "message_start", "message": {"id": "a", "model": "m", "role": "assistant", "content": [], "usage": {}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "weather"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]


def test_a_streamed_call_may_begin_without_input() -> None:
    """Anthropic's blocks begin with `"input": {}`, llama.cpp's with none: the arguments come in deltas either way."""
    decoder = MessageStreamDecoder(ChatRequest(model="m", messages=[{"role": "user", "content": "x"}]))
    chunks = decoder.feed(b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in EVENTS))
    (choice,) = assemble([*chunks, *decoder.end()]).choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or ()
    assert call.function is not None
    assert (call.id, call.function.name, call.function.arguments) == ("t", "weather", '{"a":1}')
