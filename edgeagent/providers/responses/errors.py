"""Errors that arrive inside a 200: a response whose status is `failed`, and the error events of a stream.

Errors with a status of their own are OpenAI's as everywhere. Sources: the schemas `ResponseErrorCode` and
`ResponseErrorEvent` of OpenAI's OpenAPI document, https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from edgeagent.errors import APIStatusError, ContentFilterError, ResponseValidationError
from edgeagent.providers.openai.errors import decode_error, hidden_error
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["error_of", "invalid", "invalid_answer"]

_STATUS: Final[Mapping[str, int]] = {
    "server_error": 500,
    "vector_store_timeout": 504,
    "rate_limit_exceeded": 429,
    "data_residency_mismatch": 400,
    "empty_image_file": 400,
    "failed_to_download_image": 400,
    "image_file_not_found": 400,
    "image_file_too_large": 400,
    "image_parse_error": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "invalid_base64_image": 400,
    "invalid_image": 400,
    "invalid_image_format": 400,
    "invalid_image_mode": 400,
    "invalid_image_url": 400,
    "unsupported_image_media_type": 400,
}
"""What the documented codes stand for; other codes are looked up in the table that all of OpenAI's APIs share."""

_FILTERED: Final = frozenset({"bio_policy", "image_content_policy_violation"})


def error_of(value: object, response: HTTPResponse) -> APIStatusError:
    """The typed error that a failed response or an error event tells; `.response` has the status that it stands for.

    Args:
        value: the error object (`code`, `message`), what holds it under `error`, or its text.
        response: the answer, whose headers and request the error keeps.
    """
    error = value.get("error", value) if isinstance(value, Mapping) else value
    if not isinstance(error, Mapping):
        error = {"message": str(error)}
    code = error.get("code")
    told: dict[str, Any] = {name: field for name, field in error.items() if name != "sequence_number"}
    if told.get("type") == "error":  # of the event, not of the error
        del told["type"]
    body = {"error": told}
    if isinstance(code, str) and code in _FILTERED:
        answer = HTTPResponse(400, response.headers, dump_json(body), response.request)
        return ContentFilterError(str(error.get("message") or code), response=answer, body=told)
    if isinstance(code, str) and code in _STATUS:
        return decode_error(HTTPResponse(_STATUS[code], response.headers, dump_json(body), response.request))
    return hidden_error(body, HTTPResponse(response.status_code, response.headers, dump_json(body), response.request))


def invalid(
    reason: str, response: HTTPResponse, *, body: object = None, cause: BaseException | None = None
) -> NoReturn:
    """Raise the error for an answer that is not what OpenAI documents; `reason` quotes nothing of it."""
    raise invalid_answer(reason, response, body) from cause


def invalid_answer(reason: str, response: HTTPResponse, body: object = None) -> ResponseValidationError:
    """That error."""
    return ResponseValidationError(response, body, message=f"The answer is not a response: {reason}.")
