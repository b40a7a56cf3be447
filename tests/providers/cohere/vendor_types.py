"""Bodies judged by the `cohere` package's own types: the parameters of its `chat` function."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

__all__ = ["unknown_fields"]


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    from cohere.v2.client import V2Client

    hints = typing.get_type_hints(V2Client.chat, include_extras=True)
    return {name: TypeAdapter(hint) for name, hint in hints.items() if name not in ("return", "request_options")}


def unknown_fields(body: Mapping[str, Any]) -> list[str]:
    """Validate a body; return the paths of the fields that the types do not have.

    Raises:
        pydantic.ValidationError: a required field is missing, or a value is of a wrong type.
    """
    adapters = _adapters()
    unknown = [name for name in body if name not in adapters and name != "stream"]
    for name, value in body.items():
        if name in adapters:
            unknown += _unknown(adapters[name].validate_python(value), name)
    return unknown


def _unknown(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or ())
        for name in value.model_fields_set & type(value).model_fields.keys():
            yield from _unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _unknown(item, f"{path}[{i}]")
