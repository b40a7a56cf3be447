"""`models.list` and `retrieve` over sockets: every vendor's own list, all at once, none spoiling the others."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import edgeagent
from edgeagent import AsyncEdgeClient
from edgeagent.errors import APIError, InternalServerError, NoTargetError, NotFoundError, RequestValidationError
from edgeagent.providers import Anthropic, AzureOpenAI, Cohere, Gemini, Mistral, Ollama, OpenAI, OpenAICompatible
from edgeagent.testing import FakeProvider
from tests.e2e.harness import KEY, Gate, run, settled
from tests.support.loopback import Loopback, Request, reply


def serve(request: Request) -> bytes:
    """The lists of all vendors, each at its own path, in pages where it has such."""
    path, _, query = request.path.partition("?")
    page = PAGES.get((path, query))
    if page is None:
        return reply(404, {"error": {"message": f"no such path: {request.path}", "code": "model_not_found"}})
    assert request.method == "GET"
    assert ("anthropic-version" in request.headers) == path.startswith("/a/")
    assert request.body == b""
    return reply(200, page, x_request_id="req_1")


OPENAI_ROW = {"id": "gpt-4o", "object": "model", "created": 1715367049, "owned_by": "system", "shutdown_date": None}
GEMINI_ROW = {"name": "models/gemini-2.5-flash", "displayName": "Gemini", "inputTokenLimit": 1048576}
PAGES: dict[tuple[str, str], Any] = {
    ("/v1/models", ""): {"object": "list", "data": [OPENAI_ROW, {**OPENAI_ROW, "id": "ft:gpt-4o:me"}]},
    ("/v1/models/gpt-4o", ""): OPENAI_ROW,
    ("/a/v1/models", "limit=1000"): {
        "data": [{"type": "model", "id": "claude-1", "display_name": "One", "created_at": "2025-02-19T00:00:00Z"}],
        "has_more": True,
        "first_id": "claude-1",
        "last_id": "claude-1",
    },
    ("/a/v1/models", "limit=1000&after_id=claude-1"): {
        "data": [{"type": "model", "id": "claude-2", "display_name": "Two", "created_at": "not a time"}],
        "has_more": False,
        "first_id": "claude-2",
        "last_id": "claude-2",
    },
    ("/g/v1beta/models", "pageSize=1000"): {"models": [GEMINI_ROW], "nextPageToken": "t"},
    ("/g/v1beta/models", "pageSize=1000&pageToken=t"): {"models": [{"name": "models/gemini-embedding-001"}]},
    ("/g/v1beta/models/gemini-2.5-flash", ""): GEMINI_ROW,
    ("/m/v1/models", ""): {"object": "list", "data": [{"id": "mistral-embed", "created": 1, "owned_by": "mistralai"}]},
    ("/c/v1/models", "page_size=1000"): {"models": [{"name": "embed-v4.0", "endpoints": ["embed"]}]},
    ("/o/api/tags", ""): {
        "models": [
            {
                "name": "qwen3:latest",
                "model": "qwen3:latest",
                "modified_at": "2025-05-04T14:56:49.277302595-07:00",
                "size": 7,
            }
        ]
    },
    ("/z/openai/models", "api-version=v"): {"object": "list", "data": [{"id": "gpt-4o", "created_at": 1715367049}]},
    ("/bare/models", ""): [{"id": "open/model", "organization": "open"}],
}


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(serve) as server:
        yield server


def everyone(url: str) -> list[Any]:
    return [
        OpenAI(api_key=KEY, base_url=f"{url}/v1"),
        Anthropic(api_key=KEY, base_url=f"{url}/a"),
        Gemini(api_key=KEY, base_url=f"{url}/g"),
        Mistral(api_key=KEY, base_url=f"{url}/m"),
        Cohere(api_key=KEY, base_url=f"{url}/c"),
        Ollama(base_url=f"{url}/o"),
        AzureOpenAI(api_key=KEY, azure_endpoint=f"{url}/z", api_version="v"),
        OpenAICompatible(name="bare", base_url=f"{url}/bare"),
        FakeProvider("x", models=["one", "two"]),
    ]


async def listed(g: Gate) -> Any:
    return await settled(g.client.models.list())


async def test_every_provider(kind: str, server: Loopback) -> None:
    """Names as the provider calls them, in the providers' order, all pages, unknown fields kept."""
    async with Gate(kind, everyone(server.url)) as g:
        page = await listed(g)
    found = [(model.edge.provider, model.id) for model in page.data]
    assert found == [
        ("openai", "gpt-4o"),
        ("openai", "ft:gpt-4o:me"),
        ("anthropic", "claude-1"),
        ("anthropic", "claude-2"),
        ("gemini", "gemini-2.5-flash"),
        ("gemini", "gemini-embedding-001"),
        ("mistral", "mistral-embed"),
        ("cohere", "embed-v4.0"),
        ("ollama", "qwen3:latest"),
        ("azure", "gpt-4o"),
        ("bare", "open/model"),
        ("fake", "one"),
        ("fake", "two"),
    ]
    by_name = {f"{model.edge.provider}/{model.id}": model for model in page.data}
    assert (by_name["openai/gpt-4o"].created, by_name["openai/gpt-4o"].owned_by) == (1715367049, "system")
    assert by_name["anthropic/claude-1"].created == 1739923200
    assert (by_name["anthropic/claude-2"].created, by_name["anthropic/claude-2"].owned_by) == (0, "anthropic")
    assert by_name["anthropic/claude-1"].display_name == "One"
    assert by_name["gemini/gemini-2.5-flash"].inputTokenLimit == 1048576
    assert by_name["ollama/qwen3:latest"].created == 1746395809
    assert by_name["azure/gpt-4o"].created == 1715367049
    assert page.errors == {}
    assert page.object == "list"
    assert len(page.edge.attempts) == 10


async def test_iterating(kind: str, server: Loopback) -> None:
    """As with openai's page: over models and over the one page; async lists need no await before `async for`."""
    async with Gate(kind, everyone(server.url)[:1]) as g:
        if kind == "sync":
            page = g.client.models.list()
            assert [model.id for model in page] == ["gpt-4o", "ft:gpt-4o:me"]
            assert [p.data for p in page.iter_pages()] == [page.data]
        else:
            page = await g.client.models.list()
            assert [model.id async for model in g.client.models.list()] == ["gpt-4o", "ft:gpt-4o:me"]
            assert [model.id async for model in page] == ["gpt-4o", "ft:gpt-4o:me"]
            assert [p.data async for p in page.iter_pages()] == [page.data]
        assert not page.has_next_page()
        assert page.next_page_info() is None
        with pytest.raises(RuntimeError, match="has_next_page"):
            page.get_next_page()


async def test_one_that_fails(kind: str, server: Loopback) -> None:
    """It is missing and told; the others are there. Only where all fail is there an error: the first one's."""
    down = OpenAICompatible(name="down", base_url=f"{server.url}/nowhere")
    closed = OpenAICompatible(name="closed", base_url="http://127.0.0.1:9")
    async with Gate(kind, [down, *everyone(server.url)[:1], closed], retry=0) as g:
        page = await listed(g)
        assert [model.id for model in page.data] == ["gpt-4o", "ft:gpt-4o:me"]
        assert list(page.errors) == ["down", "closed"]
        assert isinstance(page.errors["down"], NotFoundError)
        assert {attempt.outcome for attempt in page.edge.attempts} == {"NotFoundError", "ok", "APIConnectionError"}
        assert "errors" not in page.model_dump()
        again = pickle.loads(pickle.dumps(page))
        assert (again, list(again.errors)) == (page, ["down", "closed"])
    async with Gate(kind, [down, closed], retry=0) as g:
        with pytest.raises(NotFoundError) as caught:
            await listed(g)
        assert len(caught.value.attempts) == 2
    async with Gate(kind, []) as g:
        with pytest.raises(NoTargetError):
            await listed(g)


async def test_a_server_without_a_list(kind: str, server: Loopback) -> None:
    """What the caller said that it has counts; so does what a vendor without any list was given."""
    providers = [
        OpenAICompatible(name="mute", base_url=f"{server.url}/nowhere", models=["b", "a"]),
        OpenAICompatible(name="perplexity", api_key=KEY, models=["sonar"]),
    ]
    async with Gate(kind, providers) as g:
        assert [model.id for model in (await listed(g)).data] == ["a", "b", "sonar"]


async def test_all_at_the_same_time(kind: str) -> None:
    """No provider is asked only after another has answered."""
    together = threading.Barrier(4, timeout=20)

    def wait(request: Request) -> bytes:
        together.wait()
        return reply(200, {"object": "list", "data": [{"id": "m"}]})

    with Loopback(wait) as server:
        providers = [OpenAICompatible(name=f"p{i}", base_url=f"{server.url}/{i}") for i in range(4)]
        async with Gate(kind, providers, retry=0) as g:
            page = await listed(g)
    assert [model.edge.provider for model in page.data] == ["p0", "p1", "p2", "p3"]


async def test_a_deadline_ends_the_slow_ones_only(kind: str) -> None:
    """What has answered by then is there."""
    release = threading.Event()

    def slow(request: Request) -> bytes:
        if request.path.startswith("/slow"):
            release.wait(20)
        return reply(200, {"object": "list", "data": [{"id": "m"}]})

    with Loopback(slow) as server:
        providers = [OpenAICompatible(name=name, base_url=f"{server.url}/{name}") for name in ("slow", "quick")]
        async with Gate(kind, providers, retry=0) as g:
            began = time.monotonic()
            page = await settled(g.client.models.list(edge={"deadline": 0.5}))
            assert time.monotonic() - began < 10
            assert [model.edge.provider for model in page.data] == ["quick"]
            assert isinstance(page.errors["slow"], APIError)
        release.set()


async def test_retrieve(kind: str, server: Loopback) -> None:
    """By the vendor's own path where it has one, else from its list; by full name or as any call reads it."""
    async with Gate(kind, everyone(server.url)) as g:
        for name, provider, model in (
            ("openai/gpt-4o", "openai", "gpt-4o"),
            ("gpt-4o", "openai", "gpt-4o"),
            ("gemini/gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
            ("claude-2", "anthropic", "claude-2"),
            ("ollama/qwen3:latest", "ollama", "qwen3:latest"),
            ("fake/two", "fake", "two"),
            ("cohere/embed-v4.0", "cohere", "embed-v4.0"),
        ):
            found = await settled(g.client.models.retrieve(name))
            assert (found.edge.provider, found.id) == (provider, model)
        assert server.requests[0].path == "/v1/models/gpt-4o"
        for name in ("openai/gpt-none", "fake/three", "ollama/none"):
            with pytest.raises(NotFoundError) as caught:
                await settled(g.client.models.retrieve(name))
            assert caught.value.code == "model_not_found"
        with pytest.raises(RequestValidationError) as wrong:
            await settled(g.client.models.retrieve(" "))
        assert wrong.value.param == "model"


async def test_an_error_of_the_one_that_is_asked_for(kind: str) -> None:
    """It is raised, after its attempts, and not taken for a model that does not exist."""
    with Loopback(lambda request: reply(500, {"error": {"message": "down"}})) as server:
        async with Gate(kind, [OpenAI(api_key=KEY, base_url=server.url)], retry=1) as g:
            with pytest.raises(InternalServerError):
                await settled(g.client.models.retrieve("gpt-4o"))
        assert len(server.requests) == 2


async def test_a_list_that_was_damaged_on_its_way(kind: str) -> None:
    """It is asked for again, and the attempts tell it."""
    model = {"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "openai"}
    answers = [b'{"data": [', {"data": [model]}, b"<html>", model]
    with Loopback(lambda request: reply(200, answers.pop(0))) as server:
        async with Gate(kind, [OpenAI(api_key=KEY, base_url=server.url)], retry=1) as g:
            page = await settled(g.client.models.list())
            assert [one.id for one in page.data] == ["gpt-4o"]
            found = await settled(g.client.models.retrieve("gpt-4o"))
            assert found.id == "gpt-4o"
    assert [one.outcome for one in page.edge.attempts] == ["ResponseValidationError", "ok"]
    assert [one.outcome for one in found.edge.attempts] == ["ResponseValidationError", "ok"]
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "content", [b"{", b"[]]", b"3", b'{"data": 3}', b'{"data": [{}]}', b'{"error": {"message": "x"}}']
)
def test_answers_that_are_no_list(content: bytes) -> None:
    """A typed error, whatever came."""
    with (
        Loopback(lambda request: reply(200, content)) as server,
        edgeagent.EdgeClient(providers=[OpenAI(api_key=KEY, base_url=server.url)], retry=0) as client,
        pytest.raises(APIError),
    ):
        client.models.list()


def test_a_list_without_end() -> None:
    """Pages that always have a next one are given up after many."""
    with (
        Loopback(lambda r: reply(200, {"models": [{"name": "m"}], "nextPageToken": r.path[-1] + "x"})) as server,
        edgeagent.EdgeClient(providers=[Gemini(api_key=KEY, base_url=server.url)]) as client,
    ):
        page = client.models.list()
    assert len(page.data) == len(server.requests) <= 100


def test_beside_openais_client(server: Loopback) -> None:
    """Equal models, one by one and in the list, and the arguments of openai's methods."""
    pages, singles = [], []
    for package in (openai, edgeagent):
        with package.OpenAI(api_key=KEY, base_url=f"{server.url}/v1") as client:
            page = client.models.list(timeout=20, extra_headers={"x": "y"})
            pages.append([model.to_dict() for model in page])
            singles.append(client.models.retrieve("gpt-4o", timeout=20).to_dict())
    assert pages[0] == pages[1]
    assert singles[0] == singles[1]
    assert server.requests[2].headers["x"] == "y"


def test_async_lists_are_asked_for_when_they_are_used() -> None:
    """Making one sends nothing, but tells of a wrong argument at once."""

    async def scenario() -> None:
        async with AsyncEdgeClient(providers=[FakeProvider("x", models=["m"])]) as client:
            with pytest.raises(TypeError, match="list\\(\\) got an unexpected keyword argument 'limit'"):
                client.models.list(limit=3)
            client.models.list()
            assert [model.id async for model in client.models.list()] == ["m"]

    run("asyncio", scenario)
