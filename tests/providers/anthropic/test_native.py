"""A body of Anthropic's format passed on: what another vendor's answer left in the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.providers.vertex.codecs import VertexAnthropicCodec
from tests.providers.anthropic.support import CODEC

USER = {"role": "user", "content": "?"}
TEXT = {"type": "text", "text": "A"}
USE = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
EDIT = "thinking without a signature left out of messages"


def thought(signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": "hm", "signature": signature}


def said(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([USER, said(thought(""), TEXT, USE), USER], [USER, said(TEXT, USE), USER]),
        ([USER, said(thought("")), USER], [USER, USER]),
        ([USER, said(thought("sig"), thought(""), TEXT)], [USER, said(thought("sig"), TEXT)]),
        ([USER, said(thought("sig"), TEXT), USER], None),
        ([USER, {"role": "assistant", "content": "A"}, "odd", said("odd")], None),
        ("odd", None),
    ],
)
def test_thinking_that_nobody_signed_is_not_for_claude(messages: Any, sent: Any) -> None:
    """Another vendor's reasoning has none: Claude refuses it, other servers of the format take what was theirs."""
    body = {"model": "m", "max_tokens": 9, "messages": messages}
    encoded = CODEC.encode_native(body, model="claude-opus-4-5", stream=False)
    assert encoded.body["messages"] == (messages if sent is None else sent)
    assert (EDIT in encoded.edits) is (sent is not None)
    vertex = VertexAnthropicCodec().encode_native(body, model="anthropic/claude-opus-4-5", stream=False)
    assert (vertex.body["messages"], EDIT in vertex.edits) == (encoded.body["messages"], sent is not None)
    assert CODEC.encode_native(body, model="deepseek-chat", stream=False).body["messages"] == messages
