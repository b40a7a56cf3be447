"""The two dialects of Google's schemas, and the choice between them.

`parametersJsonSchema` and `responseJsonSchema` take a part of JSON Schema, from Gemini 2.5 on; `parameters` and
`responseSchema` take a part of OpenAPI's. A schema is sent in the form that loses least.

Sources: https://ai.google.dev/api/generate-content#FIELDS.response_json_schema (which keywords; siblings of `$ref`),
https://ai.google.dev/api/caching#Schema, https://ai.google.dev/gemini-api/docs/structured-output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from edgeagent.providers.dialect import Dialect, Relaxed, translate
from edgeagent.providers.gemini.models import ModelFacts
from edgeagent.providers.gemini.names import schema_camel

__all__ = ["GEMINI_JSON", "GEMINI_OPENAPI", "NativeSchema", "json_schema_of", "native_schema"]

GEMINI_JSON: Final = Dialect(
    keywords=frozenset(
        {
            *("title", "description", "default", "minItems", "maxItems", "minimum", "maximum", "propertyOrdering"),
            *("$id", "$anchor"),
        }
    ),
    formats={"string": frozenset({"date-time", "date", "time"})},
)

GEMINI_OPENAPI: Final = Dialect(
    keywords=frozenset(
        {
            *("title", "description", "default", "example", "propertyOrdering", "pattern", "minimum", "maximum"),
            *("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),
        }
    ),
    formats={
        "string": frozenset({"date-time", "enum"}),
        "number": frozenset({"float", "double"}),
        "integer": frozenset({"int32", "int64"}),
    },
    refs=False,
    nullable="keyword",
    enums=frozenset({"string"}),
    additional="none",
    tuples=False,
    sole_unions=True,
    openapi=True,
)


_TYPES: Final = {1: "string", 2: "number", 3: "integer", 4: "boolean", 5: "array", 6: "object", 7: "null"}
"""`Type`, where enumerations are written as numbers."""


class NativeSchema(NamedTuple):
    """A schema as the vendor takes it, in which of the two forms, and what it no longer demands."""

    schema: dict[str, Any]
    is_json: bool
    relaxed: tuple[Relaxed, ...]


def native_schema(schema: Mapping[str, Any], facts: ModelFacts) -> NativeSchema:
    """The form that loses least; JSON Schema where both lose the same."""
    if facts.json_schema:
        json = translate(schema, GEMINI_JSON)
        if not json.relaxed:
            return NativeSchema(json.schema, True, ())
        openapi = translate(schema, GEMINI_OPENAPI)
        if len(json.relaxed) <= len(openapi.relaxed):
            return NativeSchema(json.schema, True, json.relaxed)
    else:
        openapi = translate(schema, GEMINI_OPENAPI)
    return NativeSchema(openapi.schema, False, openapi.relaxed)


def json_schema_of(schema: Any) -> Any:
    """A schema in the vendor's OpenAPI form as JSON Schema: types in lower case, `nullable` as a type."""
    return _json(schema_camel(schema))


def _json(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "properties" and isinstance(value, Mapping):
            result[name] = {key: _json(item) for key, item in value.items()}
        elif name == "anyOf" and isinstance(value, list):
            result[name] = [_json(item) for item in value]
        elif name in ("items", "additionalProperties"):
            result[name] = _json(value)
        elif name == "type" and isinstance(value, str | int):
            result[name] = _TYPES.get(value, str(value)) if isinstance(value, int) else value.lower()
        elif name != "nullable":
            result[name] = value
    return _nullable(result) if schema.get("nullable") is True else result


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema
