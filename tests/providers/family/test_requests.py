"""What is sent to servers of OpenAI's shape: by the packages' own types, and by each flag."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.providers.rows import ROWS
from edgeagent.types import ChatRequest
from tests.providers.family.support import codec, request_body, request_of
from tests.support import report
from tests.support.corpus import records

USER = {"role": "user", "content": "?"}


def sent(row: str | None, messages: list[dict[str, Any]] | None = None, **parameters: Any) -> Any:
    quirks = ROWS[row].quirks if row else None
    its = OpenAIChatCodec(quirks) if quirks else OpenAIChatCodec()
    request = ChatRequest(model="m", messages=messages or [USER], **parameters)
    return its.encode_request(request, model="m", stream=False)


def exhaust(value: Any) -> None:
    """Pydantic validates an `Iterable` only as it is read."""
    if isinstance(value, dict):
        for item in value.values():
            exhaust(item)
    elif not isinstance(value, str | bytes) and isinstance(value, Iterable):
        for item in value:
            exhaust(item)


@cache
def groq() -> TypeAdapter[Any]:
    types = pytest.importorskip("groq.types.chat.completion_create_params")
    return TypeAdapter(types.CompletionCreateParams)


def test_groqs_types_are_a_judge() -> None:
    """What they forbid is found, also inside the messages."""
    exhaust(groq().validate_python({"model": "m", "messages": [USER]}))
    for bad in ({"model": "m", "messages": [USER], "n": "two"}, {"model": "m", "messages": [{**USER, "content": 3}]}):
        with pytest.raises(ValidationError):
            exhaust(groq().validate_python(bad))


def test_requests_to_groq_are_valid_for_its_own_types() -> None:
    """Every recorded request that Groq answered, built again, is valid by the `groq` package's types."""
    known = set(groq().json_schema(mode="validation")["properties"]) | {"stream_options"}
    faults = []
    good = [record for record in records("groq.chat") if record["status"] == 200]
    assert good
    for record in good:
        body = codec("groq.chat").encode_request(request_of("groq.chat", record), model="m", stream=False).body
        try:
            exhaust(groq().validate_python(body))
        except ValidationError as error:
            faults.append(f"{record['id']}: {error.errors()[0]['loc']}")
        faults += [f"{record['id']}: {name}" for name in body.keys() - known]
    report.add("groq.chat", "requests valid for groq's types", len(good) - len(faults), len(faults))
    assert not faults, faults


def test_what_groq_refuses() -> None:
    """By https://console.groq.com/docs/openai: no names in messages, no bias; hints it does not know are dropped."""
    encoded = sent("groq", [{**USER, "name": "Ann"}], prompt_cache_key="k", safety_identifier="s", verbosity="low")
    assert encoded.body == {"model": "m", "messages": [USER]}
    assert encoded.dropped == ("messages.name", "prompt_cache_key", "safety_identifier", "verbosity")
    with pytest.raises(RequestValidationError) as caught:
        sent("groq", logit_bias={"5": 1.0})
    assert caught.value.param == "logit_bias"
    assert "logit_bias" not in sent("groq", logit_bias={}).body
    assert not ROWS["groq"].features & {"logprobs", "n", "audio"}


@pytest.mark.parametrize("row", ["deepseek", "zai", "perplexity", "together", "databricks", "writer", "heroku"])
def test_the_older_name_of_the_output_limit(row: str) -> None:
    """Servers that have only `max_tokens` get it under that name; with both given, theirs stands."""
    assert sent(row, max_completion_tokens=5).body["max_tokens"] == 5
    both = sent(row, max_completion_tokens=5, max_tokens=6).body
    assert (both["max_tokens"], "max_completion_tokens" in both) == (6, False)


ANSWER = {
    "role": "assistant",
    "content": "x",
    "reasoning": "r",
    "reasoning_content": "r",
    "reasoning_details": [{"type": "reasoning.text", "text": "r"}],
    "provider_metadata": {"a": 1},
    "executed_tools": [],
    "annotations": [],
}


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (None, set()),
        ("perplexity", set()),
        ("azure_ai", set()),
        ("groq", {"reasoning"}),
        ("deepseek", {"reasoning_content"}),
        ("openrouter", {"reasoning", "reasoning_content", "reasoning_details"}),
    ],
)
def test_an_answer_of_another_server_goes_on_elsewhere(row: str | None, kept: set[str]) -> None:
    """Fields of answers are sent where a server wants them back, and named as left out where not."""
    encoded = sent(row, [USER, dict(ANSWER), USER])
    assert encoded.body["messages"][1].keys() == {"role", "content", *kept}
    told = next(edit for edit in encoded.edits if edit.startswith("fields of answers not sent back"))
    assert set(told.partition(": ")[2].split(", ")) == ANSWER.keys() - {"role", "content"} - kept


def test_ids_too_long_for_openai() -> None:
    """OpenAI takes 40 characters: longer ids are replaced, alike in the call and its result; others stand."""
    long = "toolu_" + "x" * 60
    messages = [
        USER,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}} for each in (long, "a")
            ],
        },
        {"role": "tool", "tool_call_id": long, "content": "1"},
        {"role": "tool", "tool_call_id": "a", "content": "2"},
    ]
    encoded = sent(None, messages)
    _, asked, first, second = encoded.body["messages"]
    ids = [call["id"] for call in asked["tool_calls"]]
    assert (first["tool_call_id"], second["tool_call_id"]) == (ids[0], "a")
    assert len(ids[0]) <= 40
    assert ids[0].isalnum()
    assert "ids of tool calls longer than 40 characters replaced" in encoded.edits
    assert sent("vllm", messages).body["messages"] == messages


def test_a_signature_of_gemini_is_its_own() -> None:
    """Gemini wants the signature of a call back; OpenAI does not know it."""
    signed = {"google": {"thought_signature": "s"}}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": signed}
    messages = [USER, {"role": "assistant", "content": None, "tool_calls": [call]}]
    assert sent("gemini_openai", messages).body["messages"][1]["tool_calls"][0]["extra_content"] == signed
    assert "extra_content" not in sent(None, messages).body["messages"][1]["tool_calls"][0]


def test_a_role_that_a_server_does_not_know() -> None:
    """`developer` is `system` there."""
    messages = [{"role": "developer", "content": "Be brief."}, USER]
    assert sent("deepseek", messages).body["messages"][0]["role"] == "system"
    assert sent("openrouter", messages).body["messages"][0]["role"] == "developer"


def test_the_usage_of_a_stream_is_asked_for_where_that_is_known() -> None:
    """A server without `stream_options` is not sent any."""
    for row, expected in (("openrouter", {"include_usage": True}), ("databricks", None)):
        request = ChatRequest(model="m", messages=[USER], stream=True)
        body = OpenAIChatCodec(ROWS[row].quirks).encode_request(request, model="m", stream=True).body
        assert body.get("stream_options") == expected


def test_the_recorded_body_is_not_changed() -> None:
    """Encoding leaves the caller's request as it was."""
    for record in records("openrouter.chat")[:20]:
        before = request_body(record)
        request = request_of("openrouter.chat", record)
        copy = request.model_copy(deep=True)
        codec("openrouter.chat").encode_request(request, model="m", stream=True)
        assert request == copy
        assert before == request_body(record)
