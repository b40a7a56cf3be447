"""What of a request in Anthropic's format goes to a vendor of another, what is dropped, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from tests.providers.anthropic.support import CODEC

BODY: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def told(**more: Any) -> tuple[ChatRequest, tuple[str, ...]]:
    body = {**BODY, **more}
    return CODEC.for_others(CODEC.decode_request(body), body)


@pytest.mark.parametrize(
    ("more", "dropped"),
    [
        ({"top_k": 5}, ("top_k",)),
        ({"context_management": {"edits": []}, "speed": "fast"}, ("context_management", "speed")),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, ()),
        ({"output_config": {"effort": "low"}}, ()),
        (
            {"tools": [{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True}]},
            ("tools.defer_loading",),
        ),
    ],
)
def test_advice_is_dropped_and_named(more: dict[str, Any], dropped: tuple[str, ...]) -> None:
    """What the unified model has said in its own words needs no note."""
    request, names = told(**more)
    assert names == dropped
    assert not request.model_extra
    assert all(set(tool) <= {"type", "function"} for tool in request.tools or ())


def test_thinking_is_an_effort_and_its_refusal_is_no_question() -> None:
    """A budget is the nearest effort; a model of another vendor may have nothing to switch off."""
    assert told(thinking={"type": "enabled", "budget_tokens": 1024})[0].reasoning_effort == "minimal"
    assert told(thinking={"type": "disabled"})[0].reasoning_effort is None


def test_what_a_result_says_of_itself() -> None:
    """That it has failed can be told to some others; the name of a set of tools is Anthropic's own."""
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": True}
    result["toolset_name"] = "s"
    messages = [*BODY["messages"], {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    request, names = told(messages=messages)
    assert names == ("toolset_name",)
    assert request.messages[-1] == {"role": "tool", "tool_call_id": "t", "content": "no", "is_error": True}


def test_what_a_system_message_says_besides_is_dropped() -> None:
    """One within the conversation may set more than it says, or nothing else."""
    inner = [{"role": "system", "content": "s", "clear_at": "never"}, {"role": "system", "clear_at": "never"}]
    request, names = told(messages=[*BODY["messages"], *inner])
    assert names == ("clear_at",)
    assert request.messages == [*BODY["messages"], {"role": "system", "content": "s"}]


def test_parameters_of_the_target_s_own_stay() -> None:
    """What the SDK's caller added by `extra_body` is no affair of Anthropic's."""
    assert told(repetition_penalty=1.1)[0].model_extra == {"repetition_penalty": 1.1}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"mcp_servers": [{"name": "x"}]}, "mcp_servers"),
        ({"container": "c"}, "container"),
        ({"thread": {"type": "continue", "previous_message_id": "msg_1"}}, "thread"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        (
            {
                "messages": [
                    {"role": "user", "content": "?"},
                    {
                        "role": "user",
                        "content": [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}],
                    },
                ]
            },
            "messages[1]",
        ),
    ],
)
def test_what_only_anthropic_can_do_is_refused(more: dict[str, Any], param: str) -> None:
    """The error names the field."""
    with pytest.raises(RequestValidationError) as caught:
        told(**more)
    assert caught.value.param == param
