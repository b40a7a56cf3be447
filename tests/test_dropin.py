"""openai's constructors: same parameters, same calls, no cache unless asked for."""

from __future__ import annotations

import asyncio
import inspect
import json
from functools import reduce
from typing import Any

import httpx
import openai
import pytest

import edgeagent
import edgeagent.types.params
from edgeagent import ConfigurationError
from edgeagent.testing import FakeProvider

ASK: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
}


class Upstream:
    """A vendor behind httpx's mock transport."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=ANSWER, headers={"x-request-id": "req_1"})

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    def async_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


@pytest.mark.parametrize("name", ["OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI"])
def test_parameters_are_openais(name: str) -> None:
    """Every parameter of ours is one of the openai class, but for `edge`; of one that is not here we say what to do."""
    ours = set(inspect.signature(getattr(edgeagent, name)).parameters) - {"edge"}
    theirs = set(inspect.signature(getattr(openai, name)).parameters)
    assert ours <= theirs
    for parameter in theirs - ours:
        with pytest.raises(TypeError, match=rf"'{parameter}'; \w.* \w.*\.$"):
            getattr(edgeagent, name)(api_key="k", **{parameter: object()})


@pytest.mark.parametrize("asynchronous", [False, True])
def test_nothing_of_openais_client_is_silently_missing(asynchronous: bool) -> None:
    """Each public name of the client and of the resources that are here is here, or its error says what to use."""
    theirs, ours = (getattr(package, "AsyncOpenAI" if asynchronous else "OpenAI") for package in (openai, edgeagent))
    resources = ["chat", "embeddings", "models", "moderations", "responses"]
    below = ["beta", "beta.chat.completions", "chat.completions", "chat.completions.messages", "responses.input_items"]
    for path in ["", *resources, *below]:
        mine, other = (reduce(getattr, filter(None, path.split(".")), kind(api_key="k")) for kind in (ours, theirs))
        for name in [name for name in dir(other) if not name.startswith("_")]:
            if not hasattr(mine, name):
                with pytest.raises(AttributeError, match=rf"{name} is no part of the gateway.*transport\(edge\)"):
                    getattr(mine, name)


KEPT = {"webhook_secret": "w", "websocket_base_url": "wss://x.test", "admin_api_key": "a"}


def test_what_openais_other_resources_need_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be read and copied, comes from the environment else, and changes no request."""
    upstream = Upstream()
    client = edgeagent.OpenAI(api_key="k", http_client=upstream.client(), **KEPT)
    assert {name: getattr(client, name) for name in KEPT} == KEPT
    assert client.copy(webhook_secret="v").webhook_secret == "v"
    assert client.with_options(api_key="l").webhook_secret == "w"
    with pytest.raises(AttributeError, match="with_options"):
        client.webhook_secret = "v"
    monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", "from the environment")
    assert edgeagent.AsyncOpenAI(api_key="k").webhook_secret == "from the environment"
    assert client.webhook_secret == "w"
    client.chat.completions.create(**ASK)
    assert not {"w", "a"} & set(upstream.requests[0].headers.values())


@pytest.mark.parametrize("region", ["global", "us", "eu", "ae", "au", "in", "jp"])
def test_regions_are_openais(region: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same address as openai's own client has, whatever the environment says; a copy may have another."""
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.test/v1")
    ours = edgeagent.OpenAI(api_key="k", data_residency=region)
    theirs = openai.OpenAI(api_key="k", data_residency=region)
    assert str(ours.base_url) == str(theirs.base_url)
    assert str(ours.copy(base_url="https://x.test/v1").base_url) == "https://x.test/v1/"
    assert ours.copy(data_residency="eu").base_url.host == "eu.api.openai.com"


@pytest.mark.parametrize("more", [{"data_residency": "moon"}, {"data_residency": "eu", "base_url": "https://x.test"}])
def test_a_region_that_cannot_be(more: dict[str, Any]) -> None:
    """An unknown one, or one beside another address."""
    with pytest.raises(ConfigurationError, match="data_residency"):
        edgeagent.OpenAI(api_key="k", **more)


def test_openais_http_clients() -> None:
    """They have openai's limits unless others are given."""
    with edgeagent.DefaultHttpxClient(follow_redirects=False) as client:
        assert client.timeout == httpx.Timeout(600, connect=5.0) == edgeagent.Timeout(600, connect=5)
        assert not client.follow_redirects
        assert edgeagent.Client(api_key="k", http_client=client).timeout.read == 600
    assert edgeagent.DefaultAsyncHttpxClient().follow_redirects
    assert edgeagent.DEFAULT_MAX_RETRIES == openai.DEFAULT_MAX_RETRIES


def test_openai() -> None:
    """The request is the one that openai's client sends; nothing is cached by default."""
    upstream = Upstream()
    client = edgeagent.OpenAI(
        api_key="sk-1",
        base_url="http://vendor.test/v1/",
        organization="org",
        project="proj",
        default_headers={"x-mine": "1"},
        http_client=upstream.client(),
    )
    first = client.chat.completions.create(**ASK)
    second = client.chat.completions.create(**ASK)
    assert first.to_dict() == ANSWER
    assert (first._request_id, first.edge.provider, second.edge.cached) == ("req_1", "openai", False)
    request = upstream.requests[0]
    assert str(request.url) == "http://vendor.test/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["openai-organization"] == "org"
    assert request.headers["openai-project"] == "proj"
    assert request.headers["x-mine"] == "1"
    assert json.loads(request.content) == ASK
    client.close()


def test_async_openai() -> None:
    """The same, awaiting."""
    upstream = Upstream()

    async def main() -> str | None:
        async with edgeagent.AsyncOpenAI(
            api_key="sk-1", base_url="http://vendor.test/v1", http_client=upstream.async_client()
        ) as client:
            return (await client.chat.completions.create(**ASK)).choices[0].message.content

    assert asyncio.run(main()) == "Paris"


def test_azure() -> None:
    """Deployment, version and key are where Azure wants them."""
    upstream = Upstream()
    client = edgeagent.AzureOpenAI(
        azure_endpoint="https://me.openai.azure.com",
        api_version="2024-10-21",
        api_key="k",
        http_client=upstream.client(),
    )
    client.chat.completions.create(**ASK)
    request = upstream.requests[0]
    assert str(request.url) == (
        "https://me.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
    )
    assert request.headers["api-key"] == "k"
    client.close()


def test_model_names_are_sent_as_they_are() -> None:
    """`openai/…` is a name of OpenRouter's, not a prefix of ours."""
    upstream = Upstream()
    with edgeagent.OpenAI(api_key="k", base_url="http://router.test/v1", http_client=upstream.client()) as client:
        client.chat.completions.create(**{**ASK, "model": "openai/gpt-4o-mini"})
    assert json.loads(upstream.requests[0].content)["model"] == "openai/gpt-4o-mini"


def test_edge_options() -> None:
    """A cache, groups and more providers, by one keyword."""
    upstream = Upstream()
    fake = FakeProvider("from the fallback")
    with edgeagent.OpenAI(
        api_key="k",
        base_url="http://vendor.test/v1",
        http_client=upstream.client(),
        edge={"cache": True, "providers": [fake], "models": {"other": ["fake/m"]}},
    ) as client:
        client.chat.completions.create(**ASK)
        assert client.chat.completions.create(**ASK).edge.cached
        assert client.chat.completions.create(**{**ASK, "model": "other"}).edge.provider == "fake"


@pytest.mark.parametrize(
    ("edge", "message"), [({"retry": 3}, "max_retries="), ({"timeout": 3}, "timeout="), ({"colour": 1}, "colour")]
)
def test_wrong_edge_options(edge: dict[str, Any], message: str) -> None:
    """What the constructor has itself, or nobody has, is refused."""
    with pytest.raises((ConfigurationError, TypeError), match=message):
        edgeagent.OpenAI(api_key="k", edge=edge)


PROVIDER = (
    "it belongs to a provider: EdgeClient(providers=[OpenAI(api_key=…, base_url=…)]); "
    "edgeagent.OpenAI takes what openai's own client does."
)


@pytest.mark.parametrize(
    ("kind", "argument", "told"),
    [
        ("EdgeClient", "api_key", f"; {PROVIDER}"),
        ("AsyncEdgeClient", "base_url", f"; {PROVIDER}"),
        ("EdgeClient", "organization", f"; {PROVIDER}"),
        ("EdgeClient", "max_retries", "; here it is retry=."),
        ("EdgeClient", "tags", "; it is an option of a call, or of a view: client.with_options(tags=…)."),
        (
            "EdgeClient",
            "default_headers",
            "; it belongs to a provider, or to a view: client.with_options(default_headers=…).",
        ),
        ("EdgeClient", "edge", "; what goes into edge={…} there is an argument of its own here."),
        ("EdgeClient", "provider", "; did you mean 'providers'?"),
        ("EdgeClient", "colour", "."),
        ("OpenAI", "models", "; it is an option of edge={'models': …}."),
        ("AsyncOpenAI", "retry", "; here it is max_retries=."),
        ("AzureOpenAI", "azure_endpont", "; did you mean 'azure_endpoint'?"),
    ],
)
def test_an_unknown_argument_is_told_where_it_belongs(kind: str, argument: str, told: str) -> None:
    """As in a program whose client was renamed and whose arguments were not."""
    with pytest.raises(TypeError) as caught:
        getattr(edgeagent, kind)(**{argument: "x"})
    assert str(caught.value) == f"{kind}() got an unexpected keyword argument {argument!r}{told}"


def test_an_unknown_option_of_a_view() -> None:
    """The same, of `with_options` and `copy`."""
    client: Any = edgeagent.EdgeClient(providers=[FakeProvider("never asked")])
    with pytest.raises(TypeError, match=r"with_options\(\) got .* 'api_key'; it belongs to a provider: "):
        client.copy(api_key="k")
    with pytest.raises(TypeError, match=r"with_options\(\) got .* 'tag'; did you mean 'tags'\?"):
        client.with_options(tag=["x"])


@pytest.mark.parametrize("name", ["api_key", "base_url", "max_retries", "organization", "project", "timeout"])
@pytest.mark.parametrize("kind", [edgeagent.OpenAI, edgeagent.AsyncOpenAI])
def test_settings_are_not_assigned(kind: Any, name: str) -> None:
    """openai's clients take another key so; here it would change nothing, and the old one would go on being used."""
    client = kind(api_key="k")
    with pytest.raises(AttributeError, match=rf"client\.with_options\({name}=…\)"):
        setattr(client, name, "new")
    client.mine = "whatever else"
    assert client.mine == "whatever else"


SETTINGS: list[dict[str, Any]] = [
    {},
    {"base_url": "http://vendor.test/v1", "organization": "o", "project": "p", "timeout": 3, "max_retries": 5},
    {"base_url": "http://vendor.test/v1/", "timeout": httpx.Timeout(9, connect=1), "max_retries": 0},
]


@pytest.mark.parametrize("name", ["OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI"])
@pytest.mark.parametrize("given", SETTINGS)
def test_settings_are_read(name: str, given: dict[str, Any]) -> None:
    """As those of openai's own clients, which programs print, compare, and make further clients of."""
    given = {"api_key": "k", **given}
    if "Azure" in name:
        given |= {"api_version": "2024-10-21", "azure_endpoint": "https://r.openai.azure.com"}
        if "base_url" in given:
            del given["azure_endpoint"]
    ours, theirs = getattr(edgeagent, name)(**given), getattr(openai, name)(**given)
    for setting in ("api_key", "organization", "project", "max_retries"):
        assert getattr(ours, setting) == getattr(theirs, setting)
    assert str(ours.base_url) == str(theirs.base_url)
    assert ours.base_url.host == theirs.base_url.host
    if isinstance(given.get("timeout"), httpx.Timeout):
        assert ours.timeout == given["timeout"]
    elif "timeout" in given:
        assert ours.timeout == httpx.Timeout(given["timeout"])
    assert ours.copy(max_retries=1).max_retries == 1
    assert str(ours.copy(base_url="http://other.test").base_url) == "http://other.test/"
    assert type(ours)(**{**given, "api_key": lambda: "k"}).api_key == ""


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is an OpenAIError, as in openai, and says which variable to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(edgeagent.OpenAIError, match="OPENAI_API_KEY"):
        edgeagent.OpenAI()


@pytest.mark.parametrize("own", [None, {"x-a": "own"}, {"X-B": "own"}])
@pytest.mark.parametrize("azure", [False, True])
def test_header_fields_of_the_environment(monkeypatch: pytest.MonkeyPatch, *, azure: bool, own: Any) -> None:
    """A line for each, as openai reads them; the constructor's own win."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-A: 1\nX-B:a: b \nnothing\n")
    options = {"azure_endpoint": "https://a.test", "api_version": "v"} if azure else {}
    theirs = (openai.AzureOpenAI if azure else openai.OpenAI)(api_key="k", default_headers=own, **options)
    upstream = Upstream()
    kind: Any = edgeagent.AzureOpenAI if azure else edgeagent.OpenAI
    client = kind(api_key="k", default_headers=own, http_client=upstream.client(), **options)
    client.chat.completions.create(**ASK)
    hers = httpx.Headers([(name, str(value)) for name, value in theirs.default_headers.items()])
    for name in ("x-a", "x-b", "nothing"):
        assert upstream.requests[0].headers.get(name) == (hers.get_list(name) or [None])[-1]
    client.close()


def parameters(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


@pytest.mark.parametrize("name", ["create", "parse", "stream"])
def test_every_parameter_of_openais(name: str) -> None:
    """Each parameter that openai's own method has is one of ours, for a type checker and at run time."""
    theirs = openai.OpenAI(api_key="k").chat.completions
    wanted = parameters(getattr(theirs, name)) - {"messages", "model"}
    assert len(wanted) > 30
    upstream = Upstream()
    client = edgeagent.OpenAI(api_key="k", http_client=upstream.client())
    method = getattr(client.chat.completions, name)
    made = method(**ASK, **dict.fromkeys(wanted, openai.omit))
    if name == "stream":
        with made as stream:
            stream.until_done()  # JSON in place of a stream is read too
    assert json.loads(upstream.requests[0].content).keys() - {"stream", "stream_options"} == ASK.keys()
    typed = edgeagent.types.params.ChatParams.__annotations__.keys()
    assert wanted - {"stream"} <= typed
    client.close()


def test_copies() -> None:
    """`copy` takes what openai's takes: another account is a client of its own, with the same defaults."""
    upstream = Upstream()
    options = {"base_url": "http://vendor.test/v1", "http_client": upstream.client()}
    client = edgeagent.OpenAI(api_key="sk-1", default_headers={"x-a": "1", "x-b": "1"}, timeout=3, **options)
    view = client.with_options(default_headers={"x-b": "2"}, default_query={"q": "1"})
    other = view.copy(api_key="sk-2", project="proj", max_retries=0)
    bare = view.with_options(set_default_headers={"x-c": "3"}, set_default_query={})
    for made in (client, view, other, bare, other.copy(timeout=5)):
        made.chat.completions.create(**ASK)
    assert isinstance(other, edgeagent.OpenAI)
    assert other.options.retry.attempts == 0
    assert other.options.timeout == client.options.timeout != other.copy(timeout=5).options.timeout
    told = [
        [request.headers.get(name) for name in ("authorization", "openai-project", "x-a", "x-b", "x-c")]
        + [request.url.query]
        for request in upstream.requests
    ]
    assert told == [
        ["Bearer sk-1", None, "1", "1", None, b""],
        ["Bearer sk-1", None, "1", "2", None, b"q=1"],
        ["Bearer sk-2", "proj", "1", "2", None, b"q=1"],
        ["Bearer sk-1", None, None, None, "3", b""],
        ["Bearer sk-2", "proj", "1", "2", None, b"q=1"],
    ]
    with pytest.raises(ConfigurationError, match="give one of them"):
        client.copy(default_headers={"a": "b"}, set_default_headers={"c": "d"})
    same = client.copy(
        api_key=None, base_url=openai.NOT_GIVEN, timeout=openai.NOT_GIVEN, max_retries=edgeagent.NOT_GIVEN
    )
    assert same._engine is client._engine
    assert same.options == client.options
    azure = edgeagent.AzureOpenAI(azure_endpoint="http://a.test", api_version="1", api_key="k")
    assert isinstance(azure.copy(api_version="2"), edgeagent.AzureOpenAI)


def test_copies_of_a_client_that_was_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not know what its constructor was given, and says so."""
    import pickle

    monkeypatch.setenv("OPENAI_API_KEY", "k")
    client = pickle.loads(pickle.dumps(edgeagent.OpenAI()))
    assert client.copy(timeout=5).options.timeout.read == 5
    with pytest.raises(ConfigurationError, match="pickled"):
        client.copy(api_key="sk-2")


def test_the_whole_client_with_raw_responses() -> None:
    """The prefixes stand at the client and at `chat` too."""
    client = edgeagent.OpenAI(api_key="k", http_client=Upstream().client())
    for with_raw in (client.with_raw_response.chat.completions, client.chat.with_raw_response.completions):
        assert with_raw.create(**ASK).request_id == "req_1"
    for streaming in (
        client.with_streaming_response.chat.completions,
        client.chat.with_streaming_response.completions,
    ):
        with streaming.create(**ASK) as response:
            assert response.json() == ANSWER
    other = client.to_async()
    for create in (
        other.with_raw_response.chat.completions.create,
        other.chat.with_raw_response.completions.create,
        other.with_streaming_response.chat.completions.create,
        other.chat.with_streaming_response.completions.create,
    ):
        assert callable(create)
    assert other.beta.chat is other.chat
    assert client.beta.chat is client.chat


@pytest.mark.parametrize("name", ["OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI"])
def test_what_openais_clients_have_besides(name: str) -> None:
    """It is here too, or the error says where it is; other names are plain mistakes."""
    arguments = {"azure_endpoint": "https://r.test", "api_version": "v"} if "Azure" in name else {}
    ours, theirs = (getattr(package, name)(api_key="k", **arguments) for package in (edgeagent, openai))
    for resource in ("files", "images", "audio", "batches", "fine_tuning", "vector_stores", "completions"):
        assert hasattr(theirs, resource)
        with pytest.raises(AttributeError, match=r"transport\(edge\)") as caught:
            getattr(ours, resource)
        assert f"openai.{name}(" in str(caught.value)
        assert ("Async" in name) == ("DefaultAsyncHttpxClient" in str(caught.value))
    with pytest.raises(AttributeError, match=r"no attribute 'chats'$"):
        _ = ours.chats
    assert not hasattr(ours, "files")
