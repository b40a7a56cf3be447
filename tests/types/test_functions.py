"""OpenAI's older functions, for vendors that have only tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.functions import chunk_with_function_call, modernised, speaks_of_functions, with_function_call
from tests.support.loopback import Loopback, Request, reply

__all__: list[str] = []

WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
ASK: dict[str, Any] = {"role": "user", "content": "Weather in Paris?"}
CALLED = {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city":"Paris"}'}}
RESULT = {"role": "function", "name": "weather", "content": "mild"}


def request(*messages: dict[str, Any], **params: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": list(messages), **params})


@pytest.mark.parametrize(
    ("made", "older"),
    [
        (request(ASK), False),
        (request(ASK, tools=[{"type": "function", "function": WEATHER}]), False),
        (request(ASK, functions=[]), False),
        (request(ASK, functions=[WEATHER]), True),
        (request(ASK, CALLED), True),
        (request(ASK, RESULT), True),
    ],
)
def test_what_is_in_the_older_form(made: ChatRequest, older: bool) -> None:
    """Functions, their calls and their results are; tools are not."""
    assert speaks_of_functions(made) is older


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (None, None),
        ("auto", "auto"),
        ("none", "none"),
        ({"name": "weather"}, {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_functions_become_tools(choice: Any, told: Any) -> None:
    """With the choice in the newer form, one call at a time."""
    made = modernised(request(ASK, functions=[WEATHER], function_call=choice, temperature=0.5))
    assert made.tools == [{"type": "function", "function": WEATHER}]
    assert (made.tool_choice, made.parallel_tool_calls, made.temperature) == (told, False, 0.5)
    assert (made.functions, made.function_call) == (None, None)


def test_each_result_belongs_to_the_call_before_it() -> None:
    """Two calls of one function are told apart; a result without a call goes by its function's name."""
    made = modernised(request(ASK, CALLED, RESULT, CALLED, RESULT, RESULT))
    calls = [message["tool_calls"][0]["id"] for message in made.messages if message["role"] == "assistant"]
    results = [message for message in made.messages if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == [*calls, "weather"]
    assert len(set(calls)) == 2
    assert not any("function_call" in message or "name" in message for message in made.messages)


def test_the_vendors_own_id_is_kept() -> None:
    """Its own blocks are sent again as they were, so that a result has to name the call as they do."""
    blocks = [{"type": "text", "text": "…"}, {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]
    native = {"wire": "anthropic.messages", "content": blocks}
    made = modernised(request(ASK, {**CALLED, "native_content": native}, RESULT))
    assert made.messages[2]["tool_call_id"] == made.messages[1]["tool_calls"][0]["id"] == "toolu_1"
    assert made.messages[1]["native_content"] == native


def test_an_answer_in_the_older_form() -> None:
    """The first call is the function call; text and finish reasons of other kinds stay."""
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    choices = [
        {"index": 0, "message": {"content": "Hm.", "tool_calls": [call]}, "finish_reason": "tool_calls"},
        {"index": 1, "message": {"content": "Mild."}, "finish_reason": "stop"},
    ]
    answer = ChatCompletion.model_validate({"id": "1", "created": 1, "model": "m", "choices": choices})
    called, said = with_function_call(answer).choices
    assert called.message.function_call is not None
    assert (called.message.function_call.name, called.message.function_call.arguments) == ("weather", "{}")
    assert (called.message.content, called.message.tool_calls, called.finish_reason) == ("Hm.", None, "function_call")
    assert (said.message.content, said.message.function_call, said.finish_reason) == ("Mild.", None, "stop")


def test_a_chunk_in_the_older_form() -> None:
    """Fragments of the first call; those of a second one stay where they are."""
    calls = [{"index": i, "function": {"arguments": f"{i}"}} for i in (0, 1)]
    choices = [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]
    chunk = ChatCompletionChunk.model_validate({"id": "1", "created": 1, "model": "m", "choices": choices})
    (choice,) = (chunk_with_function_call(chunk)).choices
    assert choice.delta.function_call is not None
    assert choice.delta.function_call.arguments == "0"
    assert [call.index for call in choice.delta.tool_calls or ()] == [1]
    assert choice.finish_reason == "function_call"


BLOCK = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [BLOCK],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
EVENTS = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {**BLOCK, "input": {}}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": '{"city":"Paris"}'},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]


def answer(request: Request) -> Any:
    if not json.loads(request.body).get("stream"):
        return reply(200, MESSAGE)
    events = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS)
    return reply(200, events.encode(), content_type="text/event-stream")


def test_a_call_through_a_vendor_that_has_only_tools() -> None:
    """Whole and streamed, the caller sees what an old program expects; the cache gives the same again."""
    with (
        Loopback(answer) as server,
        EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)]) as client,
    ):
        params: Any = {"model": "claude-haiku-4-5", "messages": [ASK], "functions": [WEATHER]}
        stream = list(client.chat.completions.create(**params, stream=True, edge={"cache": "off"}))
        for _ in range(2):
            (choice,) = client.chat.completions.create(**params).choices
            assert choice.finish_reason == "function_call"
            assert choice.message.tool_calls is None
            assert choice.message.function_call is not None
            assert choice.message.function_call.name == "weather"
            assert json.loads(choice.message.function_call.arguments) == {"city": "Paris"}
    deltas = [choice.delta for chunk in stream for choice in chunk.choices]
    calls = [delta.function_call for delta in deltas if delta.function_call is not None]
    assert not any(delta.tool_calls for delta in deltas)
    assert "".join(call.name or "" for call in calls) == "weather"
    assert json.loads("".join(call.arguments or "" for call in calls)) == {"city": "Paris"}
    assert stream[-1].choices[0].finish_reason == "function_call"
