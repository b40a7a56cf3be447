"""IBM's watsonx.ai, by its documentation: no record shows it. The bodies are written after its API reference."""

from __future__ import annotations

import base64
import json
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContextWindowExceededError,
    NotFoundError,
    PermissionDeniedError,
    RequestValidationError,
)
from edgeagent.providers import watsonx
from edgeagent.providers.watsonx import IAMToken, Watsonx
from edgeagent.types import ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.loopback import Loopback, Request, chunk, head, reply

__all__: list[str] = []

MODEL = "ibm/granite-4-h-small"
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "sum", "parameters": {"type": "object", "properties": {}}}}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model_id": MODEL,
    "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Ciao"}, "finish_reason": "stop"}],
    "created": 1749736055,
    "model_version": "4.0.0",
    "created_at": "2025-06-12T13:47:35.564Z",
    "usage": {"completion_tokens": 3, "prompt_tokens": 38, "total_tokens": 41},
    "system": {"warnings": [{"message": "Third-party license.", "id": "disclaimer_warning"}]},
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "APIKEY", "URL", "PROJECT_ID", "SPACE_ID"):
        monkeypatch.delenv(f"WATSONX_{name}", raising=False)


def encoded(**params: Any) -> dict[str, Any]:
    request = ChatRequest.model_validate({"model": MODEL, "messages": HELLO, **params})
    return Watsonx.codec.encode_request(request, model=MODEL, stream=False).body


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ({}, {}),
        ({"stop": "."}, {"stop": ["."]}),
        ({"stop": [".", "!"]}, {"stop": [".", "!"]}),
        ({"tools": [TOOL], "tool_choice": "required"}, {"tools": [TOOL], "tool_choice_option": "required"}),
        ({"tools": [TOOL], "tool_choice": "auto"}, {"tools": [TOOL], "tool_choice_option": "auto"}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "sum"}}},
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "sum"}}},
        ),
        ({"max_completion_tokens": 9, "time_limit": 1000}, {"max_completion_tokens": 9, "time_limit": 1000}),
        ({"user": "u", "metadata": {"a": "b"}, "store": False, "parallel_tool_calls": True}, {}),
    ],
)
def test_requests(params: dict[str, Any], sent: dict[str, Any]) -> None:
    """OpenAI's parameters under watsonx's names; what is only advice is left out, and no body says `stream`."""
    assert encoded(**params) == {"model_id": MODEL, "messages": HELLO, **sent}


def test_the_inverse() -> None:
    """A body is read back as the request that it was, whoever pays."""
    request = ChatRequest.model_validate(
        {"model": MODEL, "messages": HELLO, "tools": [TOOL], "tool_choice": "required", "stop": ["."], "seed": 1}
    )
    body = Watsonx.codec.encode_request(request, model=MODEL, stream=False).body
    assert Watsonx.codec.decode_request({"project_id": "p", **body}) == request
    assert Watsonx.codec.wire == "watsonx.chat"


def test_what_has_no_place_is_refused() -> None:
    """A web search changes the answer: it is not left out in silence."""
    with pytest.raises(RequestValidationError) as caught:
        encoded(web_search_options={"search_context_size": "low"})
    assert caught.value.param == "web_search_options"


def error_body(code: str, message: str, status: int) -> bytes:
    errors = [{"code": code, "message": message, "more_info": "https://cloud.ibm.com/apidocs/watsonx-ai"}]
    return json.dumps({"errors": errors, "trace": "f8a0", "status_code": status}).encode()


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "json_validation_error", "Json document validation error: max_tokens", BadRequestError),
        (
            400,
            "invalid_input_argument",
            "The number of input tokens 4098 cannot exceed the total tokens limit 4096 for this model",
            ContextWindowExceededError,
        ),
        (401, "authentication_token_expired", "Failed to authenticate the request due to an expired token", None),
        (403, "token_quota_reached", "The token quota for the project has been reached", PermissionDeniedError),
        (404, "model_not_supported", "Model 'x' is not supported for this environment", NotFoundError),
    ],
)
def test_errors(status: int, code: str, message: str, kind: type[Exception] | None) -> None:
    """Class by status, or by the table of context overflow; message and code are the first error's; and back."""
    response = HTTPResponse(status, {"content-type": "application/json"}, error_body(code, message, status))
    error = Watsonx.codec.decode_error(response)
    assert type(error) is (kind or AuthenticationError)
    assert message in str(error)
    assert error.code == code or kind is ContextWindowExceededError
    again = Watsonx.codec.encode_error(error)
    assert again.status_code == status
    assert again.json()["errors"][0]["message"] == error.message


def test_an_error_inside_a_stream() -> None:
    """An error event is the typed error, not an answer that is nothing."""
    decoder = Watsonx.codec.stream_decoder(ChatRequest(model=MODEL, messages=HELLO))
    data = b"id: 1\nevent: error\ndata: " + error_body("model_not_supported", "no such model", 404) + b"\n\n"
    with pytest.raises(NotFoundError, match="no such model"):
        decoder.feed(data)


# The provider, against a server


def token_of(number: int) -> str:
    """A token that ends in an hour, as IBM Cloud's do."""
    claims = {"iat": int(time.time()), "exp": int(time.time()) + 3600, "n": number}
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{part}.c2ln"


def stream() -> Iterator[bytes]:
    """As IBM sends it: numbered events without a closing `[DONE]`."""
    base = {key: ANSWER[key] for key in ("id", "model_id", "model", "created", "model_version", "created_at")}
    pieces: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "finish_reason": None, "delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"index": 0, "finish_reason": None, "delta": {"content": "C"}}]},
        {"choices": [{"index": 0, "finish_reason": None, "delta": {"content": "iao"}}]},
        {"choices": [{"index": 0, "finish_reason": "stop", "delta": {"content": ""}}]},
        {"choices": [], "usage": ANSWER["usage"]},
    ]
    yield head()
    for number, piece in enumerate(pieces, 1):
        data = json.dumps({"object": "chat.completion.chunk", **base, **piece})
        yield chunk(f"id: {number}\nevent: message\ndata: {data}\n\n".encode())
    yield chunk(b"")


def served(request: Request) -> Any:
    if request.path == "/identity/token":
        if b"wrong" in request.body:
            return reply(400, {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."})
        expires = {"expires_in": 3600, "expiration": int(time.time()) + 3600}
        return reply(200, {"access_token": token_of(1), "refresh_token": "-", "token_type": "Bearer", **expires})
    return stream() if "chat_stream" in request.path else reply(200, ANSWER)


def provider_at(url: str) -> Watsonx:
    provider = Watsonx(project_id="p", api_key="key", base_url=url)
    provider.api_key = IAMToken("key", url)
    return provider


def test_a_call_and_a_stream() -> None:
    """The key is changed for a token once; the path says what is streamed, the body who pays; nothing is lost."""
    with Loopback(served) as server, EdgeClient(providers=[provider_at(server.url)], cache=False) as client:
        whole = client.chat.completions.create(model=MODEL, messages=HELLO)
        chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
    assert whole.choices[0].message.content == "Ciao"
    assert (whole.model_extra or {})["system"]["warnings"][0]["id"] == "disclaimer_warning"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Ciao"
    paths = [request.path for request in server.requests]
    assert paths == ["/identity/token"] + [f"/ml/v1/text/{end}?version=2024-05-31" for end in ("chat", "chat_stream")]
    for request in server.requests[1:]:
        assert request.headers["authorization"] == f"Bearer {token_of(1)}"[:40] + request.headers["authorization"][40:]
        assert request.json() == {"project_id": "p", "model_id": MODEL, "messages": HELLO}


def test_a_streamed_answer_is_the_whole_one() -> None:
    """What the stream tells, assembled, is what the unstreamed answer tells."""
    decoder = Watsonx.codec.stream_decoder(ChatRequest(model=MODEL, messages=HELLO))
    body = b"".join(piece.partition(b"\r\n")[2][:-2] for piece in list(stream())[1:])
    joined = assemble([*decoder.feed(body), *decoder.end()])
    answer = Watsonx.codec.decode_response(HTTPResponse(200, {}, json.dumps(ANSWER).encode()))
    assert joined.choices[0].message.content == answer.choices[0].message.content
    assert joined.choices[0].finish_reason == answer.choices[0].finish_reason == "stop"
    assert joined.usage == answer.usage


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_call(backend: str) -> None:
    """The same without blocking the loop."""
    import anyio

    async def main() -> None:
        async with AsyncEdgeClient(providers=[provider_at(server.url)], cache=False) as client:
            answer = await client.chat.completions.create(model=MODEL, messages=HELLO)
            assert answer.choices[0].message.content == "Ciao"

    with Loopback(served) as server:
        anyio.run(main, backend=backend)


def test_a_refused_key_is_not_quoted() -> None:
    """A wrong key is an `AuthenticationError` that says neither the key nor what the token server said."""
    with Loopback(served) as server:
        token = IAMToken("wrong-secret", server.url)
        with pytest.raises(AuthenticationError) as caught:
            token()
    assert "secret" not in f"{caught.value!r} {token!r}"
    assert "BXNIM" not in str(caught.value)


def test_a_token_server_that_cannot_be_reached() -> None:
    """No connection is no token, and typed."""
    with pytest.raises(AuthenticationError):
        IAMToken("key", "http://127.0.0.1:1")()


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IBM's package the error says what to install."""
    monkeypatch.setitem(sys.modules, "ibm_cloud_sdk_core", None)
    with pytest.raises(ConfigurationError, match=r"edgeagent\[watsonx\]"):
        IAMToken("key")()


def test_who_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project, a space, or what the environment says; nobody is an error; the caller's own body wins."""
    with pytest.raises(ConfigurationError, match="WATSONX_PROJECT_ID"):
        Watsonx(api_key="key")
    monkeypatch.setenv("WATSONX_SPACE_ID", "s")
    monkeypatch.setenv("WATSONX_PROJECT_ID", "p")
    monkeypatch.setenv("WATSONX_API_KEY", "key")
    monkeypatch.setenv("WATSONX_URL", "https://eu-de.ml.cloud.ibm.com/")

    def paid(provider: Watsonx, **extra: Any) -> Any:
        request = ChatRequest.model_validate({"model": MODEL, "messages": HELLO, **extra})
        code = provider.codec_for(MODEL).encode_request(request, model=MODEL, stream=False)
        sent = json.loads(provider.http_request(code, "token", model=MODEL, stream=False).content)
        return {name: sent[name] for name in ("project_id", "space_id") if name in sent}

    assert paid(Watsonx()) == {"project_id": "p"}
    assert paid(Watsonx(space_id="other")) == {"space_id": "other"}
    assert paid(Watsonx(), project_id="mine") == {"project_id": "mine"}
    assert Watsonx().endpoint(MODEL) == "https://eu-de.ml.cloud.ibm.com/ml/v1/text/chat"


def test_identity_and_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key stands in cache keys as its hash, a function needs a name; a pickle holds no key and finds it again."""
    monkeypatch.setenv("WATSONX_APIKEY", "secret-key")
    monkeypatch.setenv("WATSONX_PROJECT_ID", "p")
    provider = Watsonx()
    assert provider.cache_identity
    assert "secret" not in provider.cache_identity
    assert Watsonx(api_key="another").cache_identity != provider.cache_identity
    assert Watsonx(api_key=lambda: "token").cache_identity is None
    data = pickle.dumps(provider)
    assert b"secret" not in data
    again = pickle.loads(data)
    assert isinstance(again.api_key, IAMToken)
    assert again.cache_identity == provider.cache_identity


def test_the_environment_configures_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`EdgeClient()` has it when its key is set."""
    from edgeagent.config import environment_providers

    monkeypatch.setenv("WATSONX_API_KEY", "key")
    monkeypatch.setenv("WATSONX_PROJECT_ID", "p")
    assert "watsonx" in [provider.name for provider in environment_providers()]


def test_the_adapter_is_as_short_as_the_recipe_promises() -> None:
    """docs/adding-a-vendor.md: less than 150 lines, with every line elsewhere that names it."""
    root = Path(watsonx.__file__).resolve().parents[2]
    files = [*(root / "edgeagent").rglob("*.py"), *(root / "scripts").iterdir(), root / "pyproject.toml"]
    lines = [line for file in files if file.is_file() for line in named(file)]
    assert 100 < len(lines) < 150


def named(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    if file.name == "watsonx.py":
        return lines
    return [line for line in lines if "watsonx" in line.lower() or "ibm" in line.lower()]
