"""Errors as an SDK expects them: a response in the vendor's form, or an exception of its HTTP library.

A vendor's own refusal goes back as it came where the SDK speaks the same format. A local refusal becomes the nearest
status with a type and a code of its own. What has no response (no connection, no answer in time) is raised, as it would
be without us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from edgeagent.core.native_session import NativeSession
from edgeagent.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    LimitExceededError,
    NoTargetError,
    RequestValidationError,
    ShieldBlockedError,
    StreamInterruptedError,
    status_error_class,
)
from edgeagent.transports.fields import PREFIX, outward
from edgeagent.transports.wires import Route
from edgeagent.wire.http import HTTPResponse

__all__ = ["Broken", "broken", "last_word", "refusal"]


class _Local(NamedTuple):
    status: int
    type: str
    code: str


_LOCAL: Final[Mapping[type[Exception], _Local]] = {
    ShieldBlockedError: _Local(400, "invalid_request_error", "shield_blocked"),
    BudgetExceededError: _Local(429, "insufficient_quota", "budget_exceeded"),
    LimitExceededError: _Local(429, "rate_limit_error", "local_limit_exceeded"),
    RequestValidationError: _Local(400, "invalid_request_error", "invalid_request"),
    NoTargetError: _Local(400, "invalid_request_error", "no_target"),
    ConfigurationError: _Local(500, "configuration_error", "configuration_error"),
    APIResponseValidationError: _Local(502, "server_error", "invalid_response"),
    StreamInterruptedError: _Local(502, "server_error", "stream_interrupted"),
}
"""What the gateway itself refuses, each with the nearest status."""


class Broken(NamedTuple):
    """A fault that has no response: the name of the HTTP library's exception, and what it says."""

    name: str
    message: str


def broken(error: Exception) -> Broken | None:
    """What is to be raised instead of answered; None if the error has a response."""
    if not isinstance(error, APIConnectionError):
        return None
    if isinstance(error, APITimeoutError):
        connecting = not error.sent and not isinstance(error, DeadlineExceededError)
        return Broken("ConnectTimeout" if connecting else "ReadTimeout", error.message)
    return Broken("ReadError" if error.sent else "ConnectError", error.message)


def last_word(session: NativeSession, error: StreamInterruptedError) -> bytes | None:
    """What ends a stream that broke off, in its own format; None if only an exception can tell it.

    Nothing more is said where the caller has the vendor's own word for it already. To a stream of the vendor's own
    bytes nothing is added: its SDK knows what a lost connection means.
    """
    cause = error.__cause__
    if session.retold:
        return session.fault(_as_status(cause if isinstance(cause, APIStatusError) else error))
    return b"" if isinstance(cause, APIStatusError) else None


def refusal(error: Exception, route: Route) -> HTTPResponse:
    """The error in the format of the call; whatever the pipeline tried was enough, so it says not to retry."""
    told = _as_status(error)
    if told.wire == route.wire and told.response.content:
        fields = outward(told.response.headers.fields)
        kind = told.response.headers.get("content-type", "application/json")
        answer = HTTPResponse(told.response.status_code, [*fields, ("content-type", kind)], told.response.content)
    else:
        answer = route.codec.encode_error(told)
    if route.array:
        answer = _in_array(answer)
    kept = [(name, value) for name, value in answer.headers.fields if name.lower() != "x-should-retry"]
    return HTTPResponse(answer.status_code, [*kept, *_facts(error, told)], answer.content)


def _in_array(answer: HTTPResponse) -> HTTPResponse:
    """As Google refuses a stream that is asked for as an array: the error is its only element."""
    from edgeagent.providers.gemini.framing import ArrayForm, array_of

    content = array_of(answer.content)
    if content is None:  # a proxy's own words
        return answer
    kept = [(name, value) for name, value in answer.headers.fields if name.lower() != "content-type"]
    return HTTPResponse(answer.status_code, [*kept, ("content-type", ArrayForm.media_type)], content)


def _facts(error: Exception, told: APIStatusError) -> Iterator[tuple[str, str]]:
    yield "x-should-retry", "false"
    yield PREFIX + "attempts", str(len(getattr(error, "attempts", ())))
    if told.wire is None and told.code:
        yield PREFIX + "error", told.code


def _as_status(error: Exception) -> APIStatusError:
    """The error as one with a status: a vendor's as it is, a local one as the nearest."""
    local = next((row for kind, row in _LOCAL.items() if isinstance(error, kind)), None)
    if local is None and isinstance(error, APIStatusError):
        return error
    if local is None:  # an exception of a provider of the caller's own
        message = f"The provider failed: {type(error).__name__}."
        local = _Local(500, "server_error", "provider_failed")
    else:
        message = str(error)
    body: dict[str, Any] = {
        "message": message,
        "type": local.type,
        "param": getattr(error, "param", None),
        "code": local.code,
    }
    made = status_error_class(local.status)(message, response=HTTPResponse(local.status), body=body)
    seconds = getattr(error, "retry_after", None)
    if seconds is not None:
        made.retry_after = seconds  # type: ignore[attr-defined]  # a RateLimitError
    return made
