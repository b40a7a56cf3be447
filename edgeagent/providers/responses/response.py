"""A whole answer → our completion.

All items become one choice. `status` decides the finish reason; what is still queued or in progress (background mode)
has none, so has what was cancelled, and its word is kept as `native_finish_reason`. The fields of the response that
are no fields of a completion (what it echoes of the request, `billing`, `content_filters`, …) stay reachable on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.providers.responses.errors import error_of, invalid
from edgeagent.providers.responses.items import (
    InvalidItemError,
    Reading,
    check_item,
    native_content,
    read_items,
)
from edgeagent.providers.responses.usage import decode_usage
from edgeagent.types import ChatCompletion
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "PENDING",
    "completion_of",
    "created_of",
    "decode_response",
    "extra_fields",
    "finish_of",
    "last_fields",
    "native_reason",
]

PENDING: Final = frozenset({"cancelled", "in_progress", "queued"})
"""States in which there is no finish reason."""

_READ: Final = frozenset(
    {
        *("id", "object", "created_at", "model", "output", "usage", "status", "incomplete_details", "error"),
        *("metadata", "moderation", "service_tier"),
    }
)
_REASONS: Final[Mapping[str, str]] = {"max_output_tokens": "length", "content_filter": "content_filter"}


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion.

    Raises:
        ResponseValidationError: it is no JSON, has no output, or has wrong types.
        APIStatusError: its status is `failed`, or it is an error all the same.
    """
    try:
        data = from_json(response.content, allow_inf_nan=False)
    except ValueError as error:
        invalid("it is not JSON, or only the beginning of it", response, cause=error)
    if not isinstance(data, dict):
        invalid("it is not a JSON object", response)
    if data.get("error") or data.get("status") == "failed":
        raise error_of(data.get("error") or "The response failed.", response)
    try:
        return completion_of(data)
    except InvalidItemError as error:
        invalid(str(error), response, body=data)
    except ValidationError as error:
        invalid(" ".join(first_fault(error)), response, body=data, cause=error)
    except (ValueError, TypeError, OverflowError) as error:
        invalid("a field has not the documented form", response, body=data, cause=error)


def completion_of(data: Mapping[str, Any]) -> ChatCompletion:
    """A response object that tells no error → the completion. Raises `ValueError` for what is not documented."""
    items = data.get("output")
    if not isinstance(items, list):
        raise InvalidItemError("it has no output")
    for item in items:
        check_item(item)
    reading = read_items(items)
    status, reason = data.get("status"), native_reason(data)
    usage = data.get("usage")
    values: dict[str, Any] = {
        "id": data.get("id") or "",
        "created": created_of(data),
        "model": data.get("model") or "",
        "choices": [
            {
                "index": 0,
                "message": _message(items, reading, status),
                "finish_reason": finish_of(status, reason, calls=bool(reading.calls)),
                "native_finish_reason": reason,
                **({"logprobs": {"content": reading.logprobs}} if reading.logprobs else {}),
            }
        ],
        **extra_fields(data),
    }
    for name in ("metadata", "moderation", "service_tier"):
        if data.get(name) is not None:
            values[name] = data[name]
    if usage is not None:
        values["usage"] = decode_usage(usage)
    return ChatCompletion.model_validate(values)


def _message(items: Sequence[Mapping[str, Any]], reading: Reading, status: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reading.text or None}
    if not (reading.text or reading.calls or reading.refusal or status in PENDING):
        message["content"] = ""
    if reading.refusal:
        message["refusal"] = reading.refusal
    if reading.reasoning:
        message["reasoning_content"] = reading.reasoning
    if reading.calls:
        message["tool_calls"] = reading.calls
    if reading.annotations:
        message["annotations"] = reading.annotations
    if not reading.plain:
        message["native_content"] = native_content(items)
    return message


def native_reason(data: Mapping[str, Any]) -> str | None:
    """The vendor's word: why the response is incomplete, else its status."""
    status, details = data.get("status"), data.get("incomplete_details")
    if status == "incomplete" and isinstance(details, Mapping) and isinstance(details.get("reason"), str):
        return str(details["reason"])
    return status if isinstance(status, str) else None


def finish_of(status: Any, reason: str | None, *, calls: bool) -> str | None:
    """OpenAI's chat finish reason for a response's status (and why it is incomplete)."""
    if status in PENDING:
        return None
    if status == "incomplete":
        return _REASONS.get(reason or "", "length")
    return "tool_calls" if calls else "stop"


def created_of(data: Mapping[str, Any]) -> int:
    """The time of creation in epoch seconds; 0 where there is none. Some servers give fractions."""
    value = data.get("created_at")
    if value is None:
        return 0
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InvalidItemError("created_at is no number")
    return int(value)


def extra_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a response that a completion does not have; absent and null are the same."""
    known = ChatCompletion.model_fields
    return {k: v for k, v in data.items() if v is not None and k not in _READ and k not in known}


def last_fields(response: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a response that come with the last chunk of a stream."""
    values = extra_fields(response)
    for name in ("metadata", "moderation", "service_tier"):
        if response.get(name) is not None:
            values[name] = response[name]
    if response.get("usage") is not None:
        values["usage"] = decode_usage(response["usage"])
    return values
