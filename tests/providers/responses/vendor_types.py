"""Requests, judged by the `openai` package's own types."""

from __future__ import annotations

from functools import cache
from typing import Any

from openai.types.responses import response_create_params
from pydantic import TypeAdapter, ValidationError

__all__ = ["faults_of_request"]


@cache
def _adapter(*, streaming: bool) -> TypeAdapter[Any]:
    name = "Streaming" if streaming else "NonStreaming"
    return TypeAdapter(getattr(response_create_params, f"ResponseCreateParams{name}"))


def faults_of_request(body: dict[str, Any]) -> list[str]:
    """What the vendor's types do not take of a body; nothing if they take it."""
    try:
        made = _adapter(streaming=bool(body.get("stream"))).validate_python(body)
        _spent(made)
    except ValidationError as error:
        return [f"{fault['loc']}: {fault['msg']}" for fault in error.errors(include_url=False)][:3]
    known = response_create_params.ResponseCreateParamsStreaming.__annotations__.keys()
    return [f"{name} is unknown" for name in body.keys() - known - _base()]


@cache
def _base() -> frozenset[str]:
    return frozenset(response_create_params.ResponseCreateParamsBase.__annotations__)


def _spent(value: Any) -> None:
    """Read the lazy iterators that pydantic makes of `Iterable`, since only that validates what is in them."""
    if isinstance(value, dict):
        for item in value.values():
            _spent(item)
    elif not isinstance(value, str | bytes) and hasattr(value, "__iter__"):
        for item in value:
            _spent(item)
