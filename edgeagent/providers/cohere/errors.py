"""Cohere's errors ↔ the typed ones: by status, then by `error_type` where there is one.

Bodies are `{"id", "message"}`, newer ones with `error_type`. Prompts that are too long had no code for long: they are
known by the words of `_TEXTS` too.

https://docs.cohere.com/v2/reference/errors; 498 ("a deny-listed token") and 499 are in Cohere's OpenAPI document.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import (
    APIStatusError,
    ContentFilterError,
    ContextWindowExceededError,
    RateLimitError,
    status_error_class,
)
from edgeagent.wire.http import Headers, HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "failed_answer"]

_CLASSES: Final[Mapping[str, type[APIStatusError]]] = {"TOO_MANY_TOKENS": ContextWindowExceededError}
_STATUS_OF: Final[Mapping[str, int]] = {"TOO_MANY_TOKENS": 400}

_TEXTS: Final = re.compile(
    r"^too many tokens: (size limit exceeded|total number of tokens|the total number)", re.IGNORECASE
)
"""But not `too many tokens: max tokens must be less than or equal to …`, which is of the asked-for output."""

_NEVER_VALID: Final = 498

MAX_QUOTED: Final = 500
"""How many characters of a body that is no error object stand in the message."""


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error, whatever its body is. Never raises."""
    body = _parsed(response.content)
    message = _message(body, response)
    kind = body.get("error_type")
    error = _class(kind, message, response.status_code)(message, response=response, body=body or response.text)
    if isinstance(kind, str):
        error.code = type(error).code or kind  # where OpenAI has one, its own
    if error.request_id is None and isinstance(body.get("id"), str):
        error.request_id = body["id"]
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
    return error


def failed_answer(delta: Mapping[str, Any], response: HTTPResponse | None = None) -> APIStatusError:
    """The error for an answer of a 200 that ended with the finish reason `ERROR` or `TIMEOUT`.

    Its status is 500 (504 for a timeout): the model failed, so the same request may succeed.
    """
    reason, kind, told = delta.get("finish_reason"), delta.get("error_type"), delta.get("error")
    status = 504 if reason == "TIMEOUT" else 500
    if isinstance(kind, str):
        status = _STATUS_OF.get(kind, status)
    message = told if isinstance(told, str) and told else f"The model stopped with {reason}."
    body: dict[str, Any] = {"message": message, "finish_reason": reason}
    if isinstance(kind, str):
        body["error_type"] = kind
    given = response if response is not None else HTTPResponse(200)
    return decode_error(HTTPResponse(status, given.headers, dump_json(body), given.request))


def encode_error(error: APIStatusError) -> HTTPResponse:
    """A typed error → the vendor's own JSON and status; fields of its own error object are kept."""
    body = dict(error.body) if isinstance(error.body, dict) and "message" in error.body else {}
    body["message"] = error.message
    if error.request_id is not None:
        body.setdefault("id", error.request_id)
    if isinstance(error, ContextWindowExceededError):
        body.setdefault("error_type", "TOO_MANY_TOKENS")
    headers = [("content-type", "application/json")]
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    return HTTPResponse(error.status_code, Headers(headers), dump_json(body))


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        value = from_json(content, allow_inf_nan=False)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _class(kind: object, message: str, status: int) -> type[APIStatusError]:
    if isinstance(kind, str) and kind in _CLASSES:
        return _CLASSES[kind]
    if status == _NEVER_VALID:
        return ContentFilterError
    if status in (400, 422) and _TEXTS.match(message):
        return ContextWindowExceededError
    return status_error_class(status)


def _message(body: Mapping[str, Any], response: HTTPResponse) -> str:
    for name in ("message", "data", "error", "detail"):
        value = body.get(name)
        if isinstance(value, str) and value.strip():
            return value
    text = response.text.strip()
    kind = response.headers.get("content-type", "").partition(";")[0]
    if not text or text.startswith("<") or "html" in kind:
        return f"HTTP {response.status_code} without an error object ({kind or 'no content type'})"
    return f"HTTP {response.status_code}: {text[:MAX_QUOTED]}"
