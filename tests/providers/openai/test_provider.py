"""OpenAI and Azure OpenAI as providers, compared with what the `openai` package itself sends."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import ALL_CAPABILITIES, Encoded, HTTPProvider
from edgeagent.providers.openai import AzureOpenAI, OpenAI
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPRequest

VARIABLES = [
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_API_VERSION",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_ENDPOINT",
]
COMPARED = ["authorization", "api-key", "openai-organization", "openai-project", "content-type", "x-mine"]
ENDPOINT = "https://me.openai.azure.com"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def sent_by_openai(cls: Callable[..., Any], **arguments: Any) -> httpx2.Request:
    """The request that the `openai` package sends with these arguments."""
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"id": "x", "choices": [], "created": 1, "model": "m", "object": "x"})

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as http:
        cls(**arguments, http_client=http, max_retries=0).chat.completions.create(model="gpt-4o", messages=[])
    return seen[0]


def sent_by_us(provider: OpenAI | AzureOpenAI) -> HTTPRequest:
    credential = provider.api_key() if callable(provider.api_key) else provider.api_key
    assert not hasattr(credential, "__await__")
    return provider.http_request(
        Encoded({"messages": [], "model": "gpt-4o"}),
        credential,  # type: ignore[arg-type]
        model="gpt-4o",
        stream=False,
    )


def assert_alike(ours: HTTPRequest, theirs: httpx2.Request) -> None:
    assert ours.method == theirs.method
    assert ours.url == str(theirs.url)
    assert json.loads(ours.content) == json.loads(theirs.content)
    for name in COMPARED:
        assert ours.headers.get(name) == theirs.headers.get(name), name


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ({"api_key": "k"}, {}),
        ({}, {"OPENAI_API_KEY": "k"}),
        ({}, {"OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "proj"}),
        ({"api_key": "k", "organization": "o", "project": "p"}, {"OPENAI_ORG_ID": "org"}),
        ({"api_key": "k", "base_url": "http://localhost:8080/v1/"}, {"OPENAI_BASE_URL": "http://other/v1"}),
        ({"api_key": "k"}, {"OPENAI_BASE_URL": "http://other/v1"}),
        ({"api_key": "k", "default_headers": {"X-Mine": "1"}, "default_query": {"a": "b"}}, {}),
        ({"api_key": lambda: "fresh"}, {"OPENAI_API_KEY": "old"}),
    ],
)
def test_openai(arguments: dict[str, Any], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """URL, body and credentials are those of the `openai` package with the same arguments and environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert_alike(sent_by_us(OpenAI(**arguments)), sent_by_openai(openai.OpenAI, **arguments))


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "api_key": "k"}, {}),
        ({"azure_endpoint": ENDPOINT + "/", "api_version": "v", "api_key": "k"}, {}),
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "api_key": "k", "azure_deployment": "mine"}, {}),
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "azure_ad_token": "t"}, {"AZURE_OPENAI_API_KEY": "k"}),
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "azure_ad_token_provider": lambda: "t"}, {}),
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "api_key": "k"}, {"AZURE_OPENAI_AD_TOKEN": "t"}),
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "api_key": lambda: "fresh"}, {}),
        ({"base_url": "https://proxy/azure", "api_version": "v", "api_key": "k"}, {}),
        ({"base_url": "https://proxy/openai/deployments/mine", "api_version": "v", "api_key": "k"}, {}),
        (
            {
                "api_version": "v",
                "api_key": "k",
                "organization": "o",
                "default_query": {"api-version": "old", "a": "b"},
            },
            {"AZURE_OPENAI_ENDPOINT": ENDPOINT},
        ),
        (
            {},
            {
                "AZURE_OPENAI_ENDPOINT": ENDPOINT,
                "OPENAI_API_VERSION": "v",
                "AZURE_OPENAI_API_KEY": "k",
                "OPENAI_ORG_ID": "o",
            },
        ),
        (
            {},
            {
                "AZURE_OPENAI_ENDPOINT": ENDPOINT,
                "OPENAI_API_VERSION": "v",
                "AZURE_OPENAI_API_KEY": "k",
                "AZURE_OPENAI_AD_TOKEN": "t",
            },
        ),
    ],
)
def test_azure(arguments: dict[str, Any], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """URL, body and credentials are those of the `openai` package with the same arguments and environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert_alike(sent_by_us(AzureOpenAI(**arguments)), sent_by_openai(openai.AzureOpenAI, **arguments))


def test_azures_v1_path() -> None:
    """The v1 path has no deployment and needs no version."""
    provider = AzureOpenAI(base_url=f"{ENDPOINT}/openai/v1/", api_key="k")
    assert sent_by_us(provider).url == f"{ENDPOINT}/openai/v1/chat/completions"
    assert provider.endpoint("a") == provider.endpoint("b")


@pytest.mark.parametrize(
    ("version", "knows"),
    [("2023-05-15", False), ("2024-08-01-preview", False), ("2024-09-01-preview", True), ("2024-10-21", True)],
)
def test_azures_older_versions_have_no_stream_options(version: str, knows: bool) -> None:
    """They refuse the parameter, so it is not added; a caller who asked for it is told that it was left out."""
    provider = AzureOpenAI(azure_endpoint=ENDPOINT, api_version=version, api_key="k")
    codec = provider.codec_for("gpt-4o")
    for asked in (None, {"include_usage": True}):
        request = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}], stream_options=asked)
        encoded = codec.encode_request(request, model="m", stream=True)
        assert ("stream_options" in encoded.body) is knows
        assert any("left out" in edit for edit in encoded.edits) is (asked is not None and not knows)


def test_a_deployments_name_is_quoted() -> None:
    """A model name cannot leave its place in the path."""
    provider = AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v", api_key="k")
    assert provider.endpoint("../x y?z") == f"{ENDPOINT}/openai/deployments/..%2Fx%20y%3Fz/chat/completions"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"azure_endpoint": ENDPOINT, "api_version": "v"}, "AZURE_OPENAI_API_KEY"),
        ({"azure_endpoint": ENDPOINT, "api_key": "secret"}, "OPENAI_API_VERSION"),
        ({"base_url": ENDPOINT, "api_key": "secret"}, "OPENAI_API_VERSION"),
        ({"api_version": "v", "api_key": "secret"}, "AZURE_OPENAI_ENDPOINT"),
        ({"azure_endpoint": "me.azure.com", "api_version": "v", "api_key": "secret"}, "absolute"),
        ({"azure_endpoint": ENDPOINT, "base_url": ENDPOINT, "api_version": "v", "api_key": "secret"}, "not both"),
        ({"azure_endpoint": ENDPOINT, "api_version": "v", "api_key": "secret", "azure_ad_token": "x"}, "only one"),
    ],
)
def test_azure_misconfigured(arguments: dict[str, Any], says: str) -> None:
    """What is missing or contradictory is named, and no credential with it."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        AzureOpenAI(**arguments)
    assert "secret" not in str(caught.value)


def test_openai_misconfigured() -> None:
    """No key, or no usable address, is said at once."""
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        OpenAI()
    with pytest.raises(ConfigurationError, match="absolute"):
        OpenAI(api_key="k", base_url="localhost:8080")


@pytest.mark.parametrize(
    "provider",
    [
        OpenAI(api_key=lambda: ""),
        AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v", api_key=lambda: ""),
        AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v", azure_ad_token_provider=lambda: ""),
    ],
    ids=["openai", "azure key", "azure token"],
)
def test_a_function_that_gives_no_key(provider: OpenAI | AzureOpenAI) -> None:
    """An empty credential is an AuthenticationError before anything is sent."""
    with pytest.raises(AuthenticationError, match=repr(provider.name)):
        sent_by_us(provider)


def test_another_account_has_another_cache_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, organization, project and Azure's version tell credentials apart; rotating ones have no identity."""
    azure = {"azure_endpoint": ENDPOINT, "api_key": "k"}
    identities = [
        OpenAI(api_key="k").cache_identity,
        OpenAI(api_key="l").cache_identity,
        OpenAI(api_key="k", organization="o").cache_identity,
        OpenAI(api_key="k", project="o").cache_identity,
        AzureOpenAI(**azure, api_version="1").cache_identity,
        AzureOpenAI(**azure, api_version="2").cache_identity,
    ]
    assert len(set(identities)) == len(identities)
    assert None not in identities
    monkeypatch.setenv("OPENAI_ORG_ID", "o")
    assert OpenAI(api_key="k").cache_identity == identities[2]
    assert OpenAI(api_key=lambda: "k").cache_identity is None
    assert OpenAI(api_key=lambda: "k", cache_identity="team").cache_identity == "team"
    assert (
        AzureOpenAI(azure_endpoint=ENDPOINT, api_version="1", azure_ad_token_provider=lambda: "").cache_identity is None
    )


def test_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider whose key is in the environment is rebuilt from the environment it wakes up in."""
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    data = pickle.dumps(OpenAI())
    assert b"one" not in data.replace(b"gone", b"")
    monkeypatch.setenv("OPENAI_API_KEY", "two")
    assert sent_by_us(pickle.loads(data)).headers["authorization"] == "Bearer two"
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        pickle.dumps(OpenAI(api_key="k"))
    with pytest.raises(ConfigurationError, match="HTTP client"):
        pickle.dumps(OpenAI(http_client=object()))


def test_azure_pickled_changes_its_kind_of_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a key or a token is sent depends on what the environment has where it wakes up."""
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "t")
    data = pickle.dumps(AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v"))
    assert sent_by_us(pickle.loads(data)).headers["authorization"] == "Bearer t"
    monkeypatch.delenv("AZURE_OPENAI_AD_TOKEN")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    request = sent_by_us(pickle.loads(data))
    assert request.headers["api-key"] == "k"
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("model", "belongs"),
    [
        ("gpt-4o-mini", True),
        ("o3", True),
        ("chatgpt-4o-latest", True),
        ("ft:gpt-4o-mini:me::x", True),
        ("claude-haiku-4-5", False),
        ("ft:mistral", False),
        ("llama3", False),
    ],
)
def test_family(model: str, belongs: bool) -> None:
    """Names are told by how they begin; Azure's deployments may have any name."""
    assert OpenAI(api_key="k").family(model) is belongs
    assert not AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v", api_key="k").family(model)


@pytest.mark.parametrize(
    ("model", "sampled"),
    [
        ("gpt-4o", None),
        ("gpt-5-chat-latest", None),
        ("gpt-5-mini-2025-08-07", ()),
        ("o3-mini", ()),
        ("gpt-5.1-codex-max", ()),
        ("gpt-5.4-nano", (None, "none")),
        ("gpt-5.6-sol", ("none",)),
    ],
)
def test_beside_which_efforts_a_temperature_is_taken(model: str, sampled: tuple[str | None, ...] | None) -> None:
    """By the beginning of the model's name, whichever of the two APIs it is asked through."""
    for responses in (None, True):
        assert OpenAI(api_key="k", responses=responses).capabilities(model).sampled == sampled


@pytest.mark.parametrize(
    ("model", "lacks"),
    [
        ("gpt-3.5-turbo-0125", {"vision", "documents", "audio", "json_schema", "reasoning"}),
        ("gpt-4", {"vision", "documents", "audio", "json_schema", "reasoning"}),
        ("gpt-4-turbo-2024-04-09", {"audio", "json_schema", "reasoning"}),
        ("gpt-4o-mini-2024-07-18", {"audio", "reasoning"}),
        ("ft:gpt-4o-mini-2024-07-18:me::x", {"audio", "reasoning"}),
        ("gpt-4o-mini-audio-preview", {"vision", "json_schema", "reasoning"}),
        ("o3-mini", {"vision", "audio", "logprobs", "stop"}),
        ("o3-2025-04-16", {"audio", "logprobs", "stop"}),
        ("gpt-5.6-luna", {"stop", "logprobs"}),
        ("gpt-5-mini-2025-08-07", {"stop"}),
        ("gpt-5.2", {"stop"}),
        ("gpt-5-chat-latest", set()),
        ("gpt-5.5", set()),
        ("gpt-44", set()),
        ("o9-of-tomorrow", set()),
    ],
)
def test_capabilities(model: str, lacks: set[str]) -> None:
    """Only what is certain is denied; a model that nobody knows can do all that chat completions can."""
    features = OpenAI(api_key="k").capabilities(model).features
    assert ALL_CAPABILITIES.features - features == lacks | {"file_urls", "video"}
    by_responses = OpenAI(api_key="k", responses=True).capabilities(model).features
    assert ("file_urls" in by_responses) == ("documents" not in lacks)


def test_the_providers_are_what_a_provider_is() -> None:
    """Both are HTTP providers with OpenAI's wire, under the names that telemetry knows."""
    own = OpenAI(api_key="k", models=["house-model"])
    azure = AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v", api_key="k", name="west")
    for provider in (own, azure):
        assert isinstance(provider, HTTPProvider)
        assert provider.codec.wire == "openai.chat"
        assert "k'" not in repr(provider)
    assert (own.name, own.vendor) == ("openai", "openai")
    assert (azure.name, azure.vendor) == ("west", "azure.ai.openai")
    assert own.knows("house-model")
    assert not own.knows("gpt-4o")
    assert azure.capabilities("anything").features == ALL_CAPABILITIES.features - {"file_urls", "video"}


# The Responses API


def responses_sent_by_openai(cls: Callable[..., Any], **arguments: Any) -> httpx2.Request:
    """The request for a response that the `openai` package sends with these arguments."""
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"id": "x", "output": [], "object": "response"})

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as http:
        cls(**arguments, http_client=http, max_retries=0).responses.create(model="mine", input="hi")
    return seen[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "arguments"),
    [
        (OpenAI, openai.OpenAI, {"api_key": "k"}),
        (
            AzureOpenAI,
            openai.AzureOpenAI,
            {"api_key": "k", "azure_endpoint": ENDPOINT, "api_version": "2025-04-01-preview"},
        ),
        (
            AzureOpenAI,
            openai.AzureOpenAI,
            {"api_key": "k", "base_url": f"{ENDPOINT}/openai/v1", "api_version": "preview"},
        ),
        (
            AzureOpenAI,
            openai.AzureOpenAI,
            {
                "azure_ad_token_provider": lambda: "entra",
                "azure_endpoint": ENDPOINT,
                "api_version": "2025-04-01-preview",
                "azure_deployment": "mine",
            },
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_responses_go_where_openai_sends_them(ours: Any, theirs: Any, arguments: dict[str, Any], stream: bool) -> None:
    """URL and credential are those of the `openai` package's `responses.create`."""
    wanted = responses_sent_by_openai(theirs, **arguments)
    provider = ours(**arguments, responses="mine")
    credential = provider.api_key() if callable(provider.api_key) else provider.api_key
    sent = provider.http_request(Encoded({"model": "mine", "input": "hi"}), credential, model="mine", stream=stream)
    assert sent.url == str(wanted.url)
    for name in ("authorization", "api-key"):
        assert sent.headers.get(name) == wanted.headers.get(name)
    assert json.loads(sent.content)["model"] == "mine"
    assert provider.endpoint("mine") == str(wanted.url).partition("?")[0]


def test_a_configured_deployment_is_the_bodys_model() -> None:
    """Where no path names the deployment, the body does, whatever the request's model is called."""
    arguments = {"api_key": "k", "azure_endpoint": ENDPOINT, "api_version": "v", "azure_deployment": "dep loyed"}
    provider = AzureOpenAI(**arguments, responses=True)  # type: ignore[arg-type]
    sent = provider.http_request(Encoded({"model": "gpt-5"}), "k", model="gpt-5", stream=False)
    assert json.loads(sent.content)["model"] == "dep loyed"
    assert AzureOpenAI(**arguments).endpoint("gpt-5") == f"{ENDPOINT}/openai/deployments/dep%20loyed/chat/completions"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("responses", "model", "wire"),
    [
        (None, "gpt-5", "openai.chat"),
        (None, "gpt-5-pro", "openai.responses"),
        (None, "gpt-5-pro-2025-10-06", "openai.responses"),
        (None, "o1-pro", "openai.responses"),
        (None, "o1", "openai.chat"),
        (None, "gpt-5.1-codex-max", "openai.responses"),
        (None, "o3-deep-research", "openai.responses"),
        (None, "computer-use-preview", "openai.responses"),
        (False, "o1-pro", "openai.chat"),
        (True, "gpt-4o", "openai.responses"),
        (["gpt-5"], "gpt-5", "openai.responses"),
        (["gpt-5"], "gpt-5-mini", "openai.chat"),
        ("gpt-5", "o3-pro", "openai.responses"),
    ],
)
def test_the_model_decides_the_wire(responses: Any, model: str, wire: str) -> None:
    """Models that only exist in the Responses API just work; the caller may mark others, all or none."""
    for provider in (
        OpenAI(api_key="k", responses=responses),
        AzureOpenAI(api_key="k", azure_endpoint=ENDPOINT, api_version="v", responses=responses),
    ):
        assert provider.codec_for(model).wire == wire
        assert provider.endpoint(model).endswith("/responses" if wire == "openai.responses" else "/chat/completions")
        features = provider.capabilities(model).features
        assert ("n" in features) == (wire == "openai.chat")
        assert ("computer_call_output" in provider.capabilities(model).parts) == (wire == "openai.responses")


def test_the_vendors_own_list_of_models_is_served() -> None:
    """Every model that OpenAI's own package names as one of the Responses API alone is asked there."""
    from typing import get_args

    from openai.types.shared import ChatModel, ResponsesModel

    every = {name for arm in get_args(ResponsesModel) for name in (get_args(arm) or [arm]) if isinstance(name, str)}
    only = every - set(get_args(ChatModel))
    assert "o1-pro" in only
    chat = OpenAI(api_key="k")
    assert [name for name in only if chat.codec_for(name).wire != "openai.responses"] == []
