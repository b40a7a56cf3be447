"""Mistral's errors ↔ the typed ones: by status and the vendor's own `type`.

Three forms of bodies: `{"object": "error", "message", "type", "param", "code"}`; FastAPI's `{"detail": …}` with a text
or a list of what is wrong with the request; and the gateway's `{"message": …}`. A `message` may hold such a list too.
Prompts that are too long have no code of their own: they are known by the words of `_TEXTS`.

https://docs.mistral.ai/api/ (`HTTPValidationError`); the other types are as recorded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import (
    APIStatusError,
    ContextWindowExceededError,
    NotFoundError,
    RateLimitError,
    status_error_class,
)
from edgeagent.wire.http import Headers, HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "error_in_answer"]

_CLASSES: Final[Mapping[str, type[APIStatusError]]] = {
    "invalid_model": NotFoundError,
    "rate_limited": RateLimitError,
    "service_tier_capacity_exceeded": RateLimitError,
}
"""Types that say more than the status (an unknown model is a 400)."""

_STATUS_OF: Final[Mapping[str, int]] = {
    "invalid_model": 404,
    "rate_limited": 429,
    "service_tier_capacity_exceeded": 429,
    "internal_server_error": 500,
}
"""The status that a type stands for where there is none: in a stream, inside a 200."""

_TEXTS: Final = re.compile(
    r"too large for model with \d+ maximum context|exceeds? the (model's )?maximum context|maximum context length",
    re.IGNORECASE,
)
"""`Prompt contains 40130 tokens …, too large for model with 32768 maximum context length`."""

_TYPES: Final[Mapping[int, str]] = {401: "unauthorized", 404: "invalid_model", 429: "rate_limited"}
MAX_READ: Final = 2000
MAX_QUOTED: Final = 500
"""How many characters of a body that is no error object stand in the message."""


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error, whatever its body is. Never raises."""
    data = _parsed(response.content)
    body = _error_object(data)
    message = _message(body, response)
    error = _class(body, message, response.status_code)(message, response=response, body=body or response.text)
    if error.request_id is None:
        for name in ("mistral-correlation-id", "x-kong-request-id"):
            error.request_id = error.request_id or response.headers.get(name)
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
    return error


def error_in_answer(value: Mapping[str, Any], response: HTTPResponse) -> APIStatusError:
    """The error that a document or an event of a 200 answer tells, with the status that it stands for."""
    body = _error_object(value)
    status = body.get("raw_status_code", body.get("status"))
    if not isinstance(status, int) or not 400 <= status < 600:
        kind = body.get("type")
        status = _STATUS_OF.get(kind, 400 if kind.startswith("invalid_") else 500) if isinstance(kind, str) else 500
    return decode_error(HTTPResponse(status, response.headers, dump_json(dict(value)), response.request))


def encode_error(error: APIStatusError) -> HTTPResponse:
    """A typed error → the vendor's own JSON and status; fields of its own error object are kept."""
    body = dict(error.body) if isinstance(error.body, dict) else {}
    if "detail" not in body:
        status = error.status_code
        kind = error.type or _TYPES.get(status) or ("internal_server_error" if status >= 500 else "invalid_request")
        own = {"object": "error", "message": error.message, "type": kind, "param": error.param, "code": error.code}
        body = {**body, **own} if not isinstance(body.get("message"), Mapping) else {**own, **body}
    headers = [("content-type", "application/json")]
    if error.request_id is not None:
        headers.append(("mistral-correlation-id", error.request_id))
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    return HTTPResponse(error.status_code, Headers(headers), dump_json(body))


def _parsed(content: bytes) -> Any:
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError:
        return None


def _error_object(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        return {}
    inner = data.get("error")
    if isinstance(inner, str):
        return {"message": inner, **data}
    return inner if isinstance(inner, dict) else data


def _class(body: Mapping[str, Any], message: str, status: int) -> type[APIStatusError]:
    kind = body.get("type")
    if isinstance(kind, str) and kind in _CLASSES:
        return _CLASSES[kind]
    if status in (400, 422) and _TEXTS.search(message[:MAX_READ]):
        return ContextWindowExceededError
    return status_error_class(status)


def _message(body: Mapping[str, Any], response: HTTPResponse) -> str:
    for value in (body.get("message"), body.get("detail")):
        told = _detail(value)
        if told.strip():
            return told
    text = response.text.strip()
    kind = response.headers.get("content-type", "").partition(";")[0]
    if not text or text.startswith("<") or "html" in kind:
        return f"HTTP {response.status_code} without an error object ({kind or 'no content type'})"
    return f"HTTP {response.status_code}: {text[:MAX_QUOTED]}"


def _detail(value: object) -> str:
    """A text, or a list of what is wrong with the request as one sentence for each."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _detail(value.get("detail", value.get("message")))
    if not isinstance(value, list):
        return ""
    told = [item for item in value if isinstance(item, Mapping) and isinstance(item.get("msg"), str)]
    return "; ".join(f"{_place(item.get('loc'))}: {item['msg']}" for item in told)


def _place(loc: object) -> str:
    return ".".join(map(str, loc)) if isinstance(loc, list) else "?"
