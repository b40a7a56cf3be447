"""What can be said of one JSON Schema by itself: annotations, null, types, names of definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.schema_merge import same_value
from edgeagent.wire.json import dump_json

__all__ = [
    "ANNOTATIONS",
    "HINTED",
    "annotated",
    "definition_name",
    "escaped",
    "forbids_null",
    "is_null",
    "shown",
    "type_of",
]

ANNOTATIONS: Final = frozenset(
    {
        *("$anchor", "$comment", "$id", "$schema", "$vocabulary", "contentEncoding", "contentMediaType", "default"),
        *("deprecated", "description", "example", "examples", "readOnly", "title", "writeOnly", "propertyOrdering"),
        *("contentSchema", "additionalItems", "$dynamicAnchor", "$recursiveAnchor", "minContains", "maxContains"),
    }
)
"""Keywords that demand nothing, or nothing by themselves."""

HINTED: Final = frozenset(
    {
        *("exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength", "maxProperties", "maximum"),
        *("minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "uniqueItems", "enum"),
    }
)
"""Short constraints that are told in the description where they cannot be said."""


def shown(value: Any) -> str:
    """A value in words, for descriptions."""
    try:
        return value if isinstance(value, str) else dump_json(value).decode()
    except ValueError:
        return str(value)


def annotated(schema: Any, annotations: Mapping[str, Any]) -> Any:
    """A schema with the annotations that stood beside it: they are nearer to its use."""
    return {**schema, **annotations} if isinstance(schema, Mapping) else schema


def definition_name(ref: str) -> str | None:
    """The name of a definition of the root, if a reference is to one."""
    for place in ("#/$defs/", "#/definitions/"):
        name = ref.removeprefix(place)
        if name != ref and name and "/" not in name and "~" not in name and "%" not in name:
            return name
    return None


def is_null(schema: Any) -> bool:
    """Whether a schema says null and nothing else."""
    if not isinstance(schema, Mapping):
        return False
    plain = {k: v for k, v in schema.items() if k not in ANNOTATIONS}
    return plain in ({"type": "null"}, {"type": "NULL"}, {"const": None}, {"enum": [None]}) and bool(plain)


def forbids_null(schema: Mapping[str, Any]) -> bool:
    """Whether what stands beside a union excludes null all the same."""
    if schema.get("nullable") is True:
        return False
    kinds = schema.get("type")
    listed = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else ["null"]
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return "null" not in listed or (isinstance(values, list) and not any(same_value(v, None) for v in values))


def type_of(value: Any) -> str:
    """JSON Schema's word for the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")
