"""Proxies that the environment names."""

from __future__ import annotations

import importlib.util
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from edgeagent import effects
from edgeagent.effects import Flow
from edgeagent.errors import APIConnectionError, ConfigurationError, DeadlineExceededError
from tests.io.driving import DRIPS, LONG, Driven, post, refused, soon
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def proxy() -> Iterator[Loopback]:
    with Loopback(lambda request: reply(200, b"proxied", set_cookie="a=b")) as server:
        yield server


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_requests_go_through_it(
    driven: Driven, proxy: Loopback, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the whole URL, over one connection; what it sets is not sent back."""
    monkeypatch.setenv(variable, proxy.url)
    if variable == "HTTP_PROXY":  # a CGI program gets a client's header under this name, and does not trust it
        monkeypatch.delenv("REQUEST_METHOD", raising=False)

    def flow() -> Flow[list[bytes]]:
        answers = []
        for _ in range(2):
            response = yield from effects.send(post("http://vendor.test/v1"), LONG, None)
            answers.append(response.content)
        return answers

    assert driven(flow) == [b"proxied", b"proxied"]
    assert [request.path for request in proxy.requests] == ["http://vendor.test/v1"] * 2
    assert all("cookie" not in request.headers for request in proxy.requests)
    assert proxy.connections == 1


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_proxy_that_wants_to_know_who(
    driven: Driven, proxy: Loopback, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user and password of its URL are for the proxy alone."""
    monkeypatch.setenv("http_proxy", f"{scheme}me:p%40ss@127.0.0.1:{proxy.port}")
    driven(lambda: effects.send(post("http://vendor.test/v1"), LONG, None))
    headers = proxy.requests[0].headers
    assert headers["proxy-authorization"] == "Basic " + b64encode(b"me:p@ss").decode()
    assert "authorization" not in headers


@pytest.mark.parametrize("exempt", ["*", "127.0.0.1", "vendor.test, 127.0.0.1", "127.0.0.1:{port}"])
def test_hosts_that_need_none(driven: Driven, proxy: Loopback, exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY names them."""
    monkeypatch.setenv("http_proxy", proxy.url)
    with Loopback(lambda request: reply(200, b"direct")) as server:
        monkeypatch.setenv("no_proxy", exempt.format(port=server.port))
        assert driven(lambda: effects.send(post(server.url), LONG, None)).content == b"direct"


def test_tls_goes_through_a_tunnel(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy sees the host and nothing of the request; its refusal is a connection error."""
    with Loopback(lambda request: reply(403)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//me:secret@"))
        with pytest.raises(APIConnectionError, match="403") as caught:
            driven(lambda: effects.send(post("https://vendor.test/v1", authorization="Bearer k"), LONG, None))
        assert caught.value.sent is False
        assert "secret" not in str(caught.value)
        (request,) = proxy.requests
        assert (request.method, request.path) == ("CONNECT", "vendor.test:443")
        assert "authorization" not in request.headers


def test_a_proxy_that_is_not_there(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request never left."""
    monkeypatch.setenv("http_proxy", refused())
    with pytest.raises(APIConnectionError) as caught:
        driven(lambda: effects.send(post("http://vendor.test"), LONG, None))
    assert caught.value.sent is False


@pytest.mark.parametrize("answer", DRIPS, ids=["head", "body", "chunks"])
def test_a_deadline_holds_behind_a_proxy(driven: Driven, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a proxy that drips."""
    with Loopback(answer) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        begun = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            driven(lambda: effects.send(post("http://vendor.test"), LONG, soon(0.3)))
        assert time.monotonic() - begun < 10


def test_socks_needs_an_extra(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the pip install to run."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "socksio" else found(name))
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match=r"httpx\[socks\]"):
        driven(lambda: effects.send(post("http://vendor.test"), LONG, None))
