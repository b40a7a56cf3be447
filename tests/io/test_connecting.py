"""Until the request has left: names, addresses, TLS, a free connection. All of it ends in time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from edgeagent import effects
from edgeagent.effects import Flow, Timeout
from edgeagent.errors import APIConnectionError, APITimeoutError, DeadlineExceededError
from edgeagent.io import egress
from tests.io.driving import DRIPS, LONG, SHORT, Driven, post, read_all, silence, soon
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

HASTY = Timeout(connect=0.2, read=30.0, write=30.0, pool=0.2)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's certificate for loopback, of an authority that this environment trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        yield context


@contextlib.contextmanager
def deaf() -> Iterator[str]:
    """An address where connecting takes for ever: the queue of the listener is full."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def fails(driven: Driven, url: str, timeout: Timeout, deadline: float | None) -> APIConnectionError:
    begun = time.monotonic()
    with pytest.raises(APIConnectionError) as caught:
        driven(lambda: effects.send(post(url), timeout, deadline))
    assert time.monotonic() - begun < 4.5
    return caught.value


@pytest.mark.parametrize(
    ("timeout", "seconds", "kind_of_error"),
    [(HASTY, None, APITimeoutError), (HASTY, 20.0, APITimeoutError), (LONG, 0.2, DeadlineExceededError)],
)
def test_nobody_answers(driven: Driven, timeout: Timeout, seconds: float | None, kind_of_error: Any) -> None:
    """Whichever limit comes first ends it; the request never left."""
    with deaf() as url:
        error = fails(driven, url, timeout, None if seconds is None else soon(seconds))
    assert type(error) is kind_of_error
    assert error.sent is False


@pytest.mark.parametrize(
    ("timeout", "seconds", "kind_of_error"), [(HASTY, None, APITimeoutError), (LONG, 0.2, DeadlineExceededError)]
)
def test_no_connection_is_free(
    driven: Driven, timeout: Timeout, seconds: float | None, kind_of_error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting in the pool is limited, too."""
    monkeypatch.setattr(egress, "MAX_CONNECTIONS", 1)

    def flow() -> Flow[APIConnectionError]:
        yield from effects.open_stream(post(server.url), LONG, None)
        with pytest.raises(APIConnectionError) as caught:
            yield from effects.send(post(server.url), timeout, None if seconds is None else soon(seconds))
        return caught.value

    with Loopback(silent_body) as server:
        error = driven(flow)
    assert type(error) is kind_of_error
    assert error.sent is False


def silent_body(request: Any) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"
    yield from silence(request)


def test_messages_say_where_and_why(driven: Driven) -> None:
    """The host and what took too long."""
    with deaf() as url:
        error = fails(driven, url, HASTY, None)
    assert str(error) == error.message == f"Request timed out. {url[7:]}: connecting took too long."


# names


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What name look-ups give: a list of addresses, or a function that is called."""
    known: dict[str, Any] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        found = known.get(name, name)
        if callable(found):
            return found()
        addresses = [found] if isinstance(found, str) else found
        return [entry for address in addresses for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(("timeout", "seconds"), [(HASTY, None), (LONG, 0.2)])
def test_a_name_server_that_is_silent(names: dict[str, Any], timeout: Timeout, seconds: float | None) -> None:
    """A look-up cannot be interrupted; the call goes on without it."""
    answered = threading.Event()
    names["vendor.test"] = lambda: answered.wait(10)
    driven = Driven("sync")
    error = fails(driven, "http://vendor.test", timeout, None if seconds is None else soon(seconds))
    answered.set()
    assert type(error) is (APITimeoutError if seconds is None else DeadlineExceededError)
    assert error.sent is False


def test_a_name_that_is_unknown(driven: Driven, names: dict[str, Any]) -> None:
    """It is a connection error that names the host."""

    def unknown() -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    names["vendor.test"] = unknown
    error = fails(driven, "http://vendor.test/v1?key=secret", LONG, None)
    assert error.sent is False
    assert "vendor.test" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("timeout", [LONG, Timeout(connect=None)])
def test_a_host_of_several_addresses(names: dict[str, Any], timeout: Timeout) -> None:
    """The first that answers is taken."""
    names["vendor.test"] = ["127.0.0.2", "127.0.0.1"]
    with Loopback(lambda request: reply(200)) as server:
        url = server.url.replace("127.0.0.1", "vendor.test")
        assert Driven("sync")(lambda: effects.send(post(url), timeout, None)).status_code == 200
        names["vendor.test"] = ["127.0.0.2", "127.0.0.3"]
        assert fails(Driven("sync"), url, timeout, None).sent is False


def test_ipv6(driven: Driven) -> None:
    """An address in brackets is an address."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with contextlib.closing(socket.socket(socket.AF_INET6)) as probe:
        probe.bind(("::1", 0))
        port = probe.getsockname()[1]
    assert fails(driven, f"http://[::1]:{port}/", LONG, None).sent is False


# TLS


def test_tls(driven: Driven, tls: ssl.SSLContext) -> None:
    """Certificates are checked against the environment's authorities; the connection is used again."""

    def flow() -> Flow[bytes]:
        first = yield from effects.send(post(server.url), LONG, soon(20))
        source = yield from effects.open_stream(post(server.url), LONG, soon(20))
        return first.content + b"".join((yield from read_all(source)))

    with Loopback(lambda request: reply(200, b"x" * 100_000), tls=tls) as server:
        assert driven(flow) == b"x" * 200_000
        assert server.connections == 1


def test_a_certificate_of_nobody(driven: Driven, authority: trustme.CA) -> None:
    """The request never leaves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Loopback(lambda request: reply(200), tls=context) as server:
        error = fails(driven, server.url, LONG, None)
    assert error.sent is False
    assert "certificate" in str(error).lower()
    assert server.requests == []


@pytest.mark.parametrize(
    ("timeout", "seconds", "kind_of_error"), [(HASTY, None, APITimeoutError), (LONG, 0.2, DeadlineExceededError)]
)
def test_a_handshake_that_nobody_answers(
    driven: Driven, tls: ssl.SSLContext, timeout: Timeout, seconds: float | None, kind_of_error: Any
) -> None:
    """It belongs to connecting."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        error = fails(driven, url, timeout, None if seconds is None else soon(seconds))
    assert type(error) is kind_of_error
    assert error.sent is False


@pytest.mark.parametrize("answer", DRIPS, ids=["head", "body", "chunks"])
def test_a_deadline_holds_under_tls(driven: Driven, tls: ssl.SSLContext, answer: Any) -> None:
    """Against a server that drips encrypted bytes, too."""
    with Loopback(answer, tls=tls) as server:
        error = fails(driven, server.url, LONG, soon(0.3))
    assert type(error) is DeadlineExceededError
    assert error.sent is True


# sending


@pytest.mark.parametrize(
    ("timeout", "seconds", "kind_of_error"), [(SHORT, None, APITimeoutError), (LONG, 0.3, DeadlineExceededError)]
)
def test_a_server_that_does_not_read(
    driven: Driven, timeout: Timeout, seconds: float | None, kind_of_error: Any
) -> None:
    """A body that does not fit the network's buffers waits for the server no longer than allowed."""
    body = b"x" * 20_000_000
    limits = Timeout(connect=5.0, read=30.0, write=timeout.read, pool=5.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        request = post(f"http://127.0.0.1:{listener.getsockname()[1]}", body)
        with pytest.raises(kind_of_error) as caught:
            driven(lambda: effects.send(request, limits, None if seconds is None else soon(seconds)))
    assert type(caught.value) is kind_of_error
    assert caught.value.sent is True


def test_a_server_that_answers_before_it_has_read(driven: Driven) -> None:
    """Its answer is the answer, although the request could not be sent whole."""

    def refuses(connection: socket.socket) -> None:
        with connection:
            connection.recv(100)
            connection.sendall(reply(413, b"too long"))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1_000_000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=lambda: refuses(listener.accept()[0]))
        server.start()
        request = post(f"http://127.0.0.1:{listener.getsockname()[1]}", b"x" * 5_000_000)
        assert driven(lambda: effects.send(request, LONG, soon(10))).status_code == 413
        driven.runtime.close()
        server.join(5)
    assert not server.is_alive()
