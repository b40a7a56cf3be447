"""Whom a call was sent to, and whose key is used."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, AzureOpenAI, Gemini, OpenAI, OpenAICompatible
from edgeagent.testing import FakeProvider
from edgeagent.transports.addressing import REMEMBERED, Address, Addresses, credential_of, family_wires
from edgeagent.transports.wires import Route
from edgeagent.types import Target

CHAT = Route("openai", "openai.chat", "https://api.openai.com/v1")
LOCAL = Route("openai", "openai.chat", "http://localhost:8000/v1")
KEY = ("authorization", "sk-sdk")


def find(route: Route, credential: tuple[str, str] | None, *providers: Any) -> Address:
    edge = EdgeClient(providers=[*providers, FakeProvider("x", name="fake")])
    return Addresses().find(edge._engine.pipeline, route, credential)


def resolve(address: Address, model: str) -> tuple[Target, ...]:
    return address.pipeline.targets.candidates(model, (), None).targets


MADE = [
    (CHAT, KEY, OpenAI, "openai"),
    (LOCAL, KEY, OpenAICompatible, "localhost:8000"),
    (LOCAL, None, OpenAICompatible, "localhost:8000"),
    (Route("openai", "openai.chat", "https://api.groq.com/openai/v1"), KEY, OpenAICompatible, "groq"),
    (Route("openai", "openai.responses", "http://localhost:8000/v1"), KEY, OpenAICompatible, "localhost:8000"),
    (Route("openai", "openai.responses", "https://api.x.ai/v1"), KEY, OpenAICompatible, "x_ai"),
    (Route("anthropic", "anthropic.messages", "https://api.anthropic.com"), ("x-api-key", "k"), Anthropic, "anthropic"),
    (Route("anthropic", "anthropic.messages", "http://h"), KEY, Anthropic, "anthropic"),
    (Route("google", "google.generate", "https://h/v1beta"), ("x-goog-api-key", "k"), Gemini, "gcp.gemini"),
    (
        Route("azure", "openai.chat", "https://a/openai", "dep", query=(("api-version", "1"),)),
        ("api-key", "k"),
        AzureOpenAI,
        "azure.ai.openai",
    ),
    (Route("azure", "openai.chat", "https://a/openai/v1"), KEY, AzureOpenAI, "azure.ai.openai"),
]


@pytest.mark.parametrize(("route", "credential", "kind", "vendor"), MADE)
def test_a_provider_is_made_of_the_sdk_s_key_and_address(
    route: Route, credential: tuple[str, str] | None, kind: type, vendor: str
) -> None:
    """Of the class that speaks the format, with the SDK's key, at the SDK's address."""
    address = find(route, credential)
    provider: Any = address.provider
    assert type(provider) is kind
    assert provider.vendor == vendor
    assert provider.api_key == (credential[1] if credential else None)
    assert provider.endpoint(route.model or "m").startswith(route.base_url)
    assert address.borrowed
    assert resolve(address, "whatever") == (Target(provider.name, "whatever"),)


UNMADE = [
    (CHAT, None),
    (Route("anthropic", "anthropic.messages", "https://h"), None),
    (Route("google", "google.generate", "https://h/v1"), KEY),
    (Route("azure", "openai.chat", "https://a/openai", "dep"), ("api-key", "k")),
]


@pytest.mark.parametrize(("route", "credential"), UNMADE)
def test_without_a_key_there_is_none(route: Route, credential: tuple[str, str] | None) -> None:
    """The client's own targets are what is left."""
    address = find(route, credential)
    assert address.provider is None
    assert not address.borrowed
    assert address.pipeline.targets.explains("fake/x")
    assert not address.pipeline.targets.explains("whatever")


def test_the_client_s_own_provider_is_used_where_it_has_one() -> None:
    """By the vendor's own address, or by the same address; a key of the SDK's is not looked at."""
    mine = OpenAI(api_key="sk-own", base_url="https://proxy.corp/v1")
    for route in (CHAT, Route("openai", "openai.chat", "https://proxy.corp/v1")):
        address = find(route, KEY, mine)
        assert address.provider is mine
        assert not address.borrowed
    other = find(LOCAL, KEY, mine)
    assert other.borrowed
    assert other.provider is not None
    assert other.provider.name == "localhost:8000"


def test_a_region_is_answered_there() -> None:
    """Who sends a call to a region of OpenAI's wants it nowhere else: a provider at another address is not used."""
    eu = Route("openai", "openai.chat", "https://eu.api.openai.com/v1")
    anywhere, there = OpenAI(api_key="a"), OpenAI(api_key="b", data_residency="eu", name="eu")
    made = find(eu, KEY, anywhere)
    assert made.provider is not None
    assert (made.provider.vendor, made.provider.name) == ("openai", "openai@eu.api.openai.com")
    assert made.provider.endpoint("gpt-4o") == "https://eu.api.openai.com/v1/chat/completions"
    assert resolve(made, "gpt-4o") == (Target("openai@eu.api.openai.com", "gpt-4o"),)
    assert resolve(made, "openai/gpt-4o") == (Target("openai", "gpt-4o"),)
    assert not made.literal
    assert find(eu, KEY, anywhere, there).provider is there
    assert find(CHAT, KEY, there, anywhere).provider is there  # the address of all may lead anywhere


def test_servers_of_another_format_at_one_address_are_told_apart() -> None:
    """A gateway may serve OpenAI's and Anthropic's format at one address."""
    one, two = OpenAI(api_key="a", base_url="https://g/v1"), Anthropic(api_key="b", base_url="https://g")
    assert find(Route("openai", "openai.chat", "https://g/v1"), KEY, two, one).provider is one
    assert find(Route("anthropic", "anthropic.messages", "https://g"), KEY, one, two).provider is two


def test_a_name_that_is_taken_is_made_another() -> None:
    """A provider on the fly does not take the place of the client's own of that name."""
    mine = Anthropic(api_key="own", base_url="https://proxy.corp")
    address = find(Route("anthropic", "anthropic.messages", "https://other"), KEY, mine)
    assert address.provider is not None
    assert address.provider.name == "anthropic@other"
    assert resolve(address, "claude-x") == (Target("anthropic@other", "claude-x"),)


def test_names_at_another_server_are_its_own_affair() -> None:
    """What looks like another provider's model stays there, but for the keys of `models`."""
    edge = EdgeClient(providers=[OpenAI(api_key="k"), FakeProvider("x", name="fake")], models={"fast": "fake/x"})
    at_server = Addresses().find(edge._engine.pipeline, LOCAL, KEY)
    assert resolve(at_server, "openai/gpt-oss-20b") == (Target("localhost:8000", "openai/gpt-oss-20b"),)
    assert resolve(at_server, "fast") == (Target("fake", "x"),)
    at_vendor = Addresses().find(edge._engine.pipeline, CHAT, KEY)
    assert resolve(at_vendor, "fake/gpt-oss-20b") == (Target("fake", "gpt-oss-20b"),)
    groq = OpenAICompatible(name="groq", api_key="k")
    there = find(Route("openai", "openai.chat", "https://api.groq.com/openai/v1"), KEY, groq)
    assert there.provider is groq
    assert resolve(there, "fake/x") == (Target("groq", "fake/x"),)


def test_keys_are_identities_in_the_cache() -> None:
    """Two keys of the SDK's share nothing; the same key is the same address."""
    addresses, pipeline = Addresses(), EdgeClient(providers=[FakeProvider("x")])._engine.pipeline
    one, two = (addresses.find(pipeline, CHAT, ("authorization", key)) for key in ("a", "b"))
    digests = {a.pipeline.targets.candidates("gpt-4o", (), None).digest for a in (one, two)}
    assert len(digests) == 2
    assert addresses.find(pipeline, CHAT, ("authorization", "a")) is one
    pipeline.after_fork()
    assert addresses.find(pipeline, CHAT, ("authorization", "a")) is not one


def test_an_account_goes_with_its_key() -> None:
    """To the provider that has the key, and to nobody else; another account is another identity."""
    addresses, pipeline = Addresses(), EdgeClient(providers=[FakeProvider("x")])._engine.pipeline
    made = [addresses.find(pipeline, CHAT, KEY, (("openai-organization", org),)) for org in ("a", "b")]
    providers: list[Any] = [address.provider for address in made]
    assert [provider.default_headers for provider in providers] == [
        {"openai-organization": "a"},
        {"openai-organization": "b"},
    ]
    assert providers[0].cache_identity != providers[1].cache_identity


def test_not_every_key_is_remembered_for_ever() -> None:
    """A service passes on a key of each of its users."""
    addresses, pipeline = Addresses(), EdgeClient(providers=[FakeProvider("x")])._engine.pipeline
    for number in range(REMEMBERED + 5):
        addresses.find(pipeline, CHAT, ("authorization", str(number)))
    assert len(addresses._known) == REMEMBERED


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        ({"authorization": "Bearer t"}, (), ("authorization", "t")),
        ({"authorization": "bearer  t "}, (), ("authorization", "t")),
        ({"authorization": "Basic t"}, (), None),
        ({"authorization": "Bearer "}, (), None),
        ({"x-api-key": "a", "authorization": "Bearer t"}, (), ("x-api-key", "a")),
        ({"api-key": "a"}, (), ("api-key", "a")),
        ({"x-goog-api-key": "a"}, (), ("x-goog-api-key", "a")),
        ({}, (("key", "a"),), ("key", "a")),
        ({}, (("key", ""),), None),
    ],
)
def test_where_a_key_stands(
    headers: dict[str, str], query: tuple[tuple[str, str], ...], expected: tuple[str, str] | None
) -> None:
    """The vendors' own header fields, a token, or Google's query."""
    assert credential_of(headers, query) == expected


def test_the_family_of_a_request_of_any_kind() -> None:
    """By the header fields that its SDK sends."""
    assert family_wires({"anthropic-version": "1"}) == {"anthropic.messages"}
    assert family_wires({"x-goog-api-key": "k"}) == {"google.generate"}
    assert "openai.chat" in family_wires({})
