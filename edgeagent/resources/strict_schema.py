"""A Python type → the JSON Schema that OpenAI's `strict` accepts.

The rules (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas): every object says
`additionalProperties: false` and requires all of its properties, a `$ref` stands alone, and a default of null says
nothing that the type does not. What pydantic makes of a type is rewritten accordingly; the meaning stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["strict_schema"]

_DEFINITIONS: Final = ("$defs", "definitions")
"""Keywords whose values are schemas by name, which others refer to."""

_NOTHING: Final = object()


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema as pydantic writes it, made strict; the argument is left as it was.

    Raises:
        ValueError: a `$ref` that points outside of the schema, or to nothing.
    """
    return _strict(schema, schema, frozenset())


def _strict(schema: Mapping[str, Any], root: Mapping[str, Any], within: frozenset[str]) -> dict[str, Any]:
    """`within`: the references whose targets stand here in their place."""
    schema, within = _without_companions(_without_null(schema), root, within)
    result = {key: _inner(key, value, root, within) for key, value in schema.items()}
    if result.get("type") == "object":
        result.setdefault("additionalProperties", False)
    if isinstance(result.get("properties"), dict):
        result["required"] = list(result["properties"])
    every = result.get("allOf")
    if isinstance(every, list) and len(every) == 1:
        del result["allOf"]
        result = _strict({**result, **every[0]}, root, within)
    return result


def _without_companions(
    schema: Mapping[str, Any], root: Mapping[str, Any], within: frozenset[str]
) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The schema with a `$ref` that does not stand alone replaced by what it points to; its own keys count more.

    A type that holds itself would never end: there the reference stays and its companions (a description) go.
    """
    while len(schema) > 1 and isinstance(ref := schema.get("$ref"), str):
        if ref in within:
            return {"$ref": ref}, within
        within |= {ref}
        own = {key: value for key, value in schema.items() if key != "$ref"}
        schema = _without_null({**_resolved(ref, root), **own})
    return schema, within


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema without a default of null."""
    if schema.get("default", _NOTHING) is not None:
        return schema
    return {key: value for key, value in schema.items() if key != "default"}


def _inner(key: str, value: Any, root: Mapping[str, Any], within: frozenset[str]) -> Any:
    if key in _DEFINITIONS and isinstance(value, Mapping):
        return {name: _strict(inner, root, frozenset()) for name, inner in value.items()}
    if key == "properties" and isinstance(value, Mapping):
        return {name: _strict(inner, root, within) for name, inner in value.items()}
    if key == "items" and isinstance(value, Mapping):
        return _strict(value, root, within)
    if key in ("anyOf", "allOf") and isinstance(value, list):
        return [_strict(inner, root, within) for inner in value]
    return value


def _resolved(ref: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    if not ref.startswith("#/"):
        raise ValueError(f"A $ref must point into its own schema; got {ref!r}.")
    found: Any = root
    for step in ref[2:].split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise ValueError(f"A $ref points to nothing: {ref!r}.")
    return found
