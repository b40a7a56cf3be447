"""`errors="openai"`: the exceptions of the installed `openai` package in place of ours.

An error of ours becomes one of the nearest class of theirs: the first name in its line of ancestors that their package
has. Ours stays as `__cause__`, with everything that theirs has no place for (`attempts`, `partial`). Any release of
`openai` from 1.3.8 on will do: its exceptions want request and response objects of httpx, from 3.0 on of httpx2, which
are made up from our own plain values (without secrets).
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    ContentFilterFinishReasonError,
    EdgeAgentError,
    LengthFinishReasonError,
    StreamInterruptedError,
)

if TYPE_CHECKING:
    from types import ModuleType

    from edgeagent.effects import Flow, Scope
    from edgeagent.io.async_driver import AsyncDriver
    from edgeagent.io.runtime import Runtime
    from edgeagent.io.sync_driver import SyncDriver
    from edgeagent.wire.http import HTTPRequest, HTTPResponse

__all__ = ["raise_as_openai", "translated"]

T = TypeVar("T")

_BODILESS: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Of a response whose content we hold decoded: headers that would have it decoded again."""


def raise_as_openai(runtime: Runtime) -> None:
    """Have everything that this runtime's drivers raise translated.

    The core never sees it: a driver performs the steps of a call by itself, and only what leaves the call is changed.
    """
    runtime.sync_driver = cast("SyncDriver", _Translating(runtime.sync_driver))
    runtime.async_driver = cast("AsyncDriver", _AsyncTranslating(runtime.async_driver))


class _Translating:
    """A driver whose errors are those of openai."""

    def __init__(self, driver: SyncDriver) -> None:
        self._driver = driver

    def run(self, flow: Flow[T], scope: Scope) -> T:
        try:
            return self._driver.run(flow, scope)
        except EdgeAgentError as error:
            raise translated(error) from error

    def step(self, flow: Flow[T], scope: Scope) -> T:
        try:
            return self._driver.step(flow, scope)
        except EdgeAgentError as error:
            raise translated(error) from error

    def close(self, scope: Scope) -> None:
        self._driver.close(scope)


class _AsyncTranslating:
    """The same, awaiting."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    async def run(self, flow: Flow[T], scope: Scope) -> T:
        try:
            return await self._driver.run(flow, scope)
        except EdgeAgentError as error:
            raise translated(error) from error

    async def step(self, flow: Flow[T], scope: Scope) -> T:
        try:
            return await self._driver.step(flow, scope)
        except EdgeAgentError as error:
            raise translated(error) from error

    async def aclose(self, scope: Scope) -> None:
        await self._driver.aclose(scope)


def translated(error: EdgeAgentError) -> Exception:
    """The exception of the openai package that says the same; ours is its `__cause__`."""
    openai = import_module("openai")
    made: Exception = _made(openai, error)
    made.__cause__ = error
    return made


def _made(openai: ModuleType, error: EdgeAgentError) -> Any:
    kind = _nearest(openai, error)
    if isinstance(error, LengthFinishReasonError):
        return kind(completion=error.completion)
    if isinstance(error, ContentFilterFinishReasonError):
        made = kind()  # takes no completion before 3.0
        made.completion = error.completion
        return made
    if not isinstance(error, APIError):
        return kind(*error.args)
    http = _http_library(openai)
    if isinstance(error, StreamInterruptedError) and isinstance(error.__cause__, APIStatusError):
        return _told_in_stream(openai, http, error, error.__cause__)
    made = _of_api(http, kind, error)
    for name in ("code", "param", "type"):
        setattr(made, name, getattr(error, name))
    return made


def _http_library(openai: ModuleType) -> ModuleType:
    """The one that this release of openai is built on, and whose class it shows as its own `Timeout`."""
    younger = import_module("httpx2") if find_spec("httpx2") is not None else None
    return younger if younger is not None and openai.Timeout is younger.Timeout else import_module("httpx")


def _nearest(openai: ModuleType, error: EdgeAgentError) -> Any:
    """The class of theirs that has the name of the error's, or of the nearest one above it."""
    for kind in type(error).__mro__:
        found = getattr(openai, kind.__name__, None)
        if isinstance(found, type) and issubclass(found, openai.OpenAIError):
            return found
    return openai.OpenAIError


def _of_api(http: ModuleType, kind: Any, error: APIError) -> Any:
    if isinstance(error, APIStatusError):
        made = kind(error.message, response=_response(http, error.response), body=error.body)
        made.request_id = error.request_id
        return made
    if isinstance(error, APIResponseValidationError):
        return kind(_response(http, error.response), error.body, message=error.message)
    request = _request(http, error.request)
    if not isinstance(error, APIConnectionError):
        return kind(error.message, request, body=error.body)
    made = kind(request=request)  # a timeout takes no message
    made.message, made.args = error.message, (error.message,)
    return made


def _told_in_stream(openai: ModuleType, http: ModuleType, error: StreamInterruptedError, cause: APIStatusError) -> Any:
    """What the vendor itself said in the middle of its stream is a plain APIError there."""
    made = openai.APIError(cause.message, _request(http, error.request), body=cause.body)
    made.code, made.param, made.type = cause.code, cause.param, cause.type
    return made


def _request(http: ModuleType, request: HTTPRequest) -> Any:
    url = request.url if "//" in request.url else "http://local/"  # of an error made here: nothing was sent
    return http.Request(request.method, url, headers=list(request.headers.fields))


def _response(http: ModuleType, response: HTTPResponse) -> Any:
    headers = [(name, value) for name, value in response.headers.fields if name.lower() not in _BODILESS]
    return http.Response(
        response.status_code, headers=headers, content=response.content, request=_request(http, response.request)
    )
