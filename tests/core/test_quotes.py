"""What an error may not tell: the credentials of its request, wherever an answer that says 200 quotes them."""

from __future__ import annotations

import json
import traceback

import pytest
from pydantic import BaseModel, ValidationError

from edgeagent.core.quotes import unquote
from edgeagent.errors import APIError, APIStatusError, ResponseValidationError
from edgeagent.wire.http import HTTPRequest, HTTPResponse

__all__: list[str] = []

KEY = "sk-abc/def+123"
REQUEST = HTTPRequest(
    "POST", "https://a.test/v1?key=query-secret", {"Authorization": f"Bearer {KEY}", "x-mine": "plain"}
)


class Answer(BaseModel):
    id: int


def test_wherever_it_is_said() -> None:
    """In the text, the vendor's object at any depth, what is read from it, and the answer itself."""
    body = {"error": [{KEY: [f"a {KEY}", 7, None]}], "code": KEY, "param": "query-secret", "type": "plain"}
    content = json.dumps({"as it is": KEY, "escaped": 0}).replace("0", f'"{KEY}"'.replace("/", "\\/")).encode()
    error = APIStatusError(f"No: {KEY}", response=HTTPResponse(200, {"x": "y"}, content), body=body)
    unquote(error, REQUEST)
    assert str(error) == error.message == "No: [redacted]"
    assert error.body == {
        "error": [{"[redacted]": ["a [redacted]", 7, None]}],
        "code": "[redacted]",
        "param": "[redacted]",
        "type": "plain",
    }
    assert (error.code, error.param, error.type) == ("[redacted]", "[redacted]", "plain")
    assert error.response.json() == {"as it is": "[redacted]", "escaped": "[redacted]"}
    assert (error.status_code, error.response.headers["x"]) == (200, "y")


def test_what_does_not_quote_it_is_left_alone() -> None:
    """Body, response and cause are the same objects as before."""
    response, body, cause = HTTPResponse(200, (), b"{}"), {"message": "plain Bearer x-mine"}, ValueError("plain")
    error = ResponseValidationError(response, body, message="plain")
    error.__cause__ = cause
    before = dict(vars(error))
    unquote(error, REQUEST)
    assert vars(error) == before
    assert error.response is response
    assert error.body is body
    assert error.__cause__ is cause


def deeper() -> None:
    try:
        raise KeyError(KEY)
    except KeyError as cause:
        raise ValueError("plain") from cause


def refused(kind: str) -> None:
    """Raise the error of an answer that could not be read, with its cause."""
    long = "x" * 500 + KEY
    causes = {
        "pydantic": lambda: Answer(id=long),  # type: ignore[arg-type]  # that is what is wrong with it
        "json": lambda: json.loads(long),
        "plain": lambda: {}[KEY],
        "deeper": deeper,
    }
    try:
        causes[kind]()
    except (ValidationError, ValueError, KeyError) as cause:
        raise ResponseValidationError(HTTPResponse(200), None) from cause


@pytest.mark.parametrize("kind", ["pydantic", "json", "plain", "deeper"])
def test_not_by_its_cause_either(kind: str) -> None:
    """Even where the text of the cause is cut before it."""
    with pytest.raises(ResponseValidationError) as caught:
        refused(kind)
    assert caught.value.__cause__ is not None
    unquote(caught.value, REQUEST)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert KEY not in "".join(traceback.format_exception(None, caught.value, None))


def test_a_body_nested_as_none_is() -> None:
    """It is not attached, rather than looked at in part."""
    body: object = KEY
    for _ in range(100_000):
        body = [body]
    error = APIError("No", body=body)
    unquote(error, REQUEST)
    assert error.body is None
    while isinstance(body, list):  # taken apart from the outside: not by the interpreter's own recursion
        body = body.pop()


def test_a_request_without_a_credential() -> None:
    """There is nothing to look for."""
    error = APIError("No", body="plain")
    unquote(error, HTTPRequest("POST", "http://localhost:8080/v1"))
    assert (str(error), error.body) == ("No", "plain")
