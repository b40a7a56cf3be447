"""`errors="openai"`: the program that catches openai's own exceptions, with the release of `openai` that is here.

`.ci/run releases` runs the same program with the other major releases, each in an environment of its own.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

import httpx
import httpx2
import openai
import pytest

from edgeagent import APIError, AsyncEdgeClient, ConfigurationError, EdgeClient, NotFoundError, RateLimitError
from edgeagent.core.requests import chat_request
from edgeagent.effects import Scope
from edgeagent.resources.openai_errors import _http_library, translated
from edgeagent.testing import FakeProvider
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.openai_releases import program

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def test_a_program_that_catches_openais_exceptions(capsys: pytest.CaptureFixture[str]) -> None:
    """Statuses, connection faults, broken and interrupted streams, local errors, parsing; blocking and async."""
    program.main()
    assert capsys.readouterr().out.endswith("all held\n")


@pytest.mark.parametrize("kind", [EdgeClient, AsyncEdgeClient])
def test_the_package_is_missing(kind: type[EdgeClient], monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that would have nothing to raise is not built; the message says what to install."""
    monkeypatch.setattr("edgeagent.config.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install \"edgeagent\[openai\]\""):
        kind(providers=[], errors="openai")


def test_views_raise_the_same(tmp_path: Any) -> None:
    """Views, the other kind, and a client from a file raise what the client raises."""
    file = tmp_path / "edgeagent.toml"
    file.write_text('errors = "openai"\nproviders = []\n', encoding="utf-8")
    for client in (
        EdgeClient(providers=[FakeProvider(NotFoundError("no"))], errors="openai").with_options(timeout=5),
        AsyncEdgeClient(providers=[FakeProvider(NotFoundError("no"))], errors="openai").to_sync(),
    ):
        for create in (client.chat.completions, client.chat.completions.with_raw_response):
            with pytest.raises(openai.NotFoundError):
                create.create(**ASK)
    with pytest.raises(openai.OpenAIError):
        EdgeClient.from_file(file).chat.completions.create(**ASK)


def test_ours_stay_the_default() -> None:
    """Without the option nothing of openai's is raised."""
    modes: list[Literal["edgeagent", "openai"]] = ["edgeagent"]
    for errors in modes:
        with pytest.raises(NotFoundError):
            EdgeClient(providers=[FakeProvider(NotFoundError("no"))], errors=errors).chat.completions.create(**ASK)


def test_the_drivers_below() -> None:
    """Who tells errors in a way of its own gets ours."""
    client = EdgeClient(providers=[FakeProvider(NotFoundError("no"))], errors="openai")
    engine, scope = client._engine, Scope()
    flow = engine.pipeline.complete(chat_request(ASK), client.options, scope, prefers_async=False)
    with pytest.raises(NotFoundError):
        engine.runtime.plain_drivers[0].run(flow, scope)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_the_library_of_a_release(library: ModuleType) -> None:
    """It is the one whose `Timeout` the package shows."""
    package: Any = ModuleType("openai")
    package.Timeout = library.Timeout
    assert _http_library(package) is library


def test_a_plain_api_error() -> None:
    """An error that is neither a status nor a connection's keeps its message and body."""
    error: Any = translated(APIError("odd", body={"code": 5}))
    assert type(error) is openai.APIError
    assert (error.message, error.code, str(error.request.url)) == ("odd", "5", "http://local/")


def test_no_credential_reaches_the_error() -> None:
    """Of the request that an error shows, headers and query have no secret; a compressed response is read."""
    request = HTTPRequest("POST", "https://u:p@a.test/x?api-key=secret&api-version=1", {"api-key": "secret"}, b"prompt")
    response = HTTPResponse(429, {"content-encoding": "gzip", "retry-after": "3"}, b'{"a": 1}', request)
    error: Any = translated(RateLimitError("slow", response=response, body={"code": "c"}))
    assert type(error) is openai.RateLimitError
    shown = f"{error.request.url} {error.request.headers} {error.request.content!r} {error}"
    assert "secret" not in shown
    assert "prompt" not in shown
    assert "u:p" not in shown
    assert error.response.json() == {"a": 1}
    assert error.response.headers["retry-after"] == "3"
