"""Values that a JSON Schema or a shape of botocore's allows: what a vendor may answer by its own types."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

__all__ = ["instance", "shaped"]

DEPTH = 12
_WORDS = ("", "a", "Grüße 👋", "two words", "x\ny", '{"a": 1}', "2026-01-01T00:00:00Z")
_NAMES = ("id", "call_id", "name")
"""Never empty."""


def instance(schema: Mapping[str, Any], chance: random.Random, root: Mapping[str, Any] | None = None) -> Any:
    """A random value; optional properties are there or not. Recursion ends at `DEPTH`."""
    return _Maker(root if root is not None else schema, chance).value(schema, 0)


class _Maker:
    def __init__(self, root: Mapping[str, Any], chance: random.Random) -> None:
        self._root = root
        self._chance = chance

    def value(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping) or not schema:
            return self._chance.choice([None, 1, "free", {}])
        if "$ref" in schema:
            return self.value(self._root["$defs"][schema["$ref"].rpartition("/")[2]], depth + 1)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._chance.choice(schema["enum"])
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self.value(self._branch(schema[union], depth), depth + 1)
        if "allOf" in schema:
            return self.value(schema["allOf"][0], depth + 1)
        return self._typed(schema, depth)

    def _branch(self, branches: list[Any], depth: int) -> Any:
        nothing = [branch for branch in branches if branch.get("type") == "null"]
        return nothing[0] if nothing and depth > DEPTH else self._chance.choice(branches)

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        if kind == "array":
            count = 0 if depth > DEPTH else self._chance.randrange(3)
            return [self.value(schema.get("items"), depth + 1) for _ in range(max(count, schema.get("minItems", 0)))]
        if kind == "integer":
            return self._chance.randrange(50)
        if kind == "number":
            return self._chance.choice([0, 1, 0.5])
        if kind == "boolean":
            return self._chance.random() < 0.5
        if kind == "null":
            return None
        return "aGk=" if schema.get("format") in ("base64url", "binary", "byte") else self._chance.choice(_WORDS)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        properties = schema.get("properties", {})
        wanted = [name for name in properties if name in required or self._wants(properties[name], depth)]
        made = {name: self.value(properties[name], depth + 1) for name in wanted}
        made.update({name: "n" for name in _NAMES if made.get(name) == ""})
        more = schema.get("additionalProperties")
        if not properties and isinstance(more, Mapping) and depth <= DEPTH:
            made["key"] = self.value(more, depth + 1)
        return made

    def _wants(self, schema: Any, depth: int) -> bool:
        # pydantic gives a discriminator a default, so that it is not required; vendors always send it
        return (isinstance(schema, Mapping) and "const" in schema) or (depth <= DEPTH and self._chance.random() < 0.5)


def shaped(shape: Any, chance: random.Random, depth: int = 0) -> Any:
    """A random value of a botocore shape, as JSON has it."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_tagged_union", False):
            name = chance.choice(list(shape.members))
            return {name: shaped(shape.members[name], chance, depth + 1)}
        wanted = [
            name
            for name in shape.members
            if name in shape.required_members or (depth <= DEPTH and chance.random() < 0.5)
        ]
        return {name: shaped(shape.members[name], chance, depth + 1) for name in wanted}
    if kind == "list":
        return [shaped(shape.member, chance, depth + 1) for _ in range(0 if depth > DEPTH else chance.randrange(3))]
    if kind == "map":
        return {"key": shaped(shape.value, chance, depth + 1)}
    if kind == "string":
        return chance.choice(shape.enum) if shape.enum else chance.choice(_WORDS)
    if kind in ("integer", "long"):
        return chance.randrange(50)
    if kind in ("float", "double"):
        return chance.choice([0, 1, 0.5])
    if kind == "boolean":
        return chance.random() < 0.5
    return "aGk=" if kind == "blob" else {}
