"""The Responses API end to end: llama.cpp's server, asked through the codec by sync and async code."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from edgeagent.errors import APIStatusError, BadRequestError
from edgeagent.providers import OpenAI
from tests.integration.harness import WAYS, Asker
from tests.support.local_model import CALL_PROMPT, WEATHER_TOOL, LlamaServer


@pytest.fixture(params=WAYS)
def asker(request: pytest.FixtureRequest, llama_server: LlamaServer) -> Iterator[Asker]:
    """A client of one provider that is asked through `/v1/responses`, without a cache."""
    provider = OpenAI(base_url=f"{llama_server.url}/v1", api_key="x", responses=True)
    with Asker(str(request.param), [provider], cache=False) as asker:
        yield asker


def test_an_answer(asker: Asker) -> None:
    """Text, finish reason, usage that adds up, the vendor's id."""
    completion = asker.create(max_tokens=16, temperature=0)
    (choice,) = completion.choices
    assert choice.message.content
    assert choice.finish_reason in {"stop", "length"}
    assert completion.id.startswith("resp")
    usage = completion.usage
    assert usage is not None
    assert 0 < usage.completion_tokens <= 16
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert any("store" in edit for edit in completion.edge.edits)


def test_a_stream_is_the_answer(asker: Asker) -> None:
    """The streamed text is the unstreamed one, and the usage is known at the end."""
    whole = asker.create(max_tokens=16, temperature=0)
    streamed = asker.stream(max_tokens=16, temperature=0)
    assert streamed.text == whole.choices[0].message.content
    assert len(streamed.chunks) > 3
    assert streamed.usage is not None
    assert streamed.usage.completion_tokens > 0


def test_a_tool_call_and_its_result(asker: Asker) -> None:
    """A call has an id and JSON arguments; its result goes back and is answered."""
    params = {"tools": [WEATHER_TOOL], "temperature": 0, "max_tokens": 128}
    completion = asker.create(CALL_PROMPT, tool_choice="required", **params)
    message = completion.choices[0].message
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    call = message.tool_calls[0]
    assert call.function is not None
    assert isinstance(json.loads(call.function.arguments), dict)
    conversation = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": CALL_PROMPT},
        message.to_dict(),
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny."},
    ]
    again = asker.create(messages=conversation, **params)
    assert again.choices[0].finish_reason in {"stop", "length", "tool_calls"}


def test_errors_are_typed(asker: Asker) -> None:
    """What the server refuses is an error with its status; what cannot be asked never leaves."""
    with pytest.raises(APIStatusError) as caught:
        asker.create(messages=[{"role": "user", "content": "x " * 8_000}])
    assert caught.value.status_code >= 400
    with pytest.raises(BadRequestError):
        asker.create(max_tokens=4)
