"""Under a shield, what an answer is not is told without its values: they were masked on the way out."""

from __future__ import annotations

import asyncio
import json
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    ImportString,
    Json,
    Tag,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError, core_schema
from pydantic_core._pydantic_core import list_all_errors
from typing_extensions import TypedDict

from edgeagent import EdgeClient, pydantic_function_tool
from edgeagent.resources.hidden_input import without_input
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest

SECRET = "ann@example.com"
ASKED: dict[str, Any] = {"model": "fake/m", "messages": [{"role": "user", "content": f"Who is {SECRET}"}]}


def refuse(value: str) -> str:
    raise ValueError(f"not {value}")


def refuse_in_words(value: str) -> str:
    raise PydanticCustomError("of_my_own", "not {value}", {"value": value})


class Cat(BaseModel):
    """One of two that are told apart by their kind."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["cat"]


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]
    lives: int


Animal = Annotated[Cat | Dog, Field(discriminator="kind")]


class Answer(BaseModel):
    """Has many ways to be wrong."""

    count: int = 0
    kind: Literal["a", "b"] = "a"
    short: Annotated[str, Field(max_length=3)] = ""
    validated: Annotated[str, AfterValidator(refuse)] | None = None
    worded: Annotated[str, AfterValidator(refuse_in_words)] | None = None
    numbers: dict[str, int] | None = None
    asserted: int | None = None
    pet: Animal | None = None

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
    ('{"pet": {"kind": "%s"}}', ("pet",), "union_tag_invalid"),
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
        *(str(error), repr(error), repr(error.errors()), error.json(), repr(error.args)),
        *traceback.format_exception(error),
        pickle.dumps(error).decode("utf-8", "replace"),
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


@pytest.mark.parametrize("kind", [Choice, Unspeakable])
def test_a_raw_response_read_as_another_type(kind: type[BaseModel]) -> None:
    """The same: its input is the whole completion."""
    with client_of(repeating("%s"), shield="default") as client:
        raw = client.chat.completions.with_raw_response.create(**ASKED)
        with pytest.raises(ValidationError) as caught:
            raw.parse(to=kind)
    assert caught.value.errors()[0]["loc"] == ("choices",)
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


# every way of an error to tell its input, each with what is planted


@dataclass
class Closed:
    """Takes nothing that it does not name."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    one: int = 0


class Bytes(TypedDict):
    """Bytes as text."""

    __pydantic_config__ = ConfigDict(val_json_bytes="base64")  # type: ignore[misc]

    data: bytes


class Leaky:
    """Fails with what it holds."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def kind(self) -> str:
        raise ValueError(f"not {self._value}")


def failing(value: Any) -> Iterator[Any]:
    yield "a"
    raise ValueError(f"not {value}")


class Attributed(BaseModel):
    """Read from an object's attributes."""

    model_config = ConfigDict(from_attributes=True)

    kind: str


class OneZone:
    """A moment of one offset from UTC."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        return core_schema.datetime_schema(tz_constraint=3600)


class Span(BaseModel):
    """Ends after it starts."""

    start: int
    end: int

    @model_validator(mode="after")
    def ends(self) -> Span:
        if self.end <= self.start:
            raise PydanticKnownError("greater_than", {"gt": self.start})
        return self


def raising(kind: Any, **context: Any) -> Any:
    """A validator that refuses with an error of pydantic's own kind, about the value."""

    def refuse(value: Any) -> Any:
        raise PydanticKnownError(kind, {name: text % value for name, text in context.items()})

    return Annotated[str, AfterValidator(refuse)]


def wording(kind: Any, **context: Any) -> Any:
    """The same in words of its own, under the name of a kind of pydantic's."""

    def refuse(value: Any) -> Any:
        raise PydanticCustomError(kind, "not {expected}", {name: text % value for name, text in context.items()})

    return Annotated[str, AfterValidator(refuse)]


def of_kind(value: Any) -> str:
    return str(value["kind"])


Told = Annotated[
    Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")],
    Discriminator(of_kind),
]
NUMBER = "4111111111111111"
TELLING = [
    ("a tag", Animal, {"kind": SECRET}, SECRET, "union_tag_invalid"),
    ("a tag that is a number", Animal, {"kind": int(NUMBER)}, NUMBER, "union_tag_invalid"),
    ("a tag in a list", list[Animal], [{"kind": SECRET}], SECRET, "union_tag_invalid"),
    ("a tag by a function", Told, {"kind": SECRET}, SECRET, "union_tag_invalid"),
    ("a letter", UUID, "☃", "☃", "uuid_parsing"),
    ("a byte", Bytes, {"data": "☃"}, "226", "bytes_invalid_encoding"),
    ("an offset", OneZone, "2020-01-01T00:00:00+05:13", "18780", "timezone_offset"),
    ("an iteration", Annotated[set[str], BeforeValidator(failing)], SECRET, SECRET, "iteration_error"),
    ("an attribute", Annotated[Attributed, BeforeValidator(Leaky)], SECRET, SECRET, "get_attribute_error"),
    ("a module", ImportString[Any], f"{SECRET}:x", "ann@", "import_error"),
    ("base 64", Base64Bytes, SECRET, "(13)", "base64_decode"),
    ("another field", Span, {"start": int(NUMBER), "end": 3}, NUMBER, "greater_than"),
    ("a validator's bound", raising("less_than", lt="%s"), SECRET, SECRET, "less_than"),
    ("a validator's choice", raising("literal_error", expected="'a' or '%s'"), SECRET, SECRET, "literal_error"),
    ("a validator's enum", raising("enum", expected="%s"), SECRET, SECRET, "enum"),
    ("a validator's pattern", raising("string_pattern_mismatch", pattern="%s"), SECRET, SECRET,
     "string_pattern_mismatch"),
    ("a validator's parser", raising("json_invalid", error="no %s at line 1 column 2"), SECRET, SECRET,
     "json_invalid"),
    ("a validator's date", raising("date_parsing", error="%s"), SECRET, SECRET, "date_parsing"),
    ("a validator's mapping", raising("mapping_type", error="%s"), SECRET, SECRET, "mapping_type"),
    ("words under a known name", wording("literal_error", expected="%s"), SECRET, SECRET, "literal_error"),
    ("words and more", wording("int_type", expected="%s"), SECRET, SECRET, "int_type"),
    ("another model's error", Annotated[Any, AfterValidator(TypeAdapter(dict[int, Animal]).validate_python)],
     {NUMBER: {"kind": SECRET}}, SECRET, "union_tag_invalid"),
    ("another model's place", Annotated[Any, AfterValidator(TypeAdapter(dict[int, Animal]).validate_python)],
     {NUMBER: {"kind": SECRET}}, NUMBER, "union_tag_invalid"),
    ("a key", dict[str, int], {SECRET: "x"}, SECRET, "int_parsing"),
    ("a key that is none", dict[int, int], {SECRET: 3}, SECRET, "int_parsing"),
    ("a key in a text", Json[dict[int, int]], json.dumps({NUMBER: "x"}), NUMBER, "int_parsing"),
    ("a key that became a number", Annotated[dict[int, int], BeforeValidator(dict)], [[int(NUMBER), "x"]], NUMBER,
     "int_parsing"),
    ("a name too many", Cat, {"kind": "cat", SECRET: 3}, SECRET, "extra_forbidden"),
    ("an argument too many", Closed, {SECRET: 3}, SECRET, "unexpected_keyword_argument"),
]  # fmt: skip


def refused(kind: Any, text: str) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        without_input(TypeAdapter(kind), text)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "value", "planted", "type_"), [case[1:] for case in TELLING], ids=[case[0] for case in TELLING]
)
def test_what_could_tell_a_value(kind: Any, value: Any, planted: str, type_: str) -> None:
    """pydantic tells what is planted; of it there is nothing in what is raised here, which is of the same type."""
    text = json.dumps(value)
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_json(text)
    assert planted in repr([(detail["msg"], detail["loc"]) for detail in caught.value.errors()])
    error = refused(kind, text)
    assert error.errors()[0]["type"] == caught.value.errors()[0]["type"] == type_
    assert not [told for told in said(error) if planted in told]


KNOWN = {str(known["type"]): known["example_context"] or {} for known in list_all_errors()}


@pytest.mark.parametrize("type_", KNOWN)
def test_every_type_that_pydantic_knows(type_: Any) -> None:
    """Whoever raises it, and whatever he puts into it; a count of items is no value."""
    planted = {str: SECRET, int: 424242, type(None): ValueError(SECRET)}
    context = {name: planted[type(value)] for name, value in KNOWN[type_].items() if name != "actual_length"}

    def refuse(value: Any) -> Any:
        counted = {"actual_length": 3} if "actual_length" in KNOWN[type_] else {}
        raise PydanticKnownError(type_, {**context, **counted, "more": [value]} if KNOWN[type_] else None)

    error = refused(Annotated[str, AfterValidator(refuse)], json.dumps(SECRET))
    assert [detail["type"] for detail in error.errors()] == [type_]
    assert not [told for told in said(error) if SECRET in told or "424242" in told]


class Letter(Enum):
    """Two letters."""

    A = "a"
    B = "b"


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (Animal, '{"kind": "fox"}', "'…' found using 'kind' does not match any of the expected tags: 'cat', 'dog'"),
        (Told, '{"kind": "fox"}', "'…' found using of_kind() does not match any of the expected tags: 'cat', 'dog'"),
        (Literal["New York, NY", 'a"b', 3, True], '"c"', "be 'New York, NY', 'a\"b', 3 or True"),
        (Letter, '"c"', "be 'a' or 'b'"),
        (Annotated[str, Field(pattern="^a or b, c$")], '"c"', "pattern '^a or b, c$'"),
        (Annotated[int, Field(gt=3)], "3", "greater than 3"),
        (Annotated[float, Field(gt=3)], "3", "greater than 3"),
        (Annotated[Decimal, Field(le=Decimal("0.5"))], "3", "less than or equal to 0.5"),
        (Annotated[Decimal, Field(max_digits=2)], "333", "no more than 2 digits"),
        (Annotated[date, Field(gt=date(2020, 1, 2))], '"2019-01-01"', "greater than 2020-01-02"),
        (Annotated[datetime, Field(gt=datetime(2020, 1, 2, tzinfo=timezone.utc))], '"2019-01-01T00:00:00Z"',
         "greater than 2020-01-02T00:00:00Z"),
        (Annotated[list[int], Field(max_length=1)], "[1, 2]",
         "List should have at most 1 item after validation, not 2"),
        (HttpUrl, '"ftp://x"', "be 'http' or 'https'"),
        (UUID, '"x"', "a valid UUID, …"),
        (dict[str, int], '{"a', "Invalid JSON: EOF while parsing a string at line 1 column 3"),
        (dict[str, int], "{a", "Invalid JSON: key must be a string at line 1 column 2"),
        (dict[str, int], "{}{", "Invalid JSON: trailing characters at line 1 column 3"),
        (dict[str, int], '{"a" 1}', "Invalid JSON: expected `:` at line 1 column 6"),
        (dict[str, int], "[1 2]", "Invalid JSON: expected `,` or `]` at line 1 column 4"),
    ],
)  # fmt: skip
def test_what_the_type_says_is_told(kind: Any, text: str, told: str) -> None:
    """It is no value of an answer's, and helps."""
    assert told in str(refused(kind, text))


class Later(BaseModel):
    """Its schema is made when it is needed."""

    model_config = ConfigDict(defer_build=True)

    named: int = Field(0, alias="Name")


@pytest.mark.parametrize(
    ("kind", "value", "place"),
    [
        (Later, {"Name": "x"}, ("Name",)),
        (list[dict[str, list[Later]]], [{}, {SECRET: [{}, {}, {"Name": "x"}]}], (1, "…", 2, "Name")),
        (dict[str, int | list[int]], {"a": ["x"]}, ("…", "int")),
        (tuple[int, int], [1, "x"], (1,)),
        (list[Animal], [{"kind": "dog", "lives": "x"}], (0, "dog", "lives")),
    ],
)
def test_places(kind: Any, value: Any, place: tuple[Any, ...]) -> None:
    """What the type names, its tags and kinds, and the indices of lists."""
    assert refused(kind, json.dumps(value)).errors()[0]["loc"] == place
