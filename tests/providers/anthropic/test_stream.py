"""Streamed answers, both directions, event by event."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers.calls import CUSTOM_INPUT, JSON_TOOL, wire_id
from edgeagent.providers.sealed import unseal
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble, to_chunks
from tests.providers.anthropic.support import (
    CODEC,
    asking,
    completion,
    events,
    message,
    parsed_events,
    streamed,
    text_stream,
)

TEXT = {"type": "text", "text": ""}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def said(text: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": text}


def thought(text: str) -> dict[str, Any]:
    return {"type": "thinking_delta", "thinking": text}


def json_piece(text: str) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": text}


def deltas(chunks: list[ChatCompletionChunk]) -> list[dict[str, Any]]:
    return [choice.delta.model_dump(exclude_unset=True) for chunk in chunks for choice in chunk.choices]


def test_the_chunks_of_a_text() -> None:
    """Role, texts, finish reason, then the usage in a chunk without choices."""
    chunks, answer = streamed(*text_stream([TEXT, said("Hel"), said(""), said("lo")]))
    assert deltas(chunks) == [{"role": "assistant"}, {"content": "Hel"}, {"content": "lo"}, {}]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert [chunk.usage is not None for chunk in chunks] == [False] * 4 + [True]
    assert {(chunk.id, chunk.created) for chunk in chunks} == {("msg_1", 0)}
    assert answer.choices[0].message.content == "Hello"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)


def test_the_chunks_of_calls() -> None:
    """Calls are counted alone; arguments come as they are written, and are `{}` where none come."""
    second = {**CALL, "id": "t2"}
    server = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    blocks = (
        [TEXT, said("x")],
        [server, json_piece('{"q"'), json_piece(":1}")],
        [CALL, json_piece(""), json_piece('{"a": '), json_piece("1}")],
        [second, json_piece("")],
    )
    chunks, answer = streamed(*text_stream(*blocks, stop="tool_use"))
    calls = [call for delta in deltas(chunks) for call in delta.get("tool_calls", ())]
    assert calls == [
        {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a": '}},
        {"index": 0, "function": {"arguments": "1}"}},
        {"index": 1, "id": "t2", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]
    [choice] = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.native_content is not None
    inputs = [block.get("input") for block in choice.message.native_content["content"]]
    assert inputs == [None, {"q": 1}, {"a": 1}, {}]


def test_a_call_that_comes_whole() -> None:
    """An input in the start event needs no deltas; so do those of server tools."""
    server = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}
    _, answer = streamed(*text_stream([{**CALL, "input": {"a": 1}}], [server], stop="tool_use"))
    [choice] = answer.choices
    [call] = choice.message.tool_calls or []
    assert call.function is not None
    assert call.function.arguments == '{"a":1}'
    assert choice.message.native_content is not None
    assert choice.message.native_content["content"] == [{**CALL, "input": {"a": 1}}, server]


def test_a_call_cut_by_the_limit() -> None:
    """Arguments that end in the middle are given as they were sent."""
    _, answer = streamed(
        *text_stream([{**CALL, "caller": {"type": "direct"}}, json_piece('{"a": ')], stop="max_tokens")
    )
    [choice] = answer.choices
    [call] = choice.message.tool_calls or []
    assert call.function is not None
    assert (call.function.arguments, choice.finish_reason) == ('{"a": ', "length")
    request = asking(messages=[{"role": "user", "content": "u"}, choice.message.model_dump(exclude_unset=True)])
    sent = CODEC.encode_request(request, model="claude-sonnet-4-5", stream=False).body["messages"][1]
    assert sent["content"] == (choice.message.native_content or {})["content"]


def test_native_blocks_come_when_they_are_complete() -> None:
    """From the first block that is not plain on, each is sent when it ends, and those before it with it."""
    blocks = (
        [TEXT, said("a")],
        [THINKING, thought("h"), thought("m"), {"type": "signature_delta", "signature": "sig"}],
        [TEXT, said("b")],
    )
    chunks, answer = streamed(*text_stream(*blocks))
    order = [next(iter(delta), None) for delta in deltas(chunks)]
    names = ["role", "content", "native_content", "reasoning_content", "reasoning_content", "native_content"]
    assert order == [*names, "content", "native_content", None]
    [choice] = answer.choices
    assert choice.message.reasoning_content == "hm"
    signed = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    expected = [{**TEXT, "text": "a"}, signed, {**TEXT, "text": "b"}]
    assert choice.message.native_content == {"wire": "anthropic.messages", "content": expected}


def test_citations() -> None:
    """Citations belong to their block; those of the web are annotations when it ends."""
    web = {"type": "web_search_result_location", "url": "https://x", "title": "t"}
    page = {"type": "page_location", "start_page_number": 1}
    cited = [{**TEXT, "citations": None}, said("b"), *({"type": "citations_delta", "citation": c} for c in (web, page))]
    _, answer = streamed(*text_stream([TEXT, said("a")], cited))
    [choice] = answer.choices
    [annotation] = choice.message.annotations or []
    place = {"start_index": 1, "end_index": 2, "url": "https://x", "title": "t"}
    assert annotation.model_dump()["url_citation"] == place
    assert choice.message.native_content is not None
    assert choice.message.native_content["content"][1]["citations"] == [web, page]


def test_free_form_calls() -> None:
    """A free-form tool's call is one whole fragment, since its text is JSON inside JSON; cut off, it is as it came."""
    tools = [{"type": "custom", "custom": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]
    request = asking(tools=tools)
    piece = json.dumps({CUSTOM_INPUT: 'echo "x"'})
    whole = text_stream([CALL, json_piece(piece[:9]), json_piece(piece[9:])], stop="tool_use")
    chunks, _ = streamed(*whole, request=request)
    call = {"index": 0, "id": "t1", "type": "custom", "custom": {"name": "f", "input": 'echo "x"'}}
    assert deltas(chunks)[1] == {"tool_calls": [call]}
    cut, _ = streamed(*text_stream([CALL, json_piece(piece[:9])], stop="max_tokens"), request=request)
    assert deltas(cut)[1]["tool_calls"][0]["custom"]["input"] == piece[:9]


def test_the_json_tool_is_content() -> None:
    """The reserved tool's input is streamed as text, and leaves no call behind."""
    call = {**CALL, "name": JSON_TOOL}
    chunks, answer = streamed(*text_stream([call, json_piece('{"a":'), json_piece("1}")], stop="tool_use"))
    assert deltas(chunks)[1:3] == [{"content": '{"a":'}, {"content": "1}"}]
    [choice] = answer.choices
    assert (choice.message.content, choice.message.tool_calls, choice.finish_reason) == ('{"a":1}', None, "stop")
    _, empty = streamed(*text_stream([call], stop="tool_use"))
    assert empty.choices[0].message.content == "{}"


def test_a_refusal() -> None:
    """A stream that ends in a refusal says why, and content that never came is None."""
    values = text_stream(stop="refusal")
    values[-2]["delta"]["stop_details"] = {"type": "refusal", "category": "bio", "explanation": "No."}
    _, answer = streamed(*values)
    [choice] = answer.choices
    assert (choice.message.content, choice.message.refusal, choice.finish_reason) == (None, "No.", "content_filter")
    assert (choice.model_extra or {})["stop_details"]["category"] == "bio"


def test_usage_is_replaced() -> None:
    """Cumulative counts replace, null ones do not; several message_delta events are one end."""
    values = text_stream([TEXT, said("x")])
    first = {"type": "message_delta", "delta": {"container": {"id": "c"}}, "usage": {"output_tokens": 3}}
    values[-2]["usage"] = {"output_tokens": 9, "input_tokens": None, "cache_read_input_tokens": 4}
    values[-2]["context_management"] = {"applied_edits": []}
    values.insert(-2, first)
    _, answer = streamed(*values)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (14, 9)
    assert answer.model_extra == {"container": {"id": "c"}, "context_management": {"applied_edits": []}}


def test_a_stream_without_usage_or_end_of_blocks() -> None:
    """Blocks that the stream left open are ended with it; no usage is no usage."""
    values = text_stream([TEXT, said("x")])
    del values[0]["message"]["usage"], values[-2]["usage"], values[3]
    _, answer = streamed(*values)
    assert (answer.choices[0].message.content, answer.usage) == ("x", None)


@pytest.mark.parametrize(
    "stranger",
    [
        {"type": "ping"},
        {"type": "something_new", "x": 1},
        {"type": "something_new", "error": None},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "new": 1}},
    ],
)
def test_strangers_are_harmless(stranger: dict[str, Any]) -> None:
    """Unknown events and deltas change nothing of what is known."""
    values = text_stream([TEXT, said("x")])
    values.insert(3, stranger)
    _, answer = streamed(*values)
    assert answer.choices[0].message.content == "x"


@pytest.mark.parametrize(
    ("kind", "cls", "status"),
    [
        ("overloaded_error", OverloadedError, 529),
        ("rate_limit_error", RateLimitError, 429),
        ("api_error", InternalServerError, 500),
        ("timeout_error", InternalServerError, 504),
        ("something_new", InternalServerError, 500),
        (None, InternalServerError, 500),
    ],
)
@pytest.mark.parametrize("size", [1, 10_000])
def test_an_error_event(kind: str | None, cls: type[APIError], status: int, size: int) -> None:
    """What came before is delivered, then the typed error is raised, again and again, whatever the cuts."""
    values = text_stream([TEXT, said("x")])[:3]
    data = events(*values, {"type": "error", "error": {"type": kind, "message": "Busy"}})
    decoder = CODEC.stream_decoder(asking())
    chunks: list[ChatCompletionChunk] = []

    def read_on() -> None:
        for i in range(0, len(data) + size, size):
            chunks.extend(decoder.feed(data[i : i + size]))

    with pytest.raises(cls) as caught:
        read_on()
    assert deltas(chunks) == [{"role": "assistant"}, {"content": "x"}]
    assert getattr(caught.value, "status_code", None) == status
    assert caught.value.message == "Busy"
    for again in (lambda: decoder.feed(b""), decoder.end):
        with pytest.raises(cls):
            again()
    assert decoder.finished


def test_an_error_object_of_another_server() -> None:
    """An event without a type that holds an error is one."""
    decoder = CODEC.stream_decoder(asking())
    with pytest.raises(InternalServerError):
        decoder.feed(b'data: {"error": {"message": "odd"}}\n\n')


@pytest.mark.parametrize(
    "data",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        b"data: [DONE]\n\n",
        b'data: {"type": []}\n\n',
        events({"type": "content_block_start", "index": 0, "content_block": TEXT}, {"type": "ping"}),
        events({"type": "content_block_delta", "index": 0, "delta": said("x")}),
        events({"type": "message_stop"}),
        events({"type": "message_start", "message": {}}),
        events({"type": "message_start", "message": {"id": 5, "model": "m"}}),
        events(*text_stream()[:1], {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}),
        events(*text_stream()[:1], {"type": "content_block_start", "index": 0}),
        events(*text_stream([TEXT])[:2], {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}),
        events(*text_stream([TEXT])[:2], {"type": "content_block_delta", "index": 0, "delta": said(5)}),  # type: ignore[arg-type]
        events(*text_stream([TEXT])[:2], {"type": "content_block_stop", "index": 7}),
        events(*text_stream()[:1], {"type": "message_delta"}),
        events(*text_stream(input_tokens="x")),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_stream_of_messages(data: bytes) -> None:
    """Events that are not what the vendor documents are a ResponseValidationError, at the latest at the end."""
    decoder = CODEC.stream_decoder(asking())
    with suppress(ResponseValidationError):
        assert decoder.feed(data)  # what came before the fault
    with pytest.raises(ResponseValidationError):
        decoder.end()


@pytest.mark.parametrize("count", range(1, 6))
def test_an_early_end(count: int) -> None:
    """Without message_stop the answer is not whole, wherever the connection ends."""
    values = text_stream([TEXT, said("x")])
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(events(*values[:count]))
    assert not decoder.finished
    for _ in range(2):
        with pytest.raises(APIConnectionError):
            decoder.end()


def test_a_cut_event() -> None:
    """A connection that ends inside an event is a broken connection, not a malformed answer."""
    data = events(*text_stream([TEXT, said("x")]))
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(data[:-100])
    with pytest.raises(APIConnectionError, match="middle"):
        decoder.end()


def test_the_last_blank_line_may_be_missing() -> None:
    """The end of the connection ends the last event."""
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(events(*text_stream([TEXT, said("x")])).rstrip())
    chunks += decoder.end()
    assert decoder.finished
    assert assemble(chunks).choices[0].finish_reason == "stop"


def test_what_follows_the_end_is_ignored() -> None:
    """After message_stop nothing counts."""
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(events(*text_stream()) + b"data: [DONE]\n\n")
    assert decoder.feed(b"data: odd\n\n") == []
    assert assemble(chunks).choices[0].message.content == ""


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", APIConnectionError),
        (b": keep-alive\n\n", APIConnectionError),
        (b"eve", APIConnectionError),
        (b"<html>Bad gateway</html>", ResponseValidationError),
        (b"{", ResponseValidationError),
        (
            json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}).encode(),
            OverloadedError,
        ),
    ],
)
def test_bodies_without_events(body: bytes, fault: type[APIError]) -> None:
    """A body that shows no event is told by what it is."""
    decoder = CODEC.stream_decoder(asking())
    assert decoder.feed(body) == []
    with pytest.raises(fault):
        decoder.end()


def test_a_whole_message_labelled_as_a_stream() -> None:
    """One JSON document gives its answer all the same."""
    decoder = CODEC.stream_decoder(asking())
    assert decoder.feed(json.dumps(message({**TEXT, "text": "x"})).encode()) == []
    assert assemble(decoder.end()) == completion({**TEXT, "text": "x"})


def test_limits() -> None:
    """An event beyond all measure is refused; a long body without events is not kept."""
    decoder = CODEC.stream_decoder(asking())
    with pytest.raises(ResponseValidationError):
        decoder.feed(b"data: " + b"x" * (1 << 20) * 33)
    with pytest.raises(ResponseValidationError):
        decoder.end()
    patient = CODEC.stream_decoder(asking())
    patient.feed(b":" + b"x" * (1 << 20) + b"\n")
    with pytest.raises(APIConnectionError):
        patient.end()
    hasty = CODEC.stream_decoder(asking())
    hasty.feed(b"data: " + b"x" * (1 << 20) * 31)
    with pytest.raises(APIConnectionError):
        hasty.end()


# The inverse


def encoded(*chunks: ChatCompletionChunk) -> list[dict[str, Any]]:
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, chunks)) + encoder.end()
    return parsed_events(data)


def chunk(finish: str | None = None, *, index: int = 0, **delta: Any) -> ChatCompletionChunk:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    value = {"id": "c1", "created": 1, "model": "gpt", "choices": [choice]}
    return ChatCompletionChunk.model_validate(value)


def short(values: list[dict[str, Any]]) -> list[Any]:
    """The events in few words: starts by their block, deltas by what they say."""
    result: list[Any] = []
    for value in values:
        kind = value["type"].removeprefix("content_block_").removeprefix("message_")
        if kind == "start" and "content_block" in value:
            result.append((value["index"], value["content_block"]["type"]))
        elif kind == "delta" and "index" in value:
            [said_] = [v for k, v in value["delta"].items() if k != "type"]
            result.append(said_)
        else:
            result.append(kind)
    return result


def fragment(index: int, arguments: str = "", id: str | None = None, name: str | None = None) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]}


def test_encoded_text() -> None:
    """The documented order of events."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = ChatCompletionChunk.model_validate(
        {"id": "c1", "created": 1, "model": "gpt", "choices": [], "usage": usage, "container": {"id": "x"}, "new": 1}
    )
    values = encoded(chunk(role="assistant"), chunk(content="a"), chunk(content="b"), chunk("stop"), last)
    assert short(values) == ["start", (0, "text"), "a", "b", "stop", "delta", "stop"]
    assert values[0]["message"]["id"] == "c1"
    assert values[0]["message"]["content"] == []
    assert values[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None, "container": {"id": "x"}}
    assert values[-2]["usage"] == {"input_tokens": 3, "output_tokens": 2}
    assert values[-2]["new"] == 1
    assert values[-1] == {"type": "message_stop"}


def test_encoded_reasoning_refusal_and_audio() -> None:
    """Reasoning is a block of its own; what is spoken is text; a refusal is the end's detail."""
    values = encoded(
        chunk(reasoning_content="h"),
        chunk(reasoning_content="m", content="a"),
        chunk(audio={"id": "x", "transcript": "b"}),
        chunk("content_filter", refusal="No."),
        chunk(index=1, content="another choice"),
    )
    assert short(values) == ["start", (0, "thinking"), "h", "m", "stop", (1, "text"), "a", "b", "stop", "delta", "stop"]
    assert values[-2]["delta"]["stop_reason"] == "refusal"
    assert values[-2]["delta"]["stop_details"]["explanation"] == "No."


def test_an_encoded_refusal_that_ends_as_usual_is_text() -> None:
    """OpenAI's models refuse in pieces and stop: it is text, and the end says what it is, as of a whole answer."""
    values = encoded(chunk(refusal="I "), chunk(refusal="cannot."), chunk("stop"))
    assert short(values) == ["start", (0, "text"), "I ", "cannot.", "stop", "delta", "stop"]
    details = {"type": "refusal", "category": None, "explanation": "I cannot."}
    assert values[-2]["delta"] == {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}


@pytest.mark.parametrize(
    ("delta", "finish", "stop"),
    [
        (fragment(0, '{"x":1}', id="a", name="f"), "stop", "tool_use"),
        ({"function_call": {"name": "f", "arguments": "{}"}}, "stop", "tool_use"),
        (fragment(0, '{"x"', id="a", name="f"), "length", "max_tokens"),
        ({"content": "x"}, "stop", "end_turn"),
    ],
)
def test_how_an_encoded_stream_of_a_call_ends(delta: dict[str, Any], finish: str, stop: str) -> None:
    """OpenAI says "stop" where the call was forced by its name; an agent's loop looks for "tool_use"."""
    assert encoded(chunk(**delta), chunk(finish))[-2]["delta"]["stop_reason"] == stop


def test_encoded_calls() -> None:
    """One call after the other; one without arguments has an empty fragment, as the vendor sends it."""
    values = encoded(
        chunk(content="x"),
        chunk(**fragment(0, "", "a", "f")),
        chunk(**fragment(0, '{"x"')),
        chunk(**fragment(0, ":1}")),
        chunk(**fragment(1, "", "b", "g")),
        chunk("tool_calls"),
    )
    expected = [(0, "text"), "x", "stop", (1, "tool_use"), '{"x"', ":1}", "stop", (2, "tool_use"), "", "stop"]
    assert short(values) == ["start", *expected, "delta", "stop"]
    assert values[4]["content_block"] == {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    assert values[-2]["delta"]["stop_reason"] == "tool_use"


def test_an_encoded_call_has_an_id_that_claude_takes() -> None:
    """Kimi's ids have dots and colons; the SDK sends them back to whoever answers next."""
    values = encoded(chunk(**fragment(0, "{}", id="functions.f:0", name="f")), chunk("tool_calls"))
    assert values[1]["content_block"]["id"] == wire_id("functions.f:0")


def test_encoded_interleaved_calls() -> None:
    """Fragments of a later call wait until those of the first are complete."""
    values = encoded(
        chunk(**fragment(0, '{"x"', "a", "f")),
        chunk(**fragment(1, '{"y"', "b", "g")),
        chunk(**fragment(2, "{}", "c", "h")),
        chunk(**fragment(0, ":1}")),
        chunk(**fragment(1, ":2}")),
        chunk(**fragment(1, " ")),
        chunk(content="done"),
        chunk("tool_calls"),
    )
    first = [(0, "tool_use"), '{"x"', ":1}", "stop"]
    second = [(1, "tool_use"), '{"y"', ":2}", "stop"]
    third = [(2, "tool_use"), "{}", "stop"]
    assert short(values) == ["start", *first, *second, *third, (3, "text"), "done", "stop", "delta", "stop"]


def test_encoded_calls_that_are_never_completed() -> None:
    """At the end waiting calls are told; a fragment that names nothing and belongs to nothing is not."""
    values = encoded(
        chunk(**fragment(0, '{"x"', "a", "f")),
        chunk(**fragment(1, '{"y"', "b", "g")),
        chunk(**fragment(2, "odd", "c")),
        chunk(**fragment(7, "odd")),
        chunk("length"),
    )
    blocks = [(0, "tool_use"), '{"x"', "stop", (1, "tool_use"), '{"y"', "stop"]
    assert short(values) == ["start", *blocks, "delta", "stop"]


def test_encoded_free_form_and_legacy_calls() -> None:
    """A free-form input is JSON once it is known; a function call of the older form has an id made for it."""
    custom = {"tool_calls": [{"index": 0, "id": "a", "custom": {"name": "run", "input": "l"}}]}
    more = {"tool_calls": [{"index": 0, "custom": {"input": "s"}}]}
    values = encoded(chunk(**custom), chunk(**more), chunk("tool_calls"))
    assert short(values) == [
        "start",
        (0, "tool_use"),
        json.dumps({CUSTOM_INPUT: "ls"}, separators=(",", ":")),
        "stop",
        "delta",
        "stop",
    ]
    legacy = encoded(chunk(function_call={"name": "f", "arguments": "{"}), chunk(function_call={"arguments": "}"}))
    assert short(legacy) == ["start", (0, "tool_use"), "{", "}", "stop", "delta", "stop"]
    assert legacy[1]["content_block"]["id"] == "function_1"


def test_encoded_nothing() -> None:
    """A stream without chunks, or without a finish reason, is still a message."""
    assert short(encoded()) == ["start", "delta", "stop"]
    assert encoded(chunk(content="x"))[-2]["delta"]["stop_reason"] == "end_turn"


def test_encoded_foreign_native_content() -> None:
    """Another vendor's blocks are carried, together, in a block that nobody else reads."""
    content = [{"text": "x"}, {"text": "y"}]
    native = [{"wire": "google.generate", "content": [part]} for part in content]
    values = encoded(chunk(content="x", native_content=native[0]), chunk(content="y", native_content=native[1]))
    assert short(values) == ["start", (0, "text"), "x", "y", "stop", (1, "redacted_thinking"), "stop", "delta", "stop"]
    block = next(value["content_block"] for value in values if value.get("index") == 1)
    assert unseal(block["data"]) == ({"wire": "google.generate", "content": content}, "xy")


REPLAYED = [
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "text", "text": "a", "citations": [{"type": "page_location"}]},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
    {"type": "redacted_thinking", "data": "x"},
    {"type": "text", "text": "b"},
    {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "direct"}},
]


def test_a_replayed_answer_is_told_once() -> None:
    """Chunks of a stored answer bring the blocks first: exactly these are told, in order, and the content not again."""
    stored: ChatCompletion = completion(*REPLAYED, stop="tool_use")
    values = encoded(*to_chunks(stored))
    data = events(*values)
    decoder = CODEC.stream_decoder(asking())
    again = assemble(decoder.feed(data) + decoder.end())
    assert again.choices[0].message.native_content == {"wire": "anthropic.messages", "content": REPLAYED}
    assert again == stored
    starts = [value["content_block"] for value in values if value["type"] == "content_block_start"]
    assert starts[0] == {"type": "thinking", "thinking": "", "signature": ""}
    assert starts[1] == {"type": "text", "text": "", "citations": []}
    assert starts[6]["caller"] == {"type": "direct"}


def test_a_live_answer_is_told_block_by_block() -> None:
    """Blocks that are completed while they are streamed get their signature and citations in their own block."""
    blocks = (
        [THINKING, thought("hm"), {"type": "signature_delta", "signature": "sig"}],
        [TEXT, said("a")],
        [{**THINKING}, {"type": "signature_delta", "signature": "omitted"}],
        [TEXT, said("b"), {"type": "citations_delta", "citation": {"type": "page_location"}}],
    )
    live, answer = streamed(*text_stream(*blocks))
    values = encoded(*live)
    told = ["hm", "sig", "stop", (1, "text"), "a", "stop", (2, "thinking"), "omitted", "stop", (3, "text"), "b"]
    assert short(values)[1:] == [(0, "thinking"), *told, {"type": "page_location"}, "stop", "delta", "stop"]
    again, _ = streamed(*values)
    assert assemble(again) == answer


def test_a_live_answer_that_becomes_native_late() -> None:
    """Blocks that were told and ended before the vendor's own come are not told again."""
    blocks = ([TEXT, said("a")], [CALL, json_piece('{"x":1}')], [TEXT, said("b")])
    live, answer = streamed(*text_stream(*blocks, stop="tool_use"))
    values = encoded(*live)
    told = [(0, "text"), "a", "stop", (1, "tool_use"), '{"x":1}', "stop", (2, "text"), "b", "stop"]
    assert short(values) == ["start", *told, "delta", "stop"]
    assert streamed(*values)[1] == answer
