"""Credentials that an answer quotes, kept out of the errors that tell of it.

An answer with a status that tells an error loses them when it is made (`wire.http`). One that says 200 is passed on as
it is; should it turn out to be an error, or nothing that can be read, what tells of it must not quote them either.
"""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any, Final

from pydantic import ValidationError

from edgeagent.errors import APIError, APIResponseValidationError, APIStatusError
from edgeagent.wire.http import REDACTED, HTTPRequest, HTTPResponse, credentials_of

__all__ = ["unquote"]

_SAID: Final = ("message", "args", "code", "param", "type", "body")


def unquote(error: APIError, request: HTTPRequest) -> None:
    """Take the credentials of `request` out of what an error says, shows, has attached, and was caused by."""
    secrets = {written for one in credentials_of(request) for written in (one, one.replace("/", "\\/"))}
    for name in _SAID:
        said = getattr(error, name)
        try:
            told = _without(secrets, said)
        except RecursionError:  # nested as no error is
            told = None
        if told != said:
            setattr(error, name, told)
    if isinstance(error, APIStatusError | APIResponseValidationError):
        response = error.response
        content = _without(secrets, response.content)
        if content != response.content:
            error.response = HTTPResponse(response.status_code, response.headers, content, response.request)
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if any(secret in _shown(cause) for secret in secrets):
            error.__cause__ = error.__context__ = None
            return
        cause = cause.__cause__ or cause.__context__


def _without(secrets: set[str], value: Any) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REDACTED)
    elif isinstance(value, bytes):
        for secret in secrets:
            value = value.replace(secret.encode(), REDACTED.encode())
    elif isinstance(value, dict):
        return {_without(secrets, name): _without(secrets, one) for name, one in value.items()}
    elif isinstance(value, list | tuple):
        return type(value)([_without(secrets, one) for one in value])
    return value


def _shown(cause: BaseException) -> str:
    """All that an exception of somebody else's tells of what it was given: its text may be cut."""
    if isinstance(cause, ValidationError):
        return f"{cause.errors(include_url=False)}"
    return f"{cause.doc}" if isinstance(cause, JSONDecodeError) else f"{cause}"
