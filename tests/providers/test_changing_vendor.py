"""A conversation that changes vendor at every turn stays whole and valid, with tools and reasoning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from edgeagent.errors import APIError
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse
from tests.providers.every import CODECS, Wire
from tests.support.corpus import body, records

__all__: list[str] = []

ANSWERS = 12
"""How many answers of each vendor are taken on, half of them with calls."""

pairs = pytest.mark.parametrize(
    ("first", "second"), [(a, b) for a in CODECS for b in CODECS], ids=lambda wire: wire.name
)


def answers(wire: Wire) -> Iterator[ChatCompletion]:
    for record in records(wire.api):
        if record["status"] == 200 and "body_text" not in record["response"] and len(body(record)) < 20_000:
            try:
                yield wire.codec.decode_response(HTTPResponse(200, record["response"]["headers"], body(record)))
            except APIError:
                continue


def fits(message: Any) -> bool:
    """Words or calls of functions, and nothing that only some vendors know."""
    calls = message.tool_calls or ()
    if any(call.function is None or not _is_object(call.function.arguments) for call in calls):
        return False
    return bool(message.content or calls) and message.audio is None and message.function_call is None


def _is_object(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


@cache
def chosen(wire: Wire) -> tuple[Any, ...]:
    plain: list[Any] = []
    calling: list[Any] = []
    for completion in answers(wire):
        message = completion.choices[0].message
        group = calling if message.tool_calls else plain
        if fits(message) and len(group) < ANSWERS // 2:
            group.append(message)
    return (*plain, *calling)


def conversation(message: Any) -> ChatRequest:
    """The recorded answer in the middle of a conversation, its calls answered."""
    told = message.model_dump(mode="json", exclude_unset=True)
    calls = message.tool_calls or ()
    names = dict.fromkeys([call.function.name for call in calls] or ["other"])
    schema = {"type": "object", "properties": {}, "additionalProperties": True}
    return ChatRequest.model_validate(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "First question"},
                {"role": "assistant", **told},
                *({"role": "tool", "tool_call_id": call.id, "content": f"result of {call.id}"} for call in calls),
                {"role": "user", "content": "Second question"},
            ],
            "tools": [{"type": "function", "function": {"name": name, "parameters": schema}} for name in names],
        }
    )


def texts(value: Any) -> Iterator[str]:
    """Every string in a body; of strings that are JSON objects, those inside, too."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
        if value.startswith("{"):
            try:
                yield from texts(json.loads(value))
            except ValueError:
                return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


@pairs
def test_the_next_turn_goes_to_another_vendor(first: Wire, second: Wire) -> None:
    """Words, calls with their arguments, and results arrive; what only the first vendor understands does not."""
    assert chosen(first), "no answer to go on from"
    for message in chosen(first):
        request = conversation(message)
        encoded = second.codec.encode_request(request, model=second.model, stream=False)
        sent = list(texts(encoded.body))
        for word in ("Be brief.", "First question", "Second question"):
            assert any(word in text for text in sent), word
        if message.content and message.content.strip():
            assert any(message.content.strip() in text for text in sent) or message.content.split()[0] in " ".join(sent)
        for call in message.tool_calls or ():
            assert call.function.name in sent
            assert any(f"result of {call.id}" in text for text in sent)
            for argument in _strings(json.loads(call.function.arguments)):
                assert argument in sent
        if second.native != first.native:
            signatures = [text for text in _strings(message.native_content) if len(text) > 80 and " " not in text]
            assert not any(signature in sent for signature in signatures)


@pairs
def test_the_calls_and_their_results_belong_together(first: Wire, second: Wire) -> None:
    """Read back by the second vendor's own inverse, each result names a call that stands before it."""
    for message in chosen(first):
        encoded = second.codec.encode_request(conversation(message), model=second.model, stream=False)
        told = second.codec.decode_request({"model": second.model, **encoded.body}).messages
        calls = [call["id"] for each in told for call in each.get("tool_calls") or ()]
        results = [each["tool_call_id"] for each in told if each["role"] == "tool"]
        assert results == calls
        assert len(calls) == len(message.tool_calls or ())
