"""The exception tree: as drawn, as openai's, picklable, and without secrets."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
import httpx2
import openai
import pytest

from edgeagent import errors
from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    ContentFilterFinishReasonError,
    DeadlineExceededError,
    EdgeAgentError,
    LengthFinishReasonError,
    RateLimitError,
    RequestValidationError,
    StreamInterruptedError,
    status_error_class,
)
from edgeagent.types import Attempt, ChatCompletion, Target
from edgeagent.wire.http import HTTPRequest, HTTPResponse

SECRET = "sk-very-secret"
REQUEST = HTTPRequest(
    "POST",
    f"https://user:{SECRET}@api.example.org/v1/chat?api-key={SECRET}&{SECRET}",
    {"Authorization": f"Bearer {SECRET}", "X-Custom": SECRET, "Content-Type": "application/json"},
    SECRET.encode(),
)
RESPONSE = HTTPResponse(
    429, {"x-request-id": "req_1", "retry-after": "3", "set-cookie": f"session={SECRET}"}, b"{}", REQUEST
)
BODY = {"message": "slow down", "code": "rate_limit", "param": "model", "type": "requests"}
COMPLETION = ChatCompletion(id="c", created=1, model="m", choices=[])

CLASSES = {name: value for name, value in vars(errors).items() if inspect.isclass(value) and name in errors.__all__}


def make(cls: type[EdgeAgentError]) -> EdgeAgentError:
    """An exception of any class, with everything that it can hold."""
    known: dict[str, Any] = {
        "message": "slow down",
        "request": REQUEST,
        "response": RESPONSE,
        "body": BODY,
        "param": "messages[0]",
        "partial": COMPLETION,
        "completion": COMPLETION,
    }
    if cls.__init__ is Exception.__init__:
        error = cls("slow down")
    else:
        parameters = inspect.signature(cls.__init__).parameters
        error = cls(**{name: value for name, value in known.items() if name in parameters})
    error.attempts = (Attempt(Target("openai", "m"), cls.__name__, 429, 3.0),)
    return error


every_class = pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)


def drawn() -> dict[str, str]:
    """Class → base, as the docstring draws them."""
    base: dict[str, str] = {}
    path: list[str] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = re.match(r"( *)((?:[│├└─ ]{4})*)(\w+Error)\b", line)
        if match and line.startswith("    "):
            depth = len(match[2]) // 4
            base[match[3]] = path[depth - 1] if depth else "Exception"
            path[depth:] = [match[3]]
    return base


def test_tree() -> None:
    """The tree in the docstring is the real one."""
    real = {cls.__name__: cls.__base__.__name__ for cls in CLASSES.values()}  # type: ignore[union-attr]
    assert drawn() == real
    assert errors.OpenAIError is EdgeAgentError


def test_attributes_in_the_drawing() -> None:
    """The attributes that the drawing names exist."""
    named = re.findall(r"(\w+Error) +[^\n]*?\.(\w+)$", inspect.getdoc(errors) or "", re.MULTILINE)
    assert len(named) == 5
    for name, attribute in named:
        assert hasattr(make(CLASSES[name]), attribute)


# as openai's

THEIRS = {name for name in openai.__all__ if name.endswith("Error") and issubclass(getattr(openai, name), Exception)}
SHARED = sorted(THEIRS & CLASSES.keys())
OF_OTHER_APIS = {
    "InvalidWebhookSignatureError",
    "OAuthError",
    "SubjectTokenProviderError",
    "WebSocketConnectionClosedError",
    "WebSocketQueueFullError",
}
"""openai's exceptions for APIs that edgeagent has not."""


def test_every_class_of_openai() -> None:
    """Each exception of the `openai` package has its namesake here."""
    assert THEIRS - OF_OTHER_APIS - CLASSES.keys() == set()
    assert len(SHARED) >= 16


@pytest.mark.parametrize("name", SHARED)
def test_bases(name: str) -> None:
    """What an `except` clause for one of openai's classes catches, it catches here."""
    theirs = {base.__name__ for base in getattr(openai, name).__mro__ if issubclass(base, openai.OpenAIError)}
    ours = {base.__name__ for base in CLASSES[name].__mro__}
    assert {"EdgeAgentError" if base == "OpenAIError" else base for base in theirs} <= ours


@pytest.mark.parametrize("name", SHARED)
def test_constructors(name: str) -> None:
    """Every call of openai's constructor is a call of ours: same names, kinds and order, nothing more required."""
    if CLASSES[name].__init__ is Exception.__init__:
        assert getattr(openai, name).__init__ is Exception.__init__
        return
    ours = list(inspect.signature(CLASSES[name]).parameters.values())
    theirs = list(inspect.signature(getattr(openai, name)).parameters.values())
    assert [p.name for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD] == [
        p.name for p in theirs if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    assert {p.name for p in theirs if p.kind is p.KEYWORD_ONLY} <= {p.name for p in ours}
    required = {p.name for p in theirs if p.default is p.empty}
    assert {p.name for p in ours if p.default is p.empty} <= required
    defaults = {p.name: p.default for p in ours}
    assert {p.name: p.default for p in theirs if p.default is not p.empty}.items() <= defaults.items()


@pytest.mark.parametrize("name", SHARED)
def test_attributes(name: str) -> None:
    """Made of the same values, it has every attribute of openai's, with the same value where that is plain."""
    theirs = getattr(openai, name)
    request = httpx2.Request("POST", "https://api.example.org/v1/chat")
    known = {
        "message": "slow down",
        "request": request,
        "response": httpx2.Response(429, headers={"x-request-id": "req_1"}, request=request),
        "body": BODY,
        "completion": COMPLETION,
    }
    accepted = inspect.signature(theirs.__init__).parameters
    their_error = theirs(**{k: v for k, v in known.items() if k in accepted}) if "self" in accepted else theirs("x")
    our_error = make(CLASSES[name])
    for attribute, value in vars(their_error).items():
        mine = getattr(our_error, attribute)
        if isinstance(value, str | int | dict | None):
            assert mine == value, attribute


@cache
def openais_client() -> openai.OpenAI:
    return openai.OpenAI(api_key="x")


@pytest.mark.parametrize("status", [*range(400, 460), *range(500, 530), 599])
def test_status_classes(status: int) -> None:
    """An HTTP status has openai's class, or our own one below it."""
    client = openais_client()
    response = httpx2.Response(status, request=httpx2.Request("POST", "https://api.example.org"))
    theirs = type(client._make_status_error("x", body=None, response=response)).__name__
    ours = status_error_class(status)
    assert theirs in {base.__name__ for base in ours.__mro__}
    error = ours("x", response=HTTPResponse(status))
    assert error.status_code == status


# each class


@every_class
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_pickle(cls: type[EdgeAgentError], again: Callable[[EdgeAgentError], EdgeAgentError]) -> None:
    """Every exception can be pickled and copied, and has all its attributes afterwards."""
    error = make(cls)
    made = again(error)
    assert type(made) is cls
    assert (str(made), made.args) == (str(error), error.args)
    assert vars(made).keys() == vars(error).keys()
    for name, value in vars(error).items():
        if not isinstance(value, HTTPRequest | HTTPResponse):
            assert getattr(made, name) == value
    if isinstance(error, APIError) and isinstance(made, APIError):
        assert (made.request.method, made.request.url) == (error.request.method, error.request.url)
    if isinstance(error, APIStatusError) and isinstance(made, APIStatusError):
        assert (made.response.status_code, made.response.content) == (429, b"{}")
        assert made.response.headers["retry-after"] == "3"


@every_class
def test_no_secrets(cls: type[EdgeAgentError]) -> None:
    """No credential of the request is in an exception's text, attributes or pickle."""
    error = make(cls)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert SECRET.encode() not in pickle.dumps(error, protocol)
    held = {name: value for name, value in vars(error).items() if name != "response"}
    shown = [str(error), repr(error), repr(held), repr(getattr(error, "response", None))]
    for request in (getattr(error, "request", None), getattr(getattr(error, "response", None), "request", None)):
        if request is not None:
            shown += [request.url, repr(request), repr(request.headers), repr(request.content)]
    assert SECRET not in " ".join(shown)


LOCAL = [cls for cls in CLASSES.values() if issubclass(cls, APIStatusError)]


@pytest.mark.parametrize("cls", LOCAL)
def test_local_errors_have_a_response(cls: type[APIStatusError]) -> None:
    """An error that no provider sent still has a response, a request and a status: the one that fits the class."""
    error = cls("refused")
    assert error.response.status_code == error.status_code == cls.default_status
    assert error.request.url == "local:"
    assert error.request_id is None
    assert issubclass(cls, status_error_class(error.status_code)) or cls is APIStatusError


def test_own_texts() -> None:
    """Our own subclasses say what they are, and know what they are told."""
    deadline = DeadlineExceededError()
    assert deadline.message == str(deadline) == "The call's deadline passed."
    assert (str(APITimeoutError()), str(APIConnectionError())) == ("Request timed out.", "Connection error.")
    assert APIConnectionError.sent
    assert StreamInterruptedError(message="x").partial is None
    assert RateLimitError("x").retry_after is None
    invalid = APIResponseValidationError(HTTPResponse(200), None)
    assert (str(invalid), invalid.status_code) == ("Data returned by API invalid for expected schema.", 200)
    assert ContentFilterFinishReasonError().completion is None


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}])
def test_length(usage: dict[str, int] | None) -> None:
    """A cut answer's error tells the usage where it is known."""
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": [], "usage": usage})
    assert ("completion_tokens=2" in str(LengthFinishReasonError(completion=completion))) == (usage is not None)


@pytest.mark.parametrize(
    ("body", "code", "param", "type_"),
    [
        (BODY, "rate_limit", "model", "requests"),
        ({"code": 42}, "42", None, None),
        ({"code": None}, None, None, None),
        ("slow down", None, None, None),
        (None, None, None, None),
    ],
)
def test_body(body: object, code: str | None, param: str | None, type_: str | None) -> None:
    """Code, param and type are read from an error object, as text."""
    error = APIStatusError("x", response=RESPONSE, body=body)
    assert (error.body, error.code, error.param, error.type) == (body, code, param, type_)


@pytest.mark.parametrize("header", ["x-request-id", "request-id", "x-amzn-requestid", "X-Request-Id"])
def test_request_id(header: str) -> None:
    """The provider's id of the request is read from the header in which it sends it."""
    assert APIStatusError("x", response=HTTPResponse(500, {header: "req_1"})).request_id == "req_1"


@pytest.mark.parametrize(
    ("given", "body", "param"),
    [
        ("messages", None, "messages"),
        ("messages", {"param": "other"}, "messages"),
        (None, {"param": "other"}, "other"),
        (None, None, None),
    ],
)
def test_request_validation(given: str | None, body: object, param: str | None) -> None:
    """A refused request names the field: the one that is told, else the one in the body; its body is like OpenAI's."""
    error = RequestValidationError("wrong", param=given, body=body)
    assert error.param == param
    if body is None:
        assert error.body == {"message": "wrong", "type": "invalid_request_error", "param": given, "code": None}


@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
def test_values_of_http_libraries(library: Any) -> None:
    """As openai's, the constructors take httpx's requests and responses; no secret of theirs is kept."""
    request = library.Request("POST", REQUEST.url, headers=dict(REQUEST.headers), content=SECRET)
    response = library.Response(
        429, headers=[("x-request-id", "r"), ("a", "1"), ("a", "2")], json=BODY, request=request
    )
    error = RateLimitError("slow down", response=response, body=BODY)
    assert (error.status_code, error.request_id, error.code) == (429, "r", "rate_limit")
    assert error.response.json() == BODY
    assert error.response.headers.fields[:3] == (("x-request-id", "r"), ("a", "1"), ("a", "2"))
    connection, timeout = APIConnectionError(request=request), APITimeoutError(request)
    invalid = APIResponseValidationError(response, None)
    for told in (error.request, error.response.request, connection.request, timeout.request, invalid.request):
        assert told.method == "POST"
        assert told.url.startswith("https://api.example.org/v1/chat")
        assert told.headers["content-type"] == "application/json"
        assert SECRET not in f"{told.url} {told.headers} {told.content!r}"


@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
def test_responses_without_a_request_or_a_body(library: Any) -> None:
    """What httpx does not have is left out."""
    error = APIStatusError("bad", response=library.Response(400, stream=library.ByteStream(b"x")), body=None)
    assert (error.status_code, error.response.text, error.request.url) == (400, "", "local:")
