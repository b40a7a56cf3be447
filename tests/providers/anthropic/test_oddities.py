"""What Anthropic really sends and naive adapters get wrong, one test each (the number is that of the list)."""

from __future__ import annotations

import json
from typing import Any

from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.anthropic.support import CODEC, MODEL, encode
from tests.support.corpus import body, record


def whole(digits: str) -> tuple[ChatCompletion, dict[str, Any]]:
    data = body(record("anthropic.messages", digits))
    return CODEC.decode_response(HTTPResponse(200, content=data)), json.loads(data)


def chunks_of(digits: str) -> list[ChatCompletionChunk]:
    recorded = record("anthropic.messages", digits)
    decoder = CODEC.stream_decoder(CODEC.decode_request(recorded["request"]["body"]))
    return decoder.feed(body(recorded)) + decoder.end()


def kinds(answer: ChatCompletion) -> list[str]:
    native = answer.choices[0].message.native_content
    assert native is not None
    return [block["type"] for block in native["content"]]


def test_oddity_1_empty_partial_json_and_repeated_usage() -> None:
    """A call whose only fragment is empty has the arguments `{}`; usage told twice is counted once."""
    answer = assemble(chunks_of("be20a9c95f"))
    [call] = answer.choices[0].message.tool_calls or []
    assert call.function is not None
    assert (call.function.name, call.function.arguments) == ("lookup_harbor_label", "{}")
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (621, 39, 660)


def test_oddity_2_the_end_tells_output_tokens_only() -> None:
    """The input tokens of the start event stay; the output tokens of the end replace those of the start."""
    answer = assemble(chunks_of("049f42460a"))
    assert answer.choices[0].message.content == "Hi there! How are you today?"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 11)


def test_oddity_3_an_answer_without_content() -> None:
    """An empty list of blocks with end_turn is an empty text, not None and not an error."""
    answer, _ = whole("01a0a09435")
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason, choice.native_finish_reason) == ("", "stop", "end_turn")
    assert choice.message.tool_calls is None


def test_oddity_4_a_paused_turn() -> None:
    """`pause_turn` is an ordinary stop, its word is kept, and the answer can be sent back to be continued."""
    answer, message = whole("9858f11aee")
    [choice] = answer.choices
    assert (choice.finish_reason, choice.native_finish_reason) == ("stop", "pause_turn")
    assert choice.message.tool_calls is None
    assert answer.usage is not None
    assert answer.usage.model_extra is not None
    assert answer.usage.model_extra["server_tool_use"] == {"web_search_requests": 10}
    paused = choice.message.model_dump(exclude_unset=True)
    sent = encode(MODEL, messages=[{"role": "user", "content": "go"}, paused]).body["messages"]
    assert sent[1] == {"role": "assistant", "content": message["content"]}


def test_oddity_5_thinking_without_text_and_redacted() -> None:
    """Thinking without text gives no reasoning text; redacted thinking comes without deltas; the blocks stay."""
    answer, message = whole("1de79c37cb")
    assert answer.choices[0].message.reasoning_content is None
    assert answer.choices[0].message.native_content == {"wire": "anthropic.messages", "content": message["content"]}
    assert kinds(answer) == ["thinking", "tool_use"]
    streamed = assemble(chunks_of("84ab6f7f3b"))
    assert streamed.choices[0].message.content == "OK"
    assert kinds(streamed) == ["redacted_thinking", "redacted_thinking", "text"]
    assert streamed.usage is not None
    assert streamed.usage.completion_tokens_details is not None
    assert streamed.usage.completion_tokens_details.reasoning_tokens == 7


def test_oddity_6_text_between_server_tools() -> None:
    """Texts between server tools are joined in order; a server tool's call is not a call of the client's."""
    answer, message = whole("bface8e357")
    [choice] = answer.choices
    texts = [block["text"] for block in message["content"] if block["type"] == "text"]
    assert len(texts) > 10
    assert choice.message.content == "".join(texts)
    assert choice.message.tool_calls is None
    assert "server_tool_use" in kinds(answer)
    assert choice.finish_reason == "length"


def test_oddity_7_blocks_that_arrive_whole_and_citations() -> None:
    """A tool result comes whole; `citations: []` in the start event fills by citations_delta."""
    answer = assemble(chunks_of("5f95d6359d"))
    [choice] = answer.choices
    assert kinds(answer) == ["server_tool_use", "web_search_tool_result", "text"]
    assert choice.message.native_content is not None
    query, result, text = choice.message.native_content["content"]
    assert query["input"] == {"query": "why is the sky blue"}
    assert result["content"]
    assert [citation["type"] for citation in text["citations"]] == ["web_search_result_location"]
    [annotation] = choice.message.annotations or []
    assert annotation.type == "url_citation"
    document = assemble(chunks_of("c474f8ff15")).choices[0].message
    assert document.annotations is None
    assert document.native_content is not None
    [cited] = document.native_content["content"][0]["citations"]
    assert cited["type"] == "char_location"


def test_oddity_8_input_tokens_leave_cache_reads_out() -> None:
    """3 input tokens beside 4,563 read from the cache are a prompt of 4,566."""
    answer, _ = whole("6d2f893637")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 4566
    assert answer.usage.prompt_tokens_details is not None
    details = answer.usage.prompt_tokens_details
    assert (details.cached_tokens, details.cache_write_tokens) == (4563, 0)
