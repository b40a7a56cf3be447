"""Calls in one vendor's format that another vendor answers: what both have, in either one's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.providers import Anthropic, Bedrock, Gemini, OpenAI, VertexAI
from edgeagent.providers.responses.items import WIRE as RESPONSES_WIRE
from edgeagent.providers.turns import RESULTS_FIRST
from edgeagent.wire.http import HTTPResponse
from tests.core.test_native import COMPLETION, MESSAGE, ask, native, sent_body
from tests.core.test_pipeline import House

GENERATED = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Rome"}]}, "finishReason": "STOP"}]}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Bonn"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
}
USE = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": True}
FAILED = {
    "max_tokens": 9,
    "messages": [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [RESULT]},
    ],
}
FAILED_AT_GOOGLES = {
    "contents": [
        {"role": "user", "parts": [{"text": "?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "c", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "id": "c", "response": {"error": "no"}}}]},
    ],
}


def answered(provider: Any, answer: Any, body: dict[str, Any], caller: Any) -> tuple[Any, Any]:
    """What is sent to the provider, and the answer in the caller's format."""
    house = House(provider)
    house.world.answers.append(HTTPResponse(200, content=json.dumps(answer).encode()))
    told = ask(house, native(body, caller))
    return sent_body(house), told


@pytest.mark.parametrize("provider", [Gemini(api_key="k"), VertexAI(api_key="k")])
def test_claudes_failed_results_are_googles(provider: Any) -> None:
    """`is_error` is Google's `error`, and nothing is left out."""
    body = {"model": "gemini-2.5-flash", **FAILED}
    sent, told = answered(provider, GENERATED, body, Anthropic(api_key="k"))
    [part] = sent["contents"][2]["parts"]
    assert part["functionResponse"]["response"] == {"error": "no"}
    assert told.completion.edge.dropped_params == ()


def test_claudes_failed_results_are_bedrocks() -> None:
    """`is_error` is a `status`."""
    bedrock = Bedrock(api_key="k", region_name="us-east-1")
    body = {"model": "amazon.nova-pro-v1:0", **FAILED}
    sent, told = answered(bedrock, CONVERSED, body, Anthropic(api_key="k"))
    assert sent["messages"][2]["content"][0]["toolResult"]["status"] == "error"
    assert told.completion.edge.dropped_params == ()


def test_googles_failed_results_are_claudes() -> None:
    """A result that says nothing but an `error` has failed."""
    body = {"model": "claude-haiku-4-5", **FAILED_AT_GOOGLES}
    sent, _ = answered(Anthropic(api_key="k"), MESSAGE, body, Gemini(api_key="k"))
    [block] = sent["messages"][2]["content"]
    assert (block["is_error"], block["content"]) == (True, '{"error":"no"}')


def called_at_googles(*parts: dict[str, Any]) -> dict[str, Any]:
    """Two calls, and what the user says next."""
    calls = [{"functionCall": {"name": "f", "id": name, "args": {}}} for name in "ab"]
    said = [{"role": "model", "parts": calls}, {"role": "user", "parts": list(parts)}]
    return {"contents": [*FAILED_AT_GOOGLES["contents"][:1], *said]}


def result(call: str) -> dict[str, Any]:
    return {"functionResponse": {"name": "f", "id": call, "response": {"output": "no"}}}


RESPONSES = OpenAI(api_key="k", responses=True).in_format(RESPONSES_WIRE)
ITEMS = [
    {"role": "user", "content": "?"},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
    {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
]
OUTPUTS = [{"type": "function_call_output", "call_id": call, "output": "no"} for call in "ab"]


@pytest.mark.parametrize(
    ("body", "caller"),
    [
        (called_at_googles({"text": "Go on."}, result("a"), result("b")), Gemini(api_key="k")),
        (called_at_googles(result("a"), {"text": "Go on."}, result("b")), Gemini(api_key="k")),
        ({"input": [*ITEMS, {"role": "user", "content": "Go on."}, *OUTPUTS]}, RESPONSES),
        ({"input": [*ITEMS, OUTPUTS[0], {"role": "user", "content": "Go on."}, OUTPUTS[1]]}, RESPONSES),
    ],
)
def test_results_stand_right_behind_their_calls(body: dict[str, Any], caller: Any) -> None:
    """Where the caller's format lets the user speak in between, chat refuses it; that they were moved is told."""
    chat = OpenAI(api_key="k", responses=False)
    sent, told = answered(chat, COMPLETION, {"model": "gpt-4o", **body}, caller)
    assert [(one["role"], one.get("tool_call_id")) for one in sent["messages"]] == [
        *[("user", None), ("assistant", None)],
        *[("tool", "a"), ("tool", "b"), ("user", None)],
    ]
    assert RESULTS_FIRST in told.completion.edge.edits


@pytest.mark.parametrize("body", [called_at_googles(result("b"), result("a"), {"text": "Go on."})])
def test_results_that_stand_there_are_left(body: dict[str, Any]) -> None:
    """In the caller's order, without a word."""
    sent, told = answered(OpenAI(api_key="k"), COMPLETION, {"model": "gpt-4o", **body}, Gemini(api_key="k"))
    assert [one.get("tool_call_id") for one in sent["messages"]] == [None, None, "b", "a", None]
    assert told.completion.edge.edits == ()


@pytest.mark.parametrize(
    ("body", "caller", "content", "dropped"),
    [
        (FAILED, Anthropic(api_key="k"), "no", ("is_error",)),
        (FAILED_AT_GOOGLES, Gemini(api_key="k"), '{"error":"no"}', ()),
    ],
)
def test_openai_has_no_mark_of_failures(body: dict[str, Any], caller: Any, content: str, dropped: Any) -> None:
    """It is left out, and named where the text itself does not say it."""
    sent, told = answered(OpenAI(api_key="k"), COMPLETION, {"model": "gpt-4o", **body}, caller)
    result = sent["messages"][2]
    assert (result["role"], result["content"], "is_error" in result) == ("tool", content, False)
    assert told.completion.edge.dropped_params == dropped


BEGUN = [{"role": "user", "content": "As JSON."}, {"role": "assistant", "content": "{"}]
OVER = [{"role": "user", "content": "As JSON."}, {"role": "assistant", "content": [USE]}]


@pytest.mark.parametrize(
    ("provider", "model", "answer", "messages", "told"),
    [
        (OpenAI(api_key="k"), "gpt-4o", COMPLETION, BEGUN, True),
        (OpenAI(api_key="k"), "gpt-4o", COMPLETION, BEGUN[:1], False),
        (OpenAI(api_key="k"), "gpt-4o", COMPLETION, OVER, False),
        (Bedrock(api_key="k", region_name="us-east-1"), "amazon.nova-pro-v1:0", CONVERSED, BEGUN, True),
        (
            Bedrock(api_key="k", region_name="us-east-1"),
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            CONVERSED,
            BEGUN,
            False,
        ),
    ],
)
def test_an_answer_that_was_begun(provider: Any, model: str, answer: Any, messages: Any, told: bool) -> None:
    """Claude goes on with it; of a model that does not, the caller is told so."""
    body = {"model": model, "max_tokens": 9, "messages": messages}
    _, got = answered(provider, answer, body, Anthropic(api_key="k"))
    assert any("does not go on" in edit for edit in got.completion.edge.edits) is told
