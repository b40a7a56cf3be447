"""What the transport does with requests of either library, blocking and awaiting, against a server on loopback."""

from __future__ import annotations

import gzip
import json
import pickle
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest

from edgeagent import EdgeClient
from edgeagent import errors as e
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.support.loopback import HANG_UP, Loopback, Request, chunk, events, head, reply
from tests.transports.harness import BODY, COMPLETION, WAYS, Caller, answers, chunks, through

PATH = "/v1/chat/completions"
ways = pytest.mark.parametrize("way", WAYS, ids="-".join)


def own(server: Loopback, **options: Any) -> OpenAI:
    return OpenAI(api_key="sk-own", base_url=server.url + "/v1", **options)


@ways
def test_an_answer_with_the_gateway_s_facts(way: tuple[str, str]) -> None:
    """The vendor's JSON and header fields come back in the request's own kind, with what the gateway did."""
    with Loopback(answers) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.post(server.url + PATH, x_edgeagent_tags="a, b", x_custom="kept")
            assert isinstance(response, caller.library.Response)
            assert response.json() == COMPLETION
            told = response.headers
            assert told["x-request-id"] == "req_1"
            assert told["x-ratelimit-remaining-requests"] == "9"
            assert (told["x-edgeagent-provider"], told["x-edgeagent-cache"]) == ("openai", "miss")
            assert told["x-edgeagent-attempts"] == "1"
            assert Decimal(told["x-edgeagent-cost-usd"]) > 0
            arrived = server.requests[0]
            assert arrived.headers["authorization"] == "Bearer sk-own"
            assert arrived.headers["x-custom"] == "kept"
            assert not any(name.startswith("x-edgeagent") for name in arrived.headers)
            hit = await caller.post(server.url + PATH)
            assert hit.headers["x-edgeagent-cache"] == "miss"  # another header field may mean another answer

        through(way, [own(server)], scenario)


@ways
def test_a_hit_sends_nothing(way: tuple[str, str]) -> None:
    """The same bytes again, from memory, at no cost; streamed ones too, and each in the other's form."""
    with Loopback(answers) as server:

        async def scenario(caller: Caller) -> None:
            first = await caller.post(server.url + PATH)
            second = await caller.post(server.url + PATH)
            assert second.content == first.content
            told = second.headers
            assert (told["x-edgeagent-cache"], told["x-edgeagent-cost-usd"]) == ("memory", "0")
            assert Decimal(told["x-edgeagent-saved-usd"]) > 0
            assert told["x-request-id"] == "req_1"
            streamed = await caller.open(server.url + PATH)
            assert b"Paris" in b"".join(await caller.pieces(streamed))
            assert streamed.headers["x-edgeagent-cache"] == "memory"
            assert len(server.requests) == 1

        through(way, [own(server)], scenario)


@ways
def test_a_hit_has_header_fields_of_its_own(way: tuple[str, str]) -> None:
    """Who changes them changes nobody else's."""
    with Loopback(answers) as server:

        async def scenario(caller: Caller) -> None:
            await caller.post(server.url + PATH)
            first = await caller.post(server.url + PATH)
            told = dict(first.headers)
            first.headers["x-edgeagent-cache"] = "changed"
            del first.headers["x-request-id"]
            assert dict((await caller.post(server.url + PATH)).headers) == told

        through(way, [own(server)], scenario)


def test_a_response_that_is_stored_unasked_is_cached() -> None:
    """The Responses API stores answers unless told otherwise: no reason not to cache; `store: true` is the caller's."""
    told = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o",
        "status": "completed",
        "store": True,
    }
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    told["output"] = [{**item, "content": [{"type": "output_text", "text": "Paris", "annotations": []}]}]
    body = {"model": "gpt-4o", "input": "Where?"}
    with Loopback(lambda _: reply(200, told)) as server:

        async def scenario(caller: Caller) -> None:
            for more, tiers in (({}, ["miss", "memory"]), ({"store": True}, ["miss", "miss"])):
                answers = [await caller.post(server.url + "/v1/responses", {**body, **more}) for _ in range(2)]
                assert [answer.json() for answer in answers] == [told, told]
                assert [answer.headers["x-edgeagent-cache"] for answer in answers] == tiers

        through(WAYS[0], [own(server)], scenario)


@ways
def test_a_stream_comes_as_it_is_sent(way: tuple[str, str]) -> None:
    """Each piece arrives before the next is sent, without the usage that nobody asked for."""
    with Loopback(answers) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.open(server.url + PATH)
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["x-edgeagent-attempts"] == "1"
            stream = b"".join(await caller.pieces(response))
            assert b"usage" not in stream
            assert stream.endswith(b"data: [DONE]\n\n")
            again = await caller.open(server.url + PATH)
            assert b"".join(await caller.pieces(again)) == stream
            assert again.headers["x-edgeagent-cache"] == "memory"
            assert len(server.requests) == 1

        through(way, [own(server)], scenario)


@ways
def test_closing_a_stream_early_closes_the_vendor_s(way: tuple[str, str]) -> None:
    """The upstream connection is given up, and nothing of the answer is kept."""

    def endless(request: Request) -> Any:
        yield head()
        while True:
            yield chunk(b"data: " + json.dumps(chunks("x")[0]).encode() + b"\n\n")

    with Loopback(endless) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.open(server.url + PATH)
            assert b"content" in await caller.first(response)
            assert server.closed.wait(10)

        through(way, [own(server)], scenario)


@ways
def test_a_vendor_s_refusal_comes_back_as_it_is(way: tuple[str, str]) -> None:
    """Status, body and header fields; and the SDK is told not to try again, since the pipeline has."""
    error = {"error": {"message": "no", "type": "server_error", "novelty": [1]}}
    with Loopback(lambda request: reply(503, error, x_request_id="r9", retry_after_ms="1")) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.post(server.url + PATH, x_edgeagent_retries="1")
            assert (response.status_code, response.json()) == (503, error)
            assert response.headers["x-request-id"] == "r9"
            assert response.headers["x-should-retry"] == "false"
            assert response.headers["x-edgeagent-attempts"] == "2"
            streamed = await caller.open(server.url + PATH)
            assert b"novelty" in b"".join(await caller.pieces(streamed))
            assert streamed.status_code == 503

        through(way, [own(server)], scenario)


LOCAL = [
    (e.ShieldBlockedError("blocked"), 400, "shield_blocked"),
    (e.BudgetExceededError("spent"), 429, "budget_exceeded"),
    (e.LimitExceededError("slow down"), 429, "local_limit_exceeded"),
    (e.ConfigurationError("wrong"), 500, "configuration_error"),
    (RuntimeError("a secret"), 500, "provider_failed"),
    (e.NoTargetError("nobody"), 400, "no_target"),
]


@pytest.mark.parametrize(("error", "status", "code"), LOCAL, ids=[code for _, _, code in LOCAL])
def test_local_errors_have_the_nearest_status(error: Exception, status: int, code: str) -> None:
    """Each with a type and a code of its own, in the vendor's form, and never to be tried again by the SDK."""

    async def scenario(caller: Caller) -> None:
        body = {**BODY, "model": "fake/x"}
        response = await caller.post("https://api.openai.com" + PATH, body)
        told = response.json()["error"]
        assert (response.status_code, told["code"], response.headers["x-edgeagent-error"]) == (status, code, code)
        assert response.headers["x-should-retry"] == "false"
        assert "secret" not in response.text
        anthropic = {"model": "fake/x", "max_tokens": 5, "messages": BODY["messages"]}
        url = "https://api.anthropic.com/v1/messages"
        other = await caller.post(url, anthropic, anthropic_version="2023-06-01")
        assert other.status_code == status
        assert other.json()["type"] == "error"

    through(("httpx", "sync"), [FakeProvider(error, name="fake")], scenario)


@ways
def test_a_wrong_option_is_told(way: tuple[str, str]) -> None:
    """An unknown `x-edgeagent-…` field, and values that are none."""

    async def scenario(caller: Caller) -> None:
        for name, value in (("x-edgeagent-cash", "on"), ("x-edgeagent-ttl", "x"), ("x-edgeagent-retries", "-1")):
            body = {**BODY, "model": "fake/x"}
            response = await caller.post("https://api.openai.com" + PATH, body, **{name: value})
            assert response.status_code == 400
            assert name in response.json()["error"]["message"]

    through(way, [FakeProvider("x", name="fake")], scenario)


@ways
def test_what_has_no_response_is_raised_as_the_library_does(way: tuple[str, str]) -> None:
    """A refused connection and an answer that does not come; sent again by the SDK, it is raised again at once."""

    def silent(request: Request) -> Any:
        yield from iter(lambda: (server.closed.wait(0.05) and b"") or b"", None)

    with Loopback(silent) as server:

        async def scenario(caller: Caller) -> None:
            with pytest.raises(caller.library.ConnectError):
                await caller.post("http://127.0.0.1:9" + PATH)
            caller.client.timeout = 0.2
            for count in ("0", "1", "2"):
                with pytest.raises(caller.library.ReadTimeout):
                    await caller.post(server.url + PATH, x_stainless_retry_count=count)
            assert len(server.requests) == 1

        through(way, [FakeProvider("x")], scenario)


@ways
def test_a_stream_that_breaks_off_breaks_off(way: tuple[str, str]) -> None:
    """A lost connection is a read error; the vendor's own word for its fault is the end of what comes."""
    lost = [chunks("Par")[0]]

    def breaking(request: Request) -> Any:
        yield from events(lost, end=False)
        if request.json()["model"] == "lost":
            yield HANG_UP
        else:
            yield chunk(b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n')
            yield chunk(b"")

    with Loopback(breaking) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.open(server.url + PATH, {**BODY, "model": "lost"})
            with pytest.raises(caller.library.ReadError):
                await caller.pieces(response)
            response = await caller.open(server.url + PATH)
            assert b"overloaded" in b"".join(await caller.pieces(response))

        through(way, [own(server)], scenario)


@ways
def test_unknown_paths_pass_through(way: tuple[str, str]) -> None:
    """Files, lists, what is not JSON: to where they were sent and as they are, compression included."""
    packed = gzip.compress(b'{"data": []}')

    def files(request: Request) -> Any:
        if request.method == "GET":
            return reply(200, packed, content_encoding="gzip", x_thing="1")
        return reply(201, request.body, content_type="application/octet-stream")

    with Loopback(files) as server:

        async def scenario(caller: Caller) -> None:
            from tests.transports.harness import settled

            url = server.url + "/v1/files?limit=2"
            listed = await settled(caller.client.get(url, headers={"authorization": "Bearer sk-sdk"}))
            assert listed.json() == {"data": []}
            assert listed.headers["x-edgeagent-pass-through"]
            assert listed.headers["x-thing"] == "1"
            assert server.requests[0].path == "/v1/files?limit=2"
            assert server.requests[0].headers["authorization"] == "Bearer sk-own"
            uploaded = await settled(
                caller.client.post(url, files={"file": ("a.bin", b"\0\1" * 500)}, headers={"x-edgeagent-tags": "a"})
            )
            assert uploaded.status_code == 201
            assert b"\0\1" * 500 in uploaded.content
            assert "x-edgeagent-tags" not in server.requests[1].headers
            assert server.requests[1].headers["content-type"].startswith("multipart/form-data")
            odd = await settled(caller.client.post(server.url + PATH, content=b"[1", headers=JSON))
            assert odd.content == b"[1"

        through(way, [own(server)], scenario)


JSON = {"content-type": "application/json"}


@ways
def test_a_passage_that_fails_fails_in_the_library_s_way(way: tuple[str, str]) -> None:
    """No server at the address: the request's own kind of exception."""

    async def scenario(caller: Caller) -> None:
        from tests.transports.harness import settled

        with pytest.raises(caller.library.ConnectError):
            await settled(caller.client.get("http://127.0.0.1:9/v1/models"))

    through(way, [FakeProvider("x")], scenario)


@ways
def test_the_caller_s_own_http_client_sends_everything(way: tuple[str, str]) -> None:
    """Paths that pass through too: it may know the proxy, the certificates."""
    import httpx

    with Loopback(lambda request: answers(request) if request.body else reply(200, {"x": 1})) as server:
        kind = httpx.Client if way[1] == "sync" else httpx.AsyncClient
        mine = kind(headers={"x-mine": "1"})

        async def scenario(caller: Caller) -> None:
            from tests.transports.harness import settled

            await caller.post(server.url + PATH)
            passed = await settled(caller.client.get(server.url + "/v1/models"))
            assert passed.json() == {"x": 1}
            assert [request.headers["x-mine"] for request in server.requests] == ["1", "1"]
            await settled(mine.close() if isinstance(mine, httpx.Client) else mine.aclose())

        through(way, [own(server)], scenario, http_client=mine)


@ways
def test_websockets_are_refused_clearly(way: tuple[str, str]) -> None:
    """The transport answers requests; it opens no other kind of connection."""

    async def scenario(caller: Caller) -> None:
        response = await caller.post("https://api.openai.com/v1/realtime", upgrade="websocket", connection="upgrade")
        assert response.status_code == 501
        assert "WebSocket" in response.json()["error"]["message"]

    through(way, [FakeProvider("x")], scenario)


@ways
def test_any_vendor_answers_any_sdk_s_format(way: tuple[str, str]) -> None:
    """A fake answers OpenAI's chat and responses, Anthropic's and Google's formats, streamed and not."""

    async def scenario(caller: Caller) -> None:
        text = "What is it?"
        google = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        asked = [
            ("https://api.openai.com/v1/chat/completions", {**BODY, "model": "fake/x"}, {}),
            ("https://api.openai.com/v1/responses", {"model": "fake/x", "input": text}, {}),
            (
                "https://api.anthropic.com/v1/messages",
                {"model": "fake/x", "max_tokens": 9, "messages": [{"role": "user", "content": text}]},
                {"anthropic_version": "2023-06-01"},
            ),
            (f"https://generativelanguage.googleapis.com/v1beta/models/{GROUP}:generateContent", google, {}),
        ]
        for url, body, headers in asked:
            response = await caller.post(url, body, **headers)
            assert response.status_code == 200, response.text
            assert "Rome is old" in response.text
            assert response.headers["x-edgeagent-provider"] == "fake"
            url = url.replace(":generateContent", ":streamGenerateContent?alt=sse")
            streamed = await caller.open(url, body, **headers)
            stream = b"".join(await caller.pieces(streamed))
            assert b"Rome" in stream
            assert streamed.headers["content-type"].startswith("text/event-stream")

    through(way, [FakeProvider("Rome is old", name="fake")], scenario, models={GROUP: ["fake/x"]})


GROUP = "everywhere"


def test_claude_answers_openai_s_format_over_http() -> None:
    """The vendor is asked in its own format, with the client's own key and none of the SDK's fields."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [{"type": "text", "text": "Lyon"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    with Loopback(lambda request: reply(200, message)) as server:

        async def scenario(caller: Caller) -> None:
            body = {**BODY, "model": "claude-sonnet-4-5", "max_tokens": 9}
            url = "https://api.openai.com" + PATH
            response = await caller.post(url, body, openai_organization="org", x_stainless_lang="python")
            assert response.json()["choices"][0]["message"]["content"] == "Lyon"
            arrived = server.requests[0]
            assert (arrived.path, arrived.headers["x-api-key"]) == ("/v1/messages", "claude-key")
            names = {"authorization", "openai-organization", "x-stainless-lang"}
            assert not names & arrived.headers.keys()

        through(("httpx", "sync"), [Anthropic(api_key="claude-key", base_url=server.url)], scenario)


@pytest.mark.parametrize("borrowed", [True, False], ids=["the SDK's key", "the client's key"])
def test_credentials_of_other_names_go_where_the_key_goes(*, borrowed: bool) -> None:
    """A gateway's own key beside the vendor's, in a field or in the query: never to another server, key or not."""
    with Loopback(lambda _: reply(500, {})) as first, Loopback(answers) as second:
        others = [OpenAI(name="other", base_url=f"{second.url}/v1", api_key="theirs")]
        edge = EdgeClient(providers=others if borrowed else [own(first), *others], retry=0, cache=False)
        fields = {"authorization": "Bearer mine", "ocp-apim-subscription-key": "gateway", "openai-beta": "x"}
        with httpx.Client(transport=transport(edge)) as client:
            url = f"{first.url if borrowed else 'https://api.openai.com'}{PATH}?subscription-key=gateway&trace=1"
            told = client.post(url, json=BODY, headers={**fields, "x-edgeagent-fallbacks": "other/gpt"})
        assert told.headers.get("x-edgeagent-provider") == (
            None if borrowed else "other"
        )  # there all names are its own
        arrived = first.requests[0]
        assert (arrived.headers.get("ocp-apim-subscription-key") == "gateway") is borrowed
        assert ("subscription-key=gateway" in arrived.path) is borrowed
        for passed_on in second.requests:
            assert (passed_on.headers["authorization"], passed_on.headers["openai-beta"]) == ("Bearer theirs", "x")
            assert "ocp-apim-subscription-key" not in passed_on.headers
            assert passed_on.path == f"{PATH}?trace=1"
        assert bool(second.requests) is not borrowed
        edge.close()


def test_openai_s_helper_joins_a_stream_of_claude_s() -> None:
    """Blocks with signatures and citations come in several pieces; the package joins whatever is in a delta."""

    def block(place: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
        said = [{"type": "content_block_delta", "index": place, "delta": delta} for delta in deltas]
        first = {"type": "content_block_start", "index": place, "content_block": start}
        return [first, *said, {"type": "content_block_stop", "index": place}]

    def cited(place: int, text: str) -> list[dict[str, Any]]:
        citation = {"type": "web_search_result_location", "url": "https://x.org", "title": "t", "cited_text": "c"}
        start = {"type": "text", "text": "", "citations": []}
        deltas = ({"type": "text_delta", "text": text}, {"type": "citations_delta", "citation": citation})
        return block(place, start, *deltas)

    thought = (
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "sig"},
    )
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    told: list[Any] = [
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": 3, "output_tokens": 1}}},
        *block(0, {"type": "thinking", "thinking": "", "signature": ""}, *thought),
        *cited(1, "Par"),
        *cited(2, "is"),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    with (
        Loopback(lambda request: events(told, end=False)) as server,
        EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], retry=0) as edge,
        openai.OpenAI(api_key="k", http_client=openai.DefaultHttpxClient(transport=transport(edge))) as client,
        client.chat.completions.stream(
            model="claude-sonnet-4-5", messages=[{"role": "user", "content": "Where?"}]
        ) as stream,
    ):
        answer = stream.get_final_completion().choices[0].message
    blocks = (answer.model_extra or {})["native_content"]
    assert answer.content == "Paris"
    assert len(answer.annotations or ()) == 2
    assert (blocks["wire"], len(blocks["content"])) == ("anthropic.messages", 3)
    assert blocks["content"][0]["signature"] == "sig"


def test_options_travel_as_header_fields() -> None:
    """Cache modes, samples, fallbacks and deadlines of one call."""
    fake = FakeProvider(lambda request: f"{request.model} {len(fake.requests)}", name="fake")

    async def scenario(caller: Caller) -> None:
        async def ask(**headers: str) -> tuple[str, str]:
            response = await caller.post("https://api.openai.com" + PATH, {**BODY, "model": "fake/x"}, **headers)
            return response.json()["choices"][0]["message"]["content"], response.headers["x-edgeagent-cache"]

        assert await ask() == ("x 1", "miss")
        assert await ask() == ("x 1", "memory")
        assert await ask(x_edgeagent_cache="off") == ("x 2", "miss")
        assert await ask(x_edgeagent_sample="2") == ("x 3", "miss")
        assert await ask(x_edgeagent_cache_sample="2") == ("x 3", "memory")
        assert await ask(x_edgeagent_max_age="0.0") == ("x 4", "miss")
        assert await ask(x_edgeagent_namespace="n", x_edgeagent_ttl="5", x_edgeagent_deadline="9") == ("x 5", "miss")
        assert await ask(x_edgeagent_router="failover", x_edgeagent_force="true") == ("x 4", "memory")

    through(("httpx2", "sync"), [fake], scenario)


def test_what_is_no_client_is_refused() -> None:
    """The error names what is wanted; a transport is a context manager that closes nothing of the gateway."""
    not_one: Any = object()
    with pytest.raises(e.ConfigurationError, match="EdgeClient"):
        transport(not_one)
    edge = EdgeClient(providers=[FakeProvider("x", name="fake")])
    with transport(edge) as made:
        assert "EdgeClient" in repr(made)
    assert edge.chat.completions.create(model="fake/x", messages=BODY["messages"]).choices  # type: ignore[arg-type]


def test_no_key_is_in_what_is_shown_or_raised(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the SDK's key nor the client's is in a message, a representation or a pickle."""

    async def scenario(caller: Caller) -> None:
        made = caller.client._transport
        with pytest.raises(caller.library.ConnectError) as caught:
            await caller.post("http://127.0.0.1:9" + PATH, key="sk-very-secret")
        shown = f"{caught.value!r} {caught.value.__cause__!r} {made!r} {caplog.text}"
        assert "very-secret" not in shown
        assert b"very-secret" not in pickle.dumps(caught.value.__cause__)

    through(("httpx", "sync"), [FakeProvider("x")], scenario)


NEW = {"model": "gpt-4o", "messages": {"shape": "of tomorrow"}}


@ways
def test_a_body_of_a_form_that_is_not_known_goes_to_its_vendor(way: tuple[str, str]) -> None:
    """The vendor knows best; but no other vendor is asked what cannot be translated."""
    with Loopback(lambda request: reply(200, {"seen": request.json()})) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.post(server.url + PATH, NEW)
            assert response.json() == {"seen": NEW}
            assert "form" in response.headers["x-edgeagent-pass-through"]
            nameless = await caller.post(server.url + PATH, {"prompt": {"id": "stored"}})
            assert nameless.json() == {"seen": {"prompt": {"id": "stored"}}}
            listed = await caller.post(server.url + PATH, [1])
            assert listed.json() == {"seen": [1]}
            refused = await caller.post(server.url + PATH, {**NEW, "model": "fast"})
            assert refused.status_code == 400
            assert refused.json()["error"]["param"].startswith("messages")
            assert len(server.requests) == 3

        through(way, [own(server), FakeProvider("x", name="fake")], scenario, models={"fast": "fake/x"})


def test_without_a_provider_a_call_goes_where_it_was_sent() -> None:
    """No key was sent and the name says nothing: nobody else is asked in the vendor's place."""

    async def scenario(caller: Caller) -> None:
        url = "http://127.0.0.1:9/v1/messages"
        with pytest.raises(caller.library.ConnectError):
            await caller.post(url, {"model": "m", "messages": []}, key="", anthropic_version="2023-06-01")

    through(("httpx", "sync"), [FakeProvider("x")], scenario)


def test_a_key_that_is_a_function_is_not_asked_for_what_passes_through() -> None:
    """The SDK's own goes on then, and so does one for a server that the client has no key for."""
    with Loopback(lambda request: reply(200, {"key": request.headers.get("authorization")})) as server:

        async def scenario(caller: Caller) -> None:
            response = caller.client.get(server.url + "/v1/files", headers={"authorization": "Bearer sk-sdk"})
            assert response.json() == {"key": "Bearer sk-sdk"}

        through(("httpx", "sync"), [OpenAI(api_key=lambda: "sk-own", base_url=server.url + "/v1")], scenario)
        through(("httpx", "sync"), [OpenAI(api_key="sk-own"), FakeProvider("x")], scenario)


@pytest.mark.parametrize("has_own", [True, False], ids=["the client's key", "the SDK's key"])
def test_what_passes_through_is_of_one_account(*, has_own: bool) -> None:
    """Organization, project and a gateway's key go with the key that is sent: all the client's, or all the SDK's."""
    theirs = {"openai-organization": "org-sdk", "openai-project": "proj-sdk", "ocp-apim-subscription-key": "apim-sdk"}
    with Loopback(lambda request: reply(200, {})) as server:
        mine = OpenAI(
            api_key="sk-own",
            base_url=server.url + "/v1",
            organization="org-own",
            default_headers={"Helicone-Auth": "own", "X-Other": "1", "OpenAI-Project": None},
            default_query={"subscription-key": "own", "api-version": "2"},
        )

        async def scenario(caller: Caller) -> None:
            fields = {"authorization": "Bearer sk-sdk", "cookie": "a=b", "idempotency-key": "i", **theirs}
            caller.client.get(server.url + "/v1/files?after=a%2Fb&subscription-key=sdk", headers=fields)
            [arrived] = server.requests
            names = {"authorization", "helicone-auth", "x-other", "cookie", "idempotency-key", *theirs}
            common = {"cookie": "a=b", "idempotency-key": "i"}
            own = {"authorization": "Bearer sk-own", "openai-organization": "org-own", "helicone-auth": "own"}
            found = {name: value for name, value in arrived.headers.items() if name in names}
            assert found == {**common, **(own if has_own else {"authorization": "Bearer sk-sdk", **theirs})}
            assert arrived.path == f"/v1/files?after=a%2Fb&subscription-key={'own' if has_own else 'sdk'}"

        through(("httpx", "sync"), [mine] if has_own else [FakeProvider("x")], scenario)


@ways
def test_a_passage_may_break_off(way: tuple[str, str]) -> None:
    """In the middle of a body that passes through: the request's own kind of exception."""

    def breaking(request: Request) -> Any:
        yield head()
        yield chunk(b"some")
        yield HANG_UP

    with Loopback(breaking) as server:

        async def scenario(caller: Caller) -> None:
            request = caller.client.build_request("GET", server.url + "/v1/files/1/content")
            from tests.transports.harness import settled

            response = await settled(caller.client.send(request, stream=True))
            with pytest.raises(caller.library.TransportError):
                await caller.pieces(response)
            await settled(response.close() if way[1] == "sync" else response.aclose())

        through(way, [FakeProvider("x")], scenario)


def test_what_was_raised_is_forgotten() -> None:
    """After a while, and when too much has been raised since."""
    import httpx

    from edgeagent.transports.faults import Broken
    from edgeagent.transports.heads import Heads
    from edgeagent.transports.incoming import incoming
    from edgeagent.transports.kinds import kind_of
    from edgeagent.transports.repeats import REMEMBERED, Repeats

    request = httpx.Request("POST", "http://h/x", headers={"x-stainless-retry-count": "1"})
    times = [0.0]
    kind, came, repeats = kind_of(request), incoming(Heads(), request), Repeats(lambda: times[0])
    repeats.check(kind, request, came, b"")
    repeats.remember(came, b"", Broken("NoSuchError", "late"))
    with pytest.raises(httpx.TransportError, match="late"):
        repeats.check(kind, request, came, b"")
    for number in range(REMEMBERED):
        repeats.remember(came, str(number).encode(), Broken("ReadTimeout", "x"))
    repeats.check(kind, request, came, b"")
    times[0] = 100.0
    repeats.check(kind, request, came, b"0")


@ways
def test_a_client_with_another_package_s_errors_answers_the_same(way: tuple[str, str]) -> None:
    """`errors="openai"` is for who calls the client itself; an SDK is told in its own format."""
    error = {"error": {"message": "no", "type": "invalid_request_error", "code": "x"}}
    with Loopback(lambda request: reply(404, error)) as server:

        async def scenario(caller: Caller) -> None:
            response = await caller.post(server.url + PATH)
            assert (response.status_code, response.json()) == (404, error)
            streamed = await caller.open(server.url + PATH)
            assert streamed.status_code == 404
            await caller.pieces(streamed)

        through(way, [own(server)], scenario, errors="openai")


@ways
def test_a_body_goes_on_as_the_bytes_that_came(way: tuple[str, str]) -> None:
    """Spaces, numbers and order are the caller's own; only an edit has it written anew."""
    body = b'{ "model" : "gpt-4o", "temperature" : 1.0e0,\n "messages":[{"content":"W\\u0068ere?","role":"user"}] }'
    with Loopback(answers) as server:

        async def scenario(caller: Caller) -> None:
            fields = {"authorization": "Bearer k", "content-type": "application/json"}
            for content in (body, body.replace(b"gpt-4o", b"fast")):
                request = caller.client.build_request("POST", server.url + PATH, content=content, headers=fields)
                sent = caller.client.send(request)
                response = sent if caller.kind == "sync" else await sent
                assert response.json() == COMPLETION
            first, second = server.requests
            assert first.body == body
            assert second.json() == first.json()
            assert second.body != body

        through(way, [own(server)], scenario, cache=False, models={"fast": "openai/gpt-4o"})
