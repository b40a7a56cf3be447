"""What holds for any conversation, and for any bytes."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import APIError, APIStatusError, RequestValidationError, ResponseValidationError
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from tests.providers.anthropic.support import CODEC, asking
from tests.providers.anthropic.vendor_types import unknown_fields
from tests.support.corpus import body, record

MODEL = "claude-opus-4-8"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
NAME = st.text("abcdef_", min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAME, inner, max_size=2),
    max_leaves=4,
)
HINT = st.just({"type": "ephemeral"})


def obj(fields: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    given = {k: v if isinstance(v, st.SearchStrategy) else st.just(v) for k, v in fields.items()}
    return st.fixed_dictionaries(given, optional=optional)


TEXT_PART = obj({"type": "text", "text": TEXT}, cache_control=HINT)
USER_PART = (
    TEXT_PART
    | obj({"type": "image_url", "image_url": st.builds(lambda name: {"url": f"https://x/{name}"}, NAME)})
    | obj({"type": "image_url", "image_url": st.just({"url": "data:image/png;base64,AAAA"})}, cache_control=HINT)
    | obj({"type": "file", "file": obj({"file_data": "data:application/pdf;base64,JVBE"}, filename=TEXT)})
    | obj({"type": "file", "file": obj({"file_id": NAME})})
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """OpenAI-shaped conversations: system prompts anywhere, parts, parallel calls and their results."""
    messages: list[dict[str, Any]] = []
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(TEXT | st.lists(TEXT_PART, min_size=1, max_size=2))})
    for turn in range(draw(st.integers(1, 3))):
        messages.append({"role": "user", "content": draw(TEXT | st.lists(USER_PART, min_size=1, max_size=3))})
        if draw(st.booleans()):
            messages.append({"role": "system", "content": draw(TEXT)})
        names = draw(st.lists(NAME, max_size=3))
        calls = [
            {"id": f"c{turn}_{i}", "type": "function", "function": {"name": name, "arguments": draw(ARGUMENTS)}}
            for i, name in enumerate(names)
        ]
        content = draw(TEXT) if draw(st.booleans()) or not calls else None
        messages.append({"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})})
        for call in calls:
            result = draw(TEXT | st.lists(USER_PART, min_size=1, max_size=2))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    messages.append({"role": "user", "content": draw(TEXT)})
    return messages


ARGUMENTS = st.dictionaries(NAME, JSON, max_size=2).map(lambda value: dump_json(value).decode())
TOOLS = st.lists(
    obj(
        {
            "type": "function",
            "function": obj(
                {"name": NAME, "parameters": obj({"type": "object", "properties": st.just({"x": {"type": "string"}})})},
                description=TEXT,
            ),
        },
        cache_control=HINT,
    ),
    min_size=1,
    max_size=2,
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "max_completion_tokens": st.integers(1, 1000),
        "stop": st.lists(TEXT, min_size=1, max_size=2),
        "user": TEXT,
        "tools": TOOLS,
        "service_tier": st.sampled_from(["auto", "default"]),
    },
)
CHOICE = st.sampled_from([None, "auto", "none", "required"])


def merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation as the vendor keeps it: a tool result and the words after it are one user turn."""
    return [normal(message) for message in messages]


def normal(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {**message, "content": parts or None}


@given(messages=conversations(), params=PARAMS, choice=CHOICE, single=st.booleans())
def test_conversations_there_and_back(
    messages: list[dict[str, Any]], params: dict[str, Any], choice: str | None, single: bool
) -> None:
    """What both vendors have comes back from Anthropic's form as it was, and that form is valid by its own types."""
    if "tools" in params:
        params = {**params, "tool_choice": choice} if choice else params
        if single and choice != "none":
            params = {**params, "parallel_tool_calls": False, "tool_choice": choice or "auto"}
    request = ChatRequest(model=MODEL, messages=messages, **params)
    encoded = CODEC.encode_request(request, model=MODEL, stream=False)
    assert unknown_fields(encoded.body) == []
    assert encoded.dropped == ()
    back = CODEC.decode_request(json.loads(json.dumps(encoded.body)))
    assert merged(back.messages) == merged(messages)
    expected = {**params}
    expected.setdefault("max_completion_tokens", 128_000)
    assert {k: v for k, v in back.params().items() if k not in {"model", "messages"}} == expected


@given(messages=conversations(), model=st.sampled_from(["claude-3-5-haiku-latest", "claude-sonnet-5", "my-model"]))
def test_conversations_are_valid_for_every_model(messages: list[dict[str, Any]], model: str) -> None:
    """Whatever the model has, the body is valid, no word is lost, and roles alternate."""
    request = ChatRequest(model=model, messages=messages)
    encoded = CODEC.encode_request(request, model=model, stream=True)
    assert unknown_fields(encoded.body) == []
    roles = [message["role"] for message in encoded.body["messages"]]
    assert all(a != b for a, b in pairwise(roles))
    told = json.dumps(encoded.body, ensure_ascii=False)
    for message in messages:
        if isinstance(message["content"], str):
            assert json.dumps(message["content"], ensure_ascii=False)[1:-1] in told


MESSAGE = obj(
    {"role": "assistant", "content": st.none() | TEXT},
    tool_calls=st.lists(
        obj({"id": NAME, "type": "function", "function": obj({"name": NAME, "arguments": ARGUMENTS})}),
        min_size=1,
        max_size=3,
    ),
)


@given(message=MESSAGE)
def test_answers_there_and_back(message: dict[str, Any]) -> None:
    """Text and calls of any vendor's answer survive Anthropic's form, whole and streamed."""
    finish = "tool_calls" if "tool_calls" in message else "stop"
    answer = ChatCompletion.model_validate(
        {"id": "c", "created": 0, "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    )
    whole = CODEC.decode_response(HTTPResponse(200, content=json.dumps(CODEC.encode_response(answer)).encode()))
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, to_chunks(answer))) + encoder.end()
    decoder = CODEC.stream_decoder(asking())
    streamed = assemble(decoder.feed(data) + decoder.end())
    for back in (whole, streamed):
        [choice] = back.choices
        assert choice.finish_reason == finish
        assert (choice.message.content or "") == (message["content"] or "")
        calls = [call.model_dump(exclude_none=True) for call in choice.message.tool_calls or ()]
        assert calls == message.get("tool_calls", [])


# Mutated bytes

STREAMS = ["be20a9c95f", "5f95d6359d", "84ab6f7f3b"]
WHOLES = ["1de79c37cb", "6d2f893637"]


@st.composite
def mutated(draw: st.DrawFn, digits: list[str]) -> bytes:
    """Recorded bytes with pieces dropped, doubled, replaced or moved."""
    data = body(record("anthropic.messages", draw(st.sampled_from(digits))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = data[start:end]
        kind = draw(st.sampled_from(["drop", "double", "replace", "move", "cut", "swap"]))
        if kind == "cut":
            data = data[:start]
        elif kind == "swap":
            values = st.sampled_from([b"null", b"[]", b"{}", b"5", b'"x"', b"true"])
            data = data.replace(draw(st.sampled_from([b'""', b"{}", b"0", b"[]", b"null"])), draw(values), 1)
        else:
            put = {"drop": b"", "double": piece * 2, "replace": draw(st.binary(max_size=6)), "move": b""}[kind]
            data = data[:start] + put + data[end:]
            if kind == "move":
                place = draw(st.integers(0, len(data)))
                data = data[:place] + piece + data[place:]
    return data


@settings(max_examples=300)
@given(data=mutated(STREAMS), size=st.integers(1, 400))
def test_mutated_streams(data: bytes, size: int) -> None:
    """Any bytes give chunks or a typed error; the outcome does not depend on the cuts."""

    def outcome(step: int) -> tuple[list[ChatCompletionChunk], str | None]:
        decoder = CODEC.stream_decoder(asking())
        chunks: list[ChatCompletionChunk] = []
        try:
            for i in range(0, len(data), step):
                chunks += decoder.feed(data[i : i + step])
            chunks += decoder.end()
        except APIError as error:
            return chunks, type(error).__name__
        return chunks, None

    assert outcome(size) == outcome(max(1, len(data)))


@settings(max_examples=200)
@given(data=mutated(WHOLES))
def test_mutated_answers(data: bytes) -> None:
    """Any bytes give a completion or a typed error."""
    with suppress(ResponseValidationError, APIStatusError):
        assert CODEC.decode_response(HTTPResponse(200, content=data)).choices


@settings(max_examples=200)
@given(value=JSON | st.dictionaries(st.sampled_from(["model", "messages", "system", "tools", "max_tokens"]), JSON))
def test_any_body(value: Any) -> None:
    """Any JSON object is a request or a typed error."""
    if isinstance(value, dict):
        with suppress(RequestValidationError):
            CODEC.decode_request(value)


def nested(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, which hold anything."""
    words = st.sampled_from(["user", "assistant", "tool", "system", "function", "custom", "text", "image_url", "file"])
    value = words | JSON | st.lists(st.dictionaries(st.sampled_from(names), words | JSON, max_size=3), max_size=2)
    inner = value | st.dictionaries(st.sampled_from(names), value, max_size=3)
    return st.dictionaries(st.sampled_from(names), inner, max_size=4)


MESSAGES = nested(
    "role", "content", "type", "text", "image_url", "file", "tool_calls", "tool_call_id", "native_content", "wire"
)
ANY_TOOL = nested("type", "function", "custom", "name", "parameters", "strict", "allowed_tools", "tools", "mode")
ANY_FORM = st.fixed_dictionaries(
    {
        "type": st.just("json_schema"),
        "json_schema": st.fixed_dictionaries({"schema": nested("type", "properties", "$ref")}),
    }
)


@pytest.mark.bulk
@settings(max_examples=300)
@given(
    messages=st.lists(MESSAGES, min_size=1, max_size=3),
    params=st.fixed_dictionaries(
        {},
        optional={
            "tools": st.lists(ANY_TOOL, max_size=2),
            "functions": st.lists(ANY_TOOL, max_size=2),
            "tool_choice": ANY_TOOL | TEXT,
            "function_call": ANY_TOOL | TEXT,
            "response_format": ANY_FORM | ANY_TOOL,
            "web_search_options": nested("user_location", "approximate"),
            "thinking": JSON,
            "output_config": JSON,
            "betas": JSON,
            "mcp_servers": JSON,
            "context_management": JSON | st.fixed_dictionaries({"edits": JSON}),
        },
    ),
    model=st.sampled_from([MODEL, "claude-sonnet-4-0", "claude-opus-5-5"]),
)
def test_any_request(messages: list[dict[str, Any]], params: dict[str, Any], model: str) -> None:
    """Whatever messages and parameters hold, encoding gives a body or names the field."""
    request = ChatRequest.model_validate({"model": model, "messages": messages, **params})
    try:
        encoded = CODEC.encode_request(request, model=model, stream=False)
    except RequestValidationError as error:
        field = error.param
    else:
        field = "none"
        assert encoded.body["messages"]
    assert field


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_long_stream_is_linear(size: int) -> None:
    """A hundred thousand bytes in small pieces are decoded as in one."""
    data = body(record("anthropic.messages", "5f95d6359d"))
    decoder = CODEC.stream_decoder(asking())
    chunks = [chunk for i in range(0, len(data), size) for chunk in decoder.feed(data[i : i + size])]
    assert assemble(chunks + decoder.end()).choices[0].finish_reason == "stop"
