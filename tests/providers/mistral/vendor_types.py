"""Bodies judged by the `mistralai` package's own types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

__all__ = ["unknown_fields"]


@cache
def _model() -> Any:
    from mistralai.client.models.chatcompletionrequest import ChatCompletionRequest

    return ChatCompletionRequest


def unknown_fields(body: Mapping[str, Any]) -> list[str]:
    """Validate a body; return the paths of the fields (or parts) that the types do not have.

    Raises:
        pydantic.ValidationError: a required field is missing, or a value is of a wrong type.
    """
    known = _model().model_validate(dict(body)).model_dump(by_alias=True, mode="json")
    return list(_missing(body, known, ""))


def _missing(given: Any, known: Any, path: str) -> Iterator[str]:
    if path.endswith((".parameters", ".schema")):
        return  # JSON Schema is free
    if isinstance(given, Mapping):
        if isinstance(known, Mapping) and known.get("is_unknown"):
            yield f"{path}: unknown part"
            return
        for key, item in given.items():
            if not isinstance(known, Mapping) or key not in known:
                yield f"{path}.{key}"
            else:
                yield from _missing(item, known[key], f"{path}.{key}")
    elif isinstance(given, list):
        for i, item in enumerate(given):
            yield from _missing(item, known[i], f"{path}[{i}]")
