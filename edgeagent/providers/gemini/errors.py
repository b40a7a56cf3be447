"""Google's errors ↔ the typed ones.

The class follows `error.details[].reason` (https://cloud.google.com/apis/design/errors#error_info), then the HTTP
status, or, where a 200 hides the error, the status that `error.status` stands for. An invalid key is a 400 with the
reason API_KEY_INVALID. Only a prompt that is too long has neither code nor reason: it is known by its words
(`_PATTERNS`).

`error.code` is the reason where there is one, else the status' name; `error.type` is the status' name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextWindowExceededError,
    InternalServerError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    status_error_class,
)
from edgeagent.wire.http import Headers, HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["blocked_prompt", "decode_error", "encode_error", "error_in_answer"]

STATUSES: Final[Mapping[str, int]] = {
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
    "DATA_LOSS": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""https://cloud.google.com/apis/design/errors#handling_errors; the first of a status is the one that tells no more."""

_REASONS: Final[Mapping[str, type[APIStatusError]]] = {
    "API_KEY_INVALID": AuthenticationError,
    "API_KEY_EXPIRED": AuthenticationError,
    "ACCESS_TOKEN_EXPIRED": AuthenticationError,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": AuthenticationError,
    "CREDENTIALS_MISSING": AuthenticationError,
    "SERVICE_DISABLED": PermissionDeniedError,
    "BILLING_DISABLED": PermissionDeniedError,
    "CONSUMER_SUSPENDED": PermissionDeniedError,
    "RATE_LIMIT_EXCEEDED": RateLimitError,
    "RESOURCE_QUOTA_EXCEEDED": RateLimitError,
}

_PATTERNS: Final[tuple[tuple[re.Pattern[str], type[BadRequestError]], ...]] = (
    (re.compile(r"input token count.{0,40}exceeds the maximum number of tokens"), ContextWindowExceededError),
    (re.compile(r"exceeds? the (?:model's )?(?:maximum )?context (?:window|length|size)"), ContextWindowExceededError),
)
"""What the vendor says in words only, of an INVALID_ARGUMENT."""

_DELAY: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_LONGEST: Final = 500


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error, whatever its body is. Never raises."""
    detail = _detail(_parsed(response.content))
    message = _message(detail, response)
    reason, status = _reason(detail), detail.get("status")
    result = _class(reason, status, response.status_code, message)(
        message, response=response, body=detail or response.text
    )
    result.type = status if isinstance(status, str) else result.type
    result.code = type(result).code or reason or result.type or result.code  # where OpenAI has one, its own
    if isinstance(result, RateLimitError):
        waits = (retry_after(response.headers), _retry_delay(detail))
        result.retry_after = max((wait for wait in waits if wait is not None), default=None)
    return result


def error_in_answer(document: Mapping[str, Any]) -> APIStatusError:
    """`{"error": …}` where an answer with status 200 was, with the status that the error stands for."""
    detail = _detail(document)
    code, name = detail.get("code"), detail.get("status")
    status = code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else None
    if status is None:
        status = STATUSES.get(name, 500) if isinstance(name, str) else 500
    return decode_error(HTTPResponse(status, {"content-type": "application/json"}, dump_json({"error": detail})))


def blocked_prompt(document: Mapping[str, Any]) -> ContentFilterError:
    """An answer without candidates, since the prompt was blocked: OpenAI's shape of this is a refused request."""
    feedback = document.get("promptFeedback")
    fields: Mapping[str, Any] = feedback if isinstance(feedback, Mapping) else {}
    reason, words = fields.get("blockReason"), fields.get("blockReasonMessage")
    message = f"The prompt was blocked: {reason}." + (f" {words}" if isinstance(words, str) and words else "")
    response = HTTPResponse(400, {"content-type": "application/json"}, dump_json(document))
    error = ContentFilterError(message, response=response, body=dict(document))
    error.code, error.type = "content_filter", str(reason)
    return error


def encode_error(error: APIStatusError) -> HTTPResponse:
    """A typed error → the vendor's own JSON and status."""
    status = error.status_code
    if isinstance(error, OverloadedError):
        status = 503
    elif isinstance(error, AuthenticationError) and error.code == "API_KEY_INVALID":
        status = 400
    name = error.type if error.type in STATUSES else _name_of(status)
    body: dict[str, Any] = {"code": status, "message": error.message, "status": name}
    given = error.body.get("details") if isinstance(error.body, dict) else None
    details = list(given) if isinstance(given, list) else []
    if not details and isinstance(error, RateLimitError) and error.retry_after is not None:
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{error.retry_after:g}s"}]
    if details:
        body["details"] = details
    return HTTPResponse(status, Headers([("content-type", "application/json")]), dump_json({"error": body}))


def _name_of(status: int) -> str:
    found = next((name for name, code in STATUSES.items() if code == status), None)
    return found or ("INVALID_ARGUMENT" if status < 500 else "INTERNAL")


def _parsed(content: bytes) -> Any:
    text = content.strip()
    if text.startswith(b"data:"):  # an error as the only event of a stream
        text = text[5:].strip()
    try:
        return from_json(text)
    except ValueError:
        return None


def _detail(document: Any) -> dict[str, Any]:
    """The error object, also out of the array in which an unlabelled stream wraps it."""
    if isinstance(document, list):
        document = document[0] if document else None
    error = document.get("error") if isinstance(document, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return dict(error) if isinstance(error, Mapping) else {}


def _details(detail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = detail.get("details")
    return [entry for entry in details if isinstance(entry, Mapping)] if isinstance(details, list) else []


def _reason(detail: Mapping[str, Any]) -> str | None:
    reasons = (entry.get("reason") for entry in _details(detail))
    return next((reason for reason in reasons if isinstance(reason, str) and reason), None)


def _retry_delay(detail: Mapping[str, Any]) -> float | None:
    for entry in _details(detail):
        delay = entry.get("retryDelay")
        found = _DELAY.fullmatch(delay) if isinstance(delay, str) else None
        if found is not None:
            return float(found[1])
    return None


def _message(detail: Mapping[str, Any], response: HTTPResponse) -> str:
    message = detail.get("message")
    if isinstance(message, str) and message.strip():
        return message.strip()
    kind = response.headers.get("content-type", "").partition(";")[0]
    text = response.text.strip()
    if not text or text.startswith("<") or "html" in kind:
        return f"HTTP {response.status_code} without an error object ({kind or 'no content type'})"
    return text[:_LONGEST]


def _class(reason: str | None, name: Any, status: int, message: str) -> type[APIStatusError]:
    if reason is not None and reason in _REASONS:
        return _REASONS[reason]
    if status == 400:
        lowered = message.lower()
        return next((found for pattern, found in _PATTERNS if pattern.search(lowered)), BadRequestError)
    found = status_error_class(status)
    if found is APIStatusError and isinstance(name, str):
        found = status_error_class(STATUSES.get(name, status))
    return found if found is not APIStatusError or status < 500 else InternalServerError
