"""The Responses API end to end: llama.cpp's server, asked through the codec by sync and async code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from openai._models import construct_type_unchecked
from openai.types.responses import Response
from pydantic import BaseModel

from edgeagent import EdgeClient
from edgeagent.errors import APIStatusError, BadRequestError
from edgeagent.providers import OpenAI, OpenAICompatible
from tests.integration.harness import WAYS, Asker
from tests.providers.responses.order import check_order
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


# client.responses


@pytest.fixture(params=[True, False], ids=["native", "translated"])
def client(request: pytest.FixtureRequest, llama_server: LlamaServer) -> Iterator[EdgeClient]:
    """A client whose `responses` go to `/v1/responses`, or are told to `/v1/chat/completions`."""
    server = OpenAICompatible(name="local", base_url=f"{llama_server.url}/v1", responses=bool(request.param))
    with EdgeClient(providers=[server]) as client:
        yield client


FLAT = {"type": "function", **WEATHER_TOOL["function"]}
BRIEF: dict[str, Any] = {"model": "smollm2", "input": "Say hello.", "temperature": 0, "max_output_tokens": 16}


def test_a_response(client: EdgeClient) -> None:
    """Text, usage and state, as openai's own model reads them; the second time from memory."""
    answer = client.responses.create(**BRIEF)
    hers = construct_type_unchecked(type_=Response, value=answer.to_dict())
    assert answer.output_text == hers.output_text != ""
    assert answer.usage is not None
    assert 0 < answer.usage.output_tokens <= 16
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    again = client.responses.create(**BRIEF)
    if answer.status == "completed":
        assert again.edge.cached
        assert again == answer


def test_both_ways_and_openais_client_say_the_same(llama_server: LlamaServer) -> None:
    """The text of the native answer, of the translated one, of a stream of each, and of openai's client."""
    url = f"{llama_server.url}/v1"
    with openai.OpenAI(api_key="x", base_url=url) as theirs:
        told = {theirs.responses.create(**BRIEF).output_text}
    for native in (True, False):
        server = OpenAICompatible(name="local", base_url=url, responses=native)
        client = EdgeClient(providers=[server], cache=False)
        told.add(client.responses.create(**BRIEF).output_text)
        with client.responses.stream(**BRIEF) as stream:
            pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
            told |= {"".join(pieces), stream.get_final_response().output_text}
            assert len(pieces) > 3
    assert len(told) == 1


def test_a_translated_stream_is_in_the_documented_order(llama_server: LlamaServer) -> None:
    """From a real server's chunks."""
    server = OpenAICompatible(name="local", base_url=f"{llama_server.url}/v1")
    with EdgeClient(providers=[server]) as client:
        check_order([event.to_dict() for event in client.responses.create(**BRIEF, stream=True)])


def test_a_tool_loop(client: EdgeClient) -> None:
    """A call, its output beside the items of the answer, and another answer."""
    params: dict[str, Any] = {"model": "smollm2", "tools": [FLAT], "temperature": 0, "max_output_tokens": 128}
    first = client.responses.create(input=CALL_PROMPT, tool_choice="required", **params)
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert isinstance(json.loads(call.arguments), dict)
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}
    asked = [{"type": "message", "role": "user", "content": CALL_PROMPT}, *first.output, output]
    again = client.responses.create(input=asked, **params)
    assert again.status in {"completed", "incomplete"}


class Colour(BaseModel):
    """A colour."""

    name: Literal["red", "green"]


def test_a_structured_response(llama_server: LlamaServer) -> None:
    """Asked through chat the server is held to the schema of a type; its own `/v1/responses` leaves `text` unread."""
    client = EdgeClient(providers=[OpenAICompatible(name="local", base_url=f"{llama_server.url}/v1")])
    answer = client.responses.parse(
        model="smollm2", input="The colour of grass?", text_format=Colour, temperature=0, max_output_tokens=64
    )
    assert isinstance(answer.output_parsed, Colour)
