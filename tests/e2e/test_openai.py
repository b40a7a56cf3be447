"""`openai`'s own client beside ours, against one server: the same requests, answers, chunks and errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion as TheirCompletion

import edgeagent
from tests.e2e.harness import OPENAI, data_event, streamed
from tests.support.corpus import body as recorded_body
from tests.support.corpus import records
from tests.support.loopback import HANG_UP, Loopback, Request, reply

PER_LIBRARY = {
    "accept": "they accept JSON even where they ask for a stream",
    "accept-encoding": "what each can undo",
    "connection": "HTTP/1.1 keeps connections without it",
    "content-length": "follows the body",
    "host": "follows the server",
    "user-agent": "each library's own",
}
"""Request headers that differ, with the reason; besides them every `x-stainless-…`, which is their telemetry."""

USER = {"role": "user", "content": "hello"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}
TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}, "strict": True},
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": {"type": "object"}}}
ASSISTANT = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
ANSWERED = TheirCompletion.model_validate(
    {
        **OPENAI.answer(),
        "choices": [{"index": 0, "finish_reason": "tool_calls", "logprobs": None, "message": ASSISTANT}],
    }
)

CALLS: dict[str, Callable[[], dict[str, Any]]] = {
    "simple": lambda: {"messages": [USER]},
    "sampling": lambda: {
        "messages": [{"role": "system", "content": "be brief"}, USER],
        "temperature": 0.5,
        "top_p": 1,
        "seed": 7,
        "stop": ["a", "b"],
        "n": 2,
        "presence_penalty": 0.1,
        "frequency_penalty": -0.1,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 3,
        "max_tokens": 5,
        "user": "u",
    },
    "tools": lambda: {
        "messages": [USER, ASSISTANT, {"role": "tool", "tool_call_id": "c1", "content": "done"}],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
    },
    "schema": lambda: {"messages": [USER], "response_format": SCHEMA, "max_completion_tokens": 9},
    "parts": lambda: {"messages": [{"role": "user", "content": [{"type": "text", "text": "what?"}, IMAGE]}]},
    "developer": lambda: {"messages": [{"role": "developer", "content": "x"}, {**USER, "name": "bob"}]},
    "service": lambda: {
        "messages": [USER],
        "store": True,
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "reasoning_effort": "low",
        "verbosity": "low",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "modalities": ["text"],
        "prediction": {"type": "content", "content": "x"},
    },
    "extras": lambda: {
        "messages": [USER],
        "extra_headers": {"X-Mine": "1"},
        "extra_query": {"v": "2", "w": "a b"},
        "extra_body": {"colour": {"deep": ["blue"]}, "temperature": 0.25},
        "timeout": 30,
    },
    "a query of all kinds": lambda: {
        "messages": [USER],
        "extra_query": {"a": [1, True, None], "b": ("x",), "c": {"d": {"e": 1}, "f": ["y"]}, "g": None, "h": False},
    },
    "one-shot iterables": lambda: {"messages": iter([USER]), "tools": (tool for tool in [TOOL])},
    "their message objects": lambda: {
        "messages": [USER, ANSWERED.choices[0].message, {"role": "tool", "tool_call_id": "c1", "content": "done"}]
    },
    "what was left out": lambda: {"messages": [USER], "temperature": openai.omit, "tools": openai.NOT_GIVEN},
    "unicode": lambda: {"messages": [{"role": "user", "content": "日本語 🎉 \u2028 \x7f"}]},
    "an alias with a slash": lambda: {"messages": [USER], "model": "openai/gpt-4o-mini"},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "account": {"organization": "org-1", "project": "proj-1"},
    "defaults": {
        "default_headers": {"X-Team": "t", "User-Agent": "mine"},
        "default_query": {"api": "1", "list": ["x"]},
    },
}


def clients(server: Loopback, **settings: Any) -> Iterator[tuple[str, Any]]:
    """Theirs and ours, blocking and async; closed afterwards."""
    given = {"api_key": "sk-1", "base_url": server.url + "/v1", "max_retries": 0, **settings}
    for library in (openai, edgeagent):
        with library.OpenAI(**given) as client:
            yield library.__name__, client
        yield library.__name__, library.AsyncOpenAI(**given)


def asked_all(client: Any, calls: Iterable[dict[str, Any]]) -> list[Any]:
    """What each call gives or raises, a stream as the list of its chunks; an async client is closed."""
    create = client.chat.completions.create
    results: list[Any] = []
    if not hasattr(client, "__aenter__"):
        for params in calls:
            try:
                made = create(**params)
                results.append(list(made) if params.get("stream") else made)
            except Exception as error:
                results.append(error)
        return results

    async def main() -> None:
        async with client:
            for params in calls:
                try:
                    made = await create(**params)
                    results.append([piece async for piece in made] if params.get("stream") else made)
                except Exception as error:
                    results.append(error)

    asyncio.run(main())
    return results


def asked(client: Any, **params: Any) -> Any:
    """What one call gives."""
    (result,) = asked_all(client, [params])
    if isinstance(result, Exception):
        raise result
    return result


def comparable(request: Request) -> dict[str, Any]:
    """What reached the wire, without what is each library's own."""
    own = {k: v for k, v in request.headers.items() if k not in PER_LIBRARY and not k.startswith("x-stainless-")}
    body = request.json()
    for message in body["messages"]:  # of an answer's message, sent back, they keep what is null
        message.update({"content": message.get("content")} if message["role"] == "assistant" else {})
    if body.get("stream"):  # usage is asked for in any case; their caller has to ask himself
        body["stream_options"] = {**body.get("stream_options", {}), "include_usage": True}
    return {"method": request.method, "path": request.path, "headers": own, "body": body}


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_same_requests(setting: str, streaming: bool) -> None:
    """Method, path, query, headers and body, for every call of the table, blocking and async."""
    more = {"stream": True} if streaming else {}
    seen = []
    with Loopback(OPENAI.serve) as server:
        for _, client in clients(server, **SETTINGS[setting]):
            server.requests.clear()
            results = asked_all(client, ({"model": "gpt-4o-mini", **call(), **more} for call in CALLS.values()))
            assert [result for result in results if isinstance(result, Exception)] == []
            seen.append(dict(zip(CALLS, map(comparable, server.requests), strict=True)))
    for library in seen[1:]:
        for name in CALLS:
            assert library[name] == seen[0][name], name


LEFT_OUT: list[Callable[[Any], Any]] = [
    lambda make: make({"x-a": "1"}).copy(default_headers={"X-A": openai.omit, "x-b": "2"}).chat,
    lambda make: make({"x-a": openai.omit, "x-b": "1"}).chat,
    lambda make: make({"User-Agent": openai.omit}).chat,
    lambda make: make({"x-a": "1"}, {"q": openai.omit, "r": "1"}).chat,
    lambda make: make({"x-a": "1"}).copy(default_query={"q": openai.omit, "r": "1"}).chat,
]
EXTRAS: list[dict[str, Any]] = [
    {},
    {"extra_headers": {"X-A": openai.omit, "x-b": "3"}},
    {"extra_headers": {"X-B": openai.omit, "user-agent": "mine"}},
    {"extra_headers": {"user-agent": openai.omit}},
    {"extra_query": {"q": openai.omit, "s": "1"}},
    {"extra_query": {"r": openai.omit}, "extra_body": {"a": openai.omit, "b": {"d": 1}}},
]


@pytest.mark.parametrize("made", LEFT_OUT)
def test_the_same_is_left_out(made: Callable[[Any], Any]) -> None:
    """What openai's `omit` takes away: of a call's, a view's and a constructor's defaults, in whichever case."""
    with Loopback(OPENAI.serve) as server:
        seen = []
        for library in (openai, edgeagent):
            server.requests.clear()

            def make(headers: Any, query: Any = None, library: Any = library) -> Any:
                url = server.url + "/v1"
                return library.OpenAI(api_key="k", base_url=url, default_headers=headers, default_query=query)

            chat = made(make)
            for extra in EXTRAS:
                chat.completions.create(model="m", messages=[USER], **extra)
            chat._client.close()
            names = ("x-a", "x-b", "authorization")
            told = [[request.headers.get(name) for name in names] for request in server.requests]
            agents = [request.headers.get("user-agent", "") for request in server.requests]
            own = [agent if agent == "mine" else agent.startswith(("OpenAI/", "edgeagent/")) for agent in agents]
            seen.append((told, own, [(request.path, request.json()) for request in server.requests]))
        assert seen[1] == seen[0]


ANSWERS = [record for record in records("openai.chat") if record["status"] == 200]


def test_the_same_answers() -> None:
    """Recorded answers, read by both: equal as dicts, field by field, and so is what was sent."""
    chosen = [record for record in ANSWERS if not record["stream"]][::15]
    calls = [{"model": "m", "messages": [{"role": "user", "content": str(i)}]} for i in range(len(chosen))]
    with Loopback(lambda request: reply(200, recorded_body(_chosen(request, chosen)), x_request_id="req_1")) as server:
        theirs, _, *others = (asked_all(client, calls) for _, client in clients(server))
    for ours in others:
        for record, answer, other in zip(chosen, ours, theirs, strict=True):
            assert _timeless(answer.to_dict()) == _timeless(other.to_dict()), record["id"]
            assert answer._request_id == other._request_id == "req_1"
            assert _timeless(answer.model_dump()) == _timeless(_with_ours(answer.model_dump(), other.model_dump()))


def _chosen(request: Request, records: list[Any]) -> Any:
    return records[int(request.json()["messages"][0]["content"])]


def _timeless(value: dict[str, Any]) -> dict[str, Any]:
    """Recordings have no time; ours is then that of the answer."""
    return {name: item for name, item in value.items() if name != "created"}


def _with_ours(mine: Any, theirs: Any) -> Any:
    """Theirs, with the fields that only our objects have, where these are None."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        extra = {name: None for name, value in mine.items() if name not in theirs and value is None}
        return {**{name: _with_ours(mine.get(name), value) for name, value in theirs.items()}, **extra}
    if isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        return [_with_ours(a, b) for a, b in zip(mine, theirs, strict=True)]
    return theirs


def test_the_same_chunks() -> None:
    """Recorded streams, read by both, chunk for chunk (their caller asks for usage, as ours may)."""
    chosen = [r for r in ANSWERS if r["stream"] and len(recorded_body(r)) < 30_000][::8]
    options: dict[str, Any] = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}
    calls = [{**options, "messages": [{"role": "user", "content": str(i)}]} for i in range(len(chosen))]
    with Loopback(lambda request: streamed([recorded_body(_chosen(request, chosen))])) as server:
        theirs, _, *others = (asked_all(client, calls) for _, client in clients(server))
    for ours in others:
        for record, pieces, other in zip(chosen, ours, theirs, strict=True):
            assert [_timeless(p.to_dict()) for p in pieces] == [_timeless(p.to_dict()) for p in other], record["id"]


def test_hidden_usage() -> None:
    """A caller who did not ask for usage sees the chunks that he saw with openai."""

    def answer(request: Request) -> Any:
        events = OPENAI.events("Par", "is")
        wanted = request.json().get("stream_options", {}).get("include_usage")
        return streamed(events if wanted else [*events[:-2], events[-1]])

    with Loopback(answer) as server:
        made = [asked(c, model="m", messages=[USER], stream=True) for _, c in clients(server)]
    theirs, _, ours, also_ours = ([piece.to_dict() for piece in pieces] for pieces in made)
    assert ours == also_ours == theirs


# errors


OBJECT = {"message": "No such thing.", "type": "invalid_request_error", "param": "model", "code": "some_code"}
BODIES: dict[str, Any] = {
    "object": {"error": OBJECT},
    "flat": {"message": "flat", "code": "c"},
    "text": {"error": "just text"},
    "detail": {"detail": "Not Found"},
    "json list": [1, 2],
    "no object": {"error": None, "more": 1},
    "numbers": {"error": {"message": "m", "type": "t", "param": None, "code": 42}},
    "html": b"<html><title>Bad Gateway</title></html>",
    "plain": b"upstream connect error",
    "empty": b"",
    "json text": "sorry",
    "null": None,
}
STATUSES = [400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529]
ATTRIBUTES = ("status_code", "request_id", "code", "param", "type", "body")


def failing(client: Any, **params: Any) -> Exception:
    try:
        asked(client, **{"model": "m", "messages": [USER], **params})
    except Exception as error:
        return error
    raise AssertionError("no error")


def names(error: BaseException) -> list[str]:
    """The names of its class and of those above."""
    return [kind.__name__ for kind in type(error).__mro__]


def told(error: Any) -> dict[str, Any]:
    return {name: getattr(error, name, "nothing") for name in ATTRIBUTES}


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", BODIES)
def test_the_same_errors(name: str, streaming: bool) -> None:
    """For every status and body: their class is one of ours's, and the attributes are theirs."""
    body = BODIES[name]
    kind = "application/json" if not isinstance(body, bytes) else "text/html"
    statuses = STATUSES if name == "object" else (400, 404, 500)
    calls = [{"model": str(status), "messages": [USER], "stream": streaming} for status in statuses]

    def answer(request: Request) -> bytes:
        return reply(int(request.json()["model"]), body, content_type=kind, x_request_id="req_1")

    with Loopback(answer) as server:
        theirs, _, *others = (asked_all(client, calls) for _, client in clients(server))
    assert len(server.requests) == 4 * len(statuses)
    for ours in others:
        for status, error, other in zip(statuses, ours, theirs, strict=True):
            assert type(other).__name__ in names(error), status
            assert told(error) == told(other), status
            assert error.response.status_code == other.response.status_code == status
            assert error.response.text == other.response.text
            assert error.response.headers["x-request-id"] == "req_1"


@pytest.mark.parametrize("fault", ["refused", "reset", "silent"])
def test_the_same_connection_errors(fault: str) -> None:
    """Nobody there, a reset, a silence."""
    from threading import Event

    release = Event()
    handler: Any = {"refused": None, "reset": [HANG_UP], "silent": None}[fault]
    with Loopback(lambda request: handler or [release.wait(5) and b""]) as server:
        address = {"base_url": "http://127.0.0.1:9/v1"} if fault == "refused" else {}
        errors = [
            failing(client, **({"timeout": 0.1} if fault == "silent" else {}))
            for _, client in clients(server, **address)
        ]
        release.set()
    theirs, _, *ours = errors
    assert type(theirs).__name__ == ("APITimeoutError" if fault == "silent" else "APIConnectionError")
    for error in ours:
        assert type(theirs).__name__ in names(error)
        assert isinstance(error, edgeagent.OpenAIError)


def test_the_same_error_in_a_stream() -> None:
    """Their class is above ours, and what it says is the same; ours has what had come as well."""
    event = data_event({"error": OBJECT})
    with Loopback(lambda request: streamed([*OPENAI.opening(), OPENAI.text("a"), event])) as server:
        theirs, _, *ours = (failing(client, stream=True) for _, client in clients(server))
    assert type(theirs).__name__ == "APIError"
    for error in ours:
        assert "APIError" in names(error)
        assert OBJECT["message"] in str(error)
        cause: Any = error.__cause__
        assert (cause.code, cause.param, cause.type) == (theirs.code, theirs.param, theirs.type)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {}),
        (429, {}),
        (409, {}),
        (408, {}),
        (400, {}),
        (401, {}),
        (422, {}),
        (503, {}),
        (404, {"x_should_retry": "true"}),
        (500, {"x_should_retry": "false"}),
    ],
)
def test_the_same_number_of_tries(status: int, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`max_retries` means the same."""
    monkeypatch.setattr("openai._base_client.SyncAPIClient._sleep_for_retry", lambda self, **kwargs: None)
    counts = []
    for library in (openai, edgeagent):
        with Loopback(lambda request: reply(status, {"error": OBJECT}, **headers)) as server:
            with library.OpenAI(api_key="k", base_url=server.url, max_retries=2) as client:
                if library is edgeagent:
                    client._engine.runtime.sync_driver._sleep = lambda seconds: None
                failing(client)
            counts.append(len(server.requests))
    assert counts[0] == counts[1]


def test_azure() -> None:
    """Both put deployment, version and key in the same places."""
    settings = {"api_version": "2024-10-21", "api_key": "k", "max_retries": 0}
    seen = []
    with Loopback(OPENAI.serve) as server:
        for library, kind in ((openai, "AzureOpenAI"), (edgeagent, "AzureOpenAI"), (edgeagent, "AsyncAzureOpenAI")):
            for more in ({}, {"azure_deployment": "mine"}):
                client = getattr(library, kind)(azure_endpoint=server.url, **settings, **more)
                asked(client, model="gpt-4o", messages=[USER])
                seen.append(comparable(server.requests[-1]))
                if hasattr(client, "__enter__"):
                    client.close()
    theirs = seen[:2]
    assert seen[2:4] == theirs
    assert seen[4:6] == theirs


def test_per_call_settings() -> None:
    """`with_options` and `copy` are theirs."""
    with Loopback(OPENAI.serve) as server:
        bodies = []
        for library in (openai, edgeagent):
            with library.OpenAI(api_key="k", base_url=server.url) as client:
                view = client.with_options(timeout=5, max_retries=0, default_headers={"X-A": "1"})
                asked_of = partial(view.copy(default_headers={"X-B": "2"}).chat.completions.create, model="m")
                asked_of(messages=[USER])
                bodies.append(comparable(server.requests[-1]))
    assert bodies[0] == bodies[1]
