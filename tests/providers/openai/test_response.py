"""OpenAI's whole answers: what is accepted, what is refused and how."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIStatusError,
    ContentFilterError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import (
    ChatCompletion,
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    Choice,
    Function,
)
from edgeagent.wire.http import HTTPResponse

CODEC = OpenAIChatCodec()
MESSAGE = {"role": "assistant", "content": "Hi", "refusal": None}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}
GOOD: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def decode(content: bytes | dict[str, Any] | list[Any]) -> ChatCompletion:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return CODEC.decode_response(HTTPResponse(200, {"x-request-id": "req_1"}, data))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(json.dumps(GOOD).encode()[:-40], "not JSON", id="truncated"),
        pytest.param(b"<html>502</html>", "not JSON", id="HTML"),
        pytest.param(b"\xff\xff", "not JSON", id="no text"),
        pytest.param(b"[" * 5000, "not JSON", id="deep"),
        pytest.param(b"[]", "not a JSON object", id="a list"),
        pytest.param(b'"text"', "not a JSON object", id="text"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param({}, "choices is missing", id="an empty object"),
        pytest.param({**GOOD, "choices": []}, "choices is empty", id="no choices"),
        pytest.param({**GOOD, "choices": None}, "choices input should be a valid list", id="choices null"),
        pytest.param({**GOOD, "choices": {}}, "choices input should be a valid list", id="choices an object"),
        pytest.param({**GOOD, "choices": ["secret"]}, r"choices\[0\] input should be a valid", id="a choice is text"),
        pytest.param({**GOOD, "choices": [{"index": 0}]}, r"choices\[0\].message is missing", id="no message"),
        pytest.param(
            {**GOOD, "choices": [{**CHOICE, "message": {"content": ["secret"]}}]},
            r"choices\[0\].message.content input should be a valid string",
            id="content a list",
        ),
        pytest.param({**GOOD, "usage": {"prompt_tokens": "secret"}}, "usage", id="usage of wrong types"),
        pytest.param({**GOOD, "created": "secret"}, "created", id="created no number"),
        pytest.param({**GOOD, "created": 1e400}, "created", id="created infinite"),
    ],
)
def test_what_is_no_completion(content: Any, reason: str) -> None:
    """A body that is not what OpenAI documents is a ResponseValidationError; it names the field and quotes nothing."""
    with pytest.raises(ResponseValidationError, match=reason) as caught:
        decode(content)
    assert "secret" not in str(caught.value)
    assert caught.value.response.headers["x-request-id"] == "req_1"
    assert caught.value.status_code == 200


@pytest.mark.parametrize(
    ("content", "cls"),
    [
        ({"error": {"message": "No.", "code": "rate_limit_exceeded"}}, RateLimitError),
        ({"error": "Overloaded", "type": "overloaded_error"}, OverloadedError),
        ({**GOOD, "error": {"message": "No.", "code": "content_filter"}}, ContentFilterError),
        ({**GOOD, "choices": [{**CHOICE, "error": {"message": "No.", "code": 502}}]}, InternalServerError),
        ({**GOOD, "choices": [{**CHOICE, "finish_reason": "error"}], "error": {"code": 503}}, OverloadedError),
    ],
)
def test_an_error_inside_a_success(content: dict[str, Any], cls: type[APIStatusError]) -> None:
    """An error object in a 200 is the typed error, wherever it stands."""
    with pytest.raises(APIStatusError) as caught:
        decode(content)
    assert type(caught.value) is cls
    assert caught.value.request_id == "req_1"


def test_an_error_that_is_null_is_none() -> None:
    """`"error": null` beside an answer is only a field."""
    assert decode({**GOOD, "error": None}).choices[0].message.content == "Hi"


@pytest.mark.parametrize(
    ("word", "reason", "native"),
    [
        ("stop", "stop", None),
        ("eos", "stop", "eos"),
        ("end_turn", "stop", "end_turn"),
        ("STOP", "stop", "STOP"),
        ("MAX_TOKENS", "length", "MAX_TOKENS"),
        ("model_length", "length", "model_length"),
        ("tool_use", "tool_calls", "tool_use"),
        ("SAFETY", "content_filter", "SAFETY"),
        ("function_call", "function_call", None),
        ("never heard of", "stop", "never heard of"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_finish_reasons(word: str | None, reason: str | None, native: str | None) -> None:
    """Finish reasons become OpenAI's five; the vendor's own word is kept where it differs."""
    choice = decode({**GOOD, "choices": [{**CHOICE, "finish_reason": word}]}).choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (reason, native)


def test_a_native_finish_reason_that_was_sent_is_kept() -> None:
    """A gateway's own `native_finish_reason` is not replaced."""
    choice = {**CHOICE, "finish_reason": "end", "native_finish_reason": "END_TURN"}
    assert decode({**GOOD, "choices": [choice]}).choices[0].native_finish_reason == "END_TURN"


def test_what_compatible_servers_leave_out() -> None:
    """Id, object, creation time, model and index may be missing, and the time may be a fraction."""
    completion = decode({"choices": [{"message": MESSAGE, "finish_reason": "stop"}], "created": 1.5})
    assert (completion.id, completion.model, completion.created) == ("", "", 1)
    assert completion.object == "chat.completion"
    assert completion.choices[0].index == 0


def test_unknown_fields_are_kept() -> None:
    """What OpenAI invents tomorrow is reachable on the object, at every level."""
    message = {**MESSAGE, "mood": "good"}
    completion = decode({**GOOD, "choices": [{**CHOICE, "message": message, "rank": 7}], "shard": [1]})
    assert completion.shard == [1]  # type: ignore[attr-defined]
    assert completion.choices[0].rank == 7  # type: ignore[attr-defined]
    assert completion.choices[0].message.mood == "good"  # type: ignore[attr-defined]


def test_a_completion_of_another_vendor_in_openais_form() -> None:
    """Fields that OpenAI's answers always have are there, whoever made the completion."""
    call = ChatCompletionMessageToolCall(id="c", function=Function(name="f", arguments="{}"))
    message = ChatCompletionMessage(tool_calls=[call])
    completion = ChatCompletion(id="x", created=1, model="claude", choices=[Choice(index=0, message=message)])
    assert CODEC.encode_response(completion) == {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "finish_reason": None,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
            }
        ],
    }
