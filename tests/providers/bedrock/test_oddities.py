"""What Bedrock really sends and naive adapters get wrong, one test each (the number is that of the list)."""

from __future__ import annotations

import json
from typing import Any

from edgeagent.errors import ContextWindowExceededError
from edgeagent.providers.bedrock import BedrockInvokeCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.bedrock.support import CODEC, encode
from tests.support.corpus import body, record

CONVERSE, INVOKE = "bedrock.converse", "bedrock.invoke"


def whole(digits: str) -> tuple[ChatCompletion, dict[str, Any]]:
    data = body(record(CONVERSE, digits))
    return CODEC.decode_response(HTTPResponse(200, content=data)), json.loads(data)


def chunks_of(digits: str) -> list[ChatCompletionChunk]:
    recorded = record(CONVERSE, digits)
    decoder = CODEC.stream_decoder(CODEC.decode_request(recorded["request"]["body"]))
    return decoder.feed(body(recorded)) + decoder.end()


def native(answer: ChatCompletion) -> list[dict[str, Any]]:
    content = answer.choices[0].message.native_content
    assert content is not None
    blocks: list[dict[str, Any]] = content["content"]
    return blocks


def test_oddity_19_text_without_a_start_an_empty_block_and_padding() -> None:
    """The text is there, the empty block 0 is no text, reasoning is apart, and the padding is no part of the answer."""
    chunks = chunks_of("cb261a620f")
    answer = assemble(chunks)
    assert answer.choices[0].message.content == "Hello! How can I help you today?"
    assert (answer.choices[0].message.reasoning_content or "").startswith('The user just says "Hi".')
    assert [next(iter(block)) for block in native(answer)] == ["text", "reasoningContent", "text"]
    assert '"p"' not in "".join(chunk.model_dump_json() for chunk in chunks)
    sent = encode("openai.gpt-oss-120b-1:0", messages=[_turn("a"), _sent_back(answer), _turn("b")]).body["messages"][1]
    assert [next(iter(block)) for block in sent["content"]] == ["reasoningContent", "text"]


def _turn(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _sent_back(answer: ChatCompletion) -> dict[str, Any]:
    return answer.choices[0].message.model_dump(exclude_unset=True)


def test_oddity_20_input_tokens_leave_the_cache_out() -> None:
    """No input tokens but 27 read from the cache: the prompt had 27."""
    usage = whole("6effa28679")[0].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (27, 48, 75)
    assert usage.prompt_tokens_details is not None
    assert (usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens_details.cache_write_tokens) == (27, 0)


def test_oddity_21_a_guardrail_intervened() -> None:
    """It is filtered content, the vendor's word and the whole trace are kept."""
    answer, sent = whole("de26a51f2b")
    assert answer.choices[0].finish_reason == "content_filter"
    assert answer.choices[0].native_finish_reason == "guardrail_intervened"
    assert (answer.choices[0].message.content or "").startswith("\nThe capital of {ADDRESS}")
    assert answer.model_extra is not None
    assert answer.model_extra["trace"] == sent["trace"]


def test_oddity_22_redacted_content_in_a_delta() -> None:
    """Two redacted thoughts, kept exactly and sent back."""
    answer = assemble(chunks_of("61443c5d21"))
    blocks = native(answer)
    assert [list(block["reasoningContent"]) for block in blocks[:2]] == [["redactedContent"]] * 2
    assert answer.choices[0].message.reasoning_content is None
    sent = encode(messages=[_turn("a"), _sent_back(answer), _turn("b")]).body["messages"][1]["content"]
    assert sent == blocks


def test_oddity_22_a_tool_result_as_assistant_content() -> None:
    """A search on the vendor's side is no call of the client's; call and result are kept."""
    answer = assemble(chunks_of("0b0082d68c"))
    choice = answer.choices[0]
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"
    first, second = native(answer)[:2]
    assert first["toolUse"]["name"] == "nova_grounding"
    assert first["toolUse"]["input"] == {"query": "latest stable Ruby version"}
    assert second["toolResult"]["content"] == [{"text": "[HIDDEN]"}]
    urls = [a.url_citation.url for a in choice.message.annotations or [] if a.url_citation]
    assert len(urls) == 3
    assert all(url and url.startswith("http") for url in urls)


def test_oddity_23_the_text_is_inside_the_citations() -> None:
    """The answer's text is whole and in order."""
    answer, sent = whole("86b6b2f1e4")
    text = answer.choices[0].message.content or ""
    assert text.startswith('The document is a simple PDF file, and it contains "Fun fun fun." The rest')
    assert native(answer) == sent["output"]["message"]["content"]


def test_oddity_24_the_error_type_is_in_a_header_with_a_url_behind_it() -> None:
    """The bare type; and this one, by its words, is a prompt that is too long."""
    recorded = record(CONVERSE, "8f16580f65")
    error = CODEC.decode_error(HTTPResponse(400, recorded["response"]["headers"], body(recorded)))
    assert type(error) is ContextWindowExceededError
    assert error.type == "ValidationException"
    assert error.request_id == "8090a430-9830-442b-a193-749569a08e0f"


def test_oddity_25_invoke_streams_are_base64_in_frames() -> None:
    """Claude's own events are inside; the metrics come last and are kept."""
    recorded = record(INVOKE, "8f94d12d95")
    codec = BedrockInvokeCodec()
    decoder = codec.stream_decoder(codec.decode_request(recorded["request"]["body"]))
    answer = assemble(decoder.feed(body(recorded)) + decoder.end())
    assert decoder.finished
    assert answer.choices[0].message.content == "The capital of France is Paris."
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (14, 10)
    assert answer.model_extra is not None
    assert answer.model_extra["amazon-bedrock-invocationMetrics"]["inputTokenCount"] == 14


def test_oddity_25_prompt_token_count_null() -> None:
    """The count of the first chunk stays where later ones say null."""
    recorded = record(INVOKE, "5577c19131")
    codec = BedrockInvokeCodec()
    from edgeagent.types import ChatRequest

    decoder = codec.stream_decoder(ChatRequest(model="m", messages=[_turn("a")]))
    answer = assemble(decoder.feed(body(recorded)) + decoder.end())
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 60)
    assert answer.choices[0].finish_reason == "length"
