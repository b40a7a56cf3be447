"""Google's errors, both directions: by the reason in their details, by their status word, by the HTTP status.

Source: https://cloud.google.com/apis/design/errors and https://ai.google.dev/gemini-api/docs/troubleshooting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    ContextWindowExceededError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    status_error_class,
)
from edgeagent.wire.http import Headers, HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "error_in_answer"]

_REASONS: Final[Mapping[str, type[APIStatusError]]] = {
    "API_KEY_INVALID": AuthenticationError,  # with HTTP 400
    "API_KEY_EXPIRED": AuthenticationError,
    "ACCESS_TOKEN_EXPIRED": AuthenticationError,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": AuthenticationError,
    "CREDENTIALS_MISSING": AuthenticationError,
    "API_KEY_SERVICE_BLOCKED": PermissionDeniedError,
    "SERVICE_DISABLED": PermissionDeniedError,
}

_STATUS: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""google.rpc.Code, as HTTP."""

_OVERFLOW: Final = re.compile(
    r"input token count .{0,40}exceeds the maximum|exceeds the maximum number of (input )?tokens", re.IGNORECASE
)
"""There is no code for it: INVALID_ARGUMENT, and these words."""

_DELAY: Final = re.compile(r"(\d+(?:\.\d+)?)s")
_LONGEST: Final = 500


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error. Never raises; any body will do."""
    try:
        body = from_json(response.content)
    except ValueError:
        body = None
    return _error(response, body)


def error_in_answer(document: Mapping[str, Any], response: HTTPResponse | None = None) -> APIStatusError:
    """The error that a document of a 200 answer is, with the status that it means."""
    detail = _detail(document)
    code = detail.get("code")
    word = detail.get("status")
    known = _STATUS.get(word) if isinstance(word, str) else None
    status = code if isinstance(code, int) and 400 <= code <= 599 else known or 500
    headers = response.headers if response is not None else Headers()
    return _error(HTTPResponse(status, headers, dump_json(document)), document)


def _error(response: HTTPResponse, body: object) -> APIStatusError:
    detail = _detail(body)
    message = detail.get("message")
    text = message.strip() if isinstance(message, str) and message.strip() else _quoted(response)
    error = _class(response.status_code, detail, text)(text, response=response, body=detail or response.text)
    word = detail.get("status")
    if isinstance(word, str):
        error.code = word
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
        if error.retry_after is None:
            error.retry_after = next(_delays(detail), None)
    return error


def _class(status: int, detail: Mapping[str, Any], text: str) -> type[APIStatusError]:
    for info in _details(detail):
        reason = info.get("reason")
        if isinstance(reason, str) and reason in _REASONS:
            return _REASONS[reason]
    if status == 400 and _OVERFLOW.search(text[:_LONGEST]):
        return ContextWindowExceededError
    if status == 503 and detail.get("status") == "UNAVAILABLE":  # "the model is overloaded"
        return OverloadedError
    return status_error_class(status)


def _detail(body: object) -> dict[str, Any]:
    """The error object: under `error`, also of the one item of a list."""
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return dict(error) if isinstance(error, Mapping) else {}


def _details(detail: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    told = detail.get("details")
    yield from (info for info in (told if isinstance(told, list) else ()) if isinstance(info, Mapping))


def _delays(detail: Mapping[str, Any]) -> Iterator[float]:
    """google.rpc.RetryInfo, in seconds."""
    for info in _details(detail):
        delay = info.get("retryDelay")
        found = _DELAY.fullmatch(delay) if isinstance(delay, str) else None
        if found is not None:
            yield float(found[1])


def _quoted(response: HTTPResponse) -> str:
    text = response.text.strip()
    if not text or text.startswith("<"):
        return f"HTTP {response.status_code} without an error object"
    return f"HTTP {response.status_code}: {text[:_LONGEST]}"


def encode_error(error: APIStatusError) -> HTTPResponse:
    """A typed error → Google's own JSON and status; fields of the provider's own error object are kept."""
    own = dict(error.body) if isinstance(error.body, dict) else {}
    status = error.status_code
    word = (
        error.code if error.code in _STATUS else next((w for w, code in _STATUS.items() if code == status), "UNKNOWN")
    )
    if isinstance(error, AuthenticationError) and status == 400:
        own.setdefault("details", [{"reason": "API_KEY_INVALID"}])
    body = {**own, "code": status, "message": error.message, "status": word}
    headers = Headers([("content-type", "application/json; charset=UTF-8")])
    return HTTPResponse(status, headers, dump_json({"error": body}))
