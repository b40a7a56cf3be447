"""Our exceptions → those of openai<1, by the rules of that time: by status alone, and a body that is no JSON is an
`APIError` whatever its status.

The class that is raised is both; see `edgeagent.error.both`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from edgeagent import error, errors
from edgeagent.wire.http import Headers, HTTPResponse

__all__ = ["old_errors", "translated"]

_BY_STATUS: Final[Mapping[int, type[error.OpenAIError]]] = {
    400: error.InvalidRequestError,
    401: error.AuthenticationError,
    403: error.PermissionError,
    404: error.InvalidRequestError,
    409: error.TryAgain,
    415: error.InvalidRequestError,
    429: error.RateLimitError,
}
_OWN: Final = frozenset({"openai", "azure"})
"""The names of the providers that `clients` makes: they are held to the form of OpenAI's error answers."""
MAX_QUOTED: Final = 500
"""How many characters of a body that is no JSON stand in a message."""


@contextmanager
def old_errors() -> Iterator[None]:
    """What is raised inside leaves as an exception of `edgeagent.error`."""
    try:
        yield
    except error.OpenAIError:
        raise
    except errors.EdgeAgentError as fault:
        raise translated(fault) from fault


def translated(fault: errors.EdgeAgentError) -> error.OpenAIError:
    """The exception of openai<1 that is also what `fault` is."""
    cause = fault.__cause__
    if isinstance(fault, errors.StreamInterruptedError) and isinstance(cause, errors.EdgeAgentError):
        return _dressed(fault, type(translated(cause)), cause)
    return _dressed(fault, _class_of(fault), fault)


def _dressed(
    fault: errors.EdgeAgentError, old: type[error.OpenAIError], told: errors.EdgeAgentError
) -> error.OpenAIError:
    """An error of the class `old` that is also `fault`; `told` is where the provider's answer is found."""
    old = (old._parts or (old,))[0]
    cls = error.both(old, type(fault))
    made = cls.__new__(cls)
    made.__dict__.update(fault.__dict__)
    response = getattr(told, "response", None)
    if isinstance(response, HTTPResponse) and _remote(response):
        headers = Headers([(name, value) for name, value in response.headers.fields if name.lower() != "set-cookie"])
        body = None if old is error.ServiceUnavailableError else _json(response)
        status = 200 if _in_stream(told) else response.status_code
        made._answered(_message(old, told, response, body), response.text, status, body, headers)
    else:
        made._answered(_message(old, told, None, None), None, None, None, None)
    made.args = (made._message,)
    made.message = made._message or ""
    if told is not fault and isinstance(told, errors.APIError):
        made.code, made.param = told.code, told.param
    return made


def _class_of(fault: errors.EdgeAgentError) -> type[error.OpenAIError]:
    if isinstance(fault, errors.APITimeoutError):
        return error.Timeout
    if isinstance(fault, errors.APIConnectionError):
        return error.APIConnectionError
    if isinstance(fault, errors.APIStatusError):
        return _by_answer(fault)
    return error.APIError if isinstance(fault, errors.APIError) else error.OpenAIError


def _by_answer(fault: errors.APIStatusError) -> type[error.OpenAIError]:
    if _in_stream(fault):
        return error.APIError
    if fault.status_code == 503:
        return error.ServiceUnavailableError
    own = bool(fault.attempts) and fault.attempts[0].target.provider in _OWN
    if own and _remote(fault.response) and _error_object(_json(fault.response)) is None:
        return error.APIError
    return _BY_STATUS.get(fault.status_code, error.APIError)


def _remote(response: HTTPResponse) -> bool:
    """Whether a provider answered this; what is made up for local errors is empty."""
    return bool(response.content or response.headers)


def _in_stream(fault: errors.EdgeAgentError) -> bool:
    """Whether an event of a stream told it: that is the only answer of a provider without any header."""
    response = getattr(fault, "response", None)
    return isinstance(response, HTTPResponse) and bool(response.content) and not response.headers


def _message(
    old: type[error.OpenAIError], fault: errors.EdgeAgentError, response: HTTPResponse | None, body: Any
) -> str:
    said = str(fault.args[0]) if fault.args else str(fault)
    if old is error.Timeout:
        return f"Request timed out: {said}"
    if old is error.APIConnectionError:
        return f"Error communicating with OpenAI: {said}"
    if old is error.ServiceUnavailableError:
        return "The server is overloaded or not ready yet."
    if response is None:
        return said
    if body is None:
        return f"HTTP code {response.status_code} from API ({response.text[:MAX_QUOTED]})"
    return f"{said} (Error occurred while streaming.)" if _in_stream(fault) else said


def _error_object(body: Any) -> Any:
    return body.get("error") if isinstance(body, dict) else None


def _json(response: HTTPResponse) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
