"""Bodies judged by the `anthropic` package's own typed parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

__all__ = ["unknown_fields"]

SAMPLING = {"temperature", "top_p", "top_k"}
"""Parameters of API version 2023-06-01 that newer packages no longer have."""


@cache
def _adapter(beta: bool) -> TypeAdapter[Any]:
    if beta:
        from anthropic.types.beta import message_create_params
    else:
        from anthropic.types import message_create_params  # type: ignore[assignment]
    return TypeAdapter(message_create_params.MessageCreateParams)


def unknown_fields(body: Mapping[str, Any], *, beta: bool = True) -> list[str]:
    """Validate a body; return the paths of the fields that the types do not have.

    Raises:
        pydantic.ValidationError: a required field is missing, or a value is of a wrong type.
    """
    known = _whole(_adapter(beta).validate_python(dict(body)))
    return list(_missing(body, known, ""))


def _whole(value: Any) -> Any:
    """pydantic validates iterables lazily: read them to their ends."""
    if isinstance(value, BaseModel):  # a block of an answer, which the types take as well
        return _whole(value.model_dump(exclude_unset=True))
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return value
    return [_whole(item) for item in value]


def _missing(given: Any, known: Any, path: str) -> Iterator[str]:
    if path.endswith("].input_schema"):
        return  # JSON Schema is free
    if isinstance(given, Mapping):
        for key, item in given.items():
            if not path and key in SAMPLING:
                continue
            if not isinstance(known, Mapping) or key not in known:
                yield f"{path}.{key}".lstrip(".")
            else:
                yield from _missing(item, known[key], f"{path}.{key}")
    elif isinstance(given, list):
        for index, item in enumerate(given):
            yield from _missing(item, known[index], f"{path}[{index}]")
