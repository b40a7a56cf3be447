"""What holds for any bytes, any conversation, any size."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import APIError, APIStatusError, EdgeAgentError, RequestValidationError, ResponseValidationError
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.mistral.support import CODEC, asking, chunk, sse
from tests.providers.mistral.swaps import event_swaps, swaps, text
from tests.providers.mistral.vendor_types import unknown_fields
from tests.support.corpus import body, record
from tests.support.timing import cpu_seconds

API = "mistral.chat"
STREAMS = ["ff0f28cbcb", "0f6f682775", "10dd0862ca", "0d39e9a930"]
WHOLES = ["207e5baa43", "1b382ca2c4", "e885285a81"]
SWAPS = st.sampled_from([b"null", b"[]", b"{}", b"5", b'"x"', b"true", b"-1", b"[5]"])
PLACES = st.sampled_from([b'""', b"{}", b"0", b"[]", b"null", b'"assistant"', b'"text"', b'"stop"', b"[{"])


@st.composite
def mutated(draw: st.DrawFn, digits: list[str]) -> bytes:
    """Recorded bytes with pieces dropped, doubled, replaced, swapped or cut off."""
    data = body(record(API, draw(st.sampled_from(digits))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        kind = draw(st.sampled_from(["drop", "double", "replace", "cut", "swap", "swap"]))
        if kind == "cut":
            data = data[:start]
        elif kind == "swap":
            data = data.replace(draw(PLACES), draw(SWAPS), draw(st.integers(1, 3)))
        else:
            put = {"drop": b"", "double": data[start:end] * 2, "replace": draw(st.binary(max_size=6))}[kind]
            data = data[:start] + put + data[end:]
    return data


@settings(max_examples=120, deadline=None)
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


@settings(max_examples=150, deadline=None)
@given(data=mutated(WHOLES))
def test_mutated_answers(data: bytes) -> None:
    """Any bytes give a completion, which can be encoded, or a typed error; an error of any bytes is typed."""
    with suppress(ResponseValidationError, APIStatusError):
        CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=data)))
    assert CODEC.encode_error(CODEC.decode_error(HTTPResponse(429, content=data))).status_code == 429


WORDS = st.sampled_from(["user", "assistant", "tool", "system", "text", "image_url", "file", "thinking", "f", ""])
NAMES = st.sampled_from(
    [
        *("role", "content", "type", "text", "image_url", "input_audio", "file"),
        *("thinking", "tool_calls", "tool_call_id", "native_content", "wire", "function", "name"),
        *("arguments", "id", "prefix", "refusal", "custom", "parameters"),
    ]
)
LEAF = WORDS | st.none() | st.integers(-9, 9) | st.just([]) | st.just({})
FLAT = st.dictionaries(NAMES, LEAF, max_size=4)
OBJECT = st.dictionaries(NAMES, LEAF | FLAT | st.lists(FLAT | WORDS, max_size=2), max_size=5)


@settings(max_examples=200, deadline=None)
@given(
    messages=st.lists(OBJECT, min_size=1, max_size=3),
    tools=st.lists(OBJECT, max_size=2),
    choice=OBJECT | WORDS,
    form=OBJECT,
)
def test_any_request(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]], choice: Any, form: dict[str, Any]
) -> None:
    """Whatever messages and parameters hold, encoding gives a body or names the field; so does decoding."""
    params = {"messages": messages, "tools": tools, "tool_choice": choice, "response_format": form}
    asked = ChatRequest.model_validate({"model": "m", **params})
    for attempt in (
        lambda: CODEC.encode_request(asked, model="m", stream=False).body["messages"],
        lambda: CODEC.decode_request({"model": "m", **params}).messages,
    ):
        try:
            field = attempt() and "none"
        except RequestValidationError as error:
            field = error.param
        assert field


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """OpenAI-shaped conversations with parallel calls of any vendor's ids, and system messages anywhere."""
    messages: list[dict[str, Any]] = []
    for turn in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            messages.append({"role": draw(st.sampled_from(["system", "developer"])), "content": draw(TEXT)})
        messages.append({"role": "user", "content": draw(TEXT)})
        calls = [
            {"id": f"toolu_{turn}-{i}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            for i in range(draw(st.integers(0, 2)))
        ]
        said: dict[str, Any] = {"role": "assistant", "content": draw(TEXT) if draw(st.booleans()) else None}
        messages.append({**said, "tool_calls": calls} if calls else said)
        messages += [{"role": "tool", "tool_call_id": call["id"], "content": draw(TEXT)} for call in calls]
    return messages


@settings(max_examples=100, deadline=None)
@given(messages=conversations())
def test_any_conversation_is_valid(messages: list[dict[str, Any]]) -> None:
    """Valid by the vendor's types and rules of order; no word is lost; every result answers a call."""
    body = CODEC.encode_request(ChatRequest(model="m", messages=messages), model="m", stream=True).body
    assert unknown_fields(body) == []
    told = json.dumps(body, ensure_ascii=False)
    assert all(json.dumps(m["content"], ensure_ascii=False)[1:-1] in told for m in messages if m["content"])
    calls: set[str] = set()
    before = ""
    for message in body["messages"]:
        assert (before, message["role"]) not in {("assistant", "system"), ("tool", "system")}
        before = message["role"]
        calls |= {call["id"] for call in message.get("tool_calls", ())}
        assert "tool_call_id" not in message or message["tool_call_id"] in calls
    assert before != "assistant" or message.get("prefix") or message.get("tool_calls")


def test_every_value_of_another_type() -> None:
    """Answers, errors, streams and bodies in which one value has another type: typed errors, nothing else."""
    outcomes: set[str] = set()

    def note(attempt: Callable[[], Any]) -> None:
        try:
            attempt()
            outcomes.add("fine")
        except EdgeAgentError as error:
            outcomes.add(type(error).__name__)

    for digits in WHOLES:
        for value in swaps(json.loads(body(record(API, digits))), every=3):
            answer = HTTPResponse(200, content=text(value))
            note(lambda: CODEC.encode_response(CODEC.decode_response(answer)))  # noqa: B023
            CODEC.encode_error(CODEC.decode_error(answer))
        asked = record(API, digits)["request"]["body"]
        for value in swaps(asked, every=3):
            if isinstance(value, dict):
                note(lambda: CODEC.encode_request(CODEC.decode_request(value), model="m", stream=True))  # noqa: B023
    for digits in STREAMS[:3]:
        stream = record(API, digits)["response"]["body_text"]
        events = [json.loads(line[5:]) for line in stream.splitlines() if line.startswith("data: {")]
        for data in event_swaps([*events[:4], *events[-6:]], every=5):
            note(lambda: whole_stream(data))  # noqa: B023
    assert {"fine", "ResponseValidationError", "RequestValidationError"} <= outcomes


def whole_stream(data: bytes) -> None:
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(data) + decoder.end()
    encoder = CODEC.stream_encoder()
    assert b"".join(map(encoder.feed, chunks)) + encoder.end()
    assemble(chunks)


def test_the_work_is_linear() -> None:
    """Many events take as many times as long as few; a long line in small pieces is no trouble."""

    event = sse(chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]}), done=False)

    def read(count: int) -> None:
        decoder = CODEC.stream_decoder(asking())
        for _ in range(count):
            decoder.feed(event)

    few, many = cpu_seconds(lambda: read(500)), cpu_seconds(lambda: read(10_000))
    assert many < 100 * max(few, 0.002)  # twenty times as many; four hundred times as long if it were quadratic
    line = sse(chunk({"content": "x" * 4_000_000}, "stop"))
    decoder = CODEC.stream_decoder(asking())
    chunks = [found for i in range(0, len(line), 1000) for found in decoder.feed(line[i : i + 1000])]
    content = assemble(chunks).choices[0].message.content
    assert content is not None
    assert len(content) == 4_000_000
