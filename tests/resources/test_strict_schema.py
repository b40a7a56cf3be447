"""Strict schemas: the same as openai's for any model, and what openai has no answer for."""

from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, create_model

from edgeagent.resources.strict_schema import strict_schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """What is inside."""

    text: str = "x"
    colour: Colour = Field(default=Colour.RED, description="which")


class Described(BaseModel):
    one: Inner = Field(description="a reference with a companion")
    two: Inner | None = Field(default=None, description="or nothing", title="Two")
    three: Colour = Field(description="of an enumeration")


class Tree(BaseModel):
    value: int
    children: list[Tree] = []
    parent: Tree | None = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", title="Renamed")

    known: int


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]
    bark: bool = True


class Mixed(BaseModel):
    either: Cat | Dog
    told: Annotated[Cat | Dog, Field(discriminator="kind")]
    by_name: dict[str, Inner]
    pair: tuple[int, str]
    when: date
    price: Decimal = Decimal(1)
    key: UUID
    aliased: int = Field(alias="someAlias", ge=0, le=10)
    nothing: None = None
    anything: Any = None
    nested: list[list[Inner | None]] = []


class Numbers(RootModel[list[int]]):
    pass


class Empty(BaseModel):
    pass


@pydantic.dataclasses.dataclass
class Point:
    x: int
    y: float = 0.0
    inner: Inner | None = None


MODELS = [Inner, Described, Tree, Open, Mixed, Numbers, Empty, Cat]


@pytest.mark.parametrize("model", MODELS)
def test_openais_schema(model: type[BaseModel]) -> None:
    """A table of models: equal to what openai makes of each."""
    assert strict_schema(model.model_json_schema()) == to_strict_json_schema(model)


def test_openais_schema_of_a_dataclass() -> None:
    """A pydantic dataclass, read by a type adapter in both."""
    adapter = TypeAdapter(Point)
    assert strict_schema(adapter.json_schema()) == to_strict_json_schema(adapter)


LEAVES = st.sampled_from([int, str, bool, float, Colour, Inner, Cat, date, Literal["a", "b"], Tree, Any])
TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda t: list[t]),
        inner.map(lambda t: Optional[t]),  # noqa: UP045  # t may be a text or Any
        inner.map(lambda t: dict[str, t]),
        st.tuples(inner, inner).map(lambda pair: Union[pair[0], pair[1]]),  # noqa: UP007
    ),
    max_leaves=4,
)
DEFAULTS = st.sampled_from([..., None, 3, "text"])
TEXTS = st.sampled_from([None, "a description"])


@st.composite
def models(draw: st.DrawFn, depth: int = 2) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)):
        kind = draw(models(depth=depth - 1) if depth and draw(st.booleans()) else TYPES)
        fields[name] = (kind, Field(draw(DEFAULTS), description=draw(TEXTS), title=draw(TEXTS)))
    return create_model(draw(st.sampled_from(["One", "Two", "Three"])), **fields)


@pytest.mark.bulk
@settings(max_examples=150)
@given(models())
def test_openais_schema_of_any_model(model: type[BaseModel]) -> None:
    """Generated models, nested, with references, unions, defaults and descriptions: equal, and the argument is kept."""
    schema = model.model_json_schema()
    before = copy.deepcopy(schema)
    strict = strict_schema(schema)
    assert schema == before
    assert strict == to_strict_json_schema(model)
    assert strict_schema(strict) == strict


class Chain(BaseModel):
    name: str
    next: Chain | None = None
    best: Chain = Field(description="a description beside a reference to the type itself")


def test_a_type_that_holds_itself() -> None:
    """A described reference to the type itself ends: the reference stays alone where it would begin anew."""
    strict = strict_schema(Chain.model_json_schema())
    best = strict["$defs"]["Chain"]["properties"]["best"]
    assert best["description"] == "a description beside a reference to the type itself"
    assert best["properties"]["best"] == {"$ref": "#/$defs/Chain"}
    assert best["additionalProperties"] is False


@pytest.mark.parametrize("ref", ["other.json#/x", "#/$defs/Missing", "#/title"])
def test_references_to_nothing(ref: str) -> None:
    """A reference that must be replaced, and cannot be, is an error that names it."""
    with pytest.raises(ValueError, match="ref"):
        strict_schema({"title": "t", "properties": {"a": {"$ref": ref, "description": "d"}}})


def test_intersections() -> None:
    """One member of `allOf` takes the place of the whole; several stay, each strict."""
    part = {"type": "object", "properties": {"a": {"type": "string", "default": None}}}
    one = strict_schema({"allOf": [part], "description": "d"})
    assert one == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
        "description": "d",
    }
    two = strict_schema({"allOf": [part, {"type": "object"}]})
    assert [entry["additionalProperties"] for entry in two["allOf"]] == [False, False]
    escaped = {"$defs": {"a/b~c": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a~1b~0c", "title": "t"}}}
    assert strict_schema(escaped)["properties"]["x"] == {"type": "string", "title": "t"}
