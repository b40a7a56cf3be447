"""A user's program that catches the openai package's own exceptions, for any release of it from 1.3.8 on.

It speaks of nothing but `edgeagent`, `openai` and the standard library, since its environments have no more.
Prints a line for each thing that held; raises at the first that does not.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai

import edgeagent
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.providers import OpenAI
from edgeagent.testing import FakeProvider

ERROR = {"message": "No such thing.", "type": "invalid_request_error", "param": "model", "code": "some_code"}
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
KEY = "sk-a-secret-that-must-never-be-seen"
CHUNK = {
    "id": "c",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Par"}, "finish_reason": None}],
}


class Handler(BaseHTTPRequestHandler):
    """The model's name says what happens: a status, `broken` JSON, a `cut` stream, an `event` of an error in it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        what = body["model"]
        if what.isdigit():
            self._reply(int(what), {"error": ERROR})
        elif what == "broken":
            self._reply(200, {"choices": 5})
        else:
            self._stream(cut=what == "cut")

    def _reply(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "content-type": "application/json",
            "content-length": str(len(data)),
            "x-request-id": "req_1",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, *, cut: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in [CHUNK] if cut else [CHUNK, {"error": ERROR}]:
            data = f"data: {json.dumps(event)}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


def raised(client: EdgeClient, **params: Any) -> Exception:
    """What a call raises, blocking; an async one must raise the same class with the same words."""
    found = None
    try:
        made = client.chat.completions.create(**{**ASK, **params})
        if params.get("stream"):
            list(made)  # type: ignore[call-overload]
    except Exception as error:
        found = error
    assert found is not None, params
    other = asyncio.run(raised_async(client.to_async(), params))
    assert type(other) is type(found), (other, found)
    assert str(other) == str(found) or isinstance(found, openai.APIConnectionError)  # which quotes the operating system
    return found


async def raised_async(client: AsyncEdgeClient, params: dict[str, Any]) -> Exception:
    try:
        made = await client.chat.completions.create(**{**ASK, **params})
        if params.get("stream"):
            [piece async for piece in made]  # type: ignore[attr-defined]
    except Exception as error:
        return error
    finally:
        await client.close()
    raise AssertionError("no error")


def statuses(client: EdgeClient) -> None:
    classes = {
        400: "BadRequestError",
        401: "AuthenticationError",
        402: "APIStatusError",
        403: "PermissionDeniedError",
        404: "NotFoundError",
        409: "ConflictError",
        422: "UnprocessableEntityError",
        429: "RateLimitError",
        500: "InternalServerError",
        503: "InternalServerError",
    }
    for status, name in classes.items():
        for streaming in (False, True):
            error: Any = raised(client, model=str(status), stream=streaming)
            assert type(error) is getattr(openai, name), (status, type(error))
            assert isinstance(error, openai.APIStatusError)
            assert (error.status_code, error.code, error.param, error.type) == (
                status,
                "some_code",
                "model",
                ERROR["type"],
            )
            assert (error.request_id, error.body, error.message) == ("req_1", ERROR, error.__cause__.message)
            assert error.response.status_code == status
            assert error.response.json() == {"error": ERROR}
            assert error.response.headers["x-request-id"] == "req_1"
            assert error.response.request is error.request
            assert str(error.request.url).endswith("/v1/chat/completions")
            assert KEY not in repr(vars(error)) + repr(error.request.headers) + str(error)
            assert isinstance(error.__cause__, edgeagent.APIStatusError)
            assert len(error.__cause__.attempts) == 1
    print("statuses")


def transport(client: EdgeClient) -> None:
    nobody = EdgeClient(providers=[OpenAI(api_key=KEY, base_url="http://127.0.0.1:9/v1")], errors="openai", retry=0)
    error: Any = raised(nobody, model="m")
    assert type(error) is openai.APIConnectionError, error
    assert "connect" in str(error).lower()
    nobody.close()
    timeout: Any = raised(
        EdgeClient(providers=[FakeProvider(edgeagent.APITimeoutError())], errors="openai", retry=0), model="m"
    )
    assert type(timeout) is openai.APITimeoutError
    broken: Any = raised(client, model="broken")
    assert type(broken) is openai.APIResponseValidationError
    assert broken.status_code == 200
    print("transport")


def streams(client: EdgeClient) -> None:
    cut: Any = raised(client, model="cut", stream=True)
    assert type(cut) is openai.APIConnectionError
    assert cut.__cause__.partial.choices[0].message.content == "Par"
    told: Any = raised(client, model="event", stream=True)
    assert type(told) is openai.APIError
    assert (told.message, told.body, told.code, told.param) == (ERROR["message"], ERROR, "some_code", "model")
    assert told.__cause__.partial.choices[0].message.content == "Par"
    print("streams")


def local(client: EdgeClient) -> None:
    invalid: Any = raised(client, model="m", temperature="warm")
    assert type(invalid) is openai.BadRequestError
    assert (invalid.status_code, invalid.param, invalid.response.status_code) == (400, "temperature", 400)
    assert type(invalid.__cause__) is edgeagent.RequestValidationError
    empty: Any = raised(EdgeClient(providers=[], errors="openai"), model="m")
    assert type(empty) is openai.OpenAIError
    assert type(empty.__cause__) is edgeagent.NoTargetError
    late = EdgeClient(providers=[FakeProvider(edgeagent.DeadlineExceededError())], errors="openai", retry=0)
    assert type(raised(late, model="m")) is openai.APITimeoutError
    own: Any = raised(EdgeClient(providers=[FakeProvider(LookupError("mine"))], errors="openai", retry=0), model="m")
    assert type(own) is LookupError
    refused = caught(openai.OpenAIError, client.chat.completions.list)
    assert "stored" in str(refused)
    print("local")


def caught(kind: type[Exception], call: Any, *args: Any) -> Any:
    """What a call raises, as an `except` clause for `kind` catches it."""
    try:
        call(*args)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def parsing() -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    for finish, name in {
        "length": "LengthFinishReasonError",
        "content_filter": "ContentFilterFinishReasonError",
    }.items():
        if not hasattr(openai, name):  # younger than the package
            continue
        client = EdgeClient(providers=[FakeProvider({"content": "{", "finish_reason": finish})], errors="openai")
        for call in (_parse, _stream):
            error = caught(getattr(openai, name), call, client, City)
            assert error.completion.choices[0].message.content == "{"
            assert isinstance(error.__cause__, edgeagent.EdgeAgentError)
    print("parsing")


def _parse(client: EdgeClient, kind: Any) -> Any:
    return client.chat.completions.parse(**ASK, model="m", response_format=kind)


def _stream(client: EdgeClient, kind: Any) -> Any:
    with client.chat.completions.stream(**ASK, model="m", response_format=kind) as stream:
        return stream.get_final_completion()


def main() -> None:
    print("openai", openai.__version__)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    provider = OpenAI(api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1")
    with EdgeClient(providers=[provider], errors="openai", breaker=False, retry=0, cache=False) as client:
        statuses(client)
        transport(client)
        streams(client)
        local(client)
        parsing()
        assert pickle.loads(pickle.dumps(EdgeClient(providers=[], errors="openai")))._engine.settings.errors == "openai"
    server.shutdown()
    server.server_close()
    print("all held")


if __name__ == "__main__":
    sys.exit(main())
