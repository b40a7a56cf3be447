"""Anthropic's bodies as our requests: for other vendors in OpenAI's form, for this one without loss."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.calls import RAW_ARGUMENTS
from edgeagent.types import ChatRequest
from tests.providers.anthropic.reading import normal_body
from tests.providers.anthropic.support import CODEC, MODEL

CACHE = {"type": "ephemeral"}
HI = {"role": "user", "content": "Hi"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 5, "messages": list(messages or (HI,)), **fields}


def read(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return CODEC.decode_request(body(*messages, **fields))


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


@pytest.mark.parametrize(
    ("fields", "params"),
    [
        ({}, {}),
        ({"stream": True}, {"stream": True}),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}),
        ({"stop_sequences": ["a"]}, {"stop": ["a"]}),
        ({"stop_sequences": []}, {}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"metadata": {"user_id": "u", "more": 1}}, {"user": "u", "metadata": {"more": 1}}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"top_k": 4, "container": None}, {"top_k": 4}),
        ({"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}, "reasoning_effort": "none"}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 5000}},
            {"thinking": {"type": "enabled", "budget_tokens": 5000}, "reasoning_effort": "medium"},
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 99_000}},
            {"thinking": {"type": "enabled", "budget_tokens": 99_000}, "reasoning_effort": "xhigh"},
        ),
        ({"thinking": {"type": "enabled"}}, {"thinking": {"type": "enabled"}}),
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}, "reasoning_effort": "high"}),
        ({"output_config": {"effort": "low"}}, {"output_config": {"effort": "low"}, "reasoning_effort": "low"}),
        ({"tool_choice": {"type": "any"}}, {"tool_choice": "required"}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": "none"}),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
        (
            {"tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": False}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": True},
        ),
        ({"tools": []}, {}),
    ],
)
def test_parameters(fields: dict[str, Any], params: dict[str, Any]) -> None:
    """Parameters in OpenAI's form where they have one; the vendor's own are kept under their names."""
    request = read(**fields)
    assert request.params() == {"model": MODEL, "max_completion_tokens": 5, "messages": [HI], **params}


@pytest.mark.parametrize("field", ["output_format", "output_config"])
def test_structured_output(field: str) -> None:
    """Both places of the schema are a response_format."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    form = {"type": "json_schema", "schema": schema}
    request = read(**{field: form if field == "output_format" else {"format": form}})
    assert request.response_format == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert request.model_extra == {}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (
            {
                "name": "f",
                "description": "d",
                "input_schema": {"type": "object"},
                "strict": True,
                "cache_control": CACHE,
            },
            {
                "type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
                "cache_control": CACHE,
            },
        ),
        (
            {"type": "custom", "name": "f", "input_schema": {"type": "object"}},
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        ),
        ({"type": "web_search_20250305", "name": "web_search"}, {"type": "web_search_20250305", "name": "web_search"}),
        ({"name": "f", "input_schema": {}, "new_field": 1}, {"name": "f", "input_schema": {}, "new_field": 1}),
    ],
)
def test_tools(tool: dict[str, Any], expected: dict[str, Any]) -> None:
    """The client's tools are functions; the vendor's own, and what has fields unknown here, stay as they are."""
    assert read(tools=[tool]).tools == [expected]


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (None, []),
        ("", []),
        ("s", [{"role": "system", "content": "s"}]),
        ([text("s", cache_control=CACHE)], [{"role": "system", "content": [text("s", cache_control=CACHE)]}]),
    ],
)
def test_system(system: Any, expected: list[dict[str, Any]]) -> None:
    """The system prompt is the first message."""
    assert read(system=system).messages == [*expected, HI]


def image(source: Any, **more: Any) -> dict[str, Any]:
    return {"type": "image", "source": source, **more}


def document(source: Any, **more: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, **more}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (text("x", cache_control=CACHE), text("x", cache_control=CACHE)),
        (text("x", citations=None), text("x")),
        (text("x", new=1), text("x", new=1)),
        (image({"type": "url", "url": "https://x"}), {"type": "image_url", "image_url": {"url": "https://x"}}),
        (
            image({"type": "base64", "media_type": "image/png", "data": "AA=="}, cache_control=CACHE),
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}, "cache_control": CACHE},
        ),
        (image({"type": "file", "file_id": "f"}), image({"type": "file", "file_id": "f"})),
        (image({"type": "url", "url": "ftp://x"}), image({"type": "url", "url": "ftp://x"})),
        (image("odd"), image("odd")),
        (image({"type": "url", "url": "https://x"}, title="t"), image({"type": "url", "url": "https://x"}, title="t")),
        (document(PDF), {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}}),
        (
            document({"type": "text", "media_type": "text/plain", "data": "ü"}, title="t", citations={"enabled": True}),
            {
                "type": "file",
                "file": {"file_data": "data:text/plain;base64,w7w=", "filename": "t"},
                "citations": {"enabled": True},
            },
        ),
        (document({"type": "file", "file_id": "f"}), {"type": "file", "file": {"file_id": "f"}}),
        (
            document({"type": "url", "url": "https://x"}),
            {"type": "file", "file": {"file_url": "https://x", "format": "application/pdf"}},
        ),
        (document({"type": "url", "url": "ftp://x"}), document({"type": "url", "url": "ftp://x"})),
        (document(PDF, new=1), document(PDF, new=1)),
        ({"type": "search_result", "source": "s"}, {"type": "search_result", "source": "s"}),
    ],
)
def test_blocks_of_users(block: dict[str, Any], part: dict[str, Any]) -> None:
    """Blocks are OpenAI's parts where those hold all of them, else they stay as they are; both ways they come back."""
    assert read(user(block)).messages == [user(part)]
    again = CODEC.encode_request(read(user(block)), model=MODEL, stream=False).body
    if part != image("odd") and "new" not in part and "ftp" not in str(part):
        assert normal_body(again) == normal_body(body(user(block)))


def test_tool_results() -> None:
    """Each tool result is a message of its own, in its place."""
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": "1", "is_error": True},
        {"type": "tool_result", "tool_use_id": "b", "content": [text("2")], "cache_control": CACHE},
        {"type": "tool_result", "tool_use_id": "c"},
    ]
    assert read(user(text("x"), results[0], text("y"), *results[1:])).messages == [
        user(text("x")),
        {"role": "tool", "tool_call_id": "a", "content": "1", "is_error": True},
        user(text("y")),
        {"role": "tool", "tool_call_id": "b", "content": [text("2")], "cache_control": CACHE},
        {"role": "tool", "tool_call_id": "c", "content": ""},
    ]


USE = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([text("x")], {"content": [text("x")]}),
        ([text("x"), text("y")], {"content": [text("x"), text("y")]}),
        ([text("x", citations=None), USE], {"content": [text("x")], "tool_calls": [CALL]}),
        ([USE], {"content": None, "tool_calls": [CALL]}),
        ([{**USE, "cache_control": CACHE}], {"content": None, "tool_calls": [{**CALL, "cache_control": CACHE}]}),
        (
            [{**USE, "input": {RAW_ARGUMENTS: "{"}}],
            {"content": None, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{"}}]},
        ),
    ],
)
def test_assistants_in_our_shape(blocks: list[dict[str, Any]], message: dict[str, Any]) -> None:
    """Texts and then calls are a message of OpenAI's."""
    assert read(HI, assistant(*blocks), HI).messages[1] == {"role": "assistant", **message}


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "thinking", "thinking": "hm", "signature": "s"}, text("x"), USE],
        [USE, text("x")],
        [text("x", citations=[{"type": "page_location"}]), USE],
        [text("x"), {**USE, "caller": {"type": "direct"}}],
    ],
)
def test_assistants_with_more(blocks: list[dict[str, Any]]) -> None:
    """What has no OpenAI-shaped place is kept as native content, beside what has; encoded it comes back exactly."""
    request = read(HI, assistant(*blocks), HI)
    message = request.messages[1]
    assert message["native_content"] == {"wire": "anthropic.messages", "content": blocks}
    assert (message["content"], message["tool_calls"]) == ("x", [CALL])
    assert message.get("reasoning_content") == ("hm" if blocks[0]["type"] == "thinking" else None)
    assert CODEC.encode_request(request, model=MODEL, stream=False).body["messages"][1] == assistant(*blocks)


@pytest.mark.parametrize("content", [None, "", []])
def test_a_result_without_content(content: Any) -> None:
    """A tool may have nothing to say: MCP's tools say so with an empty list."""
    result = {"type": "tool_result", "tool_use_id": "a", "content": content}
    request = read(HI, assistant(USE), user(result))
    assert request.messages[-1] == {"role": "tool", "tool_call_id": "a", "content": ""}


def test_inner_system_messages() -> None:
    """They keep their place and their fields."""
    inner = {"role": "system", "content": "s", "clear_at": "never", "unknown": 1}
    assert read(HI, inner).messages == [HI, {"role": "system", "content": "s", "clear_at": "never"}]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"messages": None}, "messages"),
        ({"messages": ["x"]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "system", "content": 5}]}, "messages.0.content"),
        ({"messages": [user("x")]}, "messages.0.content.0"),  # type: ignore[arg-type]
        ({"messages": [user({})]}, "messages.0.content.0.type"),
        ({"messages": [user({"type": "text"})]}, "messages.0.content.0.text"),
        ({"messages": [user({"type": "tool_result"})]}, "messages.0.content.0.tool_use_id"),
        ({"messages": [{"role": "assistant", "content": 5}]}, "messages.0.content"),
        ({"messages": [assistant({"type": "text"})]}, "messages.0.content.0"),
        ({"system": 5}, "system"),
        ({"model": None}, "model"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stop_sequences": "x"}, None),
        ({"stop_sequences": [5]}, "stop_sequences"),
        ({"temperature": "hot"}, "temperature"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"user_id": 5}}, "user"),
        ({"service_tier": 5}, "service_tier"),
        ({"tools": "x"}, "tools"),
        ({"tools": ["x"]}, "tools.0"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "odd"}}, "tool_choice.type"),
        ({"tool_choice": {"type": []}}, "tool_choice.type"),
        ({"output_config": "x"}, "output_config"),
        ({"output_config": {"format": "x"}}, "output_config.format"),
        ({"output_format": {"type": "json_schema"}}, "output_config.format"),
    ],
)
def test_malformed(value: dict[str, Any], field: str | None) -> None:
    """A body that is not in the documented form names the field."""
    if field is None:
        assert CODEC.decode_request({**body(), **value}).stop == "x"
        return
    with pytest.raises(RequestValidationError) as caught:
        CODEC.decode_request({**body(), **value})
    assert (caught.value.param or "").split("[")[0] == field


def test_a_system_message_that_only_sets_the_effort() -> None:
    """It has no content, and is sent on as it came."""
    turn = {"role": "system", "output_config": {"effort": "low"}}
    body = {"model": "claude-opus-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}, turn]}
    codec = AnthropicMessagesCodec()
    sent = codec.encode_request(codec.decode_request(body), model="claude-opus-5", stream=False).body["messages"]
    assert {"content": [], **turn} in sent
