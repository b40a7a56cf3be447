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
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.corpus import Record, body, record

CODEC = OpenAIChatCodec()

# Conversations

TEXT = st.text(max_size=12)
NAME = st.text("abcdef_", min_size=1, max_size=8)
TEXT_PART = st.fixed_dictionaries({"type": st.just("text"), "text": TEXT})
USER_PART = (
    TEXT_PART
    | st.fixed_dictionaries({"type": st.just("image_url"), "image_url": st.fixed_dictionaries({"url": TEXT})})
    | st.fixed_dictionaries(
        {"type": st.just("input_audio"), "input_audio": st.fixed_dictionaries({"data": TEXT, "format": st.just("wav")})}
    )
    | st.fixed_dictionaries({"type": st.just("file"), "file": st.fixed_dictionaries({"file_id": TEXT})})
)
CALL = st.fixed_dictionaries(
    {
        "id": NAME,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": NAME, "arguments": TEXT}),
    }
) | st.fixed_dictionaries(
    {"id": NAME, "type": st.just("custom"), "custom": st.fixed_dictionaries({"name": NAME, "input": TEXT})}
)
MESSAGE = (
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer"]), "content": TEXT | st.lists(TEXT_PART, max_size=2)}
    )
    | st.fixed_dictionaries(
        {"role": st.just("user"), "content": TEXT | st.lists(USER_PART, max_size=3)}, optional={"name": NAME}
    )
    | st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.none() | TEXT},
        optional={
            "tool_calls": st.lists(CALL, min_size=1, max_size=2),
            "refusal": TEXT,
            "audio": st.fixed_dictionaries({"id": NAME}),
        },
    )
    | st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": NAME, "content": TEXT})
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=5,
)
OBJECT = st.dictionaries(NAME, JSON, max_size=3)
REQUEST = st.fixed_dictionaries(
    {"model": st.sampled_from(["gpt-4o", "gpt-5", "any"]), "messages": st.lists(MESSAGE, min_size=1, max_size=4)},
    optional={
        "temperature": st.integers(0, 2) | st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "presence_penalty": st.floats(-2, 2),
        "n": st.integers(1, 128),
        "stop": TEXT | st.lists(TEXT, max_size=4),
        "max_completion_tokens": st.integers(1),
        "logit_bias": st.dictionaries(NAME, st.integers(-100, 100), max_size=2),
        "tools": st.lists(
            st.fixed_dictionaries(
                {"type": st.just("function"), "function": st.fixed_dictionaries({"name": NAME, "parameters": OBJECT})}
            ),
            max_size=2,
        ),
        "tool_choice": st.sampled_from(["auto", "none", "required"])
        | st.fixed_dictionaries({"type": st.just("function"), "function": st.fixed_dictionaries({"name": NAME})}),
        "response_format": OBJECT,
        "reasoning_effort": st.sampled_from(["none", "low", "high"]),
        "metadata": st.dictionaries(NAME, TEXT, max_size=2),
        "store": st.booleans(),
        "seed": st.integers(),
        "user": TEXT,
        "new_parameter": JSON.filter(lambda value: value is not None),
    },
)


@given(value=REQUEST)
def test_conversations_there_and_back(value: dict[str, Any]) -> None:
    """A request in OpenAI's form is decoded and encoded to itself, also through JSON bytes, with nothing to report."""
    request = CODEC.decode_request(json.loads(json.dumps(value)))
    encoded = CODEC.encode_request(request, model=value["model"], stream=False)
    assert encoded.body == value
    assert (encoded.dropped, encoded.edits) == ((), ())
    assert CODEC.decode_request(encoded.body) == request


@given(value=REQUEST)
def test_streaming_changes_only_what_is_named(value: dict[str, Any]) -> None:
    """The streamed body is the unstreamed one and the two stream parameters."""
    request = CODEC.decode_request(value)
    plain = CODEC.encode_request(request, model="m", stream=False)
    streamed = CODEC.encode_request(request, model="m", stream=True)
    assert streamed.body == {**plain.body, "stream": True, "stream_options": {"include_usage": True}}


# Mutated bytes

REQUEST_OF_STREAM = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}])
STREAMS = ["b256c5392a", "8431123675"]
WHOLES = ["851f518736", "48bd97f6e6", "d772e69f48"]


@st.composite
def mutated(draw: st.DrawFn, originals: list[Record]) -> bytes:
    """A recorded body, truncated, with pieces dropped, doubled, swapped or overwritten."""
    data = body(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        a, b = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        data = draw(
            st.sampled_from(
                [data[:b], data[:a] + data[b:], data[:b] + data[a:], data[b:] + data[:a]],
            )
            | st.binary(max_size=4).map(lambda new, a=a, data=data: data[:a] + new + data[a + len(new) :])  # type: ignore[misc]
        )
    return data[:20_000]


def recorded(digits: list[str]) -> list[Record]:
    return [record("openai.chat", some) for some in digits]


def run(data: bytes, places: list[int]) -> tuple[list[ChatCompletionChunk], str | None]:
    decoder = CODEC.stream_decoder(REQUEST_OF_STREAM)
    chunks: list[ChatCompletionChunk] = []
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    try:
        for start, stop in pairwise(edges):
            chunks += decoder.feed(data[start:stop])
        chunks += decoder.end()
    except APIError as error:
        return chunks, f"{type(error).__name__}: {error.message}"
    return chunks, None


@settings(max_examples=300)
@given(data=mutated(recorded(STREAMS)), places=st.lists(st.integers(0, 20_000), max_size=5))
def test_mutated_streams(data: bytes, places: list[int]) -> None:
    """Damaged streams give chunks or a typed error, the same at any cut, and what came can be assembled."""
    chunks, error = run(data, [])
    assert run(data, places) == (chunks, error)
    assemble(chunks)


@settings(max_examples=200)
@given(data=mutated(recorded(WHOLES)) | st.binary(max_size=50))
def test_mutated_answers(data: bytes) -> None:
    """Damaged whole answers are completions or typed errors."""
    with suppress(APIStatusError, ResponseValidationError):
        completion = CODEC.decode_response(HTTPResponse(200, content=data))
        assert completion.choices
        CODEC.encode_response(completion)


@given(
    value=st.dictionaries(TEXT, JSON) | st.dictionaries(st.sampled_from([*ChatRequest.model_fields]), JSON, max_size=5)
)
def test_any_object_as_a_request(value: dict[str, Any]) -> None:
    """Any object as a request's body is a request, or a typed refusal."""
    with suppress(RequestValidationError):
        request = CODEC.decode_request(value)
        CODEC.encode_request(request, model="m", stream=True)


@pytest.mark.parametrize("digits", STREAMS)
def test_every_truncation_is_an_error(digits: str) -> None:
    """A stream cut anywhere before its last finish or usage is a cut stream, not an answer."""
    data = body(record("openai.chat", digits))
    safe = data.index(b'"finish_reason":"stop"') if b'"finish_reason":"stop"' in data else data.index(b'"choices":[],')
    for place in range(0, safe, 97):
        _, error = run(data[:place], [])
        assert error is not None
        assert error.startswith("APIConnectionError")
