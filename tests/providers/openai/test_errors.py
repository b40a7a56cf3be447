"""OpenAI's errors: which class, with what on it, for any body."""

from __future__ import annotations

import json
import pickle

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
    UnprocessableEntityError,
)
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.providers.openai.errors import hidden_error
from edgeagent.wire.http import HTTPResponse

CODEC = OpenAIChatCodec()


def error_of(status: int, content: object, headers: dict[str, str] | None = None) -> APIStatusError:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return CODEC.decode_error(HTTPResponse(status, headers or {}, data))


def told(code: object = None, type_: object = None, **more: object) -> dict[str, object]:
    return {"error": {"message": "No.", "code": code, "type": type_, "param": None, **more}}


@pytest.mark.parametrize(
    ("status", "body", "cls"),
    [
        (400, told(), BadRequestError),
        (400, told("context_length_exceeded", "invalid_request_error"), ContextWindowExceededError),
        (413, told("context_length_exceeded"), ContextWindowExceededError),
        (400, told(400, "exceed_context_size_error"), ContextWindowExceededError),
        (400, told("content_filter"), ContentFilterError),
        (400, told("content_policy_violation"), ContentFilterError),
        (400, told("invalid_prompt"), ContentFilterError),
        (400, told("x", innererror={"code": "ResponsibleAIPolicyViolation"}), ContentFilterError),
        (400, told("invalid_api_key", "invalid_request_error"), AuthenticationError),
        (400, told("model_not_found"), NotFoundError),
        (400, told("server_error"), BadRequestError),
        (400, told("500"), BadRequestError),
        (401, told("invalid_api_key"), AuthenticationError),
        (401, told(), AuthenticationError),
        (402, told(), APIStatusError),
        (403, told("unsupported_country_region_territory"), PermissionDeniedError),
        (403, told("model_not_found"), PermissionDeniedError),
        (404, told("model_not_found"), NotFoundError),
        (404, told("DeploymentNotFound"), NotFoundError),
        (409, told(), ConflictError),
        (413, told(), APIStatusError),
        (422, told(), UnprocessableEntityError),
        (429, told("rate_limit_exceeded", "tokens"), RateLimitError),
        (429, told("insufficient_quota", "insufficient_quota"), RateLimitError),
        (500, told("server_error", "server_error"), InternalServerError),
        (502, told(), InternalServerError),
        (503, told(), OverloadedError),
        (529, told(), OverloadedError),
    ],
)
def test_class(status: int, body: dict[str, object], cls: type[APIStatusError]) -> None:
    """The status decides, refined by the vendor's code, then its type; the status is never changed."""
    error = error_of(status, body)
    assert type(error) is cls
    assert error.status_code == status
    assert error.message == "No."
    assert error.body == body["error"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "HTTP 502 without a body"),
        (b"  \n", "HTTP 502 without a body"),
        (b"upstream connect error", "HTTP 502: upstream connect error"),
        (b"x" * 2000, "HTTP 502: " + "x" * 500),
        (b"<html><head><title> 502 Bad Gateway </title></head></html>", "HTTP 502 with an HTML page: 502 Bad Gateway"),
        (b"<!DOCTYPE html><p>no title", "HTTP 502 with an HTML page"),
        (b'{"error": "overloaded"}', "overloaded"),
        (b'{"message": "flat"}', "flat"),
        (b'{"detail": "Unauthorized"}', "Unauthorized"),
        (b'{"error": {"message": {"deep": 1}}}', 'HTTP 502: {"error": {"message": {"deep": 1}}}'),
        (b'{"error": {"message": " "}, "detail": "so"}', "so"),
        (b'{"error": null}', 'HTTP 502: {"error": null}'),
        (b'[{"error": {"message": "in a list"}}]', "in a list"),
        (b"[]", "HTTP 502: []"),
        (b'"just text"', 'HTTP 502: "just text"'),
        (b"null", "HTTP 502: null"),
        (b"\xff\xfe", "HTTP 502: \ufffd\ufffd"),
    ],
)
def test_message_of_any_body(content: bytes, message: str) -> None:
    """Bodies that are no error object still give a message that helps."""
    error = error_of(502, content)
    assert type(error) is InternalServerError
    assert error.message == message


def test_what_is_read() -> None:
    """Code, type, parameter, request id and wait are attributes; the error survives pickling."""
    body = told("rate_limit_exceeded", "requests")
    error = error_of(429, body, {"x-request-id": "req_1", "retry-after": "20", "retry-after-ms": "20500"})
    assert isinstance(error, RateLimitError)
    assert (error.code, error.type, error.param) == ("rate_limit_exceeded", "requests", None)
    assert (error.request_id, error.retry_after) == ("req_1", 20.5)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.retry_after) == (RateLimitError, "rate_limit_exceeded", 20.5)
    assert error_of(400, told(404)).code == "404"


@pytest.mark.parametrize(
    ("value", "cls", "status"),
    [
        (told("rate_limit_exceeded"), RateLimitError, 429),
        (told(502), InternalServerError, 502),
        (told("401"), AuthenticationError, 401),
        (told(200), InternalServerError, 500),
        (told("context_length_exceeded"), ContextWindowExceededError, 400),
        (told(None, "overloaded_error"), OverloadedError, 529),
        (told("tool_use_failed", "invalid_request_error"), BadRequestError, 400),
        (told("server_error"), InternalServerError, 500),
        ({"error": "text"}, InternalServerError, 500),
        ({"message": "flat", "type": "invalid_request_error"}, BadRequestError, 400),
        (None, InternalServerError, 500),
    ],
)
def test_hidden_in_a_success(value: object, cls: type[APIStatusError], status: int) -> None:
    """An error inside a 200 has the class, and the status, of what its code or type says."""
    error = hidden_error(value, HTTPResponse(200, {"x-request-id": "req_2"}))
    assert type(error) is cls
    assert error.status_code == error.response.status_code == status
    assert error.request_id == "req_2"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(error_of(400, told("context_length_exceeded", param="messages")), id="context"),
        pytest.param(error_of(400, told("content_filter", innererror={"content_filter_result": {}})), id="filter"),
        pytest.param(error_of(429, told("insufficient_quota"), {"retry-after": "7"}), id="quota"),
        pytest.param(error_of(503, b"<html>", {"x-request-id": "req_3"}), id="html"),
        pytest.param(error_of(401, told(type_="authentication_error")), id="key"),
        pytest.param(error_of(502, {"error": {"message": "x", "error": "nested"}}), id="nested"),
        pytest.param(error_of(429, b"slow down"), id="plain 429"),
        pytest.param(ContextWindowExceededError("Too long."), id="context, of another vendor"),
        pytest.param(ContentFilterError("Unsafe."), id="filter, of another vendor"),
        pytest.param(OverloadedError("Busy."), id="overloaded, of another vendor"),
    ],
)
def test_encoded_and_decoded_again(error: APIStatusError) -> None:
    """Our error in OpenAI's form is read back as the same error; what the body says is kept."""
    response = CODEC.encode_error(error)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"].keys() >= {"message", "type", "param", "code"}
    again = CODEC.decode_error(response)
    assert type(again) is type(error)
    for name in ("message", "status_code", "request_id", "param"):
        assert getattr(again, name) == getattr(error, name)
    for name in ("code", "type"):  # where our error has none, one is made up
        assert getattr(again, name) == (getattr(error, name) or response.json()["error"][name])
    if isinstance(error, RateLimitError):
        assert isinstance(again, RateLimitError)
        assert again.retry_after == error.retry_after
    if isinstance(error.body, dict) and "innererror" in error.body:
        assert isinstance(again.body, dict)
        assert again.body["innererror"] == error.body["innererror"]


def test_a_local_refusal_in_openais_form() -> None:
    """A request that was refused before it was sent is a 400 that names the parameter."""
    response = CODEC.encode_error(RequestValidationError("n: must be at least 1.", param="n"))
    assert response.status_code == 400
    assert response.json() == {
        "error": {"message": "n: must be at least 1.", "type": "invalid_request_error", "param": "n", "code": None}
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "param", "innererror", "detail", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(status=st.integers(400, 599), content=st.binary(max_size=80) | JSON.map(lambda v: json.dumps(v).encode()))
def test_never_raises(status: int, content: bytes) -> None:
    """Any status with any body becomes an error of that status, and can be encoded again."""
    error = CODEC.decode_error(HTTPResponse(status, {}, content))
    assert error.status_code == status
    assert isinstance(error, APIStatusError)
    assert error.message
    assert CODEC.encode_error(error).status_code == status


@given(value=JSON)
def test_hidden_errors_never_raise(value: object) -> None:
    """Any JSON value said to be an error becomes one, of 4xx or 5xx."""
    assert 400 <= hidden_error(value, HTTPResponse(200)).status_code < 600
