"""Several JSON Schemas that all apply → one, as far as that can be said.

The result never demands more than all of them together; `lost` names the keywords of which something was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from edgeagent.wire.json import canonical_json

__all__ = ["Merged", "merged", "same_value"]

Schema = dict[str, Any]

_LARGER: Final = frozenset({"exclusiveMinimum", "minimum", "minItems", "minLength", "minProperties"})
_SMALLER: Final = frozenset({"exclusiveMaximum", "maximum", "maxItems", "maxLength", "maxProperties"})
_TEXTS: Final = frozenset({"title", "description", "default", "examples", "example", "$comment", "$schema", "$id"})


class Merged(NamedTuple):
    """One schema, and the keywords of which something was left out."""

    schema: Any
    lost: tuple[str, ...]


def merged(schemas: Iterable[Any], resolve: Callable[[Any], Any]) -> Merged:
    """Merge. `resolve` follows a reference; what it gives None for cannot be merged and is lost."""
    result: Schema = {}
    lost: list[str] = []
    for schema in _flat(schemas, resolve, lost):
        if schema is False:
            lost.append("false")
        elif isinstance(schema, Mapping):
            _add(result, schema, lost)
    return Merged(result, tuple(dict.fromkeys(lost)))


def same_value(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON Schema has it: 1 is 1.0, and not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    try:
        return canonical_json(one) == canonical_json(other)
    except (ValueError, TypeError):
        return False


def _flat(schemas: Iterable[Any], resolve: Callable[[Any], Any], lost: list[str], depth: int = 0) -> list[Any]:
    """All schemas that apply: references followed, `allOf` taken apart."""
    found: list[Any] = []
    for schema in schemas:
        target = resolve(schema)
        if target is None or depth > 20:
            lost.append("allOf")
            continue
        inner = target.get("allOf") if isinstance(target, Mapping) else None
        if isinstance(inner, list):
            found.append({k: v for k, v in target.items() if k != "allOf"})
            found += _flat(inner, resolve, lost, depth + 1)
        else:
            found.append(target)
    return found


def _add(result: Schema, schema: Mapping[str, Any], lost: list[str]) -> None:
    both_tuples = "prefixItems" in result and "prefixItems" in schema
    is_first = not result
    for one, other in ((result, schema), (schema, result)):
        # what a keyword leaves over depends on its neighbours, and these become more
        if _names(other) - _names(one) and one.get("additionalProperties", True) not in (True, {}):
            lost.append("additionalProperties")
        if "prefixItems" in other and "prefixItems" not in one and one.get("items", True) not in (True, {}):
            lost.append("items")
    for keyword, value in schema.items():
        if keyword == "additionalItems" and not is_first:  # it counts from the end of its own tuple
            lost.append(keyword)
        elif keyword not in result:
            if keyword == "items" and both_tuples:  # so does this
                lost.append("items")
            else:
                result[keyword] = value
        elif keyword not in _TEXTS and not _joined(result, keyword, value):
            lost.append(keyword)


def _joined(result: Schema, keyword: str, value: Any) -> bool:
    """Put a keyword's second value to its first; False if something of it is lost."""
    first = result[keyword]
    if keyword in ("properties", "$defs", "definitions", "patternProperties"):
        if not isinstance(first, Mapping) or not isinstance(value, Mapping):
            return False
        result[keyword] = {**first, **{k: _both(first[k], v) if k in first else v for k, v in value.items()}}
        return True
    if keyword == "required" and isinstance(first, list) and isinstance(value, list):
        result[keyword] = [*first, *(name for name in value if name not in first)]
        return True
    if keyword in _LARGER | _SMALLER and _is_number(first) and _is_number(value):
        result[keyword] = max(first, value) if keyword in _LARGER else min(first, value)
        return True
    if keyword == "type":
        return _type(result, first, value)
    if keyword == "enum" and isinstance(first, list) and isinstance(value, list):
        common = [item for item in first if any(same_value(item, other) for other in value)]
        result[keyword] = common or first
        return bool(common)
    if keyword == "items" and isinstance(first, Mapping) and isinstance(value, Mapping) and "prefixItems" not in result:
        result[keyword] = _both(first, value)
        return True
    return same_value(first, value)


def _both(first: Any, second: Any) -> Any:
    return first if same_value(first, second) else {"allOf": [first, second]}


def _type(result: Schema, first: Any, second: Any) -> bool:
    one, other = _listed(first), _listed(second)
    if "integer" in one and "number" in other:
        other = {*other, "integer"}
    if "integer" in other and "number" in one:
        one = {*one, "integer"}
    common = sorted(one & other)
    if "number" in common and "integer" in common:
        common.remove("integer")
    if common:
        result["type"] = common[0] if len(common) == 1 else common
    return bool(common)


def _names(schema: Mapping[str, Any]) -> set[str]:
    properties = schema.get("properties")
    return set(properties) if isinstance(properties, Mapping) else set()


def _listed(types: Any) -> set[str]:
    return {types} if isinstance(types, str) else {kind for kind in types or () if isinstance(kind, str)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
