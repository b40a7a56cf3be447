"""Anthropic's errors: which class, with what on it, for any body; and back."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentFilterError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestValidationError,
)
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.wire.http import HTTPResponse
from tests.providers.anthropic.support import CODEC


def error_of(status: int, content: Any, headers: dict[str, str] | None = None) -> APIStatusError:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return CODEC.decode_error(HTTPResponse(status, headers or {}, data))


def told(kind: str | None, message: str = "No.", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "kind", "cls"),
    [
        (400, "invalid_request_error", BadRequestError),
        (401, "authentication_error", AuthenticationError),
        (402, "billing_error", APIStatusError),
        (403, "permission_error", PermissionDeniedError),
        (404, "not_found_error", NotFoundError),
        (405, "invalid_request_error", APIStatusError),
        (409, "conflict_error", ConflictError),
        (413, "request_too_large", APIStatusError),
        (429, "rate_limit_error", RateLimitError),
        (500, "api_error", InternalServerError),
        (504, "timeout_error", InternalServerError),
        (529, "overloaded_error", OverloadedError),
        (500, "overloaded_error", OverloadedError),
        (400, "exceed_context_size_error", ContextWindowExceededError),
        (503, None, OverloadedError),
        (418, "something_new", APIStatusError),
    ],
)
def test_class(status: int, kind: str | None, cls: type[APIStatusError]) -> None:
    """The type decides where it is specific, else the status; the status is never changed."""
    error = error_of(status, told(kind))
    assert type(error) is cls
    assert (error.status_code, error.message, error.type) == (status, "No.", kind)
    assert error.body == told(kind)["error"]


TOO_LONG = "context_length_exceeded"


@pytest.mark.parametrize(
    ("message", "cls", "code"),
    [
        ("prompt is too long: 205000 tokens > 200000 maximum", ContextWindowExceededError, TOO_LONG),
        (
            "input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000, decrease input length",
            ContextWindowExceededError,
            TOO_LONG,
        ),
        ("the request exceeds the available context size (4096 tokens)", ContextWindowExceededError, TOO_LONG),
        ("Output blocked by content filtering policy", ContentFilterError, "content_filter"),
        ("Your credit balance is too low to access the Anthropic API.", BadRequestError, "insufficient_quota"),
        ("max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens", BadRequestError, None),
    ],
)
def test_words(message: str, cls: type[APIStatusError], code: str | None) -> None:
    """What has no code is known by the vendor's words, of a 400 only."""
    error = error_of(400, told("invalid_request_error", message))
    assert (type(error), error.code) == (cls, code)
    assert type(error_of(500, told("api_error", message))) is InternalServerError


def test_what_is_read() -> None:
    """Code, request id and wait are attributes; the error survives pickling."""
    body = {**told("rate_limit_error", details={"error_code": "too_many"}), "request_id": "req_body"}
    error = error_of(429, body, {"retry-after": "7"})
    assert isinstance(error, RateLimitError)
    assert (error.code, error.request_id, error.retry_after) == ("too_many", "req_body", 7.0)
    assert error_of(429, body, {"request-id": "req_head"}).request_id == "req_head"
    assert error_of(429, {**body, "request_id": 5}).request_id is None
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.retry_after) == (RateLimitError, "too_many", 7.0)


@pytest.mark.parametrize(
    ("content", "headers", "message"),
    [
        (b"", {}, "HTTP 502 without an error object (no content type)"),
        (
            b"<html>Bad gateway</html>",
            {"content-type": "text/html; charset=utf-8"},
            "HTTP 502 without an error object (text/html)",
        ),
        (b"upstream connect error", {"content-type": "text/plain"}, "upstream connect error"),
        (b"x" * 600, {}, "x" * 500),
        (b'{"error": "plain words"}', {}, "plain words"),
        (b'{"error": null}', {}, '{"error": null}'),
        (b"[1]", {}, "[1]"),
    ],
)
def test_message_of_any_body(content: bytes, headers: dict[str, str], message: str) -> None:
    """Whatever a proxy answers becomes a message that can be read."""
    error = error_of(502, content, headers)
    assert type(error) is InternalServerError
    assert error.message == message


@given(status=st.integers(400, 599), content=st.binary(max_size=40))
def test_never_raises(status: int, content: bytes) -> None:
    """Any status with any bytes is a typed error."""
    assert isinstance(error_of(status, content), APIStatusError)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RequestValidationError("x", param="n"), 400, "invalid_request_error"),
        (BadRequestError("x"), 400, "invalid_request_error"),
        (AuthenticationError("x"), 401, "authentication_error"),
        (APIStatusError("x", response=HTTPResponse(402)), 402, "billing_error"),
        (PermissionDeniedError("x"), 403, "permission_error"),
        (NotFoundError("x"), 404, "not_found_error"),
        (APIStatusError("x", response=HTTPResponse(413)), 413, "request_too_large"),
        (APIStatusError("x", response=HTTPResponse(422)), 422, "invalid_request_error"),
        (RateLimitError("x"), 429, "rate_limit_error"),
        (InternalServerError("x"), 500, "api_error"),
        (InternalServerError("x", response=HTTPResponse(502)), 502, "api_error"),
        (InternalServerError("x", response=HTTPResponse(504)), 504, "timeout_error"),
        (OverloadedError("x", response=HTTPResponse(503)), 529, "overloaded_error"),
    ],
)
def test_encoded(error: APIStatusError, status: int, kind: str) -> None:
    """Our errors in the vendor's form; an overload has the vendor's status for it."""
    response = CODEC.encode_error(error)
    assert response.status_code == status
    assert response.json() == {"type": "error", "error": {"type": kind, "message": error.message}}


@pytest.mark.parametrize(
    ("status", "type", "kind"),
    [
        (401, "invalid_request_error", "authentication_error"),
        (403, "invalid_request_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (422, "invalid_request_error", "invalid_request_error"),
        (504, "api_error", "timeout_error"),
        (429, "insufficient_quota", "rate_limit_error"),
    ],
)
def test_encoded_of_another_vendor(status: int, type: str, kind: str) -> None:
    """OpenAI calls every 4xx an invalid request: where the status says more, that is the type."""
    body = {"error": {"message": "No.", "type": type, "param": None, "code": "some_code"}}
    error = OpenAIChatCodec().decode_error(HTTPResponse(status, {}, json.dumps(body).encode()))
    assert CODEC.encode_error(error).json()["error"] == {"type": kind, "message": "No."}


def test_encoded_headers() -> None:
    """Request id and wait go along."""
    error = error_of(429, {**told("rate_limit_error"), "request_id": "r"}, {"retry-after": "1.5"})
    response = CODEC.encode_error(error)
    assert (response.headers["request-id"], response.headers["retry-after"]) == ("r", "1.5")
    assert response.json()["request_id"] == "r"
