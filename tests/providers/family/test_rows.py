"""The rows: what they must hold, and what a name brings with it."""

from __future__ import annotations

import pickle

import pytest

from edgeagent import EdgeClient
from edgeagent.config import environment_providers
from edgeagent.errors import ConfigurationError
from edgeagent.providers import Mistral, OpenAICompatible
from edgeagent.providers.base import ALL_CAPABILITIES, Encoded
from edgeagent.providers.family import Row, needed
from edgeagent.providers.rows import ROWS, set_up
from edgeagent.types import ChatRequest

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
    assert found[:3] == ["mistral", "deepseek", "xai"]
    assert not {"github", "cloudflare", "databricks", "gemini_openai", "vllm"} & set(found)
    assert [row.name for row in set_up({**everything, "DATABRICKS_HOST": "h"}) if row.name == "databricks"]
    assert [row.name for row in set_up({"GROQ_API_KEY": "  "})] == []
    monkeypatch.setattr("os.environ", {"GROQ_API_KEY": "g", "OPENAI_API_KEY": "o", "MISTRAL_API_KEY": "m"})
    assert [provider.name for provider in environment_providers()] == ["openai", "mistral", "groq"]


def test_mistral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of parameters, ids of calls and roles are Mistral's own; what it has not is named."""
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    provider = Mistral()
    assert (provider.name, provider.vendor, provider.base_url) == ("mistral", "mistral_ai", "https://api.mistral.ai/v1")
    call = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    request = ChatRequest(
        model="m",
        messages=[
            {"role": "developer", "content": "Be brief."},
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
    sent = body["messages"][2]["tool_calls"][0]["id"]
    assert (len(sent), sent.isalnum(), body["messages"][3]["tool_call_id"]) == (9, True, sent)
    assert provider.codec.encode_request(request, model="m", stream=True).body == body
    assert any("ids of tool calls" in edit for edit in encoded.edits)
