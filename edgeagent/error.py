"""The exceptions of openai<1, as `openai.error`.

Each is also the exception of `edgeagent.errors` that means the same, and what the calls of openai<1 raise is always
both: `except openai.error.RateLimitError` and `except edgeagent.RateLimitError` catch the same error. Where several of
ours are one of theirs, the class that is raised is made of the two: a 404 is an `InvalidRequestError` of here and an
`edgeagent.NotFoundError`.

    OpenAIError
    ├── APIError                     anything else that the provider answered: 5xx, no JSON, an error inside a stream
    ├── APIConnectionError           .should_retry
    ├── AuthenticationError          401
    ├── InvalidAPIType               api_type is none of the known ones
    ├── InvalidRequestError          400, 404, 415; .param
    ├── PermissionError              403
    ├── RateLimitError               429
    ├── ServiceUnavailableError      503
    ├── SignatureVerificationError   .sig_header; nothing here raises it
    ├── Timeout                      `request_timeout` passed
    └── TryAgain                     409
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from edgeagent import errors
from edgeagent.openai_object import OpenAIObject
from edgeagent.wire.http import HTTPRequest, HTTPResponse

__all__ = [
    "APIConnectionError",
    "APIError",
    "AuthenticationError",
    "InvalidAPIType",
    "InvalidRequestError",
    "OpenAIError",
    "PermissionError",
    "RateLimitError",
    "ServiceUnavailableError",
    "SignatureVerificationError",
    "Timeout",
    "TryAgain",
    "both",
]


class OpenAIError(errors.EdgeAgentError):
    """Base of all.

    `user_message` is the message; `http_body`, `http_status`, `json_body` and `headers` are the provider's answer
    (None, and no headers, where there was none); `error` is its error object; `organization` its header's. `code`,
    `param` and `request_id` are set wherever the provider told them.
    """

    request_id: str | None = None
    code: str | None = None
    param: str | None = None
    _parts: ClassVar[tuple[type[OpenAIError], type[errors.EdgeAgentError]] | None] = None
    """Of which two `both` made the class."""

    def __init__(
        self,
        message: str | None = None,
        http_body: str | bytes | None = None,
        http_status: int | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        Exception.__init__(self, message)
        self._answered(message, http_body, http_status, json_body, headers)
        self._as_ours()
        self.code = code
        self.request_id = self.headers.get("request-id")

    def _answered(
        self,
        message: str | None,
        http_body: str | bytes | None,
        http_status: int | None,
        json_body: Any,
        headers: Mapping[str, str] | None,
    ) -> None:
        """Set the attributes that openai<1 has."""
        self._message = message
        self.http_body = http_body.decode("utf-8", "replace") if isinstance(http_body, bytes) else http_body
        self.http_status = http_status
        self.json_body = json_body
        self.headers: Mapping[str, str] = headers if headers is not None else {}
        told = json_body.get("error") if isinstance(json_body, dict) else None
        self.error = OpenAIObject.construct_from(told) if isinstance(told, dict) else None
        self.organization = self.headers.get("openai-organization")

    def _as_ours(self) -> None:
        """Set what the other side of the class has, for an exception that was made by hand."""
        self.message = self._message or ""
        self.body = self.json_body
        self.request = HTTPRequest("POST", "local:")
        status: int | None = self.http_status or getattr(type(self), "default_status", None)
        if status is not None:
            self.response = HTTPResponse(status, self.headers, (self.http_body or "").encode())
            self.status_code = status

    @property
    def user_message(self) -> str | None:
        """The message without the request's id."""
        return self._message

    def __str__(self) -> str:
        message = self._message or "<empty message>"
        request = self.headers.get("request-id")
        return message if request is None else f"Request {request}: {message}"

    def __repr__(self) -> str:
        shown = {"message": self._message, "http_status": self.http_status, "request_id": self.request_id}
        if isinstance(self, InvalidRequestError):
            shown = {"message": self._message, "param": self.param, "code": self.code, **shown}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (*(type(self)._parts or (type(self), None)), self.args, self.__dict__))


class APIError(OpenAIError, errors.APIError):
    """The provider failed, or answered with something that is neither a result nor a known error."""


class TryAgain(OpenAIError, errors.ConflictError):  # noqa: N818  # openai's own name
    """409: the model is not ready yet. The call is repeated until its `timeout` has passed; without one, for ever."""


class Timeout(OpenAIError, errors.APITimeoutError):  # noqa: N818  # openai's own name
    """`request_timeout` (600 s by default) passed."""


class APIConnectionError(OpenAIError, errors.APIConnectionError):
    """No usable connection to the provider."""

    def __init__(
        self,
        message: str | None,
        http_body: str | bytes | None = None,
        http_status: int | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
        should_retry: bool = False,
    ) -> None:
        super().__init__(message, http_body, http_status, json_body, headers, code)
        self.should_retry = should_retry

    should_retry: bool = False


class InvalidRequestError(OpenAIError, errors.APIStatusError):
    """The request is wrong; `param` names the field."""

    default_status = 400

    def __init__(
        self,
        message: str | None,
        param: str | None,
        code: str | None = None,
        http_body: str | bytes | None = None,
        http_status: int | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, http_body, http_status, json_body, headers, code)
        self.param = param


class AuthenticationError(OpenAIError, errors.AuthenticationError):
    """The key is missing or wrong."""


class PermissionError(OpenAIError, errors.PermissionDeniedError):  # noqa: A001  # openai's own name
    """The key is valid but not for this."""


class RateLimitError(OpenAIError, errors.RateLimitError):
    """Too many requests or tokens, or no quota left (`code` tells which)."""


class ServiceUnavailableError(OpenAIError, errors.OverloadedError):
    """The provider has no capacity at the moment."""

    default_status = 503


class InvalidAPIType(OpenAIError, errors.ConfigurationError):  # noqa: N818  # openai's own name
    """`api_type` is none of "open_ai", "azure" and "azure_ad"."""


class SignatureVerificationError(OpenAIError):
    """A signature does not fit what it signs."""

    def __init__(self, message: str | None, sig_header: Any, http_body: str | bytes | None = None) -> None:
        super().__init__(message, http_body)
        self.sig_header = sig_header


def both(old: type[OpenAIError], ours: type[errors.EdgeAgentError]) -> type[OpenAIError]:
    """The class that is `old` and `ours`: `old` itself, if it is so already, else one of its name made of the two."""
    parts: tuple[Any, Any] = (old, ours)
    return old if issubclass(old, ours) else _made(*parts)


@cache
def _made(old: Any, ours: Any) -> type[OpenAIError]:
    body = {"__module__": __name__, "__doc__": old.__doc__, "_parts": (old, ours)}
    made: type[OpenAIError] = type(old.__name__, (old, ours), body)
    return made


def _rebuilt(
    old: type[OpenAIError],
    ours: type[errors.EdgeAgentError] | None,
    args: tuple[Any, ...],
    state: dict[str, Any],
) -> OpenAIError:
    cls = old if ours is None else both(old, ours)
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
