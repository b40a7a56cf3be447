"""Structured answers: what is asked for and what is read, beside the openai package."""

from __future__ import annotations

import dataclasses
from typing import Any

import openai
import pydantic
import pytest
from openai.lib._parsing import parse_chat_completion, type_to_response_format_param
from openai.types.chat import ChatCompletion as TheirCompletion
from pydantic import BaseModel
from typing_extensions import TypedDict

import edgeagent
from edgeagent import ChatCompletion, LengthFinishReasonError, RequestValidationError
from edgeagent.resources.structured import Structure


class Step(BaseModel):
    """One step."""

    text: str
    weight: float = 1.0


class Plan(BaseModel):
    steps: list[Step]
    note: str | None = None


@pydantic.dataclasses.dataclass
class Point:
    x: int
    y: int


@dataclasses.dataclass
class Plain:
    """A dataclass of the standard library."""

    x: int
    inner: Point


class Dictionary(TypedDict):
    x: int


def structure(response_format: Any = None, tools: Any = None) -> Structure:
    return Structure(response_format, tools, strict_tools=True)


def completion(content: str | None = None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish, "logprobs": None}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "vendor": "x"}


@pytest.mark.parametrize("kind", [Step, Plan, Point])
def test_the_same_response_format(kind: Any) -> None:
    """A model and a pydantic dataclass ask for what openai asks for."""
    assert structure(kind).param == type_to_response_format_param(kind)


def test_the_same_tool() -> None:
    """Name, description, strict schema; both can be given."""
    for options in ({}, {"name": "n"}, {"description": "d"}, {"name": "n", "description": ""}):
        for model in (Step, Plan):
            assert edgeagent.pydantic_function_tool(model, **options) == openai.pydantic_function_tool(model, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "content", "value"),
    [
        (Plan, '{"steps": [{"text": "a", "weight": 2}], "note": null}', Plan(steps=[Step(text="a", weight=2)])),
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (Plain, '{"x": 1, "inner": {"x": 1, "y": 2}}', Plain(1, Point(1, 2))),
        (Dictionary, '{"x": 1}', {"x": 1}),
        ({"type": "json_object"}, '{"x": 1}', None),
        (None, "text", None),
        (openai.omit, "text", None),
        (edgeagent.NOT_GIVEN, "text", None),
        (Plan, None, None),
    ],
)
def test_content(kind: Any, content: str | None, value: Any) -> None:
    """Each kind of type is read; a dict, or nothing, leaves the text as it is."""
    parsed = structure(kind).parsed(ChatCompletion.model_validate(completion(content)))
    assert parsed.choices[0].message.parsed == value
    assert parsed.choices[0].message.content == content
    assert parsed.model_extra == {"vendor": "x"}


CALLS = [
    {"id": "1", "type": "function", "function": {"name": "Step", "arguments": '{"text": "a"}'}},
    {"id": "2", "type": "function", "function": {"name": "strict", "arguments": '{"a": [1]}'}},
    {"id": "3", "type": "function", "function": {"name": "unknown", "arguments": "{"}},
]
STRICT = {"type": "function", "function": {"name": "strict", "strict": True, "parameters": {}}}


@pytest.mark.parametrize("own", [edgeagent.pydantic_function_tool, openai.pydantic_function_tool])
def test_the_same_parsed_completion(own: Any) -> None:
    """Content, calls of tools that either package made, refusals: the same objects, field by field, the same dump."""
    for data, kind in [
        (completion('{"text": "a"}'), Step),
        (completion(None, "tool_calls", tool_calls=CALLS), Step),
        (completion('{"text": "a"}', refusal="I won't."), Step),
        (completion(None, refusal="I won't."), openai.omit),
    ]:
        theirs = parse_chat_completion(
            response_format=kind,
            input_tools=[openai.pydantic_function_tool(Step), STRICT],  # type: ignore[list-item]
            chat_completion=TheirCompletion.model_validate(data),
        )
        tools = [own(Step), STRICT]
        ours = structure(kind, iter(tools)).parsed(ChatCompletion.model_validate(data))
        assert ours.to_dict() == theirs.to_dict(warnings=False)
        assert ours.choices[0].message.parsed == theirs.choices[0].message.parsed
        for mine, other in zip(
            ours.choices[0].message.tool_calls or (), theirs.choices[0].message.tool_calls or (), strict=True
        ):
            assert mine.function.parsed_arguments == other.function.parsed_arguments
        assert type(ours.choices[0]).__name__ == type(theirs.choices[0]).__name__.partition("[")[0]


def test_a_custom_call_is_kept() -> None:
    """A call whose input is no JSON stays what it is (openai drops it)."""
    custom = {"id": "1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    parsed = Structure(None, None, strict_tools=False).parsed(
        ChatCompletion.model_validate(completion(None, "tool_calls", tool_calls=[custom]))
    )
    assert parsed.to_dict()["choices"][0]["message"]["tool_calls"] == [custom]


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_a_cut_answer(finish: str) -> None:
    """It cannot be read, whether or not a type was asked for, as in openai."""
    errors = []
    for kind in (Step, None):
        with pytest.raises(edgeagent.EdgeAgentError) as caught:
            structure(kind).parsed(ChatCompletion.model_validate(completion("{", finish)))
        errors.append(caught.value)
    assert isinstance(errors[0], LengthFinishReasonError) == (finish == "length")
    assert errors[0].completion.choices[0].message.content == "{"  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", ["text", "{", '{"text": 5}'])
def test_another_answer_than_was_asked_for(content: str) -> None:
    """pydantic's own error, as in openai."""
    with pytest.raises(pydantic.ValidationError):
        structure(Step).parsed(ChatCompletion.model_validate(completion(content)))


@pytest.mark.parametrize(
    ("kind", "tools", "param"),
    [
        (int, None, "response_format"),
        ("json", None, "response_format"),
        (list[int], None, "response_format"),
        (None, [{"type": "custom", "custom": {"name": "x"}}], "tools[0].type"),
        (None, [STRICT, {"type": "function", "function": {"name": "x"}}], "tools[1].function.strict"),
        (None, ["x"], "tools[0].type"),
        (None, [{"type": "function", "function": 5}], "tools[0].type"),
    ],
)
def test_what_cannot_be_read(kind: Any, tools: Any, param: str) -> None:
    """The error names the argument."""
    with pytest.raises(RequestValidationError) as caught:
        structure(kind, tools)
    assert caught.value.param == param


def test_the_arguments_of_create() -> None:
    """Everything else is passed on; what was left out stays out."""
    made = structure(Step, iter([STRICT])).arguments({"model": "m", "tools": "used up", "temperature": 1})
    assert made == {"model": "m", "temperature": 1, "tools": [STRICT], "response_format": structure(Step).param}
    assert structure(None, None).arguments({"model": "m"}) == {"model": "m"}
    assert not structure(None, None).reads
    assert structure(None, [STRICT]).reads


def test_dumps_hold_what_was_read() -> None:
    """`model_dump` and JSON of a parsed completion have no warning and hold the instance's fields."""
    parsed = structure(Step).parsed(ChatCompletion.model_validate(completion('{"text": "a"}')))
    assert parsed.model_dump()["choices"][0]["message"]["parsed"] == {"text": "a", "weight": 1.0}
    assert '"parsed":{"text":"a","weight":1.0}' in parsed.model_dump_json()
