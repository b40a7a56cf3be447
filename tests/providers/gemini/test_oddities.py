"""The oddities of Google's recorded traffic, one test each; the numbers are those of the collection's list."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import AuthenticationError, BadRequestError
from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import assemble
from tests.providers.gemini.support import GEMINI, MODEL, VERTEX, answer_to, chunks_of, codec, encode, response_of
from tests.support.corpus import body, record


def parts_of(answer: ChatCompletion) -> list[dict[str, Any]]:
    native = answer.choices[0].message.native_content
    assert native is not None
    return list(native["content"])


def next_turn(answer: ChatCompletion, *more: dict[str, Any], vertex: bool = False) -> list[dict[str, Any]]:
    said = answer.choices[0].message.model_dump(exclude_unset=True)
    messages = [{"role": "user", "content": "go"}, said, *more]
    return list(encode(MODEL, vertex=vertex, messages=messages).body["contents"])


def test_oddity_09_stop_with_a_call() -> None:
    """STOP with a functionCall is tool_calls; the id is made, stable, and not sent back; the signature is."""
    answer = answer_to(GEMINI, "2fa7c079a6")
    [choice] = answer.choices
    assert (choice.finish_reason, choice.native_finish_reason) == ("tool_calls", "STOP")
    [call] = choice.message.tool_calls or []
    assert call.function is not None
    assert (call.function.name, call.function.arguments) == ("add", '{"x":2,"y":3}')
    assert call.id == (answer_to(GEMINI, "2fa7c079a6").choices[0].message.tool_calls or [])[0].id
    [part] = parts_of(answer)
    assert part["thoughtSignature"] == "signature_REDACTED_1"
    sent = next_turn(answer, {"role": "tool", "tool_call_id": call.id, "content": "5"})
    assert sent[1] == {"role": "model", "parts": [part]}
    assert sent[2]["parts"] == [{"functionResponse": {"name": "add", "response": {"output": "5"}}}]


def test_oddity_10_safety_with_empty_content() -> None:
    """A filtered answer with an empty content is a choice, its ratings kept."""
    answer = answer_to(GEMINI, "92993dc5a6")
    [choice] = answer.choices
    assert (choice.finish_reason, choice.native_finish_reason) == ("content_filter", "SAFETY")
    assert choice.message.content == ""
    assert choice.model_extra is not None
    assert choice.model_extra["safetyRatings"][0]["blocked"] is True
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (14, 0)


def test_oddity_11_stop_without_parts() -> None:
    """The last piece of the stream has a content without parts."""
    [choice] = answer_to(GEMINI, "a3e7042e3a").choices
    assert (choice.message.content, choice.finish_reason) == ("5", "stop")


def test_oddity_12_stop_in_mid_stream() -> None:
    """Parts that follow a STOP are parts of the answer; the finish reason is told once, at the end."""
    data = body(record(GEMINI, "3aa0c0b1d8"))
    chunks = chunks_of([data])
    finishes = [c.finish_reason for chunk in chunks for c in chunk.choices]
    assert finishes.count("stop") == 1
    assert finishes[-1] == "stop"
    first_stop = data.index(b'"finishReason"')
    assert b'"parts"' in data[first_stop + 20 :]
    kinds = [next(iter(part.keys() - {"thoughtSignature"})) for part in parts_of(assemble(chunks))]
    assert {"text", "executableCode", "codeExecutionResult"} <= set(kinds)


def test_oddity_13_only_thoughts() -> None:
    """Thoughts alone, cut by the limit: no candidatesTokenCount, and completion tokens all the same."""
    answer = answer_to(GEMINI, "3ab4110150")
    [choice] = answer.choices
    assert choice.finish_reason == "length"
    assert choice.message.content == ""
    assert (choice.message.reasoning_content or "").startswith("Okay")
    assert answer.usage is not None
    assert (answer.usage.completion_tokens, answer.usage.total_tokens) == (60, 75)


def test_oddity_14_the_signature_of_an_empty_part() -> None:
    """The last, empty text part carries the signature, and is sent back in its place."""
    answer = answer_to(GEMINI, "ba61dd00f2")
    parts = parts_of(answer)
    assert parts[-1]["text"] == ""
    assert parts[-1]["thoughtSignature"]
    assert next_turn(answer)[1] == {"role": "model", "parts": parts}


def test_oddity_15_a_stream_that_is_an_array() -> None:
    """Without `alt=sse` the stream is one JSON array, and read as it comes."""
    found = record(GEMINI, "cd08c59267")
    assert body(found).lstrip().startswith(b"[")
    answer = answer_to(GEMINI, "cd08c59267")
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Scoop", "stop")
    assert choice.message.reasoning_content
    assert answer.usage is not None
    assert answer.usage.total_tokens == 304


def test_oddity_16_usage_in_several_chunks() -> None:
    """The last counts, never the sum."""
    usage = answer_to(GEMINI, "b42f272d04").usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (197, 32, 229)


def test_oddity_17_an_invalid_key_is_a_400() -> None:
    """The reason decides, not the status; and a label does not make a stream of an error."""
    error = codec().decode_error(response_of(record(GEMINI, "01c8b5b114")))
    assert type(error) is AuthenticationError
    assert (error.status_code, error.code, error.type) == (400, "API_KEY_INVALID", "INVALID_ARGUMENT")
    found = record(GEMINI, "eccf4fb20b")
    assert found["response"]["headers"]["content-type"] == "text/event-stream"
    labelled = codec().decode_error(response_of(found))
    assert type(labelled) is BadRequestError
    assert labelled.message == "LogProbs is not supported in streaming mode"
    with pytest.raises(BadRequestError, match="LogProbs"):  # the same bytes under a status of 200
        chunks_of([body(found)])


def test_oddity_18_unexpected_tool_call() -> None:
    """A call of a tool that was not declared is a call; the vendor's word and its message are kept."""
    [choice] = answer_to(VERTEX, "d560c69b56").choices
    assert (choice.finish_reason, choice.native_finish_reason) == ("tool_calls", "UNEXPECTED_TOOL_CALL")
    assert choice.model_extra is not None
    assert "undeclared function" in choice.model_extra["finishMessage"]
    [call] = choice.message.tool_calls or []
    assert call.function is not None
    assert (call.function.name, call.function.arguments) == ("list_files", "{}")
