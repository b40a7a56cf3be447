"""Our HTTP values as they go onto the wire."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import effects
from edgeagent.errors import RequestValidationError
from edgeagent.io.messages import address_of, fields_of, redirected
from edgeagent.wire.http import Headers, HTTPRequest
from tests.io.driving import LONG, Driven, Lent, post
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

SECRET = "sk-secret"


@pytest.mark.parametrize(
    "fields",
    [
        {"authorization": f"Bearer {SECRET}\n"},
        {"authorization": f"Bearer {SECRET}\r\nx-more: 1"},
        {"authorization": f"Bearer {SECRET}\u2026"},
        {"x-a": "\x00"},
        {"x a": "b"},
        {"": "b"},
        {"x-\u00e9": "b"},
    ],
)
def test_fields_that_http_does_not_allow(driven: Driven, fields: dict[str, str]) -> None:
    """They are refused before anything is sent; nothing about the error holds the value, which may be a credential."""
    with Loopback(lambda request: reply(200)) as server:
        with pytest.raises(RequestValidationError, match="header") as caught:
            driven(lambda: effects.send(HTTPRequest("POST", server.url, fields), LONG, None))
        assert server.connections == 0
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {vars(error)!r} {getattr(error, 'object', '')}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("module", [httpx])
def test_a_client_of_the_callers_gets_the_same_fields(kind: str, module: object) -> None:
    """What is refused is refused there too, white space around a value does not reach the wire."""
    lent = Lent(kind, module)
    with Loopback(lambda request: reply(200)) as server:

        def flow() -> effects.Flow[None]:
            yield from effects.send(post(server.url, x_a=" \tb "), LONG, None)
            with pytest.raises(RequestValidationError):
                yield from effects.send(post(server.url, x_a="\n"), LONG, None)

        lent(flow)
        assert [request.headers["x_a"] for request in server.requests] == ["b"]


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_every_value_is_sent_or_refused(value: str) -> None:
    """Latin-1 without control characters passes, but for the white space around it."""
    request = HTTPRequest("POST", "http://a", {"x-a": value})
    allowed = all(c == "\t" or " " <= c <= "~" or "\x80" <= c <= "\xff" for c in value)
    if allowed:
        assert fields_of(request) == [(b"x-a", value.strip(" \t").encode("latin-1"))]
    else:
        with pytest.raises(RequestValidationError):
            fields_of(request)


def test_framing_is_ours(driven: Driven) -> None:
    """A caller's Content-Length and Transfer-Encoding are not sent; a Host and an Accept-Encoding of its own are."""
    fields = {
        "content-length": "1",
        "transfer-encoding": "chunked",
        "host": "vendor.test",
        "Accept-Encoding": "identity",
    }
    with Loopback(lambda request: reply(200, request.body)) as server:
        response = driven(lambda: effects.send(HTTPRequest("POST", server.url, fields, b"12345"), LONG, None))
        assert response.content == b"12345"
        headers = server.requests[0].headers
        assert headers["host"] == "vendor.test"
        assert headers["accept-encoding"] == "identity"
        assert "transfer-encoding" not in headers


def test_user_information_in_the_url(driven: Driven) -> None:
    """It is sent as Basic authentication, unless a credential is given otherwise; it is in no message."""
    with Loopback(lambda request: reply(200)) as server:
        url = server.url.replace("//", "//me%40home:p%3A@")

        def flow() -> effects.Flow[None]:
            yield from effects.send(post(url), LONG, None)
            yield from effects.send(post(url, authorization="Bearer k"), LONG, None)

        driven(flow)
        sent = [request.headers["authorization"] for request in server.requests]
        assert sent == ["Basic bWVAaG9tZTpwOg==", "Bearer k"]
        assert "@" not in server.requests[0].headers["host"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/b",
        "/v1/chat",
        "http://",
        "http://[::1",
        "http://a:port/",
        "http://a\n/",
        f"http://{'a' * 70}",
        "http://a..b",
    ],
)
def test_urls_that_lead_nowhere(driven: Driven, url: str) -> None:
    """They are the caller's mistake, not a connection's."""
    with pytest.raises(RequestValidationError, match="URL"):
        driven(lambda: effects.send(post(url), LONG, None))


def test_what_a_url_may_hold() -> None:
    """Names and paths are encoded as httpx encodes them; a fragment stays here."""
    address = address_of("http://b\u00fccher.example:8080/a b/\u00e9?q=\u00fc#part")
    assert (address.host, address.url.target) == (b"xn--bcher-kva.example:8080", b"/a%20b/%C3%A9?q=%C3%BC")
    assert address_of("https://a").url.target == b"/"


@pytest.mark.parametrize(
    ("status", "location", "leads_to"),
    [
        (307, "/there", "https://a/there"),
        (308, "there?x=1", "https://a/v1/there?x=1"),
        (307, "https://a:443/there", "https://a:443/there"),
        (307, "https://A/there", "https://A/there"),
        (307, "//a/there", "https://a/there"),
        (301, "/there", None),
        (302, "/there", None),
        (303, "/there", None),
        (307, None, None),
        (307, "", None),
        (307, "https://b/there", None),
        (307, "http://a/there", None),
        (307, "https://a:444/there", None),
        (307, "https://a@b/there", None),
        (307, "https://[::1", None),
        (307, "ftp://a/", None),
    ],
)
def test_redirects(status: int, location: str | None, leads_to: str | None) -> None:
    """Only what keeps method, body and origin is followed."""
    request = HTTPRequest("POST", "https://a/v1/here", {"x-a": "b"}, b"body")
    following = redirected(request, status, Headers({} if location is None else {"location": location}))
    assert (following and following.url) == leads_to
    if following is not None:
        assert (following.method, following.headers, following.content) == ("POST", request.headers, b"body")
