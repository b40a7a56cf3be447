"""The base of the Responses objects: read from whatever a server sent, with nothing lost and nothing refused.

A field that a server left out is None, one of another type than documented keeps the value that came, one that is
unknown is kept. Objects for which there is no class of their own are `Object`s: what was sent is there by attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import from_json

from edgeagent.types._model import Model

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Anything", "Object", "Open", "one_of", "opened", "told"]


def told() -> Any:
    """The default of a field that is documented as always there: None where a server leaves it out all the same."""
    return Field(default=None)


class Open(Model):
    """A model that any JSON object can be read as."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The object in `data`; a field of an undocumented type keeps its value."""
        try:
            made: Self = cls.__pydantic_validator__.validate_python(data)
        except ValidationError as error:
            odd = {str(fault["loc"][0]) for fault in error.errors(include_url=False, include_input=False)}
            return cls._read_odd(data, odd)
        return made

    @classmethod
    def _read_odd(cls, data: Mapping[str, Any], odd: set[str]) -> Self:
        made: Self = cls.__pydantic_validator__.validate_python({k: v for k, v in data.items() if k not in odd})
        extra = made.__pydantic_extra__
        assert extra is not None
        for name in odd:
            field = cls.model_fields.get(name)
            if field is None:  # a field under another name than JSON's
                extra[name] = data[name]
            else:
                made.__dict__[name] = _as_documented(field.annotation, data[name])
                made.__pydantic_fields_set__.add(name)
        return made

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """The object in a JSON text. Raises `ValueError` if it is none."""
        try:
            return super().from_json(data)
        except ValidationError:
            value = from_json(data)
            if not isinstance(value, dict):
                raise
            return cls.read(value)

    def model_dump(self, *, mode: str = "python", **options: Any) -> dict[str, Any]:
        """As pydantic's own; every value is written as it is, whatever was documented."""
        return super().model_dump(mode=mode, **{"serialize_as_any": True, **options})

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        """As pydantic's own; every value is written as it is, whatever was documented."""
        return super().model_dump_json(indent=indent, **{"serialize_as_any": True, **options})


def _as_documented(annotation: Any, value: Any) -> Any:
    """A value that is not quite what was documented, with the documented class as far as it goes."""
    kind = next(_classes(annotation), Object)
    if isinstance(value, Mapping):
        return kind.read(value) if kind is not Object else opened(value)
    if isinstance(value, list):
        return [_as_documented(kind, item) for item in value]
    return value


def _classes(annotation: Any) -> Iterator[type[Open]]:
    if isinstance(annotation, type) and issubclass(annotation, Open):
        yield annotation
    for argument in get_args(annotation):
        yield from _classes(argument)


class Object(Open):
    """An object of a form that has no class here; its fields are those that were sent."""


def opened(value: Any) -> Any:
    """JSON values with every object among them as an `Object`."""
    if isinstance(value, Mapping):
        return Object.model_validate({name: opened(item) for name, item in value.items()})
    if isinstance(value, list):
        return [opened(item) for item in value]
    return value


Anything = Annotated[Any, BeforeValidator(opened)]
"""A value of several forms, or of one that is seldom looked into."""


def one_of(classes: Mapping[str, type[Open]]) -> Callable[[Any], Any]:
    """A validator that reads an object as the class of its `type`, or as an `Object`."""

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        kind = value.get("type")
        known = classes.get(kind) if isinstance(kind, str) else None
        return opened(value) if known is None else known.read(value)

    return read
