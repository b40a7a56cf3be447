"""Validation errors without the values that they are about: under a shield, an answer holds what it has put back.

pydantic's own text quotes the input, its places have the keys of mappings, and what a validator raises may be anything;
exceptions end in logs. So nothing is told because it is of a known kind: what is told is in the type's own schema.

A validator's `ValueError` or `AssertionError` is pydantic's to tell, and so is told without its words. Any other
exception pydantic lets through: it is the caller's own, from his code to his code, and comes to him as it is. Answers
are read outside the pipeline, so no log, span, metric or row of a ledger has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, from_json

__all__ = ["without_input"]

T = TypeVar("T")

HIDDEN: Final = "…"


def without_input(adapter: TypeAdapter[T], answer: str | Mapping[str, Any]) -> T:
    """A JSON text, or what one says, as an instance; of its `ValidationError` what the type's schema says, too.

    Raises:
        pydantic.ValidationError: of the same title and types, at the same places, and without any of the input.
    """
    try:
        return adapter.validate_json(answer) if isinstance(answer, str) else adapter.validate_python(answer)
    except ValidationError as error:
        said, value = _Said(adapter.core_schema), _value(answer)
        hidden = [_hidden(detail, said, value) for detail in error.errors(include_url=False)]
        title = error.title
    raise ValidationError.from_exception_data(title, hidden, input_type="json", hide_input=True)


def _value(answer: str | Mapping[str, Any]) -> Any:
    try:
        return from_json(answer) if isinstance(answer, str) else answer
    except ValueError:
        return None


def _hidden(detail: Mapping[str, Any], said: _Said, value: Any) -> InitErrorDetails:
    kind: Any = detail["type"]
    found: InitErrorDetails = {"type": kind, "loc": tuple(_places(detail["loc"], said, value)), "input": HIDDEN}
    if kind in _OWN_WORDS:  # a validator's exception, which may quote the value
        return {**found, "type": PydanticCustomError(kind, _OWN_WORDS[kind])}
    context = detail.get("ctx") or {}
    told = {name: part if said.has(kind, name, part) else HIDDEN for name, part in context.items()}
    try:
        return _checked({**found, "ctx": told})
    except (KeyError, TypeError, ValueError):  # a type of the caller's own, or one that cannot be told without a number
        return {**found, "type": PydanticCustomError(kind, "This value is none of what was asked for")}


def _places(steps: tuple[int | str, ...], said: _Said, value: Any) -> Iterator[int | str]:
    """Names that the schema has, and indices of lists of the answer: other numbers are keys that a validator made."""
    for step in steps:
        if isinstance(step, int):
            known = isinstance(value, list) and 0 <= step < len(value)
            value = value[step] if known else None
        else:
            known = step in said.names
            if isinstance(value, Mapping):
                value = value.get(step, value)  # the arm of a union is no step into the answer
        yield step if known else HIDDEN


def _checked(detail: InitErrorDetails) -> InitErrorDetails:
    ValidationError.from_exception_data("", [detail])
    return detail


_OWN_WORDS: Final = {
    "value_error": "A validator refused this value",
    "assertion_error": "A validator's assertion failed",
}

_FIELD_TYPES: Final = frozenset({"Dictionary", "Frozenset", "Generator", "List", "Set", "Tuple"})
"""What pydantic calls that whose items it counts."""

_JSON_FAULT: Final = re.compile(
    r"(EOF while parsing an? (list|object|string|value)|expected (ident|value|`:`|`,` or `[\]}]`)"
    r"|invalid (escape|number|unicode code point)|number out of range|key must be a string"
    r"|trailing (comma|characters)|control character \(\\u0000-\\u001F\) found while parsing a string"
    r"|lone leading surrogate in hex escape|unexpected end of hex escape|recursion limit exceeded)"
    r" at line \d+ column \d+"
)
"""What pydantic's parser says of a text that is no JSON; it quotes nothing of it."""

_TOKEN: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,]+""")
"""A part of a list in words: `'a', 'b' or 3`."""


class _Said:
    """What the core schema of a type says: `names` are its texts."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._scalars = {*_scalars(schema)}
        self._spelled = {"or", *(text for scalar in self._scalars for text in _spelled(scalar))}
        self.names = frozenset(scalar for scalar in self._scalars if isinstance(scalar, str))

    def has(self, kind: str, name: str, part: Any) -> bool:
        """Whether a part of an error's context is the schema's, or pydantic's own."""
        if name == "actual_length":
            return isinstance(part, int)  # how many there are is no value
        if isinstance(part, int | float | Decimal):
            return part in self._scalars
        if not isinstance(part, str):
            return False
        if name == "error":
            return kind == "json_invalid" and _JSON_FAULT.fullmatch(part) is not None
        if part in self.names or part in _FIELD_TYPES:
            return True
        return all(token in self._spelled for token in _TOKEN.findall(part))


def _scalars(schema: Any) -> Iterator[Any]:
    """Every name, number and date in a schema, and the names of its classes and functions."""
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            yield from _scalars(name)
            yield from _scalars(value)
    elif isinstance(schema, list | tuple | set | frozenset):
        for value in schema:
            yield from _scalars(value)
    elif isinstance(schema, Enum):
        yield from _scalars(schema.value)
    elif isinstance(schema, str | int | float | Decimal | date | time):
        yield schema
    elif isinstance(name := getattr(schema, "__name__", None), str):
        yield name


def _spelled(scalar: Any) -> Iterator[str]:
    """How pydantic writes it into a message."""
    yield repr(scalar)
    if isinstance(scalar, date | time):
        yield scalar.isoformat().replace("+00:00", "Z")
    elif isinstance(scalar, str):
        yield f"{scalar}()"  # a function that finds a tag
