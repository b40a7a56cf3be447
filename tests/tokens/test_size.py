"""Requests → their size."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.tokens import size_of
from edgeagent.tokens.size import IMAGE, SMALL_IMAGE
from edgeagent.types import AnyRequest, ChatRequest, EmbeddingRequest, ModerationRequest, RerankRequest

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def chat(content: Any = "four", **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=[{"role": "user", "content": content}], **more)


def characters(text: str) -> int:
    return len(text)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (chat(), 4),
        (chat([{"type": "text", "text": "four"}, {"type": "refusal", "refusal": "six123"}]), 10),
        (chat([{"type": "document", "source": {"type": "text", "text": "four"}}]), 8),
        (chat(documents=[{"snippet": "four"}]), 8),
        (EmbeddingRequest(model="m", input=["ab", "cde"]), 5),
        (EmbeddingRequest(model="m", input=[1, 2, 3]), 3),
        (EmbeddingRequest(model="m", input=[{"content": [{"type": "text", "text": "ab"}]}]), 2),
        (RerankRequest(model="m", query="ab", documents=["cd", {"text": "efg"}]), 7),
        (ModerationRequest(model="m", input="abc"), 3),
        (ModerationRequest(model="m", input=[{"type": "text", "text": "ab"}, {"type": "text", "text": "c"}]), 3),
    ],
)
def test_text(request_: AnyRequest, text: int) -> None:
    """Every text of every kind of request is counted, once."""
    size = size_of(request_, characters)
    assert size.text == text


def test_calls_of_an_earlier_turn() -> None:
    """Names and arguments of tool calls are part of the prompt."""
    call = {"id": "1", "type": "function", "function": {"name": "abc", "arguments": "{}"}}
    custom = {"id": "2", "type": "custom", "custom": {"name": "d", "input": "ef"}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call, custom]}
    older = {"role": "assistant", "content": None, "function_call": {"name": "g", "arguments": "h"}}
    size = size_of(ChatRequest(model="m", messages=[turn, older]), characters)
    assert (size.text, size.messages) == (10, 2)


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, IMAGE),
        ({"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}, SMALL_IMAGE),
        ({"type": "file", "file": {"file_id": "file-1"}}, IMAGE),
        ({"type": "file", "file": {"file_data": "A" * 400_000}}, 300_000 / 40),
        ({"type": "input_audio", "input_audio": {"data": "A" * 8000, "format": "mp3"}}, 3),
        ({"type": "video", "source": {"data": "AAAA"}}, IMAGE),
        ({"type": "gemini_part", "part": {"fileData": [{"fileUri": "gs://x"}]}}, IMAGE),
        ({"type": "x", "output": {"image": "data:image/png;base64,AAAA"}}, IMAGE),
    ],
)
def test_media(part: dict[str, Any], tokens: float) -> None:
    """Pictures, documents, sound and what a vendor's own part holds count as media, never as text."""
    size = size_of(chat([part]), characters)
    assert (size.media, size.text) == (tokens, 0)


def test_definitions() -> None:
    """Tools, older functions and the answer's schema are counted as JSON, apart from each other."""
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
    plain, tools = size_of(chat()), size_of(chat(tools=[TOOL], functions=[TOOL["function"]]))
    assert (tools.text, tools.tool_count, tools.schema) == (plain.text, 2, 0)
    assert tools.tools > 10
    assert tools.characters > plain.characters + 100
    wanted = size_of(chat(response_format=schema))
    assert (wanted.tools, wanted.tool_count) == (0, 0)
    assert wanted.schema > 5
    both = size_of(chat(response_format=schema, tools=[TOOL]))
    assert (both.schema, both.tool_count) == (wanted.schema, 1)
