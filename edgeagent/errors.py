"""Every exception that edgeagent raises.

Names, constructors and attributes of the upper part are those of the `openai` package; they take httpx's requests and
responses as well as ours. Every exception can be pickled and none holds a credential.

    EdgeAgentError (= OpenAIError)
    ├── APIError
    │   ├── APIConnectionError
    │   │   ├── APITimeoutError
    │   │   │   └── DeadlineExceededError
    │   │   └── StreamInterruptedError        .partial
    │   ├── APIResponseValidationError
    │   │   └── ResponseValidationError
    │   └── APIStatusError
    │       ├── BadRequestError               400
    │       │   ├── RequestValidationError
    │       │   ├── ContextWindowExceededError
    │       │   └── ContentFilterError
    │       ├── AuthenticationError           401
    │       ├── PermissionDeniedError         403
    │       │   ├── ShieldBlockedError
    │       │   └── BudgetExceededError
    │       ├── NotFoundError                 404
    │       ├── ConflictError                 409
    │       ├── UnprocessableEntityError      422
    │       ├── RateLimitError                429, .retry_after
    │       │   └── LimitExceededError
    │       └── InternalServerError           5xx
    │           └── OverloadedError
    │               └── TargetsUnavailableError   .retry_after
    ├── LengthFinishReasonError               .completion
    ├── ContentFilterFinishReasonError        .completion
    ├── NoTargetError
    └── ConfigurationError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from edgeagent.wire.foreign import AnyRequest, AnyResponse, request_value, response_value
from edgeagent.wire.http import HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContentFilterFinishReasonError",
    "ContextWindowExceededError",
    "DeadlineExceededError",
    "EdgeAgentError",
    "InternalServerError",
    "LengthFinishReasonError",
    "LimitExceededError",
    "NoTargetError",
    "NotFoundError",
    "OpenAIError",
    "OverloadedError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestValidationError",
    "ResponseValidationError",
    "ShieldBlockedError",
    "StreamInterruptedError",
    "TargetsUnavailableError",
    "UnprocessableEntityError",
    "status_error_class",
]


class EdgeAgentError(Exception):
    """Base of every exception here.

    `attempts` tells the story of a call that reached one or more targets: a tuple of `edgeagent.types.Attempt`, in
    order, empty where nothing was tried. A note of the exception says it in a traceback.
    """

    attempts: tuple[Any, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, {name: _leaving(value) for name, value in self.__dict__.items()}))


def _leaving(value: Any) -> Any:
    """What of it may be in a pickle: an answer leaves out what a shield put back."""
    return value._leaving() if hasattr(type(value), "_leaving") else value


def _rebuild(cls: type[EdgeAgentError], args: tuple[Any, ...], state: dict[str, Any]) -> EdgeAgentError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    if "__notes__" in state:
        error.__dict__["__notes__"] = [*state["__notes__"]]  # whoever adds one to a copy adds it to no other
    return error


OpenAIError = EdgeAgentError


class APIError(EdgeAgentError):
    """A call to a provider failed.

    `body` is the provider's error object (or its text); `code`, `param` and `type` are read from it where it has them.
    """

    message: str
    request: HTTPRequest
    body: object | None
    code: str | None = None
    param: str | None = None
    type: str | None = None

    def __init__(self, message: str, request: AnyRequest | None = None, *, body: object | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request = request_value(request) if request is not None else HTTPRequest("POST", "local:")
        self.body = body
        if isinstance(body, dict):
            told = {name: body.get(name) for name in ("code", "param", "type")}
            self.__dict__.update({name: str(value) for name, value in told.items() if value is not None})


class APIConnectionError(APIError):
    """No usable connection to the provider.

    `sent` is False if the request certainly never left this machine, so that nothing can have been billed. `local` is
    True if it was not the provider that could not be reached, but the store of the budgets.
    """

    sent: bool = True
    local: bool = False

    def __init__(self, *, message: str = "Connection error.", request: AnyRequest | None = None) -> None:
        super().__init__(message, request, body=None)


class APITimeoutError(APIConnectionError):
    """A time limit of one attempt passed: connecting, waiting for the first bytes, or idle between two."""

    def __init__(self, request: AnyRequest | None = None) -> None:
        super().__init__(message="Request timed out.", request=request)


class DeadlineExceededError(APITimeoutError):
    """The deadline of the whole call passed, over all its attempts and targets."""

    def __init__(self, request: AnyRequest | None = None) -> None:
        super().__init__(request)
        self.message = "The call's deadline passed."
        self.args = (self.message,)


class StreamInterruptedError(APIConnectionError):
    """A stream ended after its first content and before its end.

    `partial` is the completion as far as it had come; `__cause__` is what ended it, whose `code`, `body` … it has.
    """

    partial: Any
    masked_partial: Any

    def __init__(self, *, message: str, partial: Any = None, request: AnyRequest | None = None) -> None:
        super().__init__(message=message, request=request)
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        """What leaves the process is the masked answer, if a shield restored `partial` for the caller."""
        kind, (cls, args, state) = super().__reduce__()
        masked = {"partial": state["masked_partial"]} if "masked_partial" in state else {}
        return kind, (cls, args, {k: v for k, v in {**state, **masked}.items() if k != "masked_partial"})


class APIResponseValidationError(APIError):
    """The provider's answer is not what its documentation promises."""

    response: HTTPResponse
    status_code: int

    def __init__(self, response: AnyResponse, body: object | None, *, message: str | None = None) -> None:
        told = response_value(response)
        super().__init__(message or "Data returned by API invalid for expected schema.", told.request, body=body)
        self.response = told
        self.status_code = response.status_code


class ResponseValidationError(APIResponseValidationError):
    """A body that is truncated, not JSON, empty or of the wrong types. It is tried again like a server error."""


class APIStatusError(APIError):
    """The provider answered with a status of 4xx or 5xx, or edgeagent refused locally with the nearest one."""

    response: HTTPResponse
    status_code: int
    request_id: str | None
    wire: str | None = None
    """The format that `response` is written in, where a provider sent it: `"openai.chat"`."""
    default_status: ClassVar[int] = 500

    def __init__(self, message: str, *, response: AnyResponse | None = None, body: object | None = None) -> None:
        told = response_value(response) if response is not None else HTTPResponse(self.default_status)
        super().__init__(message, told.request, body=body)
        self.response = told
        self.status_code = told.status_code
        headers = told.headers
        self.request_id = headers.get("x-request-id") or headers.get("request-id") or headers.get("x-amzn-requestid")


class BadRequestError(APIStatusError):
    """400: the request itself is wrong."""

    default_status = 400


class RequestValidationError(BadRequestError):
    """edgeagent refused the request before sending it; `param` names the field, as in `messages[2].role`.

    `target` is set if it is one target's vendor that cannot be asked this (`"provider/model"`); another one may.
    """

    target: str | None = None

    def __init__(
        self, message: str, *, param: str | None = None, response: AnyResponse | None = None, body: object = None
    ) -> None:
        body = body if body is not None else _error_body(message, "invalid_request_error", param, None)
        super().__init__(message, response=response, body=body)
        self.param = param or self.param


class ContextWindowExceededError(BadRequestError):
    """The prompt, with or without the output asked for, is too long. `code` is OpenAI's, if the provider told none."""

    code = "context_length_exceeded"


class ContentFilterError(BadRequestError):
    """The provider's safety system refused the request. `code` is OpenAI's, if the provider told none."""

    code = "content_filter"


class AuthenticationError(APIStatusError):
    """401: the credential is missing or wrong."""

    default_status = 401


class PermissionDeniedError(APIStatusError):
    """403: the credential is valid but not for this."""

    default_status = 403


class ShieldBlockedError(PermissionDeniedError):
    """The shield's policy forbids this; types and positions are told, values never.

    `findings` are tuples of the type, the place (`"messages[0].content"`), and the first and the last position there.
    """

    findings: tuple[tuple[str, str, int, int], ...] = ()

    def __init__(
        self,
        message: str,
        *,
        findings: tuple[tuple[str, str, int, int], ...] = (),
        response: AnyResponse | None = None,
        body: object | None = None,
    ) -> None:
        if body is None:
            param = findings[0][1] if findings else None
            body = _error_body(message, "permission_error", param, "shield_blocked")
        super().__init__(message, response=response, body=body)
        self.findings = findings


class BudgetExceededError(PermissionDeniedError):
    """The call might exceed a budget, and was not made.

    `budget` is its name; what it has left and what the call may use at most is in dollars and in tokens, None where the
    budget does not limit them. What other calls under way hold counts as used until they end.
    """

    budget: str | None = None
    remaining_usd: Decimal | None = None
    asked_usd: Decimal | None = None
    remaining_tokens: int | None = None
    asked_tokens: int | None = None


class NotFoundError(APIStatusError):
    """404: no such model, deployment or path."""

    default_status = 404


class ConflictError(APIStatusError):
    """409: the resource is in a state that does not allow this."""

    default_status = 409


class UnprocessableEntityError(APIStatusError):
    """422: well-formed but refused."""

    default_status = 422


class RateLimitError(APIStatusError):
    """429: too many requests or tokens; `retry_after` is in seconds, None if the provider did not say."""

    default_status = 429
    retry_after: float | None = None


class LimitExceededError(RateLimitError):
    """A local rate limit refused the call; `limit` is its name, `retry_after` when to come again, if that is known.

    `target` is set if it is a limit of that target (`"provider/model"`); another one may be asked.
    """

    limit: str | None = None
    target: str | None = None


class InternalServerError(APIStatusError):
    """5xx: the provider failed."""


class OverloadedError(InternalServerError):
    """503 or 529: the provider has no capacity at the moment."""

    default_status = 529


class TargetsUnavailableError(OverloadedError):
    """Nothing was asked: every target is held back by its breaker, for longer than the call may wait.

    `retry_after` is the time in seconds until the first of them is asked again; the message tells why each is not.
    """

    default_status = 503
    retry_after: float | None = None


class LengthFinishReasonError(EdgeAgentError):
    """A structured answer was cut by the token limit; `completion` is what came."""

    completion: Any

    def __init__(self, *, completion: Any) -> None:
        more = f" - {usage}" if (usage := getattr(completion, "usage", None)) else ""
        super().__init__(f"Could not parse response content as the length limit was reached{more}")
        self.completion = completion


class ContentFilterFinishReasonError(EdgeAgentError):
    """A structured answer was withheld by the provider's content filter."""

    completion: Any

    def __init__(self, *, completion: Any = None) -> None:
        super().__init__("Could not parse response content as the request was rejected by the content filter")
        self.completion = completion


class NoTargetError(EdgeAgentError):
    """No configured target can serve this request; the message says which were looked at and why not."""


class ConfigurationError(EdgeAgentError):
    """The client cannot be built, or cannot do this, with the configuration it has; the message says what to do."""


_NAMED: list[type[APIStatusError]] = [BadRequestError, AuthenticationError, PermissionDeniedError, NotFoundError]
_NAMED += [ConflictError, UnprocessableEntityError, RateLimitError, OverloadedError]
_BY_STATUS: Mapping[int, type[APIStatusError]] = {503: OverloadedError, **{one.default_status: one for one in _NAMED}}


def status_error_class(status: int) -> type[APIStatusError]:
    """The class for an HTTP status, as the `openai` package maps them; 503 and 529 are `OverloadedError`."""
    return _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)


def _error_body(message: str, type_: str, param: str | None, code: str | None) -> dict[str, Any]:
    return {"message": message, "type": type_, "param": param, "code": code}
