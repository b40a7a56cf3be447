"""Requests and responses of HTTP libraries as values."""

from __future__ import annotations

from types import SimpleNamespace

import httpx

from edgeagent.wire.foreign import request_value, response_value
from edgeagent.wire.http import HTTPRequest, HTTPResponse

__all__: list[str] = []


def test_ours_are_left_as_they_are() -> None:
    """But for a request's secrets."""
    response = HTTPResponse(200)
    assert response_value(response) is response
    assert request_value(HTTPRequest("GET", "https://a.test/", {"x-key": "secret"})).headers["x-key"] == "[redacted]"


def test_requests_of_any_library() -> None:
    """Whoever has a method, an address and fields; fields as pairs or as a mapping."""
    for headers in ({"Accept": "*/*"}, [("Accept", "*/*")], httpx.Headers({"Accept": "*/*"})):
        value = request_value(SimpleNamespace(method="GET", url="https://a.test/x?key=1", headers=headers))
        assert (value.method, value.headers["accept"], value.content) == ("GET", "*/*", b"")
        assert value.url.startswith("https://a.test/x")
        assert "1" not in value.url


def test_responses_of_any_library() -> None:
    """A library that has no request on its responses, and no body yet."""
    value = response_value(SimpleNamespace(status_code=500, headers={"a": "b"}, content=None))
    assert (value.status_code, value.headers["a"], value.content) == (500, "b", b"")
