"""Validation errors without the values that they are about: under a shield, an answer holds what it has put back.

pydantic's own text quotes the input, and its places have the keys of mappings; exceptions end in logs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from pydantic import PydanticUserError, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = ["without_input"]

T = TypeVar("T")

HIDDEN: Final = "…"


def without_input(read: Callable[[], T], schema: Callable[[], Mapping[str, Any]]) -> T:
    """What `read` gives; of its `ValidationError` only what the JSON Schema says, too, and never the input.

    Raises:
        pydantic.ValidationError: of the same title and types, at the same places.
    """
    try:
        return read()
    except ValidationError as error:
        words = _words_of(schema)
        hidden = [_hidden(detail, words) for detail in error.errors(include_url=False)]
        title = error.title
    raise ValidationError.from_exception_data(title, hidden, input_type="json", hide_input=True)


def _hidden(detail: Mapping[str, Any], words: frozenset[str]) -> InitErrorDetails:
    place = tuple(step if isinstance(step, int) or step in words else HIDDEN for step in detail["loc"])
    kind: Any = detail["type"]
    context = detail.get("ctx") or {}
    if kind in _OWN_WORDS:  # a validator's exception, which may quote the value
        kind, context = PydanticCustomError(kind, _OWN_WORDS[kind]), {}
    try:
        return _checked({"type": kind, "loc": place, "input": HIDDEN, "ctx": context})
    except (KeyError, TypeError, ValueError):  # a type of the caller's own, with words of its own
        return {
            "type": PydanticCustomError(kind, "This value is none of what was asked for"),
            "loc": place,
            "input": HIDDEN,
        }


def _checked(detail: InitErrorDetails) -> InitErrorDetails:
    ValidationError.from_exception_data("", [detail])
    return detail


_OWN_WORDS: Final = {
    "value_error": "A validator refused this value",
    "assertion_error": "A validator's assertion failed",
}


def _words_of(schema: Callable[[], Mapping[str, Any]]) -> frozenset[str]:
    try:
        return frozenset(_words(schema()))
    except PydanticUserError:  # a type that no schema can tell: its places are not told either
        return frozenset()


def _words(schema: Any) -> Iterator[str]:
    """Every name in a JSON Schema."""
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            yield name
            yield from _words(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _words(value)
    elif isinstance(schema, str):
        yield schema
