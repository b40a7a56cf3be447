"""Mutated bytes of recorded answers, and requests of any shape: only typed errors."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import APIError, APIStatusError, RequestValidationError
from edgeagent.providers.ollama import OllamaGenerateCodec
from edgeagent.wire.http import HTTPResponse
from tests.providers.ollama.support import CODEC, asking
from tests.support.corpus import body, records

__all__: list[str] = []

SMALL = [body(r)[:4000] for r in records("ollama.chat") if r["status"] == 200][:12]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(["message", "content", "thinking", "tool_calls", "function", "name", "arguments", "images"])
NAMED = st.recursive(JSON, lambda inner: st.dictionaries(NAMES, inner) | st.lists(inner, max_size=2), max_leaves=5)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A recorded answer with bytes dropped, doubled, replaced or cut off, or with a value of another type."""
    data = draw(st.sampled_from(SMALL))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 40)))
    kind = draw(st.sampled_from(["drop", "double", "cut", "replace", "swap"]))
    if kind == "swap":
        value = json.dumps(draw(JSON)).encode()
        place = data.find(b":", start)
        stop = data.find(b",", place)
        return data if place < 0 or stop < 0 else data[: place + 1] + value + data[stop:]
    middle = {"drop": b"", "double": data[start:end] * 2, "cut": b"", "replace": draw(st.binary(max_size=8))}[kind]
    return data[:start] + middle + (b"" if kind == "cut" else data[end:])


@settings(max_examples=80, deadline=None)
@given(mutated(), st.integers(1, 200))
def test_mutated_answers(data: bytes, size: int) -> None:
    """Whole and streamed, they decode or raise a typed error."""
    for codec in (CODEC, OllamaGenerateCodec()):
        with contextlib.suppress(APIError):
            codec.decode_response(HTTPResponse(200, content=data))
        decoder = codec.stream_decoder(asking())
        with contextlib.suppress(APIError):
            for start in range(0, len(data), size):
                decoder.feed(data[start : start + size])
            decoder.end()
    assert isinstance(CODEC.decode_error(HTTPResponse(500, content=data)), APIStatusError)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["message", "done", "done_reason", "model", "error", "logprobs"]), NAMED))
def test_answers_of_any_shape(document: dict[str, Any]) -> None:
    """They decode and are encoded again, or raise a typed error."""
    with contextlib.suppress(APIError):
        completion = CODEC.decode_response(HTTPResponse(200, content=json.dumps(document).encode()))
        json.dumps(CODEC.encode_response(completion))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "tool", "x"])},
            optional={
                "content": NAMED,
                "tool_calls": NAMED,
                "native_content": NAMED,
                "images": NAMED,
            },
        )
    )
)
def test_messages_of_any_shape(messages: list[dict[str, Any]]) -> None:
    """They are encoded and decoded, or refused."""
    for use in (
        lambda: CODEC.encode_request(asking(messages=messages), model="m", stream=False),
        lambda: CODEC.decode_request({"model": "m", "messages": messages}),
    ):
        with contextlib.suppress(RequestValidationError):
            use()
