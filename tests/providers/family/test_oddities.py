"""What servers of OpenAI's shape really send and a naive adapter gets wrong: one recorded case each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    RateLimitError,
)
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.family.support import codec, decode, response
from tests.support.corpus import body, record

__all__: list[str] = []


def whole(id: str) -> ChatCompletion:
    api, _, digits = id.rpartition("-")
    return codec(api).decode_response(response(record(api, digits)))


def chunks(id: str) -> list[ChatCompletionChunk]:
    api, _, digits = id.rpartition("-")
    found = record(api, digits)
    return decode(api, found, [body(found)])


def error(id: str) -> APIStatusError:
    api, _, digits = id.rpartition("-")
    return codec(api).decode_error(response(record(api, digits)))


def calls(completion: ChatCompletion) -> list[tuple[str, Any]]:
    found = [call for choice in completion.choices for call in choice.message.tool_calls or ()]
    assert all(call.id for call in found)
    assert len({call.id for call in found}) == len(found)
    return [(call.function.name, json.loads(call.function.arguments)) for call in found if call.function is not None]


def test_oddity_36_an_error_event_in_a_stream() -> None:
    """Groq ends a stream of 200 with `event: error` and no [DONE]; the failed generation stays reachable."""
    with pytest.raises(BadRequestError) as caught:
        chunks("groq.chat-6f4b145eb6")
    assert caught.value.code == "tool_use_failed"
    assert "failed_generation" in caught.value.body  # type: ignore[operator]
    refused = error("groq.chat-fd9427894c")
    assert type(refused) is BadRequestError
    assert refused.body["failed_generation"] == "maybe"  # type: ignore[index]


def test_oddity_37_arguments_null() -> None:
    """No arguments are an empty object."""
    assert calls(whole("groq.chat-1646372234")) == [("lookup_harbor_label", {}), ("lookup_orchard_label", {})]


def test_oddity_38_errors_inside_answers() -> None:
    """OpenRouter's error chunk after comments, and its error inside a choice, are errors."""
    with pytest.raises(BadRequestError):
        chunks("openrouter.chat-bb19b9a3a2")
    with pytest.raises(InternalServerError) as caught:
        whole("openrouter.chat-b8c020747d")
    assert caught.value.status_code == 502


def test_oddity_39_a_finish_reason_twice_and_a_call_without_arguments() -> None:
    """The finish reason counts once, a call without arguments has none in JSON."""
    twice = assemble(chunks("openrouter.chat-4a7dd754e1"))
    assert twice.choices[0].finish_reason == "tool_calls"
    assert calls(twice) == [("ping_empty", {})]
    assert calls(whole("openrouter.chat-eadb2cac64")) == [("find_education_content", {})]


def test_oddity_40_rate_limits_inside_the_body() -> None:
    """The reset in epoch milliseconds is the time to wait until then, and it stays in the body."""
    limited = error("openrouter.chat-f06853c235")
    assert type(limited) is RateLimitError
    assert limited.retry_after == 0  # long ago
    assert limited.body["metadata"]["headers"]["X-RateLimit-Reset"] == "1754667660000"  # type: ignore[index]
    found = record("openrouter.chat", "f06853c235")
    then = HTTPResponse(429, {"date": "Fri, 08 Aug 2025 15:40:30 GMT"}, body(found))
    again = codec("openrouter.chat").decode_error(then)
    assert isinstance(again, RateLimitError)
    assert again.retry_after == 30


def test_oddity_44_content_after_the_end_and_usage_everywhere() -> None:
    """What follows the finish reason still counts; of many usages, the last one does."""
    after = chunks("baseten.chat-2970b3c670")
    assert assemble(after).choices[0].finish_reason == "stop"
    told = [choice.delta.content for chunk in after for choice in chunk.choices if choice.delta.content]
    assert assemble(after).choices[0].message.content == "".join(told)
    usage = assemble(chunks("baseten.chat-28ad452d8a")).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (41, 76)


def test_oddity_45_empty_ids() -> None:
    """An id that is empty later on is not another call; one that is empty from the first is made up."""
    assert calls(assemble(chunks("alibaba.chat-360668ab69"))) == [("square_root", {"number": 132413})]
    assert calls(assemble(chunks("gemini.openai_chat-3ec6bedf8d"))) == [
        ("return_list_of_int", {"value": [1, 2, 3, 4, 5]})
    ]
    first, second = (assemble(chunks("gemini.openai_chat-3ec6bedf8d")) for _ in range(2))
    assert first == second


def test_oddity_46_tool_calls_without_any() -> None:
    """An answer that calls nothing has stopped; the vendor's word is kept."""
    choice = whole("together.chat-7d9d0e0894").choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == ("stop", "tool_calls")
    assert "best_country" in (choice.message.reasoning_content or "")


def test_oddity_47_counters_that_are_null() -> None:
    """Null in mid-stream is nothing yet; the last counts."""
    usage = assemble(chunks("databricks.chat-4a78140813")).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (402, 54, 456)


def test_oddity_48_message_beside_delta_and_an_html_error() -> None:
    """The text is told once, cited pages are annotations, and an HTML page is an error by its status."""
    made = assemble(chunks("perplexity.chat-dec944ff55"))
    assert made.choices[0].message.content == "1 2 3"
    cited = [a.url_citation.url for a in made.choices[0].message.annotations or () if a.url_citation]
    assert cited[0] == "https://www.youtube.com/watch?v=gJEC9-B37KI"
    refused = error("perplexity.chat-4ccd856171")
    assert type(refused) is AuthenticationError
    assert "<" not in str(refused)


def test_oddity_49_dummies() -> None:
    """Empty finish reason, audio, refusal and function call are none."""
    choice = whole("snowflake.openai_chat-a802e4218d").choices[0]
    assert choice.finish_reason == "stop"
    assert json.loads(choice.message.content or "") == {"city": "Mexico City", "country": "Mexico"}
    assert (choice.message.audio, choice.message.function_call, choice.message.refusal) == (None, None, None)


def test_oddity_50_reasoning_counted_apart() -> None:
    """Reasoning is among the completion's tokens, as the total says."""
    usage = whole("xai.chat-a74f42dd30").usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (468, 402, 870)


def test_oddity_54_an_error_that_is_a_string_and_one_that_is_a_page() -> None:
    """Both are typed by their status; the string is the message."""
    unpaid = error("huggingface.chat-f721839556")
    assert unpaid.status_code == 402
    assert str(unpaid).startswith("You have exceeded your monthly included credits")
    assert type(error("huggingface.chat-ce9a1aa3f0")) is InternalServerError


def test_oddity_55_wrong_labels() -> None:
    """A JSON error as octet-stream, a 500 whose body says 400, a 500 for bad input."""
    assert type(error("deepseek.chat-cd90295a4f")) is ContextWindowExceededError
    assert type(error("pollinations.chat-9c1cacf64b")) is BadRequestError
    assert type(error("llamacpp.chat-29025bb177")) is BadRequestError
