"""HTTP messages as values: header look-up, and what they show."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.wire.http import REDACTED, Headers, HTTPRequest, HTTPResponse, redact_url

SECRET = "sk-very-secret"


@pytest.mark.parametrize(
    "fields",
    [{"A": "1", "b": "2"}, [("A", "1"), ("b", "2")], iter([("A", "1"), ("b", "2")]), Headers({"A": "1", "b": "2"})],
)
def test_headers_of(fields: object) -> None:
    """Headers are made of a mapping or of pairs, and looked up without regard to case."""
    headers = Headers(fields)  # type: ignore[arg-type]
    assert (headers["a"], headers["A"], headers["B"]) == ("1", "1", "2")
    assert (list(headers), len(headers)) == (["a", "b"], 2)
    assert [name in headers for name in ("A", "a", "c", 1)] == [True, True, False, False]
    assert headers == {"a": "1", "b": "2"}
    assert repr(headers) == "Headers({'a': '1', 'b': '2'})"
    with pytest.raises(KeyError):
        headers["c"]


def test_repeated_headers() -> None:
    """Fields of one name are joined on look-up and kept apart in `fields`."""
    headers = Headers([("Via", "a"), ("x", "y"), ("VIA", "b")])
    assert headers["via"] == "a, b"
    assert headers.fields == (("Via", "a"), ("x", "y"), ("VIA", "b"))
    assert pickle.loads(pickle.dumps(headers)).fields == headers.fields


@given(st.lists(st.tuples(st.text("abAB-", min_size=1), st.text())))
def test_any_headers(fields: list[tuple[str, str]]) -> None:
    """Whatever the fields: each value is part of what its name finds, in any case of letters."""
    headers = Headers(fields)
    assert set(headers) == {name.lower() for name, _ in fields}
    for name in {name for name, _ in fields}:
        joined = ", ".join(value for other, value in fields if other.lower() == name.lower())
        assert headers[name] == headers[name.swapcase()] == joined


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.example.org/v1/chat", "https://api.example.org/v1/chat"),
        (
            "https://api.example.org:8443/v1?beta=true&key=sk-x",
            f"https://api.example.org:8443/v1?beta={REDACTED}&key={REDACTED}",
        ),
        ("https://user:sk-x@api.example.org/", "https://api.example.org/"),
        ("https://sk-x@api.example.org/", "https://api.example.org/"),
        ("https://a@b@api.example.org/", "https://api.example.org/"),
        ("https://api.example.org/?sk-x", f"https://api.example.org/?{REDACTED}"),
        ("https://api.example.org/?a=1&sk-x&=sk-y", f"https://api.example.org/?a={REDACTED}&{REDACTED}&={REDACTED}"),
        ("https://api.example.org/?a=sk-x=y;b=sk-z", f"https://api.example.org/?a={REDACTED}"),
        ("https://api.example.org/#sk-x", "https://api.example.org/"),
        ("local:", "local:"),
        ("https://[sk-x", REDACTED),
    ],
)
def test_redact_url(url: str, shown: str) -> None:
    """Host and path stay; user information, query values and fragments go. Once redacted, it stays as it is."""
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


SECRETS = st.text("abcXYZ019-_.~%+", min_size=8).map(lambda text: f"S3CR3T{text}")


@given(SECRETS, st.sampled_from(["user:{}@h/", "{}@h/", "h/?k={}", "h/?{}", "h/?a=b&k={}&c", "h/p#{}", "h:1/?k[]={}"]))
def test_no_secret_stays_in_a_url(secret: str, place: str) -> None:
    """Wherever a URL holds a secret (but in its path), it is not shown."""
    assert "S3CR3T" not in redact_url("https://" + place.format(secret))


def request() -> HTTPRequest:
    return HTTPRequest(
        "POST",
        f"https://user:{SECRET}@api.example.org/v1?key={SECRET}",
        {"Authorization": f"Bearer {SECRET}", "x-anything": SECRET, "Content-Type": "application/json"},
        SECRET.encode(),
    )


def test_request() -> None:
    """A request holds what it was given."""
    made = request()
    assert (made.method, made.headers["authorization"]) == ("POST", f"Bearer {SECRET}")
    assert made.content == SECRET.encode()
    assert HTTPRequest("GET", "https://h/").headers == {}
    headers = Headers({"a": "b"})
    assert HTTPRequest("GET", "https://h/", headers).headers is headers


@pytest.mark.parametrize(
    "again",
    [
        HTTPRequest.redacted,
        lambda r: pickle.loads(pickle.dumps(r)),
        copy.copy,
        lambda r: HTTPResponse(200, request=r).request,
    ],
)
def test_redacted(again: object) -> None:
    """Redacted, pickled or kept by a response, a request has lost its body and all values that may be secrets."""
    safe = again(request())  # type: ignore[operator]
    assert (safe.method, safe.url, safe.content) == ("POST", f"https://api.example.org/v1?key={REDACTED}", b"")
    assert safe.headers == {"authorization": REDACTED, "x-anything": REDACTED, "content-type": "application/json"}


def test_request_repr() -> None:
    """Its repr shows method and URL without secrets, whatever the URL is."""
    assert repr(request()) == f"<HTTPRequest POST https://api.example.org/v1?key={REDACTED}>"
    assert repr(HTTPRequest("GET", f"https://[{SECRET}")) == f"<HTTPRequest GET {REDACTED}>"


def test_response() -> None:
    """A response gives its body as bytes, text and JSON; without a request it has a local one."""
    response = HTTPResponse(200, {"Content-Type": "application/json"}, '{"a": "é"}'.encode())
    assert (response.text, response.json()) == ('{"a": "é"}', {"a": "é"})
    assert (response.request.method, response.request.url) == ("POST", "local:")
    assert repr(response) == "<HTTPResponse [200]>"
    assert HTTPResponse(200, content=b"\xff").text == "\ufffd"
    headers = Headers({"a": "b"})
    assert HTTPResponse(200, headers).headers is headers


@pytest.mark.parametrize("content", [b"", b"<html>", b"{", b"\xff\xfe\xfa", b"[" * 200_000, b"9" * 10_000])
def test_no_json(content: bytes) -> None:
    """A body that is not JSON, or too deep to be read, is a ValueError and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011  # the class is all that is promised
        HTTPResponse(200, content=content).json()


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize(
    "asked",
    [
        HTTPRequest("POST", "https://h/", {"Authorization": f"Bearer {SECRET}"}),
        HTTPRequest("POST", "https://h/", {"x-api-key": SECRET}),
        HTTPRequest("POST", f"https://h/?alt=sse&key={SECRET}"),
    ],
)
def test_an_error_quotes_no_credential(status: int, asked: HTTPRequest) -> None:
    """A server that quotes the key which it refuses puts it into no error, as plain text or as JSON has it."""
    told = HTTPResponse(status, content=f'{{"message": "Wrong key {SECRET}."}}'.encode(), request=asked)
    assert told.json() == {"message": f"Wrong key {REDACTED}."}
    slashed = HTTPRequest("POST", "https://h/", {"api-key": "abc/def+g=="})
    assert (
        HTTPResponse(status, content=rb'"abc\/def+g== abc/def+g=="', request=slashed).text == f'"{REDACTED} {REDACTED}"'
    )


def test_an_answer_is_left_as_it_is() -> None:
    """What is no error is the caller's; what is no credential, or as short as a word, is part of the message."""
    asked = HTTPRequest(
        "POST", "https://h/?alt=stream", {"Authorization": "Bearer any", "openai-organization": "org-1234"}
    )
    for text in ("any org-1234", "the stream has no alt"):
        assert HTTPResponse(404, content=text.encode(), request=asked).text == text
    assert HTTPResponse(200, content=SECRET.encode(), request=request()).text == SECRET
    again = HTTPResponse(400, content=REDACTED.encode(), request=request().redacted())
    assert again.text == REDACTED


def test_response_pickle() -> None:
    """A pickled response is the same one but for its cookies, which are credentials."""
    headers = [("x-request-id", "req_1"), ("Set-Cookie", f"session={SECRET}"), ("set-cookie", SECRET)]
    response = HTTPResponse(429, headers, b"{}", request())
    assert SECRET in response.headers["set-cookie"]
    data = pickle.dumps(response)
    assert SECRET.encode() not in data
    made = pickle.loads(data)
    assert (made.status_code, made.content) == (429, b"{}")
    assert made.headers == {"x-request-id": "req_1", "set-cookie": f"{REDACTED}, {REDACTED}"}
