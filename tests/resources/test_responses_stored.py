"""What a vendor keeps: which provider is asked, with what, beside openai's own client."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from edgeagent import EdgeClient, NoTargetError, NotFoundError, RequestValidationError, ResponseValidationError
from edgeagent.providers import AzureOpenAI, OpenAI
from edgeagent.testing import FakeProvider
from tests.resources.both import Driven, every_way
from tests.resources.test_responses_parsed import FLAT, City, document, streamed
from tests.support.loopback import Loopback, Request, events, reply
from tests.support.sdk import openai_client

ASKED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}
ITEMS: list[dict[str, Any]] = [{**ASKED, "id": f"msg_{number}"} for number in range(5)]


def vendor(request: Request) -> Any:
    path, _, query = request.path.partition("?")
    if "missing" in path:
        return reply(404, {"error": {"message": "Not found.", "code": None}})
    if request.method == "DELETE":
        return reply(200, {"id": "resp_1", "object": "response", "deleted": True})
    if path.endswith("/input_items"):
        first = int(query.partition("after=msg_")[2].partition("&")[0] or -1) + 1
        page = ITEMS[first : first + 2]
        more = first + 2 < len(ITEMS)
        return reply(200, {"object": "list", "data": page, "has_more": more, "last_id": page[-1]["id"]})
    if "stream=true" in query:
        return list(events(streamed()))
    return reply(200, document())


QUESTIONS: list[Any] = [
    lambda responses: responses.retrieve("resp_1"),
    lambda responses: responses.retrieve("resp_1", include=["reasoning.encrypted_content"], timeout=5),
    lambda responses: responses.retrieve("a/b?c", extra_query={"x": "y"}, extra_headers={"x-y": "z"}),
    lambda responses: responses.cancel("resp_1"),
    lambda responses: responses.delete("resp_1"),
]


@every_way
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_vendor_is_asked_as_openais_client_asks(way: Any, question: Any) -> None:
    """Method, path, query and body; and the answer is the same."""
    with Loopback(vendor) as server, openai_client(server) as hers_client:
        hers = question(hers_client.responses)
        client = Driven(way, providers=[OpenAI(api_key="k", base_url=f"{server.url}/v1"), FakeProvider("x")])
        mine = client.do(question)
        first, second = server.requests
        assert (second.method, second.path, second.body) == (first.method, first.path, first.body)
        assert second.headers["authorization"] == "Bearer k"
        assert second.headers.get("x-y") == first.headers.get("x-y")
        assert "content-type" not in second.headers
        if hers is None:
            assert mine is None
        else:
            assert mine.output_text == hers.output_text
            assert mine.edge.provider == "openai"
            assert mine.edge.attempts
        client.close()


@every_way
@pytest.mark.parametrize("name", ["", ".", "..", "openai/..", "openai/"])
def test_an_id_is_no_way_to_another_path(way: Any, name: str) -> None:
    """Nothing is asked, and least of all is what lies above it deleted."""
    with Loopback(vendor) as server:
        client = Driven(way, providers=[OpenAI(api_key="k", base_url=f"{server.url}/v1")])
        for question in ("retrieve", "cancel", "delete"):
            with pytest.raises(RequestValidationError) as caught:
                client.do(lambda responses, question=question: getattr(responses, question)(name))
            assert caught.value.param == "response_id"
        assert not server.requests
        client.close()


@every_way
def test_a_stored_stream(way: Any) -> None:
    """The events of a background response, from where the caller was."""
    with Loopback(vendor) as server:
        client = Driven(way, providers=[OpenAI(api_key="k", base_url=f"{server.url}/v1")])
        found = client.listed(lambda responses: responses.retrieve("resp_1", stream=True, starting_after=3))
        assert [event.to_dict() for event in found] == streamed()
        assert server.requests[0].path == "/v1/responses/resp_1?stream=true&starting_after=3"
        assert found[-1].response.edge.latency_ms > 0
        with pytest.raises(NotFoundError):
            client.listed(lambda responses: responses.retrieve("missing", stream=True))
        client.close()


@every_way
@pytest.mark.parametrize("start", [None, 3, 7, 99])
def test_a_stored_stream_is_read_as_a_new_one(way: Any, start: int | None) -> None:
    """Asked for from its beginning, as openai's client does: the text so far is whole wherever the caller was."""
    asked = {"response_id": "resp_1", "text_format": City, "tools": [FLAT], "extra_headers": {"x-y": "z"}, "timeout": 5}
    after: Any = {} if start is None else {"starting_after": start}
    with Loopback(vendor) as server, openai_client(server) as hers_client:
        with hers_client.responses.stream(**asked, **after) as stream:
            theirs, hers = list(stream), stream.get_final_response()
        client = Driven(way, providers=[OpenAI(api_key="k", base_url=f"{server.url}/v1"), FakeProvider("x")])
        where = {"edge": {"provider": "openai"}}
        ours, mine = client.managed(lambda responses: responses.stream(**asked, **after, **where))
        first, second = server.requests
        assert (second.method, second.path, second.body) == (first.method, first.path, first.body)
        assert second.headers["x-y"] == "z"
        for name in ("type", "sequence_number", "snapshot", "parsed"):
            assert [getattr(event, name, None) for event in ours] == [getattr(event, name, None) for event in theirs]
        assert mine.output_parsed == hers.output_parsed == City(name="Paris", people=2)
        assert mine.edge.provider == "openai"
        client.close()


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"response_id": "resp_1", "input": "x"}, "input"),
        ({"response_id": "resp_1", "model": "m", "include": []}, "model"),
        ({"model": "m", "input": "x", "starting_after": 3}, "starting_after"),
    ],
)
def test_a_response_is_new_or_stored(params: Any, named: str) -> None:
    """What would be asked of a new one has no meaning for one that is there."""
    client: Any = EdgeClient(providers=[OpenAI(api_key="k")])
    with pytest.raises(TypeError, match=f"{named}="):
        client.responses.stream(**params)


def test_a_stored_stream_that_is_left() -> None:
    """The connection is given back."""
    with Loopback(vendor) as server:
        client: Any = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)])
        with client.responses.retrieve("resp_1", stream=True) as stream:
            assert next(stream).type == "response.created"
        assert list(stream) == []


def test_nothing_is_cached() -> None:
    """What is stored changes."""
    with Loopback(vendor) as server:
        client = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)])
        client.responses.retrieve("resp_1")
        client.responses.retrieve("resp_1")
        assert len(server.requests) == 2


def test_retries_and_errors_are_those_of_every_call() -> None:
    """A 500 is tried again, a 404 is typed, what is no response is said to be none."""
    replies = [
        reply(500, {}),
        reply(200, document(), x_request_id="req_1"),
        reply(404, {"error": {"message": "x"}}),
        reply(200, [1]),
    ]
    with Loopback(lambda request: replies.pop(0)) as server:
        client = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)])
        found = client.responses.retrieve("resp_1")
        assert (len(found.edge.attempts), found._request_id) == (2, "req_1")
        with pytest.raises(NotFoundError) as caught:
            client.responses.retrieve("resp_1")
        assert [attempt.outcome for attempt in caught.value.attempts] == ["NotFoundError"]
        client = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], retry=0)
        with pytest.raises(ResponseValidationError):
            client.responses.retrieve("resp_1")


UNREADABLE: list[Any] = [
    lambda responses: responses.retrieve("resp_1"),
    lambda responses: responses.cancel("resp_1"),
    lambda responses: responses.input_items.list("resp_1"),
]


@every_way
@pytest.mark.parametrize("question", UNREADABLE)
def test_what_cannot_be_read_is_asked_for_again_and_quotes_no_key(way: Any, question: Any) -> None:
    """A page of HTML that says 200: the error is ours, has the attempts, and shows the key nowhere."""
    key = "sk-unreadable-1234567890"
    page = f'{{"data": "you sent {key}", "output": "{key}"'.encode()
    with Loopback(lambda request: reply(200, page)) as server:
        client = Driven(way, providers=[OpenAI(api_key=key, base_url=server.url)], retry=1)
        with pytest.raises(ResponseValidationError) as caught:
            client.do(question)
        error = caught.value
        assert len(error.attempts) == len(server.requests) == 2
        shown = [str(error), repr(error), repr(error.body), repr(error.__cause__), repr(error.__context__)]
        assert not any(key in one for one in shown)
        assert key.encode() not in pickle.dumps(error)
        assert b"you sent [redacted]" in error.response.content
        client.close()


@every_way
@pytest.mark.parametrize("body", [[1], {"data": 7}, "data", None])
def test_a_page_of_another_shape(way: Any, body: Any) -> None:
    """An error of ours, not pydantic's, which quotes what it was given."""
    with Loopback(lambda request: reply(200, body)) as server:
        client = Driven(way, providers=[OpenAI(api_key="k", base_url=server.url)], retry=0)
        with pytest.raises(ResponseValidationError, match="page"):
            client.do(lambda responses: responses.input_items.list("resp_1"))
        client.close()


def test_who_is_asked() -> None:
    """The provider that is named, in one way or the other; else the only one that has the API."""
    with Loopback(vendor) as one, Loopback(vendor) as other:
        azure = AzureOpenAI(azure_endpoint=other.url, api_key="k", api_version="v", azure_deployment="d")
        client: Any = EdgeClient(providers=[OpenAI(api_key=lambda: "k", base_url=one.url), azure])
        client.responses.retrieve("openai/resp_1")
        client.responses.delete("resp_1", edge={"provider": "azure", "deadline": 5})
        client.responses.cancel("azure/resp_1")
        assert [request.path for request in one.requests] == ["/responses/resp_1"]
        assert [request.path for request in other.requests] == [
            "/openai/responses/resp_1?api-version=v",
            "/openai/responses/resp_1/cancel?api-version=v",
        ]
        with pytest.raises(NoTargetError, match=r"openai, azure.*\"openai/resp_1\""):
            client.responses.retrieve("resp_1")


@pytest.mark.parametrize(
    ("id", "edge", "param"),
    [
        ("", None, "response_id"),
        ("resp_1", {"provider": "nobody"}, "edge.provider"),
        ("resp_1", {"novel": 1}, "edge.novel"),
        ("resp_1", 3, "edge"),
    ],
)
def test_wrong_questions(id: str, edge: Any, param: str) -> None:
    """Named before anything is sent."""
    client: Any = EdgeClient(providers=[OpenAI(api_key="k")])
    with pytest.raises(RequestValidationError) as caught:
        client.responses.retrieve(id, edge=edge)
    assert caught.value.param == param


def test_who_keeps_nothing() -> None:
    """A vendor of chat; a parameter that is none."""
    client: Any = EdgeClient(providers=[FakeProvider("x")])
    with pytest.raises(NoTargetError, match="Responses API"):
        client.responses.retrieve("resp_1")
    with pytest.raises(TypeError, match="novel"):
        client.responses.retrieve("resp_1", novel=1)


def test_input_items_page_by_page() -> None:
    """One page, the next, or all of them in one loop; the items are objects."""
    with Loopback(vendor) as server, openai_client(server) as hers_client:
        theirs = hers_client.responses.input_items
        ours = EdgeClient(providers=[OpenAI(api_key="k", base_url=f"{server.url}/v1")]).responses.input_items
        hers = [item.id for item in theirs.list("resp_1", limit=2, order="asc", include=["x"])]
        page = ours.list("resp_1", limit=2, order="asc", include=["x"])
        assert [item.id for item in page] == hers == [item["id"] for item in ITEMS]
        sent = [request.path for request in server.requests]
        assert [sorted(path.partition("?")[2].split("&")) for path in sent[3:]] == [
            sorted(path.partition("?")[2].split("&")) for path in sent[:3]
        ]
        assert page.to_dict()["data"] == ITEMS[:2]
        assert page.has_next_page()
        second = page.get_next_page()
        assert [item.id for item in second.data] == ["msg_2", "msg_3"]
        third = second.get_next_page()
        assert not third.has_next_page()
        with pytest.raises(RuntimeError, match="no next page"):
            third.get_next_page()


@pytest.mark.parametrize("way", ["asyncio", "trio"])
def test_input_items_of_an_async_client(way: str) -> None:
    """Awaited it is a page, iterated over it is every item."""
    import anyio

    async def run(url: str) -> tuple[list[str], list[str]]:
        client = EdgeClient(providers=[OpenAI(api_key="k", base_url=url)]).to_async()
        page = await client.responses.input_items.list("resp_1")
        items = [item.id async for item in client.responses.input_items.list("resp_1")]
        behind = [item.id async for item in page]
        await client.close()
        return behind, items

    with Loopback(vendor) as server:
        behind, items = anyio.run(run, server.url, backend=way)
    assert behind == items == [item["id"] for item in ITEMS]
