"""Google's streams that are asked for as one JSON array, without `alt=sse`: calls of the pipeline like any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from google.genai import types

from edgeagent import EdgeClient
from edgeagent.errors import BudgetExceededError
from edgeagent.providers import Anthropic, Gemini, OpenAI
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.shield.finding import Forms
from tests.support.corpus import body, records
from tests.support.loopback import HANG_UP, Loopback, Pause, Request, chunk, events, head, reply
from tests.transports.harness import WAYS, Caller, settled, through
from tests.transports.recorded import Upstream, sent
from tests.transports.sdks import vendor

ways = pytest.mark.parametrize("way", WAYS, ids="-".join)

MODEL = "gemini-2.5-flash"
ARRAY = f"/v1beta/models/{MODEL}:streamGenerateContent"
EVENTS = ARRAY + "?alt=sse"
WHOLE = f"/v1beta/models/{MODEL}:generateContent"
ASK = {"contents": [{"role": "user", "parts": [{"text": "Where?"}]}], "generationConfig": {"temperature": 0}}
SDK = {"x-goog-api-key": "k", "user-agent": "google-genai-sdk/1.9.0 gl-python/3.13", "x-goog-api-client": "gl-python"}
DOCUMENTS: list[dict[str, Any]] = [
    {"candidates": [{"content": {"parts": [{"text": "Par"}], "role": "model"}, "index": 0}], "novelty": {"a": 1.50}},
    {
        "candidates": [{"content": {"parts": [{"text": "is"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
        "modelVersion": MODEL,
    },
]
ERROR = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE", "details": [{"novelty": 1}]}}
AS_ARRAY = b"[" + b"\n,\r\n".join(json.dumps(document, indent=2).encode() for document in DOCUMENTS) + b"\n]"


def google(request: Request) -> Any:
    """A vendor that answers in the form that it is asked for."""
    if "streamGenerateContent" not in request.path:
        return reply(200, joined())
    if alt(request) == "sse":
        return events(DOCUMENTS)
    return array(AS_ARRAY)


def array(data: bytes) -> Iterator[Any]:
    yield head(content_type="application/json; charset=UTF-8")
    yield chunk(data[:50])
    yield chunk(data[50:])
    yield chunk(b"")


def joined() -> dict[str, Any]:
    last = DOCUMENTS[1]
    whole = {**last["candidates"][0], "content": {"parts": [{"text": "Paris"}], "role": "model"}}
    return {**last, "candidates": [whole], "novelty": {"b": 2}}


def alt(request: Request) -> str:
    query = parse_qs(urlsplit(request.path).query)
    assert "$alt" not in query
    [value] = query.get("alt", ["json"])
    return value


async def asked(caller: Caller, url: str, ask: Any = ASK, **headers: str) -> Any:
    """The answer to a call as Google's SDK writes it, its body read."""
    fields = {**SDK, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await settled(caller.client.post(url, json=ask, headers=fields))


def text_of(elements: list[Any]) -> str:
    """What the elements say, by the types of Google's SDK, which leaves out what it does not know."""
    known = [{name: value for name, value in element.items() if name != "novelty"} for element in elements]
    return "".join(types.GenerateContentResponse.model_validate(element).text or "" for element in known)


def told_in(stream: str) -> list[Any]:
    """The documents of a stream's events."""
    return [json.loads(line[6:]) for line in stream.split("\n") if line.startswith("data: ")]


@ways
def test_the_vendor_is_asked_for_events_and_its_answer_told_as_an_array(way: tuple[str, str]) -> None:
    """Nothing of it is lost; it is cached, and shared with who asks for events and with who does not stream."""
    with Loopback(google) as server:

        async def scenario(caller: Caller) -> None:
            first = await asked(caller, server.url + ARRAY)
            assert first.json() == DOCUMENTS
            assert first.headers["content-type"] == "application/json; charset=UTF-8"
            assert first.headers["x-edgeagent-cache"] == "miss"
            assert first.headers["x-edgeagent-edits"] == "alt sent as sse"
            assert "x-edgeagent-pass-through" not in first.headers
            assert alt(server.requests[0]) == "sse"
            assert server.requests[0].json() == ASK
            assert server.requests[0].headers["x-goog-api-client"] == "gl-python"
            hit = await asked(caller, server.url + ARRAY + "?alt=json")
            assert hit.json() == DOCUMENTS
            assert hit.headers["x-edgeagent-cache"] == "memory"
            assert "x-edgeagent-edits" not in hit.headers
            streamed = await asked(caller, server.url + EVENTS)
            assert streamed.headers["content-type"].startswith("text/event-stream")
            assert told_in(streamed.text) == DOCUMENTS
            assert text_of([(await asked(caller, server.url + WHOLE)).json()]) == "Paris"
            assert len(server.requests) == 1

        through(way, [Gemini(api_key="k", base_url=server.url)], scenario)


@ways
def test_a_stored_answer_is_told_as_an_array(way: tuple[str, str]) -> None:
    """Of a call that did not stream: it is one element, with all that it has."""
    with Loopback(google) as server:

        async def scenario(caller: Caller) -> None:
            assert (await asked(caller, server.url + WHOLE)).json() == joined()
            assert (await asked(caller, server.url + ARRAY)).json() == [joined()]
            streamed = await asked(caller, server.url + EVENTS)
            assert json.loads(streamed.text.removeprefix("data: ")) == joined()
            assert len(server.requests) == 1

        through(way, [Gemini(api_key="k", base_url=server.url)], scenario)


@pytest.mark.parametrize("upstream", ["events", "array", "object"])
@pytest.mark.parametrize("first", [ARRAY, EVENTS])
def test_a_server_that_answers_in_another_form(upstream: str, first: str) -> None:
    """A proxy may not know the parameter: whatever it sends, each caller gets the form that he asked for."""
    documents = DOCUMENTS if upstream != "object" else [joined()]

    def proxy(request: Request) -> Any:
        if upstream == "object":
            return reply(200, joined())
        return events(DOCUMENTS) if upstream == "events" else array(AS_ARRAY)

    with Loopback(proxy) as server:

        async def scenario(caller: Caller) -> None:
            for path in (first, ARRAY, EVENTS, first):
                answer = await asked(caller, server.url + path)
                if path == ARRAY:
                    assert answer.headers["content-type"].startswith("application/json")
                    told = answer.json()
                else:
                    assert answer.headers["content-type"].startswith("text/event-stream")
                    told = told_in(answer.text)
                assert told == documents
            whole = (await asked(caller, server.url + WHOLE)).json()
            assert text_of([whole]) == "Paris"
            assert len(server.requests) == 1

        through(("httpx", "sync"), [Gemini(api_key="k", base_url=server.url)], scenario)


def test_how_enumerations_are_told_is_the_vendor_s_to_say() -> None:
    """A form with an addition is asked for as it is, and comes back byte for byte; from memory the documents do."""
    numbers = [{**DOCUMENTS[0]}, {**DOCUMENTS[1], "candidates": [{**DOCUMENTS[1]["candidates"][0], "finishReason": 1}]}]
    raw = b"[" + b"\n,\r\n".join(json.dumps(document, indent=2).encode() for document in numbers) + b"\n]"
    with Loopback(lambda request: array(raw) if ";" in alt(request) else google(request)) as server:

        async def scenario(caller: Caller) -> None:
            path = ARRAY + "?$alt=json%3Benum-encoding%3Dint"
            first = await asked(caller, server.url + path)
            assert first.content == raw
            assert "x-edgeagent-edits" not in first.headers
            assert alt(server.requests[0]) == "json;enum-encoding=int"
            hit = await asked(caller, server.url + path)
            assert (hit.json(), hit.headers["x-edgeagent-cache"]) == (numbers, "memory")
            assert (await asked(caller, server.url + ARRAY)).json() == DOCUMENTS, "names are another answer"
            assert len(server.requests) == 2

        through(("httpx", "sync"), [Gemini(api_key="k", base_url=server.url)], scenario)


@ways
def test_another_vendor_s_answer_is_told_as_an_array(way: tuple[str, str]) -> None:
    """OpenAI's and Anthropic's formats, and a provider of the caller's own; from memory, too."""
    with Loopback(vendor) as server:
        providers = [
            OpenAI(api_key="k", base_url=server.url + "/v1"),
            Anthropic(api_key="k", base_url=server.url),
            FakeProvider("Paris", name="fake"),
        ]

        async def scenario(caller: Caller) -> None:
            for name in MODELS:
                url = f"https://generativelanguage.googleapis.com/v1beta/models/{name}:streamGenerateContent"
                for tier in ("miss", "memory"):
                    answer = await asked(caller, url)
                    assert answer.headers["x-edgeagent-cache"] == tier
                    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
                    assert "alt" not in answer.headers.get("x-edgeagent-edits", "")
                    assert text_of(answer.json()) == "Paris"
                    assert answer.json()[-1]["candidates"][0]["finishReason"] == "STOP"

        through(way, providers, scenario, models=MODELS)


MODELS = {
    "by-openai": ["openai/gpt-4o"],
    "by-claude": ["anthropic/claude-x"],
    "by-a-fake": ["fake/x"],
}


@ways
def test_errors_before_the_stream(way: tuple[str, str]) -> None:
    """The vendor's own is the only element; so is one that is made here."""

    def refusing(request: Request) -> Any:
        return reply(429, {"error": {**ERROR["error"], "code": 429, "status": "RESOURCE_EXHAUSTED"}})

    with Loopback(refusing) as server:

        async def scenario(caller: Caller) -> None:
            answer = await asked(caller, server.url + ARRAY)
            assert answer.status_code == 429
            assert answer.headers["content-type"] == "application/json; charset=UTF-8"
            assert answer.json() == [{"error": {**ERROR["error"], "code": 429, "status": "RESOURCE_EXHAUSTED"}}]
            assert answer.headers["x-should-retry"] == "false"
            events_too = await asked(caller, server.url + EVENTS)
            assert events_too.json() == answer.json()[0]
            local = await asked(caller, server.url + ARRAY.replace(MODEL, "poor"))
            assert local.status_code == 429
            [told] = local.json()
            assert told["error"]["status"] == "RESOURCE_EXHAUSTED"
            assert local.headers["x-edgeagent-error"] == "budget_exceeded"

        poor = FakeProvider(BudgetExceededError("spent"), name="poor")
        through(way, [Gemini(api_key="k", base_url=server.url), poor], scenario, models={"poor": "poor/x"})


def test_words_that_are_no_json_stay_what_they_are() -> None:
    """What a proxy says instead of the vendor."""
    with Loopback(lambda request: reply(502, b"<html>no</html>", content_type="text/html")) as server:

        async def scenario(caller: Caller) -> None:
            answer = await asked(caller, server.url + ARRAY)
            assert (answer.status_code, answer.text, answer.headers["content-type"]) == (
                502,
                "<html>no</html>",
                "text/html",
            )

        through(("httpx", "sync"), [Gemini(api_key="k", base_url=server.url)], scenario)


@ways
@pytest.mark.parametrize("form", ["event", "bare", "array"])
def test_an_error_in_the_stream(way: tuple[str, str], form: str) -> None:
    """It is the last element, and the array has its end; nothing is stored."""
    error, first = json.dumps(ERROR, indent=2).encode(), json.dumps(DOCUMENTS[0]).encode()
    pieces = {
        "event": (b"data: " + first + b"\r\n\r\n", b"data: " + json.dumps(ERROR).encode() + b"\r\n\r\n"),
        "bare": (b"data: " + first + b"\r\n\r\n", error),
        "array": (b"[" + first, b"\n,\r\n" + error, b"\n]"),
    }

    def failing(request: Request) -> Any:
        yield head()
        for piece in pieces[form]:
            yield chunk(piece)
            yield Pause(0.02)  # each is read before the next is there
        yield chunk(b"")

    with Loopback(failing) as server:

        async def scenario(caller: Caller) -> None:
            for _ in range(2):
                answer = await asked(caller, server.url + ARRAY)
                assert answer.status_code == 200
                assert answer.json() == [DOCUMENTS[0], ERROR]
            assert len(server.requests) == 2

        through(way, [Gemini(api_key="k", base_url=server.url)], scenario)


@ways
def test_a_stream_that_is_cut(way: tuple[str, str]) -> None:
    """The vendor's own has no end, and the HTTP library says so; of another vendor's an error is the last element."""

    def cut(request: Request) -> Any:
        yield head()
        if "/chat/completions" in request.path:
            piece = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            told: Any = {**piece, "choices": [{"index": 0, "delta": {"content": "Par"}, "finish_reason": None}]}
        else:
            told = DOCUMENTS[0]
        yield chunk(b"data: " + json.dumps(told).encode() + b"\n\n")
        yield HANG_UP

    with Loopback(cut) as server:

        async def scenario(caller: Caller) -> None:
            with pytest.raises(caller.library.ReadError):
                await asked(caller, server.url + ARRAY)
            answer = await asked(caller, server.url + ARRAY.replace(MODEL, "by-openai"))
            first, last = answer.json()
            assert text_of([first]) == "Par"
            assert "broke off" in last["error"]["message"]

        own = OpenAI(api_key="k", base_url=server.url + "/v1")
        through(way, [Gemini(api_key="k", base_url=server.url), own], scenario, models={"by-openai": "openai/gpt-4o"})


@ways
def test_elements_come_as_they_are_complete(way: tuple[str, str]) -> None:
    """They do not wait for the end; closing early closes the vendor's connection."""
    with Loopback(google) as server:

        async def scenario(caller: Caller) -> None:
            request = caller.client.build_request("POST", server.url + ARRAY, json=ASK, headers=SDK)
            response = await settled(caller.client.send(request, stream=True))
            first = await caller.first(response)
            assert json.loads(first.removeprefix(b"[")) == DOCUMENTS[0]
            again = await settled(caller.client.send(request, stream=True))
            pieces = await caller.pieces(again)
            assert all(pieces)
            assert json.loads(b"".join(pieces)) == DOCUMENTS

        through(way, [Gemini(api_key="k", base_url=server.url)], scenario)


@pytest.mark.parametrize("path", [ARRAY, EVENTS])
def test_with_a_shield(path: str) -> None:
    """It is understood, so it is masked, where it used to be refused."""
    said: list[bytes] = []

    def echo(request: Request) -> Any:
        said.append(request.body)
        text = request.json()["contents"][0]["parts"][0]["text"]
        part = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        return events([{"candidates": [part]}, {"candidates": [{"index": 0, "finishReason": "STOP"}]}])

    with Loopback(echo) as server:
        edge = EdgeClient(providers=[Gemini(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        ask = {"contents": [{"role": "user", "parts": [{"text": "I am b@x.com"}]}]}
        with edge, httpx.Client(transport=transport(edge)) as client:
            for _ in range(2):
                answer = client.post(server.url + path, json=ask, headers=SDK)
                told = answer.json() if path == ARRAY else told_in(answer.text)
                assert text_of(told) == "I am b@x.com"
    assert len(said) == 1
    assert b"x.com" not in said[0]


def test_recorded_arrays_come_back_byte_for_byte() -> None:
    """A server that sends them whatever it is asked for; told as events, they are the same documents."""
    answers = Upstream()
    found = [r for r in records("gemini.generate") if body(r).startswith(b"[") and "stream" in r["request"]["url"]]
    assert found
    with (
        Loopback(answers) as server,
        EdgeClient(providers=[FakeProvider("never")], cache=False, retry=0) as edge,
        httpx.Client(transport=transport(edge), timeout=30) as client,
    ):
        for answers.record in found:
            response = sent(answers.record, server, client)
            assert response.content == body(answers.record)
            assert "x-edgeagent-pass-through" not in response.headers
