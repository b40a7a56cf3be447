"""What OpenAI and Azure really send and naive adapters get wrong, one test each (the number is that of the list)."""

from __future__ import annotations

import json

import pytest

from edgeagent.errors import RateLimitError
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.corpus import Record, body, record

CODEC = OpenAIChatCodec()
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}])


def whole(recorded: Record) -> ChatCompletion:
    return CODEC.decode_response(HTTPResponse(200, content=body(recorded)))


def streamed(recorded: Record) -> list[ChatCompletionChunk]:
    decoder = CODEC.stream_decoder(REQUEST)
    chunks = decoder.feed(body(recorded))
    assert decoder.finished
    return chunks + decoder.end()


def test_oddity_26_a_forced_tool_choice_finishes_with_stop() -> None:
    """The call is there although the finish reason is "stop"; OpenAI's own word is not corrected."""
    choice = whole(record("openai.chat", "d772e69f48")).choices[0]
    assert choice.finish_reason == "stop"
    assert choice.native_finish_reason is None
    assert choice.message.content is None
    [call] = choice.message.tool_calls or []
    assert call.function is not None
    assert (call.type, call.function.name) == ("function", "json")
    assert json.loads(call.function.arguments)["name"] == "Zara Nightshade"


def test_oddity_27_a_custom_call_has_no_function() -> None:
    """A call of type "custom" has its input under `custom` and nothing under `function`."""
    choice = whole(record("openai.chat", "851f518736")).choices[0]
    [call] = choice.message.tool_calls or []
    assert call.type == "custom"
    assert call.function is None
    assert call.custom is not None
    assert (call.custom.name, call.custom.input) == ("math_exp", "4 + 4")


def test_oddity_28_truncated_arguments() -> None:
    """Arguments cut by the token limit are given as they were sent, with finish reason "length"."""
    choice = whole(record("openai.chat", "48bd97f6e6")).choices[0]
    assert choice.finish_reason == "length"
    [call] = choice.message.tool_calls or []
    assert call.function is not None
    assert call.function.arguments == '{"x":17,"y":25'
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.function.arguments)


def test_oddity_29_an_audio_stream_goes_on_after_its_usage() -> None:
    """No choice ever says why it finished, chunks have no `choices`, and the expiry comes after the usage."""
    recorded = record("openai.chat", "b256c5392a")
    chunks = streamed(recorded)
    usage_at = next(i for i, chunk in enumerate(chunks) if chunk.usage)
    assert usage_at == len(chunks) - 2
    assert any(not chunk.choices for chunk in chunks[:usage_at])
    completion = assemble(chunks)
    [choice] = completion.choices
    assert choice.finish_reason is None
    audio = choice.message.audio
    assert audio is not None
    assert (audio.id, audio.transcript) == ("audio_6a233a354ee081918e294494ab803d56", "Hello")
    assert audio.expires_at == 1780697157
    documents = [json.loads(line[6:]) for line in body(recorded).decode().splitlines() if line.startswith("data: {")]
    parts = [choice["delta"].get("audio", {}) for chunk in documents for choice in chunk.get("choices", [])]
    assert audio.data == "".join(part.get("data", "") for part in parts)
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 24


def test_oddity_30_refusal_deltas() -> None:
    """A refusal is streamed in its own field; the content stays None."""
    completion = assemble(streamed(record("openai.chat", "8431123675")))
    [choice] = completion.choices
    assert choice.message.content is None
    assert (choice.message.refusal or "").startswith("I'm very sorry,")
    assert choice.finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 61


def test_oddity_31_azures_first_chunk_is_empty() -> None:
    """Azure begins with filter results and no id, model or choices; the answer has the id and model that follow."""
    chunks = streamed(record("azure.chat", "6175966a8b"))
    assert (chunks[0].id, chunks[0].model, chunks[0].choices) == ("", "", [])
    assert chunks[0].object == "chat.completion.chunk"
    completion = assemble(chunks)
    assert completion.id == "chatcmpl-DuLYtUePDgoybMkZrAI7utkb2fiRp"
    assert completion.model == "gpt-5-mini-2025-08-07"
    assert completion.created == 1782321623
    assert completion.model_extra is not None
    assert completion.model_extra["prompt_filter_results"][0]["content_filter_results"]["hate"]["filtered"] is False
    [call] = completion.choices[0].message.tool_calls or []
    assert call.function is not None
    assert json.loads(call.function.arguments)["location"].startswith("Florence")


def test_oddity_32_retry_after_disagrees_with_its_milliseconds() -> None:
    """`retry-after: 1` beside `retry-after-ms: 0` waits the second; Azure's own request id is read."""
    recorded = record("azure_ai.chat", "7024d7994b")
    response = HTTPResponse(recorded["status"], recorded["response"]["headers"], body(recorded))
    error = CODEC.decode_error(response)
    assert type(error) is RateLimitError
    assert error.retry_after == 1.0
    assert error.code == "RateLimitReached"
    assert error.request_id == "d3be1dcd-5e15-488e-b48f-a3066967d205"
