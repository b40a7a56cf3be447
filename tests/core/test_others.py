"""Calls in one vendor's format that another vendor answers: what both have, in either one's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.providers import Anthropic, Bedrock, Gemini, OpenAI, VertexAI
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
