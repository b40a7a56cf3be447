"""The rows: what they must hold, and what a name brings with it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from edgeagent import EdgeClient
from edgeagent.config import environment_providers
from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.pricing import Pricing
from edgeagent.pricing.table import shipped_table
from edgeagent.providers import OpenAICompatible
from edgeagent.providers.base import ALL_CAPABILITIES, Encoded
from edgeagent.providers.family import Row, address, needed
from edgeagent.providers.openai import COMPATIBLE
from edgeagent.providers.rows import ROWS, set_up
from edgeagent.types import ChatRequest, CompletionUsage
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

every_row = pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))


@every_row
def test_a_row_is_complete(row: Row) -> None:
    """An address or a way to say it, a source, features that exist, a name that can stand before a slash."""
    assert "/" not in row.name
    assert row.docs.startswith("https://")
    assert row.features <= ALL_CAPABILITIES.features
    assert row.base_url is None or row.base_url.startswith(("http://", "https://", "{"))
    assert row.base_url is None or not row.base_url.endswith("/")
    assert row.path.startswith("/")
    assert not (row.automatic and row.keys and row.base_url is None and not row.base_url_variables)


@every_row
def test_a_name_brings_address_key_and_quirks(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment and the row say is what is asked; arguments come first."""
    for variable in (*row.keys, *row.base_url_variables, *needed(row)):
        monkeypatch.delenv(variable, raising=False)
    base = {} if row.base_url is not None else {"base_url": "http://localhost:1/v1"}
    for variable in needed(row):
        monkeypatch.setenv(variable, "https://example.com/")
    if row.keys:
        with pytest.raises(ConfigurationError, match="key"):
            OpenAICompatible(name=row.name, row=row, **base)
        monkeypatch.setenv(row.keys[0], "secret-key")
    provider = OpenAICompatible(name=row.name, row=row, **base)
    assert (provider.name, provider.capabilities("m").features) == (row.name, row.features)
    request = provider.http_request(Encoded({}), provider.api_key if row.keys else None, model="m", stream=False)
    assert request.url.partition("?")[0].endswith(row.path)
    assert all(f"{name}={value}" in request.url for name, value in row.query)
    sent = [value for name, value in request.headers.fields if "secret-key" in value]
    assert len(sent) == (1 if row.keys else 0)
    assert "secret-key" not in repr(provider)
    again = pickle.loads(pickle.dumps(provider))
    assert (again.base_url, again.codec, again.row) == (provider.base_url, provider.codec, row)
    assert OpenAICompatible(name=row.name, row=row, base_url="http://elsewhere/v1").base_url == "http://elsewhere/v1"


@every_row
def test_a_server_of_ones_own_costs_nothing_that_is_known(row: Row) -> None:
    """The price table takes no server without a key for a vendor, and each vendor that it has by its own name."""
    table = shipped_table()
    found = table.provider_id(row.vendor or row.name)
    if not row.keys:
        assert found is None
    for name in (row.name, row.name.replace("_", "-")):
        assert table.provider_id(name) != name or found == name


def test_a_row_may_be_asked_by_responses() -> None:
    """The models that are named, or all, go to the server's Responses API; what it can do stays."""
    named = OpenAICompatible(name="xai", api_key="k", responses=["grok-4"])
    assert named.endpoint("grok-4") == "https://api.x.ai/v1/responses"
    assert named.endpoint("grok-3") == "https://api.x.ai/v1/chat/completions"
    assert (named.codec_for("grok-4").wire, named.codec_for("grok-3").wire) == ("openai.responses", "openai.chat")
    assert "n" in named.capabilities("grok-3").features
    assert "n" not in named.capabilities("grok-4").features
    assert "tools" in named.capabilities("grok-4").features
    everything = OpenAICompatible(name="mine", base_url="http://h/v1", responses=True)
    assert everything.endpoint("m") == "http://h/v1/responses"
    assert pickle.loads(pickle.dumps(everything)).endpoint("m") == "http://h/v1/responses"
    for nothing in (None, False, ()):
        assert OpenAICompatible(name="xai", api_key="k", responses=nothing).codec_for("grok-4").wire == "openai.chat"
    with pytest.raises(ConfigurationError, match="Responses"):
        OpenAICompatible(name="perplexity", api_key="k", responses=True)


def test_a_call_by_responses() -> None:
    """The caller's request and answer are the same: only the wire is another."""
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    text = {"type": "output_text", "text": "Hi", "annotations": []}
    said = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    answer = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [said]}

    with Loopback(lambda request: reply(200, {**answer, "usage": usage})) as server:
        provider = OpenAICompatible(name="mine", base_url=f"{server.url}/v1", responses="m")
        with EdgeClient(providers=[provider]) as client:
            got = client.chat.completions.create(model="mine/m", messages=[{"role": "user", "content": "?"}])
    assert got.choices[0].message.content == "Hi"
    assert server.requests[0].path == "/v1/responses"
    assert server.requests[0].json()["input"]


def test_a_proxy_has_not_the_prices_of_a_vendor_whose_name_it_contains() -> None:
    """What a server of the caller's own costs is not known, unless the caller says whose prices it has."""
    usage = CompletionUsage(prompt_tokens=1000, completion_tokens=10, total_tokens=1010)
    proxy = OpenAICompatible(name="my-openai-proxy", base_url="http://proxy.example/v1")
    assert Pricing.default().cost(proxy.vendor, "gpt-4o", usage) is None
    resold = OpenAICompatible(name="my-openai-proxy", base_url="http://proxy.example/v1", vendor="openai")
    assert Pricing.default().cost(resold.vendor, "gpt-4o", usage)


def test_an_address_with_parts_from_the_environment() -> None:
    """Each part is named when it is missing; a host alone is one of https; a variable of the whole address is first."""
    row = ROWS["databricks"]
    assert address(row, {"DATABRICKS_HOST": "adb-1.azuredatabricks.net/"}) == (
        "https://adb-1.azuredatabricks.net/serving-endpoints"
    )
    with pytest.raises(ConfigurationError, match="DATABRICKS_HOST"):
        address(row, {"DATABRICKS_HOST": " "})
    assert address(ROWS["groq"], {"GROQ_BASE_URL": "http://proxy"}) == "http://proxy"
    assert address(ROWS["groq"], {"GROQ_BASE_URL": " "}) == "https://api.groq.com/openai/v1"
    assert address(ROWS["gpustack"], {}) is None
    gateway = {"CLOUDFLARE_ACCOUNT_ID": "a", "CLOUDFLARE_GATEWAY_ID": "g"}
    assert address(ROWS["cloudflare_gateway"], gateway) == "https://gateway.ai.cloudflare.com/v1/a/g/compat"


def test_a_key_in_a_field_of_its_own() -> None:
    """With what stands before it; a function that gives none is an error."""
    url = "https://gateway.ai.cloudflare.com/v1/a/g/compat"
    gateway = OpenAICompatible(name="gateway", base_url=url, row=ROWS["cloudflare_gateway"], api_key=lambda: "")
    assert gateway.auth_headers("k") == [("cf-aig-authorization", "Bearer k")]
    with pytest.raises(AuthenticationError):
        gateway.auth_headers("")
    azure = OpenAICompatible(
        name="azure_ai",
        base_url="https://x/models",
        row=ROWS["azure_ai"],
        api_key="k",
        default_query={"api-version": "1"},
    )
    sent = azure.http_request(Encoded({}), "k", model="m", stream=False)
    assert (sent.headers["api-key"], sent.url) == ("k", "https://x/models/chat/completions?api-version=1")


def test_a_name_that_is_not_known() -> None:
    """It needs an address; one that is known and has an address of its own is another server."""
    with pytest.raises(ConfigurationError, match="base_url"):
        OpenAICompatible(name="nobody")
    other = OpenAICompatible(name="groq", base_url="http://localhost:1/v1")
    assert (other.api_key, other.row.name) == (None, "")


def test_a_row_of_the_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new server is data."""
    monkeypatch.setenv("NEW_KEY", "k")
    mine = Row("new", "https://api.new.example/v1", ("NEW_KEY",), "https://docs.new.example", families=("new-",))
    provider = OpenAICompatible(name="new", row=mine)
    assert (provider.api_key, provider.base_url) == ("k", "https://api.new.example/v1")
    assert provider.family("new-1")
    with EdgeClient(providers=[provider]) as client:
        assert client is not None


def test_what_the_environment_configures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that are set, in the order of the rows; not those that usually serve something else."""
    everything = {key: "k" for row in ROWS.values() for key in row.keys}
    found = [row.name for row in set_up(everything)]
    assert found[:3] == ["deepseek", "xai", "groq"]
    assert not {"github", "cloudflare_openai", "databricks", "gemini_openai", "vllm"} & set(found)
    assert [row.name for row in set_up({**everything, "DATABRICKS_HOST": "h"}) if row.name == "databricks"]
    assert [row.name for row in set_up({"GROQ_API_KEY": "  "})] == []
    monkeypatch.setattr("os.environ", {"GROQ_API_KEY": "g", "OPENAI_API_KEY": "o", "XAI_API_KEY": "x"})
    assert [provider.name for provider in environment_providers()] == ["openai", "xai", "groq"]


def test_a_server_that_speaks_like_mistral() -> None:
    """Names of parameters, ids of calls and roles are data, and so is what it has not."""
    quirks = replace(
        COMPATIBLE,
        renamed=(("seed", "random_seed"), ("max_completion_tokens", "max_tokens")),
        dropped=("user",),
        stream_options=False,
        developer_role=False,
        parts_replayed=True,
        call_id_length=9,
        required_choice="any",
    )
    provider = OpenAICompatible(name="mine", base_url="http://localhost:1/v1", quirks=quirks)
    call = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}]
    native = {"wire": "openai.chat", "content": thinking}
    request = ChatRequest(
        model="m",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm.", "native_content": native},
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "42"},
        ],
        seed=7,
        user="u",
        max_completion_tokens=5,
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        tool_choice="required",
    )
    encoded = provider.codec.encode_request(request, model="m", stream=True)
    body = encoded.body
    assert (body["random_seed"], body["max_tokens"], body["tool_choice"]) == (7, 5, "any")
    assert not {"seed", "max_completion_tokens", "stream_options", "user"} & body.keys()
    assert encoded.dropped == ("user",)
    assert body["messages"][0]["role"] == "system"
    assert body["messages"][2] == {"role": "assistant", "content": thinking}
    sent = body["messages"][4]["tool_calls"][0]["id"]
    assert (len(sent), sent.isalnum(), body["messages"][5]["tool_call_id"]) == (9, True, sent)
    assert provider.codec.encode_request(request, model="m", stream=True).body == body
    assert any("ids of tool calls" in edit for edit in encoded.edits)
