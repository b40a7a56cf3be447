"""JSON Schema → the part of it that Anthropic's structured outputs compile.

Constraints that the vendor does not know (ranges, lengths, most formats) are moved into the description, so that the
model still reads them; objects are closed, as the vendor demands. What would change the meaning (free-form objects,
recursion, conditionals) has no such form: None.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from edgeagent.wire.json import dump_json

__all__ = ["Closed", "closed_schema"]

Schema = dict[str, Any]

_KEPT: Final = frozenset(
    {"$schema", "$id", "type", "enum", "const", "default", "title", "description", "required", "pattern", "$ref"}
)
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_ANNOTATIONS: Final = frozenset({"$comment", "examples", "example", "deprecated", "readOnly", "writeOnly"})
_STRUCTURAL: Final = frozenset(
    {
        "$dynamicRef",
        "contains",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "patternProperties",
        "prefixItems",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)


class _InexpressibleError(Exception):
    """The schema has no form that the vendor compiles."""


class Closed(NamedTuple):
    """A schema as the vendor takes it, whether it was changed, and whether it demands less than the original."""

    schema: Schema
    changed: bool
    weaker: bool


def closed_schema(schema: Any) -> Closed | None:
    """The schema as the vendor takes it; None if it has no such form."""
    closing = _Closing(schema)
    try:
        result = closing.schema(schema)
    except (_InexpressibleError, RecursionError):
        return None
    return Closed(result, result != schema, closing.weaker)


class _Closing:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._open: set[str] = set()
        self._checked: set[str] = set()
        self.weaker = False

    def schema(self, schema: Any) -> Schema:
        if not isinstance(schema, Mapping) or not schema:
            raise _InexpressibleError  # `true`, `{}`: anything at all
        result: Schema = {}
        told: dict[str, Any] = {}
        for name, value in schema.items():
            self._keyword(name, value, result, told)
        kind = schema.get("type")
        if "properties" in schema or kind == "object" or (isinstance(kind, list) and "object" in kind):
            self._close(schema, result)
        if told:
            words = dump_json(told).decode().replace('"', "")
            result["description"] = f"{result['description']}\n\n{words}" if result.get("description") else words
        return result

    def _keyword(self, name: str, value: Any, result: Schema, told: dict[str, Any]) -> None:
        if name in _STRUCTURAL:
            raise _InexpressibleError
        if name == "$ref":
            self._follow(value)
        if name in _KEPT or (name == "format" and value in _FORMATS) or (name == "minItems" and value in (0, 1)):
            result[name] = value
        elif name in {"properties", "$defs", "definitions"}:
            result[name] = {key: self.schema(inner) for key, inner in _object(value).items()}
        elif name == "items":
            result[name] = self.schema(value)
        elif name in {"anyOf", "allOf", "oneOf"}:
            self.weaker |= name == "oneOf"
            result["anyOf" if name == "oneOf" else name] = [self.schema(inner) for inner in _list(value)]
        elif name not in _ANNOTATIONS and name != "additionalProperties":
            told[name] = value
            self.weaker = True

    def _close(self, schema: Mapping[str, Any], result: Schema) -> None:
        more = schema.get("additionalProperties")
        if more is not False and (more is not None or "properties" not in schema):
            raise _InexpressibleError  # any properties, or those of a schema
        result["additionalProperties"] = False

    def _follow(self, ref: Any) -> None:
        """Refuse references to elsewhere and references that lead back to themselves."""
        if not isinstance(ref, str) or not ref.startswith("#/") or ref in self._open:
            raise _InexpressibleError
        if ref in self._checked:
            return
        target = self._root
        for step in ref[2:].split("/"):
            target = _object(target).get(step.replace("~1", "/").replace("~0", "~"))
        self._open.add(ref)
        self.schema(target)
        self._open.discard(ref)
        self._checked.add(ref)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _InexpressibleError
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _InexpressibleError
    return value
