"""Answers with one value of another type, missing or doubled; and answers that are very large."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import APIError, APIStatusError, ResponseValidationError
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.providers.rows import ROWS
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.corpus import Record, body, record
from tests.support.judge import documents
from tests.support.timing import cpu_seconds, is_linear

JSON = Any
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}])

WHOLES = [
    *(("groq", "groq.chat", "1646372234"), ("openrouter", "openrouter.chat", "eadb2cac64")),
    *(("together", "together.chat", "7d9d0e0894"), ("snowflake", "snowflake.openai_chat", "a802e4218d")),
    ("xai", "xai.chat", "a74f42dd30"),
]
STREAMS = [
    *(("baseten", "baseten.chat", "28ad452d8a"), ("gemini_openai", "gemini.openai_chat", "3ec6bedf8d")),
    *(("openrouter", "openrouter.chat", "4a7dd754e1"), ("databricks", "databricks.chat", "4a78140813")),
    *(("perplexity", "perplexity.chat", "dec944ff55"), ("alibaba", "alibaba.chat", "360668ab69")),
]
RICH = {
    "id": "1",
    "created": 1.5,
    "model": None,
    "citations": ["https://a"],
    "search_results": [{"url": "https://a", "title": "A"}],
    "base_resp": {"status_code": 0},
    "choices": [
        {
            "delta": {
                "content": [{"type": "thinking", "thinking": [{"text": "t"}]}, {"type": "text", "text": "x"}],
                "reasoning": "r",
                "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "r"}],
                "tool_calls": [
                    {"function": {"name": "f", "arguments": {"a": 1}}},
                    {"id": "2", "type": "custom", "custom": {"name": "c", "input": "i"}},
                ],
                "function_call": {"name": "g", "arguments": "{}"},
                "audio": {"id": "", "data": None},
                "annotations": None,
            },
            "finish_reason": "eos",
            "logprobs": {"tokens": ["x"], "token_logprobs": [-1], "top_logprobs": [[{"token": "x", "logprob": -1}]]},
        }
    ],
    "usage": {
        "prompt_tokens": 1,
        "completion_tokens": None,
        "total_tokens": 9,
        "cached_tokens": 1,
        "completion_tokens_details": {"reasoning_tokens": 1},
        "prompt_token_details": {"cached_tokens": 0},
    },
}
"""A chunk with everything that is repaired; `message` in place of `delta` makes it an answer."""


def places(value: JSON, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def changed(value: JSON, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> JSON:
    """A copy with a change at one place, given the holder and the name."""
    if not path:
        return None
    value = copy.deepcopy(value)
    holder = value
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return value


def put(new: JSON) -> Callable[[Any, Any], None]:
    def change(holder: Any, name: Any) -> None:
        holder[name] = new

    return change


def drop(holder: Any, name: Any) -> None:
    del holder[name]


def double(holder: Any, name: Any) -> None:
    holder[name] = [holder[name], holder[name]]


OTHERS = [None, True, -1, 2**63, 1.5, "", "text", [], [[]], [None], {}, {"a": 1}]
CHANGES = [*map(put, OTHERS), drop, double]


def codec(row: str) -> OpenAIChatCodec:
    return OpenAIChatCodec(ROWS[row].quirks)


def check_whole(row: str, value: JSON) -> None:
    """An answer or a typed error; an answer can be encoded, and goes on in the conversation."""
    its = codec(row)
    try:
        completion = its.decode_response(HTTPResponse(200, content=json.dumps(value).encode()))
    except (APIStatusError, ResponseValidationError):
        return
    json.dumps(its.encode_response(completion))
    turn = {"model": "m", "messages": [*REQUEST.messages, completion.choices[0].message.model_dump(exclude_none=True)]}
    its.encode_request(its.decode_request(turn), model="m", stream=True)


def run(row: str, data: bytes, cuts: list[int]) -> tuple[list[ChatCompletionChunk], str | None]:
    decoder = codec(row).stream_decoder(REQUEST)
    found: list[ChatCompletionChunk] = []
    try:
        for start, stop in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
            found += decoder.feed(data[start:stop])
        found += decoder.end()
    except APIError as error:
        return found, f"{type(error).__name__}: {error.message}"
    return found, None


def check_stream(row: str, values: list[JSON]) -> None:
    """Chunks or a typed error, the same at any cut; what came can be joined and encoded."""
    data = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values) + b"data: [DONE]\n\n"
    found, error = run(row, data, [])
    assert run(row, data, [7, len(data) // 2, len(data) - 9]) == (found, error)
    json.dumps(codec(row).encode_response(assemble(found)))
    encoder = codec(row).stream_encoder()
    for chunk in found:
        encoder.feed(chunk)


@pytest.mark.bulk
@pytest.mark.parametrize("row", ["openrouter", "perplexity"])
def test_every_value_of_every_other_type(row: str) -> None:
    """Each value of an answer that needs every repair is replaced by every other type, left out and doubled."""
    whole = copy.deepcopy(RICH)
    whole["choices"][0]["message"] = whole["choices"][0].pop("delta")  # type: ignore[index]
    said = codec(row).decode_response(HTTPResponse(200, content=json.dumps(whole).encode())).choices[0].message
    assert (said.content, len(said.tool_calls or ()), said.reasoning_content) == ("x", 2, "t")
    chunks, error = run(row, b"data: " + json.dumps(RICH).encode() + b"\n\ndata: [DONE]\n\n", [])
    assert (len(chunks), error) == (1, None)
    for path in places(RICH):
        for change in CHANGES:
            check_stream(row, [changed(RICH, path, change), RICH])
    for path in places(whole):
        for change in CHANGES:
            check_whole(row, changed(whole, path, change))


@st.composite
def damaged(draw: st.DrawFn, values: list[JSON]) -> list[JSON]:
    """Recorded documents with some changes, some of them lost, doubled or exchanged."""
    values = list(values)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(values) - 1))
        path = draw(st.sampled_from(list(places(values[at]))))
        values[at] = changed(values[at], path, draw(st.sampled_from(CHANGES)))
    order = draw(st.sampled_from(["kept", "lost", "doubled", "exchanged"]))
    at = draw(st.integers(0, len(values) - 1))
    if order == "lost":
        del values[at]
    elif order == "doubled":
        values.insert(at, values[at])
    elif order == "exchanged":
        values[at], values[-1] = values[-1], values[at]
    return values


def recorded(which: tuple[str, str, str]) -> Record:
    return record(which[1], which[2])


@settings(max_examples=150, deadline=None)
@given(data=st.data(), which=st.sampled_from(WHOLES))
def test_recorded_answers_damaged(data: st.DataObject, which: tuple[str, str, str]) -> None:
    """Whole answers of all kinds of servers."""
    for value in data.draw(damaged([recorded(which)["response"]["body_json"]])):
        check_whole(which[0], value)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), which=st.sampled_from(STREAMS))
def test_recorded_streams_damaged(data: st.DataObject, which: tuple[str, str, str]) -> None:
    """Streams of all kinds of servers."""
    check_stream(which[0], data.draw(damaged(documents(body(recorded(which)).decode())[:12])))


def test_nesting() -> None:
    """JSON that is nested too deeply is refused, not followed."""
    deep = b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":' + b"[" * 50_000
    with pytest.raises(ResponseValidationError):
        codec("vllm").decode_response(HTTPResponse(200, content=deep))
    nested = b"[" * 150 + b"]" * 150
    whole = b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":' + nested + b"}}]}}]}"
    with contextlib.suppress(ResponseValidationError):
        codec("vllm").decode_response(HTTPResponse(200, content=whole))


# Size


def feed(row: str, data: bytes, size: int) -> None:
    decoder = codec(row).stream_decoder(REQUEST)
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
    decoder.end()


def event(delta: JSON, **choice: JSON) -> bytes:
    return b"data: " + json.dumps({"id": "1", "choices": [{"index": 0, "delta": delta, **choice}]}).encode() + b"\n\n"


LAST = event({}, finish_reason="stop") + b"data: [DONE]\n\n"


@pytest.mark.bulk
@pytest.mark.parametrize(
    ("row", "delta"),
    [
        ("perplexity", {"content": "<think"}),
        ("openrouter", {"reasoning_details": [{"type": "t", "index": 0, "text": "x"}]}),
        ("vllm", {"tool_calls": [{"function": {"arguments": " "}}]}),
        ("vllm", {"tool_calls": [{"id": "", "function": {"name": "f", "arguments": {}}}]}),
    ],
    ids=["tags", "details", "fragments", "calls"],
)
def test_many_small_events(row: str, delta: JSON) -> None:
    """Four times as many events take about four times as long."""
    few, many = (event(delta) * count + LAST for count in (1_000, 4_000))
    assert is_linear(lambda: feed(row, few, 65_536), lambda: feed(row, many, 65_536))


def test_a_long_line() -> None:
    """Ten megabytes in one event, in pieces, are read once."""
    data = event({"content": "<think>" + "x" * 10_000_000}) + LAST
    assert cpu_seconds(lambda: feed("perplexity", data, 4096)) < 5


def test_a_call_for_every_index() -> None:
    """Places far beyond any answer's, and details without end, are passed on without being kept."""
    far = event({"tool_calls": [{"index": 2**31, "id": "a", "function": {"name": "f", "arguments": "{}"}}]})
    assert cpu_seconds(lambda: feed("vllm", far + LAST, 4096)) < 1
    details = [{"type": str(i), "index": i, "text": "x"} for i in range(20_000)]
    assert cpu_seconds(lambda: feed("openrouter", event({"reasoning_details": details}) + LAST, 65_536)) < 3
