"""Under a shield, what an answer is not is told without its values: they were masked on the way out."""

from __future__ import annotations

import asyncio
import pickle
import traceback
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from edgeagent import EdgeClient, pydantic_function_tool
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest

SECRET = "ann@example.com"
ASKED: dict[str, Any] = {"model": "fake/m", "messages": [{"role": "user", "content": f"Who is {SECRET}"}]}


def refuse(value: str) -> str:
    raise ValueError(f"not {value}")


def refuse_in_words(value: str) -> str:
    raise PydanticCustomError("of_my_own", "not {value}", {"value": value})


class Answer(BaseModel):
    """Has many ways to be wrong."""

    count: int = 0
    kind: Literal["a", "b"] = "a"
    short: Annotated[str, Field(max_length=3)] = ""
    validated: Annotated[str, AfterValidator(refuse)] | None = None
    worded: Annotated[str, AfterValidator(refuse_in_words)] | None = None
    numbers: dict[str, int] | None = None
    asserted: int | None = None

    @field_validator("asserted")
    @classmethod
    def is_small(cls, value: int) -> int:
        assert value < 3, f"{SECRET} is large"
        return value


CASES = [
    ('{"count": "%s"}', ("count",), "int_parsing"),
    ('{"kind": "%s"}', ("kind",), "literal_error"),
    ('{"short": "%s"}', ("short",), "string_too_long"),
    ('{"validated": "%s"}', ("validated",), "value_error"),
    ('{"worded": "%s"}', ("worded",), "of_my_own"),
    ('{"numbers": {"%s": "x"}}', ("numbers", "…"), "int_parsing"),
    ('{"asserted": 7}', ("asserted",), "assertion_error"),
    ('{"%s', (), "json_invalid"),
    ('["%s"]', (), "model_type"),
]


def repeating(text: str) -> Callable[[ChatRequest], str]:
    """What answers with the placeholder that it was sent."""
    return lambda request: text.replace("%s", str(request.messages[-1]["content"]).split()[-1])


def client_of(answer: Any, **settings: Any) -> EdgeClient:
    return EdgeClient(providers=[FakeProvider(answer, name="fake")], **settings)


def said(error: ValidationError) -> list[str]:
    """All that is told of an error, in any way."""
    return [
        *(str(error), repr(error), repr(error.errors()), error.json()),
        *traceback.format_exception(error),
        pickle.dumps(error).decode("latin-1"),
    ]


@pytest.mark.parametrize(("text", "place", "kind"), CASES)
def test_errors_without_values(text: str, place: tuple[Any, ...], kind: str) -> None:
    """The type and the place are told; in the text, the data, a traceback and a pickle there is no value."""
    with client_of(repeating(text), shield="default") as client, pytest.raises(ValidationError) as caught:
        client.chat.completions.parse(**ASKED, response_format=Answer)
    (detail,) = caught.value.errors()
    assert (detail["loc"], detail["type"], caught.value.title) == (place, kind, "Answer")
    assert not [text for text in said(caught.value) if "ann@" in text]


def test_without_a_shield_the_value_is_told() -> None:
    """It helps, and nothing had to be kept from anywhere; a call can have its own shield, and none."""
    wrong = repeating('{"count": "%s"}')
    for settings, edge, told in (
        ({}, {}, True),
        ({}, {"shield": "default"}, False),
        ({"shield": "default"}, {}, False),
    ):
        with client_of(wrong, **settings) as client, pytest.raises(ValidationError) as caught:
            client.chat.completions.parse(**ASKED, response_format=Answer, edge=edge)
        assert ("ann@" in str(caught.value)) is told


def test_an_answer_that_is_right() -> None:
    """It has its values."""
    with client_of(repeating('{"numbers": {"%s": 3}}'), shield="default") as client:
        parsed = client.chat.completions.parse(**ASKED, response_format=Answer)
    assert parsed.choices[0].message.parsed == Answer(numbers={SECRET: 3})


class Look(BaseModel):
    """Looks."""

    count: int


def streamed(client: EdgeClient) -> None:
    with client.chat.completions.stream(**ASKED, response_format=Answer) as stream:
        stream.get_final_completion()


def by_tool(client: EdgeClient) -> None:
    client.chat.completions.parse(**ASKED, tools=[pydantic_function_tool(Look)])


def by_responses(client: EdgeClient) -> None:
    client.responses.parse(model="fake/m", input=f"Who is {SECRET}", text_format=Answer)


def by_async(client: EdgeClient) -> None:
    async def ask() -> None:
        async with client.to_async() as other:
            await other.chat.completions.parse(**ASKED, response_format=Answer)

    asyncio.run(ask())


class Choice(BaseModel):
    """What a completion is not."""

    model_config = {"arbitrary_types_allowed": True}

    choices: int
    other: object = None


class Unspeakable(Choice):
    """No JSON Schema can tell this."""

    function: Callable[[], int] | None = None


@pytest.mark.parametrize(("kind", "place"), [(Choice, "choices"), (Unspeakable, "…")])
def test_a_raw_response_read_as_another_type(kind: type[BaseModel], place: str) -> None:
    """The same: its input is the whole completion."""
    with client_of(repeating("%s"), shield="default") as client:
        raw = client.chat.completions.with_raw_response.create(**ASKED)
        with pytest.raises(ValidationError) as caught:
            raw.parse(to=kind)
    assert caught.value.errors()[0]["loc"] == (place,)
    assert not [text for text in said(caught.value) if "ann@" in text]


@pytest.mark.parametrize("ask", [streamed, by_tool, by_responses, by_async])
def test_however_it_is_read(ask: Callable[[EdgeClient], None]) -> None:
    """In a stream's end, the arguments of a tool, a response, by code that awaits."""

    def answer(request: ChatRequest) -> Any:
        text = repeating('{"count": "%s"}')(request)
        if not request.tools:
            return text
        call = {"id": "c", "type": "function", "function": {"name": "Look", "arguments": text}}
        return {"tool_calls": [call]}

    with client_of(answer, shield="default") as client, pytest.raises(ValidationError) as caught:
        ask(client)
    assert caught.value.errors()[0]["loc"] == ("count",)
    assert not [text for text in said(caught.value) if "ann@" in text]
