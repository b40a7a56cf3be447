"""The translator of schemas: what is valid stays valid, and what is lost is told."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edgeagent.providers.dialect import Dialect, Relaxed, Translated, translate
from edgeagent.providers.gemini.schema import GEMINI_JSON, GEMINI_OPENAPI

BARE = Dialect(keywords=frozenset(), formats={}, refs=False, additional="none", tuples=False, enums=frozenset())
DIALECTS = [GEMINI_JSON, GEMINI_OPENAPI, BARE]
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, -2.0])
    | st.sampled_from(["", "a", "bb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
EXAMPLES = int(os.environ.get("EDGEAGENT_EXAMPLES", "40"))
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    few = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        _some(
            type=st.just("object"),
            properties=st.dictionaries(NAMES, inner, max_size=3),
            required=st.lists(NAMES, max_size=2, unique=True),
            additionalProperties=inner,
            patternProperties=st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
            maxProperties=st.integers(0, 3),
        ),
        _some(
            type=st.just("array"), items=inner, prefixItems=few, maxItems=st.integers(0, 3), uniqueItems=st.booleans()
        ),
        _some(anyOf=several, type=TYPES, minimum=st.integers(-2, 2), enum=st.lists(VALUES, min_size=1, max_size=3)),
        _some(oneOf=several, properties=st.dictionaries(NAMES, inner, max_size=2), additionalProperties=inner),
        _some(allOf=several, type=TYPES, required=st.lists(NAMES, max_size=2, unique=True), items=inner),
        _some(**{"not": inner, "if": inner, "then": inner, "type": TYPES}),
        st.fixed_dictionaries(
            {"$ref": st.sampled_from(["#/$defs/X", "#/$defs/Y", "#"])}, optional={"minLength": st.just(1)}
        ),
    )


LEAVES = st.one_of(
    st.booleans(),
    _some(
        type=TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        minimum=st.integers(-2, 2),
        exclusiveMaximum=st.integers(-2, 2),
        minLength=st.integers(0, 2),
        multipleOf=st.sampled_from([1, 2]),
        pattern=st.sampled_from(["^a", "b$"]),
        description=st.just("d"),
    ),
    _some(const=VALUES),
    _some(enum=st.lists(VALUES, min_size=1, max_size=3), type=TYPES),
)
SCHEMAS = st.recursive(LEAVES, _grown, max_leaves=8)


@st.composite
def roots(draw: st.DrawFn) -> dict[str, Any]:
    root = draw(SCHEMAS.filter(lambda value: isinstance(value, dict) and "$ref" not in value))
    return {**root, "$defs": {"X": draw(SCHEMAS), "Y": draw(SCHEMAS)}}


def readable(schema: Any) -> Any:
    """A translation as plain JSON Schema: `nullable` is a keyword of OpenAPI only."""
    if isinstance(schema, list):
        return [readable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: readable(value) for name, value in schema.items() if name not in ("nullable", "properties")}
    if "properties" in schema:  # once each: twice would take time by the power of their depth
        result["properties"] = {name: readable(value) for name, value in schema["properties"].items()}
    if schema.get("nullable") is True:
        return {"anyOf": [result, {"type": "null"}]}
    return result


SCALARS: list[Any] = [None, True, 0, 1, -2, 3, 0.5, 1.0, "", "a", "bb"]
INSTANCES: list[Any] = [
    *SCALARS,
    [],
    *([one] for one in SCALARS),
    *([one, other] for one in SCALARS[1:10:2] for other in SCALARS[::3]),
    {},
    *({name: one} for name in "abc" for one in SCALARS[::2]),
    *({"a": one, "b": other} for one in SCALARS[::4] for other in SCALARS[1::4]),
    {"a": {"a": 1, "b": "a"}, "c": [1, "a", None]},
]
"""Every schema is tried on all of them."""


def verdicts(schema: Any) -> list[bool | None]:
    """Which instances are valid; None where a schema goes in circles without coming to a value."""
    validator = Draft202012Validator(schema)
    found: list[bool | None] = []
    for instance in INSTANCES:
        try:
            found.append(bool(validator.is_valid(instance)))
        except RecursionError:
            found.append(None)
    return found


INTEGERS, STRINGS = {"type": "integer"}, {"type": "string"}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(roots())
@example({"prefixItems": [STRINGS], "items": INTEGERS})
@example({"allOf": [{"prefixItems": [STRINGS]}, {"prefixItems": [{}, {}], "items": INTEGERS}]})
@example({"patternProperties": {"^a": {}}, "additionalProperties": False})
@example({"allOf": [{"properties": {"a": {}}, "additionalProperties": INTEGERS}, {"properties": {"b": STRINGS}}]})
@example({"anyOf": [STRINGS, {"type": "null"}], "minLength": 1, "enum": ["a", "bb"]})
@example({"anyOf": [STRINGS, INTEGERS, {"type": "null"}], "type": ["string", "integer"]})
@example({"type": ["string", "null"], "enum": ["a"]})
@example({"type": ["string", "integer", "null"], "minimum": 1})
@example({"anyOf": [{"minimum": 1}, {"properties": {"a": INTEGERS}}], "exclusiveMinimum": 0})
@example({"allOf": [{"type": "number"}, {"type": ["integer", "null"]}, {"enum": [1, 2]}, {"enum": [2.0, None]}]})
@example({"enum": [1.0, True, None]})
def test_what_is_valid_stays_valid(schema: dict[str, Any]) -> None:
    """And where nothing is relaxed, what is not valid is not valid under the translation."""
    before = verdicts(schema)
    for dialect in DIALECTS:
        made = translate(schema, dialect)
        for instance, was, is_now in zip(INSTANCES, before, verdicts(readable(made.schema)), strict=True):
            if was is None or is_now is None:
                continue
            assert is_now >= was, (made, instance)
            assert made.relaxed or is_now == was, (made, instance)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(roots())
def test_only_what_the_dialect_knows(schema: dict[str, Any]) -> None:
    """A translation has no keyword that its dialect has not."""

    def check(node: Any, dialect: Dialect, is_root: bool = False) -> None:
        assert isinstance(node, dict)
        structure = {"type", "properties", "required", "items", "anyOf", "enum", "format", "minimum", "maximum"}
        structure |= {"$ref"} if dialect.refs else set()
        structure |= {"nullable"} if dialect.nullable == "keyword" else set()
        structure |= {"additionalProperties"} if dialect.additional != "none" else set()
        structure |= {"prefixItems"} if dialect.tuples else set()
        structure |= {"$defs"} if is_root else set()
        assert node.keys() <= structure | dialect.keywords
        if dialect.sole_unions and "anyOf" in node:
            assert node.keys() <= {"anyOf", "nullable", "title", "description", "default"}
        for child in [*node.get("properties", {}).values(), *node.get("anyOf", []), *node.get("$defs", {}).values()]:
            check(child, dialect)
        for child in [*node.get("prefixItems", []), *([node["items"]] if "items" in node else [])]:
            check(child, dialect)

    for dialect in DIALECTS:
        check(translate(schema, dialect).schema, dialect, is_root=True)


TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "next": {"$ref": "#"}},
    "required": ["name"],
}


@pytest.mark.parametrize(
    ("schema", "dialect", "expected", "relaxed"),
    [
        ({"type": ["string", "null"]}, GEMINI_JSON, {"type": ["string", "null"]}, []),
        ({"type": ["string", "null"]}, GEMINI_OPENAPI, {"type": "string", "nullable": True}, []),
        (
            {"type": ["string", "integer"]},
            GEMINI_OPENAPI,
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            [],
        ),
        ({"const": "a"}, GEMINI_JSON, {"type": "string", "enum": ["a"]}, []),
        ({"enum": ["a", None]}, GEMINI_OPENAPI, {"type": "string", "enum": ["a"], "nullable": True}, []),
        ({"enum": [1, 2]}, GEMINI_OPENAPI, {"description": "(enum: [1,2])"}, [("", "enum")]),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
            GEMINI_OPENAPI,
            {"type": "string", "description": "d", "nullable": True},
            [],
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            GEMINI_JSON,
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            [("", "oneOf")],
        ),
        (
            {"type": "string", "format": "email", "pattern": "@"},
            GEMINI_JSON,
            {"type": "string", "description": "(pattern: @, format: email)"},
            [("", "pattern"), ("", "format")],
        ),
        (
            {"type": "integer", "exclusiveMinimum": 0},
            GEMINI_JSON,
            {"type": "integer", "minimum": 0, "description": "(exclusiveMinimum: 0)"},
            [("", "exclusiveMinimum")],
        ),
        (
            {"$ref": "#/definitions/P", "definitions": {"P": {"type": "string"}}},
            GEMINI_JSON,
            {"$ref": "#/$defs/P", "$defs": {"P": {"type": "string"}}},
            [],
        ),
        (
            {"$ref": "#/definitions/P", "definitions": {"P": {"type": "string"}}},
            GEMINI_OPENAPI,
            {"type": "string"},
            [],
        ),
        (
            {"allOf": [{"type": "number", "minimum": 1}, {"type": "integer", "minimum": 3}]},
            GEMINI_OPENAPI,
            {"type": "integer", "minimum": 3},
            [],
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
            GEMINI_OPENAPI,
            {"type": "array", "items": {}},
            [("", "prefixItems")],
        ),
        (
            {"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False},
            GEMINI_JSON,
            {"type": "object"},
            [("", "patternProperties"), ("", "additionalProperties")],
        ),
        (
            TREE,
            GEMINI_OPENAPI,
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "next": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}, "next": {"type": "object"}},
                        "required": ["name"],
                    },
                },
                "required": ["name"],
            },
            [("/properties/next/properties/next", "$ref")],
        ),
        ({"$ref": "https://elsewhere"}, GEMINI_JSON, {}, [("", "$ref")]),
        (False, GEMINI_JSON, {}, [("", "false")]),
        (True, GEMINI_JSON, {}, []),
        (7, GEMINI_JSON, {}, [("", "schema")]),
    ],
)
def test_single_rules(schema: Any, dialect: Dialect, expected: Any, relaxed: list[tuple[str, str]]) -> None:
    """Each rule by itself: the translation and what it relaxes."""
    made = translate(schema, dialect)
    assert made == Translated(expected, tuple(Relaxed(*one) for one in relaxed))


def test_pointers_are_escaped() -> None:
    """Pointers are those of RFC 6901."""
    made = translate({"properties": {"a/b~": {"not": {}}}}, GEMINI_JSON)
    assert made.relaxed == (Relaxed("/properties/a~1b~0", "not"),)


def test_nothing_grows_without_end() -> None:
    """References that double at each level, deep nesting, and circles of references alone come to an end."""
    doubling: dict[str, Any] = {
        f"L{i}": {"properties": {name: {"$ref": f"#/$defs/L{i + 1}"} for name in "ab"}} for i in range(40)
    }
    made = translate({"$ref": "#/$defs/L0", "$defs": {**doubling, "L40": {"type": "string"}}}, GEMINI_OPENAPI)
    assert made.relaxed
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"items": deep}
    assert translate(deep, GEMINI_JSON).relaxed
    circle = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}
    assert translate(circle, GEMINI_OPENAPI) == Translated({}, (Relaxed("", "$ref"),))
    assert translate({"allOf": [{"$ref": "#"}]}, GEMINI_OPENAPI).relaxed
