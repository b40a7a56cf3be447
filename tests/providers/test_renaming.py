"""Names of tools that the answering vendor's format refuses: what it is sent, and what the caller reads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from edgeagent.core.call import CallOptions
from edgeagent.core.retry import RetryPolicy
from edgeagent.providers import Anthropic, Bedrock, Gemini, Mistral, OpenAI
from edgeagent.providers.base import Promise
from edgeagent.providers.renaming import rename
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPResponse
from tests.core.test_native import COMPLETION, MESSAGE, ask, drain, native, open_stream, sent_body, sse
from tests.core.test_native import chunk as made_chunk
from tests.core.test_pipeline import House
from tests.core.world import ScriptedSource

EVERYWHERE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
NAME = "weather.get"
BODY: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": NAME, "id": "c", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": NAME, "id": "c", "response": {"output": "4"}}}]},
    ],
    "tools": [{"functionDeclarations": [{"name": NAME}, {"name": "other"}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [NAME]}},
}
CALL = {"id": "c2", "type": "function", "function": {"name": "weather_get", "arguments": '{"a":1}'}}
CALLING = {
    **COMPLETION,
    "choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [CALL]}, "finish_reason": "tool_calls"}],
}
USING = {
    **MESSAGE,
    "content": [{"type": "tool_use", "id": "c2", "name": "weather_get", "input": {"a": 1}}],
    "stop_reason": "tool_use",
}
EDIT = "Tools whose names the vendor refuses are sent under others: weather.get as weather_get."


def tools(*names: str) -> list[dict[str, Any]]:
    """Functions of these names."""
    return [{"type": "function", "function": {"name": name}} for name in names]


def asking(*names: str, **more: Any) -> ChatRequest:
    """A request with these tools."""
    return ChatRequest(**{"model": "m", "messages": [{"role": "user", "content": "?"}], "tools": tools(*names), **more})


def called(answer: Any) -> list[Any]:
    """The calls of an answer in Google's format."""
    parts = json.loads(answer)["candidates"][0]["content"]["parts"]
    return [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts]


@pytest.mark.parametrize(
    ("wire", "name", "sent"),
    [
        ("openai.chat", "weather.get", "weather_get"),
        ("openai.responses", "a:b-c", "a_b-c"),
        ("anthropic.messages", "größe", "gr__e"),
        ("anthropic.messages", "a" * 128, None),
        ("bedrock.converse", "a.b", "a_b"),
        ("mistral.chat", "a.b", "a_b"),
        ("google.generate", "1st", "_1st"),
        ("google.generate", "a.b:c-d", None),
        ("openai.chat", "-x_9", None),
        ("ollama.chat", "a.b", None),
    ],
)
def test_a_name_is_changed_where_it_is_refused(wire: str, name: str, sent: str | None) -> None:
    """To the nearest that is taken; formats without a known rule get it as it is."""
    renamed = rename(asking(name), wire)
    assert (None if renamed is None else dict(renamed.names)) == (None if sent is None else {sent: name})


def test_names_stay_apart() -> None:
    """Neither two changed ones, nor one and another's own, nor long ones that begin alike; always in the same way."""
    names = ["a.b", "a:b", "a_b", "x" * 65 + "1", "x" * 65 + "2", "y" * 64, "."]
    renamed = rename(asking(*names), "openai.chat")
    assert renamed is not None
    sent = [tool["function"]["name"] for tool in renamed.request.tools or ()]
    assert len(set(sent)) == len(names)
    assert all(EVERYWHERE.fullmatch(name) for name in sent)
    assert [renamed.names.get(name, name) for name in sent] == names
    assert (sent[2], sent[5]) == ("a_b", "y" * 64)
    assert rename(asking(*names), "openai.chat") == renamed
    many = rename(asking(*(f"a.{number}" for number in range(20))), "openai.chat")
    assert many is not None
    assert many.edit().endswith("a.7 as a_7 and 12 more.")
    assert renamed.promises((Promise({}), Promise({}, sent[0]), Promise({}, "a_b"))) == (
        Promise({}),
        Promise({}, "a.b"),
        Promise({}, "a_b"),
    )


def test_every_place_of_a_name() -> None:
    """Free-form tools, choices of each form, calls and results; the caller's own objects stay as they are."""
    custom = {"type": "custom", "custom": {"name": "sh.run"}}
    call = {"id": "c", "type": "custom", "custom": {"name": "sh.run", "input": "ls"}}
    messages = [
        {"role": "assistant", "tool_calls": [call, {"id": "d", **tools("ok")[0]}]},
        {"role": "tool", "tool_call_id": "c", "name": "sh.run", "content": "x"},
    ]
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [custom, *tools("ok")]}}
    for choice in (custom, allowed, "auto"):
        request = ChatRequest(model="m", messages=messages, tools=[custom, {"googleSearch": {}}], tool_choice=choice)
        before = request.model_dump_json()
        renamed = rename(request, "openai.chat")
        assert renamed is not None
        assert renamed.request.model_dump_json() == before.replace("sh.run", "sh_run")
        assert request.model_dump_json() == before


@pytest.mark.parametrize("choice", [{"name": "sh.run"}, "auto"])
def test_every_place_of_a_name_in_the_older_form(choice: Any) -> None:
    """`functions`, the choice of one, its calls and its results; a user's name is none of a tool."""

    def written(name: str, choice: Any) -> ChatRequest:
        call = {"role": "assistant", "content": None, "function_call": {"name": name, "arguments": "{}"}}
        messages = [{"role": "user", "name": "sh.run", "content": "?"}, call]
        messages.append({"role": "function", "name": name, "content": "x"})
        functions = [{"name": name}, {"name": "ok"}]
        return ChatRequest(model="m", messages=messages, functions=functions, function_call=choice)

    request = written("sh.run", choice)
    renamed = rename(request, "openai.chat")
    assert renamed is not None
    assert renamed.request == written("sh_run", choice if choice == "auto" else {"name": "sh_run"})
    assert request == written("sh.run", choice)


@pytest.mark.parametrize(
    ("provider", "model", "answer"),
    [
        (OpenAI(api_key="k"), "gpt-4o", CALLING),
        (Mistral(api_key="k"), "mistral-large-latest", CALLING),
        (Anthropic(api_key="k"), "claude-haiku-4-5", USING),
    ],
)
def test_googles_names_are_told_to_others(provider: Any, model: str, answer: Any) -> None:
    """In tools, choice and history; the caller reads the name that he gave."""
    house = House(provider)
    house.world.answers.append(HTTPResponse(200, content=json.dumps(answer).encode()))
    told = ask(house, native({"model": model, **BODY}, Gemini(api_key="k")))
    sent = json.dumps(sent_body(house))
    assert NAME not in sent
    assert sent.count('"weather_get"') >= 3
    assert called(told.body) == [(NAME, {"a": 1})]
    assert EDIT in told.completion.edge.edits


def test_a_stream_has_the_callers_names() -> None:
    """Each chunk is told under them."""
    house = House(OpenAI(api_key="k"))
    deltas = [{"tool_calls": [{"index": 0, **CALL, "function": {"name": "weather_get", "arguments": ""}}]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in ('{"a"', ":1}")]
    data = sse(*(made_chunk(delta) for delta in deltas), made_chunk({}, finish="tool_calls"))
    house.world.answers.append(ScriptedSource([data]))
    answer = drain(house, open_stream(house, native({"model": "gpt-4o", **BODY}, Gemini(api_key="k"))))
    assert b"weather_get" not in answer
    assert answer.count(NAME.encode()) == 1


def test_a_fallback_is_told_names_that_it_takes() -> None:
    """The first model has them as they are."""
    house = House(
        Gemini(api_key="k"), OpenAI(api_key="k"), groups={"any": ["gemini/gemini-2.5-flash", "openai/gpt-4o"]}
    )
    house.world.answers.append(HTTPResponse(503, content=b"{}"))
    house.world.answers.append(HTTPResponse(200, content=json.dumps(CALLING).encode()))
    answer = house.complete(model="any", tools=tools(NAME), options=CallOptions(retry=RetryPolicy.of(0)))
    assert sent_body(house, 0)["tools"][0]["functionDeclarations"][0]["name"] == NAME
    assert sent_body(house)["tools"][0]["function"]["name"] == "weather_get"
    [call] = answer.choices[0].message.tool_calls or []
    assert call.function is not None
    assert call.function.name == NAME
    assert answer.edge.edits == (EDIT,)


def in_turn(provider: Any, model: str) -> House:
    """Where Google's model, which is asked first and takes every name, is out of order."""
    group = ["gemini/gemini-2.5-flash", f"{provider.name}/{model}"]
    house = House(Gemini(api_key="k"), provider, groups={"any": group})
    house.world.answers.append(HTTPResponse(503, content=b"{}"))
    return house


OLDER: dict[str, Any] = {"model": "any", "functions": [{"name": NAME}], "function_call": {"name": NAME}}
FUNCTION_CALL = {"role": "assistant", "content": None, "function_call": CALL["function"]}
CALLING_A_FUNCTION = {
    **COMPLETION,
    "choices": [{"index": 0, "message": FUNCTION_CALL, "finish_reason": "function_call"}],
}


@pytest.mark.parametrize(
    ("provider", "model", "answer"),
    [
        (OpenAI(api_key="k"), "gpt-4o", CALLING_A_FUNCTION),
        (Anthropic(api_key="k"), "claude-haiku-4-5", USING),
    ],
)
def test_the_older_form_has_the_callers_names(provider: Any, model: str, answer: Any) -> None:
    """Where the vendor takes the older form itself, and where it is told of tools."""
    house = in_turn(provider, model)
    house.world.answers.append(HTTPResponse(200, content=json.dumps(answer).encode()))
    told = house.complete(**OLDER, options=CallOptions(retry=RetryPolicy.of(0)))
    assert NAME not in json.dumps(sent_body(house))
    assert json.dumps(sent_body(house)).count('"weather_get"') == 2
    call = told.choices[0].message.function_call
    assert call is not None
    assert (call.name, json.loads(call.arguments)) == (NAME, {"a": 1})
    assert EDIT in told.edge.edits


def test_a_stream_in_the_older_form_has_the_callers_names() -> None:
    """The name comes once, as the caller knows it."""
    house = in_turn(OpenAI(api_key="k"), "gpt-4o")
    deltas = [{"function_call": {"name": "weather_get", "arguments": ""}}]
    deltas += [{"function_call": {"arguments": piece}} for piece in ('{"a"', ":1}")]
    data = sse(*(made_chunk(delta) for delta in deltas), made_chunk({}, finish="function_call"))
    house.world.answers.append(ScriptedSource([data]))
    chunks = house.chunks(house.stream(**OLDER, options=CallOptions(retry=RetryPolicy.of(0))))
    calls = [choice.delta.function_call for chunk in chunks for choice in chunk.choices]
    assert [call.name for call in calls if call is not None and call.name] == [NAME]
    assert "".join(call.arguments or "" for call in calls if call is not None) == '{"a":1}'


def test_a_free_form_tool_is_known_by_its_other_name_in_a_stream() -> None:
    """Its text is taken out of the object that a vendor without such tools has for it."""
    house = in_turn(Anthropic(api_key="k"), "claude-haiku-4-5")
    block = {"type": "tool_use", "id": "c", "name": "sh_run", "input": {}}
    piece = {"type": "input_json_delta", "partial_json": '{"edgeagent_custom_input": "ls"}'}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**MESSAGE, "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": piece},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    house.world.answers.append(ScriptedSource(["".join(f"data: {json.dumps(one)}\n\n" for one in events).encode()]))
    asked = {"model": "any", "tools": [{"type": "custom", "custom": {"name": "sh.run"}}]}
    chunks = house.chunks(house.stream(**asked, options=CallOptions(retry=RetryPolicy.of(0))))
    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    assert [call.function for call in calls] == [None]
    assert [call.custom and (call.custom.name, call.custom.input) for call in calls] == [("sh.run", "ls")]


def test_who_asks_a_vendor_itself_is_refused_by_it() -> None:
    """A name is changed only where it was given to somebody else."""
    house = House(OpenAI(api_key="k"))
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    answer = house.complete(model="gpt-4o", tools=tools(NAME))
    assert sent_body(house)["tools"][0]["function"]["name"] == NAME
    assert answer.edge.edits == ()


def test_claudes_long_names_are_told_to_bedrock() -> None:
    """Converse takes half as many characters."""
    house, name = House(Bedrock(api_key="k", region_name="us-east-1")), "n" * 100
    use = {"toolUse": {"toolUseId": "c", "name": "", "input": {}}}
    answer = {"output": {"message": {"role": "assistant", "content": [use]}}, "stopReason": "tool_use"}
    answer["usage"] = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    renamed = rename(asking(name), "bedrock.converse")
    assert renamed is not None
    [use["toolUse"]["name"]] = renamed.names
    house.world.answers.append(HTTPResponse(200, content=json.dumps(answer).encode()))
    given = [{"name": name, "input_schema": {"type": "object"}}]
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": "?"}], "tools": given}
    told = ask(house, native({"model": "amazon.nova-pro-v1:0", **body}, Anthropic(api_key="k")))
    [spec] = sent_body(house)["toolConfig"]["tools"]
    assert spec["toolSpec"]["name"] == use["toolUse"]["name"]
    assert json.loads(told.body)["content"][0]["name"] == name
