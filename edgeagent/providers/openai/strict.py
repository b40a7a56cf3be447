"""Whether OpenAI compiles a JSON Schema, so that an answer is sure to be of it.

Anthropic and Google always keep an answer to its schema. OpenAI does so where `strict` asks for it, which it takes
for a part of JSON Schema only: closed objects that have all of their fields, and few keywords. Anything else would be
refused, so what is not surely taken here is not.

Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["closed"]

_ANNOTATIONS: Final = frozenset({"description", "title"})
_OF_OBJECTS: Final = frozenset({"additionalProperties", "properties", "required"})
_KNOWN: Final = _ANNOTATIONS | _OF_OBJECTS | {"$defs", "$ref", "anyOf", "const", "enum", "items", "type"}
_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_DEEPEST: Final = 5
_MOST: Final = 100
"""What every model that compiles schemas has taken from the beginning."""


class _NotCompiledError(Exception):
    """The schema has something else."""


def closed(schema: Any) -> dict[str, Any] | None:
    """The schema as it is compiled, its objects closed; None: it may be refused.

    An object is closed where it has all of its fields: neither vendor gives others than it names.
    """
    if not isinstance(schema, Mapping) or schema.get("type") != "object" or "anyOf" in schema:
        return None
    closing = _Closing()
    try:
        return closing.schema(schema, 0)
    except _NotCompiledError:
        return None


class _Closing:
    """One schema; counts its fields."""

    def __init__(self) -> None:
        self._fields = 0

    def schema(self, schema: Any, depth: int) -> dict[str, Any]:
        if not isinstance(schema, Mapping) or not schema or schema.keys() - _KNOWN or depth > _DEEPEST:
            raise _NotCompiledError
        made = dict(schema)
        if "$defs" in schema:
            made["$defs"] = self._each(schema["$defs"], 0)
        if "$ref" in schema:
            return self._reference(made)
        if "anyOf" in schema:
            made["anyOf"] = [self.schema(one, depth + 1) for one in _list(schema["anyOf"])]
        else:
            made["type"] = schema["type"] if "type" in schema else _type_of(schema)
        kinds = _kinds(made.get("type"))
        if "object" in kinds:
            made |= self._object(schema, depth)
        elif not schema.keys().isdisjoint(_OF_OBJECTS):
            raise _NotCompiledError
        if "array" in kinds:
            made["items"] = self.schema(schema.get("items"), depth + 1)
        elif "items" in schema:
            raise _NotCompiledError
        return made

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        fields = schema.get("properties")
        if not isinstance(fields, Mapping) or schema.get("additionalProperties", False) is not False:
            raise _NotCompiledError
        needed = _list(schema.get("required", []))
        if set(needed) != fields.keys():
            raise _NotCompiledError
        self._fields += len(fields)
        if self._fields > _MOST:
            raise _NotCompiledError
        closed = {"properties": self._each(fields, depth + 1), "required": needed}
        return {**closed, "additionalProperties": False}

    def _each(self, schemas: Any, depth: int) -> dict[str, Any]:
        if not isinstance(schemas, Mapping):
            raise _NotCompiledError
        return {name: self.schema(one, depth) for name, one in schemas.items()}

    def _reference(self, made: dict[str, Any]) -> dict[str, Any]:
        place = made["$ref"]
        if not isinstance(place, str) or not (place == "#" or place.startswith("#/$defs/")):
            raise _NotCompiledError
        if made.keys() - _ANNOTATIONS - {"$ref"}:
            raise _NotCompiledError
        return {"$ref": place}  # nothing may stand beside it


def _kinds(kind: Any) -> list[Any]:
    kinds = kind if isinstance(kind, list) else [kind]
    if any(not isinstance(one, str) or one not in _TYPES for one in kinds if kind is not None):
        raise _NotCompiledError
    return kinds


def _type_of(schema: Mapping[str, Any]) -> str:
    """A schema of words alone may leave its type out elsewhere."""
    values = _list(schema.get("enum")) if "enum" in schema else [schema.get("const")]
    if not values or not all(isinstance(value, str) for value in values):
        raise _NotCompiledError
    return "string"


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or any(isinstance(one, list) for one in value):
        raise _NotCompiledError
    return value
