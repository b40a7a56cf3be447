"""Anthropic's errors ↔ the typed ones.

The class follows the error's `type`, where it is specific, else the HTTP status. Anthropic has no code for a prompt
that is too long or for filtered output: these alone are known by the words of the message (`_PATTERNS`).

Source: https://platform.claude.com/docs/en/api/errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentFilterError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    status_error_class,
)
from edgeagent.wire.http import Headers, HTTPResponse
from edgeagent.wire.json import dump_json, parsed_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["STATUS_OF_TYPE", "decode_error", "encode_error", "error_in_stream"]

STATUS_OF_TYPE: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The documented types with the status that each stands for, also where it comes in a stream."""

_CLASSES: Final[Mapping[str, type[APIStatusError]]] = {
    "authentication_error": AuthenticationError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "conflict_error": ConflictError,
    "rate_limit_error": RateLimitError,
    "timeout_error": InternalServerError,
    "overloaded_error": OverloadedError,
    "exceed_context_size_error": ContextWindowExceededError,  # llama.cpp's server, which speaks this API too
}

_PATTERNS: Final[tuple[tuple[re.Pattern[str], type[BadRequestError]], ...]] = (
    (re.compile(r"prompt is too long"), ContextWindowExceededError),
    (re.compile(r"input length and `?max_tokens`? exceed context limit"), ContextWindowExceededError),
    (re.compile(r"exceeds? the (available |model's )?context (window|size|length)"), ContextWindowExceededError),
    (re.compile(r"blocked by content filtering policy"), ContentFilterError),
)
"""What the vendor says in words only, of a 400."""

_LOW_CREDIT: Final = "credit balance is too low"
"""Sent as a 400 before `billing_error` existed; told to the policy by OpenAI's code for it."""

_LONGEST: Final = 500


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error, whatever its body is. Never raises."""
    body = parsed_json(response.content)
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):  # proxies in front of the vendor
        error = {"message": error}
    detail: dict[str, Any] = dict(error) if isinstance(error, Mapping) else {}
    message = _message(detail, response)
    result = _class(detail, response.status_code, message)(message, response=response, body=detail or response.text)
    details = detail.get("details")
    if isinstance(details, Mapping) and isinstance(details.get("error_code"), str):
        result.code = details["error_code"]
    elif _LOW_CREDIT in message:
        result.code = "insufficient_quota"
    if result.request_id is None and isinstance(body, Mapping) and isinstance(body.get("request_id"), str):
        result.request_id = body["request_id"]
    if isinstance(result, RateLimitError):
        result.retry_after = retry_after(response.headers)
    return result


def error_in_stream(event: Mapping[str, Any]) -> APIStatusError:
    """The error event of a stream whose status was 200 → the typed error, with the status that its type stands for."""
    error = event.get("error")
    kind = error.get("type") if isinstance(error, Mapping) else None
    status = STATUS_OF_TYPE.get(kind, 500) if isinstance(kind, str) else 500
    return decode_error(HTTPResponse(status, {"content-type": "application/json"}, dump_json(event)))


_GENERAL: Final = frozenset({"invalid_request_error", "api_error"})
"""Types that other vendors have, too, and for more: OpenAI's of a wrong key or model is the first of them."""

_UNTHREADED: Final = {"error_code": "thread_unsupported_request", "unsupported": ["model"]}
"""By this the SDK's tool runner knows that it has to send the whole conversation itself."""


def encode_error(error: APIStatusError) -> HTTPResponse:
    """A typed error → the vendor's own JSON and status."""
    status = 529 if isinstance(error, OverloadedError) else error.status_code
    told: dict[str, Any] = {"type": _type_of(error, status), "message": error.message}
    if error.param == "thread":
        told["details"] = _UNTHREADED
    body: dict[str, Any] = {"type": "error", "error": told}
    headers = [("content-type", "application/json")]
    if error.request_id is not None:
        body["request_id"] = error.request_id
        headers.append(("request-id", error.request_id))
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", f"{error.retry_after:g}"))
    return HTTPResponse(status, Headers(headers), dump_json(body))


def _message(detail: Mapping[str, Any], response: HTTPResponse) -> str:
    message = detail.get("message")
    if isinstance(message, str) and message:
        return message
    kind = response.headers.get("content-type", "").partition(";")[0]
    text = response.text.strip()
    if not text or text.startswith("<") or "html" in kind:
        return f"HTTP {response.status_code} without an error object ({kind or 'no content type'})"
    return text[:_LONGEST]


def _class(detail: Mapping[str, Any], status: int, message: str) -> type[APIStatusError]:
    kind = detail.get("type")
    if isinstance(kind, str) and kind in _CLASSES:
        return _CLASSES[kind]
    if status == 400:
        lowered = message.lower()
        return next((found for pattern, found in _PATTERNS if pattern.search(lowered)), BadRequestError)
    return status_error_class(status)


def _type_of(error: APIStatusError, status: int) -> str:
    if error.type is not None and error.type in STATUS_OF_TYPE and error.type not in _GENERAL:
        return error.type
    found = next((kind for kind, code in STATUS_OF_TYPE.items() if code == status), None)
    return found or ("invalid_request_error" if status < 500 else "api_error")
