"""Messages in the conventions' JSON, by their schemas (gen-ai-input-messages.json, gen-ai-output-messages.json)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.telemetry.content import input_messages, output_messages
from edgeagent.types import ChatCompletion

PIXEL = "iVBORw0KGgo="

PARTS = [
    pytest.param({"type": "text", "text": "a"}, {"type": "text", "content": "a"}, id="text"),
    pytest.param(
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL},
        id="data URL",
    ),
    pytest.param(
        {"type": "image_url", "image_url": {"url": f"data:,{PIXEL}"}},
        {"type": "blob", "modality": "image", "mime_type": None, "content": PIXEL},
        id="data URL without a type",
    ),
    pytest.param(
        {"type": "image_url", "image_url": {"url": "https://example.org/a,b.png"}},
        {"type": "uri", "modality": "image", "uri": "https://example.org/a,b.png"},
        id="URL",
    ),
    pytest.param(
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklGRg=="},
        id="audio",
    ),
    pytest.param(
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "modality": "document", "file_id": "file-1"},
        id="file by id",
    ),
    pytest.param(
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "JVBERi0="},
        id="file by data",
    ),
    pytest.param({"type": "refusal", "refusal": "no"}, {"type": "refusal", "refusal": "no"}, id="another part"),
    pytest.param({"type": "image_url", "image_url": "x"}, {"type": "image_url", "image_url": "x"}, id="ill-formed"),
    pytest.param({"text": "a"}, {"text": "a", "type": "None"}, id="no type: the schema wants one"),
]


@pytest.mark.parametrize(("part", "expected"), PARTS)
def test_parts(part: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each content part has its form in the schema; an unknown one is a generic part."""
    text = input_messages([{"role": "user", "content": [part]}])
    assert json.loads(text) == [{"role": "user", "parts": [expected]}]


CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"where": "here"}'}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            {"role": "system", "content": "be brief"},
            {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
            id="system",
        ),
        pytest.param(
            {"role": "user", "name": "Ann", "content": ""},
            {"role": "user", "parts": [{"type": "text", "content": ""}], "name": "Ann"},
            id="name",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_1", "name": "look", "arguments": {"where": "here"}}],
            },
            id="tool call",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"name": "sql", "input": "select"}}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "name": "sql", "arguments": "select"}]},
            id="custom tool call without an id, its input no JSON",
        ),
        pytest.param(
            {"role": "assistant", "function_call": {"name": "look", "arguments": "{"}},
            {"role": "assistant", "parts": [{"type": "tool_call", "name": "look", "arguments": "{"}]},
            id="older function call, cut off",
        ),
        pytest.param(
            {"role": "tool", "tool_call_id": "call_1", "content": "found"},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "found"}]},
            id="tool result",
        ),
        pytest.param(
            {"role": "function", "name": "look", "content": "found"},
            {
                "role": "function",
                "parts": [{"type": "tool_call_response", "id": "look", "response": "found"}],
                "name": "look",
            },
            id="older function result",
        ),
        pytest.param(
            {"role": "assistant", "reasoning_content": "hm", "content": "a", "refusal": "no"},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "text", "content": "a"},
                    {"type": "refusal", "content": "no"},
                ],
            },
            id="reasoning and refusal",
        ),
        pytest.param({"content": ["a"]}, {"role": "None", "parts": []}, id="ill-formed"),
    ],
)
def test_messages(message: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each kind of message has its form in the schema."""
    assert json.loads(input_messages([message])) == [expected]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_call"),
        ("function_call", "tool_call"),
        (None, "error"),
    ],
)
def test_output(reason: str | None, expected: str) -> None:
    """One message for each choice, with the schema's word for why it ended."""
    choices = [{"index": i, "message": {"content": str(i)}, "finish_reason": reason} for i in range(2)]
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": choices})
    assert json.loads(output_messages(completion)) == [
        {"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": expected}
        for text in ("0", "1")
    ]
