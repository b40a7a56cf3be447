"""What a stream means, event by event; what damaged ones do; and that reading is linear."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    BadRequestError,
    ContentFilterError,
    InternalServerError,
    RateLimitError,
    RequestValidationError,
    ResponseValidationError,
)
from edgeagent.types import ChatCompletion, CompletionUsage
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.providers.responses.reading import events_of
from tests.providers.responses.support import CODEC, asking, read
from tests.support.corpus import body, record, records
from tests.support.timing import is_linear

HEAD = {"id": "resp_1", "created_at": 1, "model": "m", "status": "in_progress", "output": []}
CREATED = {"type": "response.created", "response": HEAD}


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def completed(**fields: Any) -> dict[str, Any]:
    return {"type": "response.completed", "response": {**HEAD, "status": "completed", **fields}}


def message(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
        **fields,
    }


def text(value: str, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": value, "annotations": [], **fields}


def delta(value: str, place: int = 0, kind: str = "output_text") -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": place, "content_index": 0, "delta": value}


def test_items_without_deltas_are_told_by_their_end() -> None:
    """Some servers send whole items only, or nothing but the last event."""
    done = {"type": "response.output_item.done", "output_index": 0, "item": message(text("Hi"))}
    for data in (
        sse(CREATED, done, completed()),
        sse(CREATED, completed(output=[message(text("Hi"))])),
        sse(completed(output=[message(text("Hi"))])),
        sse(CREATED, delta("Hi"), completed()),
        sse(CREATED, delta("H"), done, completed(output=[message(text("Hi"))])),
    ):
        answer = assemble(read([data]))
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hi", "stop")
        assert (answer.id, answer.model, answer.created) == ("resp_1", "m", 1)


def test_what_stands_beside_the_response_is_kept() -> None:
    """GitHub tells its price beside the last event's response; what an event always has is no fact of the answer's."""
    price = {"total_nano_aiu": 5}
    last = {**completed(output=[message(text("Hi"))]), "sequence_number": 3, "copilot_usage": price, "choices": 5}
    assert assemble(read([sse(CREATED, last)])).model_extra == {"copilot_usage": price}


def test_a_custom_call_and_a_built_in_one() -> None:
    """A custom tool's input is streamed; a web search is no call of the client's and stays reachable."""
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "g", "input": ""}
    whole = {**call, "input": "ab", "status": "completed"}
    answer = assemble(
        read(
            [
                sse(
                    CREATED,
                    {"type": "response.output_item.added", "output_index": 0, "item": {**search, "status": "x"}},
                    {"type": "response.web_search_call.completed", "output_index": 0},
                    {"type": "response.output_item.done", "output_index": 0, "item": search},
                    {"type": "response.output_item.added", "output_index": 1, "item": call},
                    delta("a", 1, "custom_tool_call_input"),
                    delta("b", 1, "custom_tool_call_input"),
                    {"type": "response.output_item.done", "output_index": 1, "item": whole},
                    completed(),
                )
            ]
        )
    )
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    (made,) = choice.message.tool_calls
    assert made.custom is not None
    assert (made.id, made.custom.input) == ("c1", "ab")
    assert choice.message.native_content == {"wire": "openai.responses", "content": [search, whole]}


def test_citations_stand_where_they_do_in_the_joined_text() -> None:
    """Positions count from the beginning of the joined text; a file's citation has its own form."""
    page = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "T", "url": "https://x"}
    file = {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1}
    items = [message(text("abc")), message(text("de", annotations=[page, file]), id="msg_2")]
    answer = CODEC.decode_response(
        HTTPResponse(200, content=json.dumps({**HEAD, "status": "completed", "output": items}).encode())
    )
    notes = answer.choices[0].message.annotations or []
    assert [note.type for note in notes] == ["url_citation", "file_citation"]
    assert notes[0].url_citation is not None
    assert (notes[0].url_citation.start_index, notes[0].url_citation.end_index) == (3, 5)
    assert CODEC.encode_response(answer)["output"] == items


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "server_error", "message": "x", "param": None}, InternalServerError),
        ({"type": "error", "error": {"type": "x", "code": "rate_limit_exceeded", "message": "x"}}, RateLimitError),
        ({"error": {"code": 500, "message": "x"}}, InternalServerError),
        ({"type": "response.failed", "response": {**HEAD, "status": "failed"}}, InternalServerError),
        (
            {"type": "response.failed", "response": {**HEAD, "error": {"code": "invalid_image", "message": "x"}}},
            BadRequestError,
        ),
        (
            {"type": "response.failed", "response": {**HEAD, "error": {"code": "bio_policy", "message": "x"}}},
            ContentFilterError,
        ),
        (
            {"type": "response.failed", "response": {**HEAD, "error": {"code": "invalid_prompt", "message": "x"}}},
            ContentFilterError,
        ),
    ],
)
def test_errors_in_a_stream_are_typed(event: dict[str, Any], kind: type[APIStatusError]) -> None:
    """What came before is delivered, then the error is raised, with the status that it stands for."""
    decoder = CODEC.stream_decoder(asking())
    assert len(decoder.feed(sse(CREATED, delta("a"), event))) == 2
    with pytest.raises(APIStatusError) as caught:
        decoder.end()
    assert type(caught.value) is kind
    assert caught.value.status_code >= 400


def test_a_failed_answer_is_an_error() -> None:
    """A 200 whose status is `failed` raises what its error says."""
    failed = {**HEAD, "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}}
    with pytest.raises(RateLimitError, match="slow"):
        CODEC.decode_response(HTTPResponse(200, content=json.dumps(failed).encode()))


def test_cut_streams_say_so() -> None:
    """Every beginning of a stream that has not come to its end raises a connection error."""
    data = sse(CREATED, delta("Hi"), completed(output=[message(text("Hi"))]))
    end = data.index(b'data: {"type": "response.completed"')
    for cut in range(0, len(data) - 2, 7):
        decoder = CODEC.stream_decoder(asking())
        decoder.feed(data[:cut])
        assert cut < end or not decoder.finished
        with pytest.raises(APIConnectionError):
            decoder.end()


def test_a_document_in_place_of_a_stream() -> None:
    """One JSON document is read as such, whether the head says so or not."""
    data = json.dumps({**HEAD, "status": "completed", "output": [message(text("Hi"))]}).encode()
    labelled = CODEC.stream_decoder(asking(), HTTPResponse(200, {"content-type": "application/json"}))
    for decoder in (labelled, CODEC.stream_decoder(asking())):
        chunks = [*decoder.feed(data[:9]), *decoder.feed(data[9:]), *decoder.end()]
        assert assemble(chunks).choices[0].message.content == "Hi"


@pytest.mark.parametrize(
    "event",
    [
        b"[]",
        b"3",
        b'"x"',
        b"{",
        b'{"type": "response.created"}',
        b'{"type": "response.created", "response": []}',
        b'{"type": "response.output_item.added", "item": {}}',
        b'{"type": "response.output_item.done", "item": {"type": "message", "content": [3]}}',
        b'{"type": "response.output_item.done", "item": {"type": "function_call"}}',
        b'{"type": "response.output_text.delta", "delta": 3}',
        b'{"type": "response.output_text.delta", "output_index": "x", "delta": "a"}',
        b'{"type": "response.completed", "response": {"output": {}}}',
        b'{"type": "response.completed", "response": {"output": [], "usage": {"input_tokens": "1"}}}',
        b'{"type": ["x"]}',
        b"[" * 100_000,
    ],
)
def test_malformed_events_are_typed_errors(event: bytes) -> None:
    """Never an AttributeError, a KeyError or a RecursionError."""
    decoder = CODEC.stream_decoder(asking())
    assert len(decoder.feed(sse(CREATED) + b"data: " + event + b"\n\n")) == 1
    with pytest.raises(ResponseValidationError):
        decoder.end()


SMALL = [r for r in records("openai.responses") if r["stream"] and r["status"] == 200 and len(body(r)) < 30_000][:12]


BODIES = [r["request"]["body"] for r in records("openai.responses")][:200]


@given(st.integers(0, 2**32), st.sampled_from(range(len(SMALL))))
@settings(max_examples=150, deadline=None)
def test_damaged_streams_raise_typed_errors_only(seed: int, number: int) -> None:
    """Events dropped, doubled, swapped, cut, and values of other types."""
    rng = random.Random(seed)
    events = events_of(body(SMALL[number]).decode())
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(events))
        match rng.randrange(5):
            case 0:
                del events[place : place + rng.randint(1, 3)]
            case 1:
                events.insert(place, events[place])
            case 2:
                rng.shuffle(events)
            case _:
                events[place] = swapped(events[place], rng)
        events = events or [{}]
    data = sse(*events)
    if rng.random() < 0.3:
        cut = rng.randrange(len(data))
        data = data[:cut] + data[cut + rng.randint(1, 40) :]
    decoder = CODEC.stream_decoder(asking())
    with suppress(APIError):
        for start in range(0, len(data), 4096):
            decoder.feed(data[start : start + 4096])
        decoder.end()


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_damaged_answers_raise_typed_errors_only(seed: int) -> None:
    """Values of other types anywhere in a whole answer; what is taken can be encoded again."""
    rng = random.Random(seed)
    value = rng.choice([e["response"] for r in SMALL for e in events_of(body(r).decode())[-1:]])
    for _ in range(rng.randint(1, 4)):
        value = swapped(value, rng)
    with suppress(APIError):
        CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=json.dumps(value).encode())))


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_damaged_requests_raise_typed_errors_only(seed: int) -> None:
    """Values of other types anywhere in a recorded body."""
    rng = random.Random(seed)
    value = rng.choice(BODIES)
    for _ in range(rng.randint(1, 4)):
        value = swapped(value, rng)
    if isinstance(value, dict):
        with suppress(APIError):
            CODEC.encode_request(CODEC.decode_request(value), model="gpt-5", stream=False)


@pytest.mark.parametrize("kind", [{}, [], 3])
def test_types_that_are_no_text_are_refused(kind: Any) -> None:
    """Of an item, of a part, and of who speaks."""
    for value in ({"type": kind}, {"role": "user", "content": [{"type": kind}]}, {"role": kind, "content": "x"}):
        with pytest.raises(RequestValidationError):
            refused_request(value)


def refused_request(value: dict[str, Any]) -> None:
    CODEC.encode_request(CODEC.decode_request({"model": "m", "input": [value]}), model="m", stream=False)


def swapped(value: Any, rng: random.Random) -> Any:
    """The value with one of its parts dropped or of another type."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(sorted(value))
        rest = {k: v for k, v in value.items() if k != name}
        return rest if rng.random() < 0.2 else {**rest, name: swapped(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [*value[:place], swapped(value[place], rng), *value[place + 1 :]]
    return rng.choice([None, True, -1, 1.5, 10**30, "", "x", [], {}, [[]], [None], {"type": "x"}])


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_an_error_of_ours(data: bytes) -> None:
    """A body of any bytes: whole, streamed and as an error."""
    with suppress(APIError):
        CODEC.decode_response(HTTPResponse(200, content=data))
    with suppress(APIError):
        read([data])
    assert isinstance(CODEC.decode_error(HTTPResponse(418, content=data)), APIStatusError)


def test_reading_is_linear() -> None:
    """A million small pieces of one text, and one line of 10 MB fed in small pieces."""
    event = sse(delta("a"))
    assert is_linear(lambda: feed(sse(CREATED), event, 5_000), lambda: feed(sse(CREATED), event, 20_000))
    long = sse(CREATED, delta("a" * 10_000_000), completed())
    chunks = read([long[i : i + 16_384] for i in range(0, len(long), 16_384)])
    assert len(assemble(chunks).choices[0].message.content or "") == 10_000_000


def feed(head: bytes, event: bytes, count: int) -> None:
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(head)
    block = event * 1000
    for _ in range(count // 1000):
        decoder.feed(block)
    decoder.feed(sse(completed()))


# encoding answers of other vendors


def foreign(**fields: Any) -> ChatCompletion:
    values = {"role": "assistant", "content": None, **fields}
    choice = {"index": 0, "message": values, "finish_reason": "tool_calls" if fields.get("tool_calls") else "stop"}
    return ChatCompletion.model_validate(
        {"id": "msg_abc", "created": 5, "model": "claude", "choices": [choice], "usage": USAGE.model_dump()}
    )


USAGE = CompletionUsage(prompt_tokens=3, completion_tokens=4, total_tokens=7)
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
SIGNED = {"wire": "anthropic.messages", "content": [{"type": "thinking", "thinking": "hm", "signature": "é=="}]}
SIGNED_KINDS = ["reasoning", "function_call", "reasoning"]
OTHER_CALL = {"id": "toolu_2", "type": "function", "function": {"name": "g", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"content": "hi"}, ["message"]),
        ({"content": ""}, ["message"]),
        ({"refusal": "no"}, ["message"]),
        ({"reasoning_content": "hm", "content": "hi"}, ["reasoning", "message"]),
        ({"content": "hi", "tool_calls": [CALL, OTHER_CALL]}, ["message", "function_call", "function_call"]),
        ({"native_content": SIGNED, "content": "hi"}, ["message", "reasoning"]),
        ({"native_content": SIGNED, "reasoning_content": "hm", "tool_calls": [CALL]}, SIGNED_KINDS),
    ],
)
def test_an_answer_of_another_vendor_streamed_out(fields: dict[str, Any], kinds: list[str]) -> None:
    """The events are the vendor's, and the response that they end with says the same as the whole answer encoded."""
    completion = foreign(**fields)
    encoder = CODEC.stream_encoder()
    data = b"".join(encoder.feed(chunk) for chunk in to_chunks(completion)) + encoder.end()
    events = events_of(data.decode())
    last = events[-1]["response"]
    assert [item["type"] for item in last["output"]] == kinds
    assert last["usage"]["total_tokens"] == 7
    back = assemble(read([data]))
    assert back.choices[0].message.content == completion.choices[0].message.content
    assert back.choices[0].message.tool_calls == completion.choices[0].message.tool_calls
    whole = CODEC.encode_response(completion)
    assert [item["type"] for item in whole["output"]] == kinds
    assert [item["id"] for item in whole["output"]] == [item["id"] for item in last["output"]]


def test_a_replayed_answer_tells_nothing_twice() -> None:
    """A cached answer's first chunk has its text and the vendor's items: they are one."""
    answer = assemble(read([body(record("openai.responses", "2ef03b87af"))]))
    reasoning = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    made = foreign(content="hi", native_content={"wire": "openai.responses", "content": [reasoning, said("hi")]})
    for completion in (answer, made):
        encoder = CODEC.stream_encoder()
        data = b"".join(encoder.feed(chunk) for chunk in to_chunks(completion)) + encoder.end()
        assert assemble(read([data])).choices[0].message == completion.choices[0].message


def said(value: str) -> dict[str, Any]:
    return {**message(text(value)), "content": [text(value, logprobs=[])]}
