"""Requests and responses of HTTP libraries as values of ours: what programs give to the constructors of exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse

__all__ = ["AnyRequest", "AnyResponse", "request_value", "response_value"]


class _Request(Protocol):
    """As httpx, httpx2 and requests have it."""

    @property
    def method(self) -> Any: ...

    @property
    def url(self) -> Any: ...

    @property
    def headers(self) -> Any: ...


class _Response(Protocol):
    """As httpx, httpx2 and requests have it."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Any: ...


AnyRequest = HTTPRequest | _Request
AnyResponse = HTTPResponse | _Response


def request_value(request: AnyRequest) -> HTTPRequest:
    """The request without its body and without anything that may be a secret."""
    if not isinstance(request, HTTPRequest):
        request = HTTPRequest(str(request.method), str(request.url), _fields(request.headers))
    return request.redacted()


def response_value(response: AnyResponse) -> HTTPResponse:
    """The response with what has been read of its body; its request is kept without secrets."""
    if isinstance(response, HTTPResponse):
        return response
    request = _part(response, "request")
    asked = None if request is None else request_value(request)
    return HTTPResponse(response.status_code, _fields(response.headers), _part(response, "content") or b"", asked)


def _fields(headers: Any) -> Headers:
    items = getattr(headers, "multi_items", None)  # httpx's: a field for each line
    return Headers(items() if items is not None else dict(headers) if isinstance(headers, Mapping) else headers)


def _part(response: Any, name: str) -> Any:
    """httpx raises a `RuntimeError` for a body that was not read, and for a request that it was not told."""
    try:
        return getattr(response, name, None)
    except RuntimeError:
        return None
