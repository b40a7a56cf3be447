"""`openai.error` of openai<1: each class is also ours, and everything that is raised is both."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import edgeagent
from edgeagent import error, errors
from edgeagent.legacy.faults import old_errors, translated
from edgeagent.types import Attempt, Target
from edgeagent.wire.http import HTTPResponse

__all__: list[str] = []

OURS = {
    "APIConnectionError": errors.APIConnectionError,
    "APIError": errors.APIError,
    "AuthenticationError": errors.AuthenticationError,
    "InvalidAPIType": errors.ConfigurationError,
    "InvalidRequestError": errors.APIStatusError,
    "PermissionError": errors.PermissionDeniedError,
    "RateLimitError": errors.RateLimitError,
    "ServiceUnavailableError": errors.InternalServerError,
    "Timeout": errors.APITimeoutError,
    "TryAgain": errors.ConflictError,
}


def answered(status: int, body: bytes = b'{"error": {"message": "no", "param": "p", "code": "c"}}') -> HTTPResponse:
    return HTTPResponse(status, [("content-type", "application/json"), ("set-cookie", "secret")], body)


RAISED: list[tuple[errors.EdgeAgentError, str]] = [
    (errors.BadRequestError("no", response=answered(400)), "InvalidRequestError"),
    (errors.ContextWindowExceededError("no", response=answered(400)), "InvalidRequestError"),
    (errors.ContentFilterError("no", response=answered(400)), "InvalidRequestError"),
    (errors.NotFoundError("no", response=answered(404)), "InvalidRequestError"),
    (errors.RequestValidationError("no", param="p"), "InvalidRequestError"),
    (errors.AuthenticationError("no", response=answered(401)), "AuthenticationError"),
    (errors.PermissionDeniedError("no", response=answered(403)), "PermissionError"),
    (errors.ShieldBlockedError("no"), "PermissionError"),
    (errors.BudgetExceededError("no"), "PermissionError"),
    (errors.ConflictError("no", response=answered(409)), "TryAgain"),
    (errors.RateLimitError("no", response=answered(429)), "RateLimitError"),
    (errors.LimitExceededError("no"), "RateLimitError"),
    (errors.InternalServerError("no", response=answered(500)), "APIError"),
    (errors.OverloadedError("no", response=answered(503)), "ServiceUnavailableError"),
    (errors.OverloadedError("no", response=answered(529)), "APIError"),
    (errors.UnprocessableEntityError("no", response=answered(422)), "APIError"),
    (errors.APIResponseValidationError(answered(200), None), "APIError"),
    (errors.ResponseValidationError(answered(200, b"<html>"), None), "APIError"),
    (errors.APIConnectionError(), "APIConnectionError"),
    (errors.APITimeoutError(), "Timeout"),
    (errors.DeadlineExceededError(), "Timeout"),
    (errors.StreamInterruptedError(message="no", partial="so far"), "APIConnectionError"),
    (errors.NoTargetError("no"), "OpenAIError"),
    (errors.ConfigurationError("no"), "OpenAIError"),
]


@pytest.mark.parametrize(("name", "ours"), OURS.items())
def test_each_is_ours_too(name, ours):
    """So that an exception that a program makes by hand is caught by either name."""
    old = getattr(error, name)
    assert issubclass(old, (error.OpenAIError,))
    assert issubclass(old, ours)
    assert issubclass(old, edgeagent.OpenAIError)


@pytest.mark.parametrize(
    ("fault", "name"), RAISED, ids=lambda value: value if isinstance(value, str) else type(value).__name__
)
def test_what_is_raised_is_both(fault, name):
    """Of the class of that time by its name, and of every class that ours is; the attributes of both are there."""
    fault.attempts = (Attempt(Target("p", "m"), "x", None, 1.0),)
    made = translated(fault)
    assert isinstance(made, getattr(error, name))
    assert isinstance(made, type(fault))
    assert type(made).__name__ == name
    assert made.attempts == fault.attempts
    for attribute, value in vars(fault).items():
        assert attribute in ("message", "attempts") or getattr(made, attribute) == value
    if isinstance(fault, errors.APIStatusError) and fault.response.content:
        assert made.http_status == fault.status_code
        assert "set-cookie" not in made.headers


@pytest.mark.parametrize(
    ("fault", "name"), RAISED, ids=lambda value: value if isinstance(value, str) else type(value).__name__
)
def test_what_is_raised_can_be_pickled(fault, name):
    """And is the same again, classes made of two included."""
    made = translated(fault)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    assert (str(again), repr(again), again.http_body, again.json_body, again.error) == (
        (str(made), repr(made), made.http_body, made.json_body, made.error)
    )
    assert b"secret" not in pickle.dumps(made)


def test_a_class_is_made_once():
    """The class of two is the same each time."""
    assert error.both(error.APIError, errors.InternalServerError) is error.both(
        error.APIError, errors.InternalServerError
    )
    assert error.both(error.RateLimitError, errors.RateLimitError) is error.RateLimitError


MADE: list[tuple[Any, dict[str, Any]]] = [
    (error.OpenAIError("m"), {"http_status": None, "code": None}),
    (error.APIError("m", b"\xff{}", 500, {}, {"openai-organization": "o"}, "c"), {"organization": "o", "code": "c"}),
    (error.RateLimitError("m", "{}", 429), {"status_code": 429, "http_body": "{}"}),
    (error.ServiceUnavailableError("m"), {"status_code": 503, "http_status": None}),
    (error.APIConnectionError("m", should_retry=True), {"should_retry": True, "message": "m"}),
    (error.InvalidRequestError("m", "p", "c", "{}", 404), {"param": "p", "code": "c", "status_code": 404}),
    (error.SignatureVerificationError("m", "sig", "body"), {"sig_header": "sig", "http_body": "body"}),
    (error.Timeout("m"), {"message": "m"}),
    (error.InvalidAPIType("m"), {"user_message": "m"}),
    (error.TryAgain("m", json_body={"error": {"message": "x"}}), {"status_code": 409}),
]


@pytest.mark.parametrize(("made", "attributes"), MADE, ids=lambda value: type(value).__name__)
def test_they_are_made_as_at_that_time(made, attributes):
    """With the arguments of that time, in their order; pickled and back they are the same."""
    for one in (made, pickle.loads(pickle.dumps(made))):
        assert {name: getattr(one, name) for name in attributes} == attributes
        assert (str(one), one.user_message, one.args) == ("m", "m", ("m",))
        assert repr(one).startswith(f"{type(made).__name__}(message='m', ")


def test_the_requests_id_is_told():
    """In the text, as at that time; and a message that is missing is said to be empty."""
    made = error.APIError("m", headers={"request-id": "r"})
    assert (str(made), made.request_id, made.user_message) == ("Request r: m", "r", "m")
    assert str(error.APIError()) == "<empty message>"


@pytest.mark.parametrize(
    ("cause", "name", "text"),
    [
        (errors.APITimeoutError(), "Timeout", "timed out"),
        (errors.APIConnectionError(), "APIConnectionError", "communicating"),
        (
            errors.RateLimitError("slow", response=HTTPResponse(429, (), b'{"error": {}}')),
            "APIError",
            "while streaming",
        ),
        (ValueError("x"), "APIConnectionError", "broke off"),
    ],
)
def test_a_stream_that_broke_off(cause, name, text):
    """By what broke it; the partial answer is kept."""
    fault = errors.StreamInterruptedError(message="broke off", partial="so far")
    fault.__cause__ = cause
    made = translated(fault)
    assert (type(made).__name__, made.partial) == (name, "so far")
    assert isinstance(made, errors.StreamInterruptedError)
    assert text in str(made)


def test_what_is_neither_passes():
    """Exceptions of other kinds, and those of that time, are left alone."""
    with pytest.raises(KeyError), old_errors():
        raise KeyError("x")
    first = error.TryAgain("m")
    with pytest.raises(error.TryAgain) as caught, old_errors():
        raise first
    assert caught.value is first
    with pytest.raises(error.Timeout) as caught, old_errors():
        raise errors.APITimeoutError
    assert isinstance(caught.value.__cause__, errors.APITimeoutError)
