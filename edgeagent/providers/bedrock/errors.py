"""Bedrock's errors ↔ the typed ones.

The class follows the error's type, which stands in the header `x-amzn-errortype` (with a URL behind a colon) or in the
body's `__type` (with a namespace before a `#`), else the HTTP status. A prompt that is too long has no type of its own:
it alone is known by the words of the message (`_TOO_LONG`).

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors,
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
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

__all__ = ["ERROR_TYPES", "decode_error", "encode_error", "error_in_stream"]

TYPE_HEADER: Final = "x-amzn-errortype"


class _Kind(NamedTuple):
    status: int
    cls: type[APIStatusError]


ERROR_TYPES: Final[Mapping[str, _Kind]] = {
    "ValidationException": _Kind(400, BadRequestError),
    "SerializationException": _Kind(400, BadRequestError),
    "ServiceQuotaExceededException": _Kind(400, RateLimitError),
    "AccessDeniedException": _Kind(403, PermissionDeniedError),
    "ExpiredTokenException": _Kind(403, AuthenticationError),
    "ExpiredToken": _Kind(403, AuthenticationError),
    "IncompleteSignature": _Kind(403, AuthenticationError),
    "IncompleteSignatureException": _Kind(403, AuthenticationError),
    "InvalidClientTokenId": _Kind(403, AuthenticationError),
    "InvalidSignatureException": _Kind(403, AuthenticationError),
    "MissingAuthenticationTokenException": _Kind(403, AuthenticationError),
    "NotAuthorized": _Kind(401, PermissionDeniedError),
    "OptInRequired": _Kind(403, PermissionDeniedError),
    "RequestExpired": _Kind(400, AuthenticationError),
    "UnrecognizedClientException": _Kind(403, AuthenticationError),
    "ResourceNotFoundException": _Kind(404, NotFoundError),
    "UnknownOperationException": _Kind(404, NotFoundError),
    "ModelTimeoutException": _Kind(408, InternalServerError),
    "ConflictException": _Kind(409, ConflictError),
    "ModelErrorException": _Kind(424, InternalServerError),
    "ModelStreamErrorException": _Kind(424, InternalServerError),
    "ModelNotReadyException": _Kind(429, OverloadedError),
    "ThrottlingException": _Kind(429, RateLimitError),
    "Throttling": _Kind(429, RateLimitError),
    "TooManyRequestsException": _Kind(429, RateLimitError),
    "InternalServerException": _Kind(500, InternalServerError),
    "InternalFailure": _Kind(500, InternalServerError),
    "ServiceUnavailableException": _Kind(503, OverloadedError),
    "ServiceUnavailable": _Kind(503, OverloadedError),
}
"""The documented types with the status that each stands for (also where it comes in a stream) and the class.

`ModelNotReadyException` is tried again by AWS's own clients, `ServiceQuotaExceededException` is not helped by waiting.
"""

_BY_LOWER: Final[Mapping[str, str]] = {name.lower(): name for name in ERROR_TYPES}

_TOO_LONG: Final = re.compile(
    r"input tokens exceeded"
    r"|input is too long"
    r"|prompt is too long"
    r"|too many input tokens"
    r"|input length and `?max_tokens`? exceed context limit"
    r"|exceeds? the (available |model'?s? )?(maximum )?context (window|size|length)"
    r"|maximum context length"
    r"|expected maxlength: \d+, actual"
)
"""What the models behind Bedrock say of a prompt that does not fit, as a `ValidationException`."""

_LONGEST: Final = 500


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error, whatever its body is. Never raises."""
    body = parsed_json(response.content)
    detail: dict[str, Any] = dict(body) if isinstance(body, Mapping) else {}
    kind = _type(response, detail)
    message = _message(detail, response)
    cls = _class(kind, response.status_code, message)
    error = cls(message, response=response, body=detail or response.text)
    error.type = kind
    error.code = "insufficient_quota" if kind == "ServiceQuotaExceededException" else type(error).code or kind
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
    return error


def error_in_stream(kind: str, payload: bytes) -> APIStatusError:
    """An exception of a stream whose status was 200 → the typed error, with the status that its type stands for."""
    name = _BY_LOWER.get(kind.lower(), kind)
    status = ERROR_TYPES[name].status if name in ERROR_TYPES else 500
    headers = {"content-type": "application/json", TYPE_HEADER: name}
    return decode_error(HTTPResponse(status, headers, payload))


def encode_error(error: APIStatusError) -> HTTPResponse:
    """A typed error → the vendor's own JSON, header and status."""
    kind = error.type if error.type is not None and error.type in ERROR_TYPES else _type_of(error)
    status = error.status_code if error.type == kind else ERROR_TYPES[kind].status
    headers = [("content-type", "application/json"), (TYPE_HEADER, kind)]
    if error.request_id is not None:
        headers.append(("x-amzn-requestid", error.request_id))
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", f"{error.retry_after:g}"))
    return HTTPResponse(status, Headers(headers), dump_json({"message": error.message}))


def _type(response: HTTPResponse, detail: Mapping[str, Any]) -> str | None:
    """The error's type by its bare name: `ValidationException`."""
    for value in (response.headers.get(TYPE_HEADER), detail.get("__type"), detail.get("code"), detail.get("Code")):
        if isinstance(value, str) and value.strip():
            name = value.partition(":")[0].rpartition("#")[2].strip()
            return _BY_LOWER.get(name.lower(), name) or None
    return None


def _message(detail: Mapping[str, Any], response: HTTPResponse) -> str:
    for name in ("message", "Message", "originalMessage"):
        value = detail.get(name)
        if isinstance(value, str) and value:
            return value
    kind = response.headers.get("content-type", "").partition(";")[0]
    text = response.text.strip()
    if not text or text.startswith("<") or "html" in kind:
        return f"HTTP {response.status_code} without an error object ({kind or 'no content type'})"
    return text[:_LONGEST]


def _class(kind: str | None, status: int, message: str) -> type[APIStatusError]:
    if kind in (None, "ValidationException") and status == 400 and _TOO_LONG.search(message.lower()):
        return ContextWindowExceededError
    if kind is not None and kind in ERROR_TYPES:
        return ERROR_TYPES[kind].cls
    return status_error_class(status)


def _type_of(error: APIStatusError) -> str:
    status = error.status_code
    if isinstance(error, AuthenticationError):
        return "UnrecognizedClientException"
    if isinstance(error, OverloadedError):
        return "ServiceUnavailableException"
    found = next((name for name, kind in ERROR_TYPES.items() if kind.status == status), None)
    if isinstance(error, RateLimitError):
        return "ThrottlingException"
    return found or ("ValidationException" if status < 500 else "InternalServerException")
