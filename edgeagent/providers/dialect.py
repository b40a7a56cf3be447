"""JSON Schema → the part of it that a vendor understands.

A vendor's dialect is data (`Dialect`); `translate` writes a schema in it. The law: whatever is valid under the original
is valid under the translation, so a vendor is never made to refuse or avoid a right answer. Where the translation
demands less, `relaxed` says where (a JSON pointer into the original) and what (a keyword), and the answer has to be
checked on our side.

Rules where keywords act on each other (https://json-schema.org/draft/2020-12/json-schema-core):

- `additionalProperties` depends on `patternProperties`, and `items` on `prefixItems`: they go together.
- `allOf`, and a `$ref` with siblings, are merged into one schema; what cannot be merged is left out.
- `oneOf` becomes `anyOf`. Where unions stand alone in a dialect, their siblings are put into each branch.
- A reference that leads back to itself cannot be inlined: only its type is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote

from edgeagent.providers.schema_facts import (
    ANNOTATIONS,
    HINTED,
    annotated,
    definition_name,
    escaped,
    forbids_null,
    is_null,
    shown,
    type_of,
)
from edgeagent.providers.schema_merge import merged

__all__ = ["Dialect", "Relaxed", "Translated", "translate"]

Schema = dict[str, Any]

MAX_NODES: Final = 5000
"""Of one translation: inlined references can multiply. What is beyond is relaxed."""
MAX_DEPTH: Final = 64

_HANDLED: Final = frozenset(
    {
        *(
            "$defs",
            "$ref",
            "additionalProperties",
            "allOf",
            "anyOf",
            "const",
            "definitions",
            "enum",
            "exclusiveMaximum",
        ),
        *("exclusiveMinimum", "format", "items", "nullable", "oneOf", "prefixItems", "properties", "required", "type"),
        "patternProperties",
    }
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a vendor's schemas can say.

    Attributes:
        keywords: constraints and annotations with plain values that are kept as they are (`minimum`, `title`, …).
        formats: the values of `format` that are kept, by type; a type that is not named keeps none.
        refs: whether `$ref` to `$defs` exists, or everything is inlined.
        nullable: how null is allowed: `"type"` (`["string", "null"]`) or `"keyword"` (`nullable: true`).
        enums: the types whose values may be enumerated.
        additional: `additionalProperties` may be a schema, a bool, or must not stand.
        tuples: whether `prefixItems` exists.
        sole_unions: whether `anyOf` stands alone, without constraints beside it.
        openapi: whether an array must say what its items are, and what is required must be among the properties.
    """

    keywords: frozenset[str]
    formats: Mapping[str, frozenset[str]]
    refs: bool = True
    nullable: Literal["type", "keyword"] = "type"
    enums: frozenset[str] = frozenset({"string", "number", "integer", "boolean", "null"})
    additional: Literal["schema", "bool", "none"] = "schema"
    tuples: bool = True
    sole_unions: bool = False
    openapi: bool = False


class Relaxed(NamedTuple):
    """One demand that the translation does not make: where it stood, and its keyword."""

    pointer: str
    keyword: str


class Translated(NamedTuple):
    """A schema in a dialect, and what of the original it does not demand (empty if it demands it all)."""

    schema: Schema
    relaxed: tuple[Relaxed, ...]


def translate(schema: Any, dialect: Dialect) -> Translated:
    """Write a JSON Schema (an object, or `True`/`False`) in a dialect. Never raises: what is no schema is relaxed."""
    writer = _Writer(schema, dialect)
    result = writer.node(schema, "", 0)
    if writer.definitions:
        result["$defs"] = writer.definitions
    return Translated(result, tuple(dict.fromkeys(writer.relaxed)))


class _Writer:
    """One translation: the root that references point into, and what has been collected."""

    def __init__(self, root: Any, dialect: Dialect) -> None:
        self._root = root
        self._dialect = dialect
        self._open: list[str] = []  # references that are being inlined
        self._names: dict[str, str] = {}  # of the definitions that are kept, by reference
        self._nodes = 0
        self.definitions: dict[str, Schema] = {}
        self.relaxed: list[Relaxed] = []

    def node(self, schema: Any, pointer: str, depth: int) -> Schema:
        self._nodes += 1
        if not isinstance(schema, Mapping) or self._nodes > MAX_NODES or depth > MAX_DEPTH:
            if schema is not True:
                self._relax(pointer, "false" if schema is False else "schema")
            return {}
        if "$ref" in schema:
            return self._reference(schema, pointer, depth)
        if isinstance(schema.get("allOf"), list) and schema["allOf"]:
            return self._all_of(schema, pointer, depth)
        for union in ("anyOf", "oneOf"):
            if isinstance(schema.get(union), list) and schema[union]:
                return self._union(schema, union, pointer, depth)
        return self._plain(schema, pointer, depth)

    def _relax(self, pointer: str, keyword: str) -> None:
        self.relaxed.append(Relaxed(pointer, keyword))

    # references and combinations

    def _reference(self, schema: Mapping[str, Any], pointer: str, depth: int) -> Schema:
        ref = schema["$ref"]
        siblings = {k: v for k, v in schema.items() if k not in ("$ref", "$defs", "definitions")}
        target = self._target(ref)
        if target is None:
            self._relax(pointer, "$ref")
            return self.node(siblings, pointer, depth + 1)
        demands = [k for k in siblings if k not in ANNOTATIONS]
        if self._dialect.refs and not demands and (name := definition_name(ref)) is not None:
            return {"$ref": f"#/$defs/{self._defined(name, ref, target, depth)}"}
        if ref in self._open:
            self._relax(pointer, "$ref")
            kind = target.get("type") if isinstance(target, Mapping) else None
            return self.node({**({"type": kind} if isinstance(kind, str) else {}), **siblings}, pointer, depth + 1)
        self._open.append(ref)
        both = merged([target, siblings], self._resolved) if demands else None
        whole = both.schema if both is not None else annotated(target, siblings)
        if both is not None:
            self._note(pointer, both.lost)
        result = self.node(whole, pointer, depth + 1)
        self._open.pop()
        return result

    def _target(self, ref: Any) -> Any:
        """What a reference points to; None if it is not in this document."""
        if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
            return None
        found: Any = self._root
        for step in ref[2:].split("/") if ref != "#" else ():
            step = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, Mapping) and step in found:
                found = found[step]
            else:
                return None
        return found if isinstance(found, Mapping | bool) else None

    def _resolved(self, schema: Any) -> Any:
        """A schema to be merged, its reference followed; None if that leads nowhere or in a circle."""
        seen = set(self._open)
        while isinstance(schema, Mapping) and "$ref" in schema:
            ref = schema["$ref"]
            if ref in seen or len(schema) > 1:
                return None
            seen.add(ref)
            schema = self._target(ref)
        return schema

    def _defined(self, name: str, ref: str, target: Any, depth: int) -> str:
        if ref not in self._names:
            taken = set(self._names.values())
            while name in taken:
                name += "_"
            self._names[ref] = name
            self.definitions[name] = {}
            self.definitions[name] = self.node(target, ref[1:], depth + 1)
        return self._names[ref]

    def _all_of(self, schema: Mapping[str, Any], pointer: str, depth: int) -> Schema:
        rest = {k: v for k, v in schema.items() if k != "allOf"}
        only = schema["allOf"][0]
        if len(schema["allOf"]) == 1 and isinstance(only, Mapping) and rest.keys() <= ANNOTATIONS:
            return self.node({**only, **rest}, pointer, depth + 1)
        result = merged([rest, *schema["allOf"]], self._resolved)
        self._note(pointer, result.lost)
        return self.node(result.schema, pointer, depth + 1)

    def _note(self, pointer: str, keywords: tuple[str, ...]) -> None:
        for keyword in keywords:
            self._relax(pointer, keyword)

    def _union(self, schema: Mapping[str, Any], union: str, pointer: str, depth: int) -> Schema:
        rest = {k: v for k, v in schema.items() if k != union}
        branches = schema[union]
        if union == "oneOf" and len(branches) > 1:
            self._relax(pointer, "oneOf")
        if union == "anyOf" and isinstance(rest.get("oneOf"), list):
            del rest["oneOf"]
            self._relax(pointer, "oneOf")
        has_null = any(is_null(branch) for branch in branches)
        as_keyword = self._dialect.nullable == "keyword"
        nullable = as_keyword and (has_null or rest.get("nullable") is True) and not forbids_null(rest)
        branches = [(i, b) for i, b in enumerate(branches) if not (as_keyword and has_null and is_null(b))]
        if not branches:
            return self._plain({**rest, "type": "null"}, pointer, depth)
        annotations = {k: v for k, v in rest.items() if k in ANNOTATIONS}
        spread = self._dialect.sole_unions or len(branches) == 1
        written = []
        for i, branch in branches:
            if spread and len(annotations) < len(rest):
                demands = {k: v for k, v in rest.items() if k not in annotations and k != "nullable"}
                result = merged([branch, demands], self._resolved)
                self._note(f"{pointer}/{union}/{i}", result.lost)
                branch = result.schema
            written.append(self.node(branch, f"{pointer}/{union}/{i}", depth + 1))
        if len(written) == 1:
            node = annotated(written[0], self._kept(annotations)) if "$ref" not in written[0] else written[0]
            return {**node, "nullable": True} if nullable else node
        beside = self._kept(annotations) if spread else self._plain(rest, pointer, depth)
        return {**beside, "anyOf": written, **({"nullable": True} if nullable else {})}

    def _kept(self, annotations: Mapping[str, Any]) -> Schema:
        return {k: v for k, v in annotations.items() if k in self._dialect.keywords}

    # one schema without combinations

    def _plain(self, schema: Mapping[str, Any], pointer: str, depth: int) -> Schema:
        types, nullable = self._types(schema, pointer)
        if len(types) > 1 and self._dialect.nullable == "keyword":
            branches = [{**schema, "type": kind} for kind in types if kind != "null"]
            union = {"anyOf": [{k: v for k, v in b.items() if k not in ANNOTATIONS} for b in branches]}
            kept = self._kept({k: v for k, v in schema.items() if k in ANNOTATIONS})
            return {**kept, **self._union(union, "anyOf", pointer, depth), **({"nullable": True} if nullable else {})}
        result: Schema = {}
        hints: dict[str, Any] = {}
        if types:
            listed = [*types, *(["null"] if nullable and self._dialect.nullable == "type" else [])]
            result["type"] = listed[0] if len(listed) == 1 else listed
        if nullable and self._dialect.nullable == "keyword":
            result["nullable"] = True
        for keyword, value in schema.items():
            if keyword in self._dialect.keywords and keyword not in _HANDLED:
                result[keyword] = value
            elif keyword not in _HANDLED and keyword not in ANNOTATIONS and not keyword.startswith("x-"):
                self._relax(pointer, keyword)
                hints[keyword] = value
        self._enum(schema, types, result, hints, pointer)
        self._format(schema, types, result, hints, pointer)
        self._bounds(schema, result, hints, pointer)
        self._object(schema, result, pointer, depth)
        self._array(schema, types, result, pointer, depth)
        self._describe(result, {k: v for k, v in hints.items() if k in HINTED})
        return result

    def _types(self, schema: Mapping[str, Any], pointer: str) -> tuple[list[str], bool]:
        """The types without null (unless it is alone), and whether null is allowed beside them."""
        given = schema.get("type")
        types = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        if any(not isinstance(kind, str) for kind in types):
            self._relax(pointer, "type")
            types = []
        types = list(dict.fromkeys(kind.lower() for kind in types))
        nullable = schema.get("nullable") is True or ("null" in types and len(types) > 1)
        return ([kind for kind in types if kind != "null"] if nullable else types), nullable and types != ["null"]

    def _enum(self, schema: Mapping[str, Any], types: list[str], result: Schema, hints: Schema, pointer: str) -> None:
        keyword = "const" if "const" in schema else "enum"
        values = [schema["const"]] if keyword == "const" else schema.get("enum")
        if not isinstance(values, list):
            return
        kinds = {type_of(value) for value in values}
        if self._dialect.nullable == "keyword" and "null" in kinds and kinds != {"null"}:
            values, kinds = [value for value in values if value is not None], kinds - {"null"}
            if not types or result.get("nullable"):
                result["nullable"] = True
        elif self._dialect.nullable == "keyword" and kinds != {"null"}:
            result.pop("nullable", None)
        if kinds <= self._dialect.enums and values:
            if not types and len(kinds) == 1:
                result["type"] = next(iter(kinds))
            result["enum"] = values
        else:
            self._relax(pointer, keyword)
            hints["enum"] = values

    def _format(self, schema: Mapping[str, Any], types: list[str], result: Schema, hints: Schema, pointer: str) -> None:
        value = schema.get("format")
        if not isinstance(value, str):
            return
        if any(value in self._dialect.formats.get(kind, ()) for kind in types):
            result["format"] = value
        else:
            self._relax(pointer, "format")
            hints["format"] = value

    def _bounds(self, schema: Mapping[str, Any], result: Schema, hints: Schema, pointer: str) -> None:
        """Exclusive bounds (numbers, or draft 4's bools) as inclusive ones where the dialect has no others."""
        pairs: list[tuple[str, str, Callable[..., Any]]] = [
            ("exclusiveMinimum", "minimum", max),
            ("exclusiveMaximum", "maximum", min),
        ]
        for exclusive, inclusive, tighter in pairs:
            value = schema.get(exclusive)
            if value is None or value is False:
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and exclusive in self._dialect.keywords:
                result[exclusive] = value
                continue
            self._relax(pointer, exclusive)
            hints[exclusive] = value if is_number else schema.get(inclusive)
            if is_number and inclusive in self._dialect.keywords:
                result[inclusive] = tighter(value, result[inclusive]) if inclusive in result else value

    def _object(self, schema: Mapping[str, Any], result: Schema, pointer: str, depth: int) -> None:
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            result["properties"] = {
                name: self.node(value, f"{pointer}/properties/{escaped(name)}", depth + 1)
                for name, value in properties.items()
            }
        required = schema.get("required")
        if isinstance(required, list) and all(isinstance(name, str) for name in required):
            known = [name for name in required if not self._dialect.openapi or name in result.get("properties", {})]
            if len(known) < len(required):
                self._relax(pointer, "required")
            if known:
                result["required"] = known
        if schema.get("patternProperties"):
            self._relax(pointer, "patternProperties")
            if schema.get("additionalProperties", True) not in (True, {}):
                self._relax(pointer, "additionalProperties")
            return
        more = schema.get("additionalProperties")
        if more is None:
            return
        allowed = self._dialect.additional
        if allowed == "schema" or (allowed == "bool" and isinstance(more, bool)):
            is_schema = isinstance(more, Mapping)
            result["additionalProperties"] = (
                self.node(more, f"{pointer}/additionalProperties", depth + 1) if is_schema else more is not False
            )
        elif more is not True and more != {}:
            self._relax(pointer, "additionalProperties")

    def _array(self, schema: Mapping[str, Any], types: list[str], result: Schema, pointer: str, depth: int) -> None:
        items, prefix = schema.get("items"), schema.get("prefixItems")
        if isinstance(items, list):  # the older form of tuples
            items, prefix = schema.get("additionalItems"), items
        if isinstance(prefix, list) and prefix:
            if self._dialect.tuples:
                result["prefixItems"] = [
                    self.node(item, f"{pointer}/prefixItems/{i}", depth + 1) for i, item in enumerate(prefix)
                ]
            else:
                self._relax(pointer, "prefixItems")
                items = None
        if items is False:
            self._relax(pointer, "items")
        elif items is not None and items is not True:
            result["items"] = self.node(items, f"{pointer}/items", depth + 1)
        if types == ["array"] and self._dialect.openapi:
            result.setdefault("items", {})

    def _describe(self, result: Schema, hints: Mapping[str, Any]) -> None:
        if not hints or "description" not in self._dialect.keywords:
            return
        told = ", ".join(f"{keyword}: {shown(value)}" for keyword, value in hints.items())
        before = result.get("description")
        result["description"] = f"{before} ({told})" if isinstance(before, str) and before else f"({told})"
