"""Whole answers, both directions: what has a place, what is refused, what other vendors' answers become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import OverloadedError, ResponseValidationError
from edgeagent.providers.calls import CUSTOM_INPUT, JSON_TOOL, RAW_ARGUMENTS, wire_id
from edgeagent.types import ChatCompletion
from edgeagent.wire.http import HTTPResponse
from tests.providers.anthropic.support import CODEC, completion, message

TEXT = {"type": "text", "text": "Hello"}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}}


def refusal_of(body: Any) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ResponseValidationError) as caught:
        CODEC.decode_response(HTTPResponse(200, content=content))
    return str(caught.value)


@pytest.mark.parametrize(
    ("stop", "blocks", "finish"),
    [
        ("end_turn", [TEXT], "stop"),
        ("stop_sequence", [TEXT], "stop"),
        ("pause_turn", [TEXT], "stop"),
        ("compaction", [TEXT], "stop"),
        ("something_new", [TEXT], "stop"),
        ("max_tokens", [TEXT], "length"),
        ("model_context_window_exceeded", [TEXT], "length"),
        ("refusal", [TEXT], "content_filter"),
        ("tool_use", [CALL], "tool_calls"),
        ("tool_use", [TEXT], "stop"),
        ("end_turn", [CALL], "stop"),
        (None, [TEXT], None),
    ],
)
def test_finish_reasons(stop: str | None, blocks: list[dict[str, Any]], finish: str | None) -> None:
    """OpenAI's words, the vendor's beside them; "tool_calls" only with tool calls."""
    [choice] = completion(*blocks, stop=stop).choices
    assert (choice.finish_reason, choice.native_finish_reason) == (finish, stop)


def test_contents() -> None:
    """No content is an empty text, but None where the model only called tools."""
    assert completion().choices[0].message.content == ""
    assert completion(CALL, stop="tool_use").choices[0].message.content is None
    assert completion(TEXT, CALL, stop="tool_use").choices[0].message.content == "Hello"


@pytest.mark.parametrize(
    ("blocks", "is_native"),
    [
        ([], False),
        ([TEXT], False),
        ([{**TEXT, "citations": None}], False),
        ([{**TEXT, "citations": []}], False),
        ([CALL, CALL], False),
        ([TEXT, CALL], False),
        ([CALL, TEXT], True),
        ([TEXT, TEXT], True),
        ([{**CALL, "caller": {"type": "direct"}}], True),
        ([{**TEXT, "citations": [{"type": "char_location"}]}], True),
        ([{"type": "thinking", "thinking": "", "signature": "s"}, TEXT], True),
        ([{"type": "something_new", "x": 1}], True),
    ],
)
def test_native_content(blocks: list[dict[str, Any]], is_native: bool) -> None:
    """The blocks are kept where text and calls do not say it all."""
    expected = {"wire": "anthropic.messages", "content": blocks} if is_native else None
    assert completion(*blocks).choices[0].message.native_content == expected


def test_refusals() -> None:
    """The vendor's explanation is the refusal, its details are kept on the choice."""
    details = {"type": "refusal", "category": "bio", "explanation": "No."}
    answer = completion(stop="refusal", stop_details=details)
    [choice] = answer.choices
    assert (choice.message.content, choice.message.refusal) == (None, "No.")
    assert (choice.model_extra or {})["stop_details"] == details
    partial = completion(TEXT, stop="refusal", stop_details=details).choices[0].message
    assert (partial.content, partial.refusal) == ("Hello", "No.")
    for silent in ({"type": "refusal", "category": None, "explanation": None}, "odd"):
        assert completion(stop="refusal", stop_details=silent).choices[0].message.refusal is None


def test_web_citations() -> None:
    """Web citations are annotations with places in the joined text; others stay in the blocks."""
    web = {"type": "web_search_result_location", "url": "https://x", "title": None, "cited_text": "c"}
    blocks = [TEXT, {"type": "text", "text": " world", "citations": [web, {"type": "page_location"}, "odd"]}]
    [annotation] = completion(*blocks).choices[0].message.annotations or []
    place = {"start_index": 5, "end_index": 11, "url": "https://x", "title": ""}
    assert annotation.model_dump() == {"type": "url_citation", "url_citation": place}


def test_translated_calls() -> None:
    """The reserved JSON tool's input is content; a free-form tool's input is its text again."""
    answer = completion({**CALL, "name": JSON_TOOL, "input": {"a": [1, 2]}}, stop="tool_use")
    [choice] = answer.choices
    assert (choice.message.content, choice.message.tool_calls, choice.finish_reason) == ('{"a":[1,2]}', None, "stop")
    assert choice.message.native_content is None
    [call] = completion({**CALL, "input": {CUSTOM_INPUT: "ls"}}, stop="tool_use").choices[0].message.tool_calls or []
    assert call.model_dump(exclude_none=True) == {"id": "t1", "type": "custom", "custom": {"name": "f", "input": "ls"}}
    [raw] = completion({**CALL, "input": {RAW_ARGUMENTS: "{"}}).choices[0].message.tool_calls or []
    assert raw.function is not None
    assert raw.function.arguments == "{"


def test_usage() -> None:
    """Every counter has a place or is kept; the tier is told in OpenAI's word too."""
    counters = {
        "input_tokens": 3,
        "output_tokens": 7,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "cache_creation": {"ephemeral_5m_input_tokens": 20},
        "output_tokens_details": {"thinking_tokens": 4},
        "service_tier": "standard",
        "new_counter": 1,
    }
    answer = completion(TEXT, usage=counters)
    assert answer.service_tier == "default"
    assert answer.usage is not None
    assert answer.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 123,
        "completion_tokens": 7,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 4},
        "cache_creation": {"ephemeral_5m_input_tokens": 20},
        "output_tokens_details": {"thinking_tokens": 4},
        "service_tier": "standard",
        "new_counter": 1,
    }
    assert completion(TEXT, usage={"service_tier": "batch"}).service_tier == "batch"
    assert completion(TEXT, usage=None).usage is None


def test_unknown_fields_are_kept() -> None:
    """What is new stands on the completion; the end's details on the choice."""
    answer = completion(TEXT, stop="stop_sequence", stop_sequence="END", container={"id": "c"}, new=1, nothing=None)
    assert answer.model_extra == {"container": {"id": "c"}, "new": 1}
    assert (answer.choices[0].model_extra or {}) == {"stop_sequence": "END"}
    assert answer.created == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"type": "mess', "not JSON"),
        (b'{"x": NaN}', "not JSON"),
        ([], "it is not a message"),
        ({"type": "completion"}, "it is not a message"),
        ({"type": "message"}, "content is not a list"),
        (message("text"), "content[0] is not a block"),  # type: ignore[arg-type]
        (message({"text": "x"}), "content[0] is not a block"),
        (message({"type": "text"}), "content[0].text"),
        (message(TEXT, {"type": "tool_use", "id": "x", "name": "f", "input": "{}"}), "content[1].input"),
        (message({"type": "thinking", "thinking": None}), "content[0].thinking"),
        (message(TEXT, id=None), "id"),
        (message(TEXT, model=5), "model"),
        (message(TEXT, stop=5), "native_finish_reason"),  # type: ignore[arg-type]
        (message(TEXT, usage=[]), "get"),
        (message(TEXT, usage={"input_tokens": "many"}), "usage.input_tokens"),
        (message(TEXT, usage={"input_tokens": -1}), "usage.input_tokens"),
        (message(TEXT, usage={"output_tokens": True}), "usage.output_tokens"),
    ],
)
def test_undocumented_answers(body: Any, reason: str) -> None:
    """An answer that is not what the vendor documents is refused with the place, and no value of it."""
    told = refusal_of(body)
    assert reason in told
    assert "many" not in told


def test_an_error_inside_a_200() -> None:
    """It is raised as the error that it is."""
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    response = HTTPResponse(200, content=json.dumps(body).encode())
    with pytest.raises(OverloadedError) as caught:
        CODEC.decode_response(response)
    assert (caught.value.status_code, caught.value.message) == (529, "Busy")


# The inverse


def encoded(choice: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    choices = [] if choice is None else [{"index": 0, "message": {}, "finish_reason": "stop", **choice}]
    value = {"id": "c1", "created": 5, "model": "gpt-4o", "choices": choices, **fields}
    return CODEC.encode_response(ChatCompletion.model_validate(value))


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ({"content": "Hi"}, [{"type": "text", "text": "Hi"}]),
        ({"content": ""}, []),
        ({"content": None, "refusal": "No."}, [{"type": "text", "text": "No."}]),
        (
            {"content": "Hi", "reasoning_content": "hm"},
            [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": "Hi"}],
        ),
        ({"content": None, "audio": {"id": "a", "transcript": "Hi"}}, [{"type": "text", "text": "Hi"}]),
        (
            {"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}]},
            [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}],
        ),
        (
            {"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x'}}]},
            [{"type": "tool_use", "id": "a", "name": "f", "input": {RAW_ARGUMENTS: '{"x'}}],
        ),
        (
            {"tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "f", "input": "ls"}}]},
            [{"type": "tool_use", "id": "a", "name": "f", "input": {CUSTOM_INPUT: "ls"}}],
        ),
        ({"tool_calls": [{"id": "a"}]}, [{"type": "tool_use", "id": "a", "name": "", "input": {}}]),
        (
            {"tool_calls": [{"id": "functions.f:0", "function": {"name": "f", "arguments": "{}"}}]},
            [{"type": "tool_use", "id": wire_id("functions.f:0"), "name": "f", "input": {}}],
        ),
        (
            {"function_call": {"name": "f", "arguments": '{"x": 1}'}},
            [{"type": "tool_use", "id": "function_1", "name": "f", "input": {"x": 1}}],
        ),
        (
            {"function_call": {"name": "f", "arguments": "odd"}},
            [{"type": "tool_use", "id": "function_1", "name": "f", "input": {}}],
        ),
        (
            {"content": "Hi", "native_content": {"wire": "anthropic.messages", "content": [{**TEXT, "text": "Hi"}]}},
            [{"type": "text", "text": "Hi"}],
        ),
        (
            {"content": "Hi", "native_content": {"wire": "anthropic.messages", "content": [TEXT]}},
            [{"type": "text", "text": "Hi"}],
        ),
    ],
)
def test_other_vendors_answers(answer: dict[str, Any], content: list[dict[str, Any]]) -> None:
    """Every kind of message as the vendor's blocks; native blocks only while they agree."""
    assert encoded({"message": answer})["content"] == content


@pytest.mark.parametrize(
    ("choice", "stop"),
    [
        ({"finish_reason": "stop"}, "end_turn"),
        ({"finish_reason": "length"}, "max_tokens"),
        ({"finish_reason": "tool_calls"}, "tool_use"),
        ({"finish_reason": "function_call"}, "tool_use"),
        ({"finish_reason": "content_filter"}, "refusal"),
        ({"finish_reason": "stop", "native_finish_reason": "pause_turn"}, "pause_turn"),
        ({"finish_reason": "stop", "native_finish_reason": "STOP"}, "end_turn"),
        ({"finish_reason": "stop", "message": {"tool_calls": [{"id": "a"}]}}, "tool_use"),
        ({"finish_reason": "stop", "message": {"function_call": {"name": "f", "arguments": "{}"}}}, "tool_use"),
        ({"finish_reason": "length", "message": {"tool_calls": [{"id": "a"}]}}, "max_tokens"),
        ({"finish_reason": "stop", "message": {"refusal": "No."}}, "refusal"),
        ({"finish_reason": "length", "message": {"refusal": "No."}}, "max_tokens"),
        ({"finish_reason": "stop", "message": {"refusal": "No.", "tool_calls": [{"id": "a"}]}}, "tool_use"),
        ({"finish_reason": None}, None),
        (None, "end_turn"),
    ],
)
def test_stop_reasons(choice: dict[str, Any] | None, stop: str | None) -> None:
    """The vendor's own word where it is one, else the nearest to OpenAI's, which says "stop" of a forced call."""
    assert encoded(choice)["stop_reason"] == stop


def test_the_rest_of_an_answer() -> None:
    """Refusals have details; usage and tier are told in the vendor's words; extra fields stay."""
    body = encoded(
        {"message": {"refusal": "No."}, "finish_reason": "stop"},
        usage={
            "prompt_tokens": 10,
            "completion_tokens": 2,
            "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
        service_tier="default",
        container={"id": "c"},
    )
    assert body["stop_details"] == {"type": "refusal", "category": None, "explanation": "No."}
    assert body["usage"] == {
        "input_tokens": 6,
        "cache_read_input_tokens": 4,
        "output_tokens": 2,
        "output_tokens_details": {"thinking_tokens": 1},
        "service_tier": "standard",
    }
    assert body["container"] == {"id": "c"}
    own = {"type": "refusal", "category": "bio", "explanation": "No."}
    assert encoded({"finish_reason": "content_filter", "stop_details": own})["stop_details"] == own
    assert encoded({})["usage"] == {"input_tokens": 0, "output_tokens": 0}
