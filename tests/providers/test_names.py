"""Which provider a model's name means, by what the providers and the price table say together."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.providers import (
    Anthropic,
    AzureOpenAI,
    Bedrock,
    Cohere,
    Gemini,
    Mistral,
    OpenAI,
    OpenAICompatible,
)

__all__: list[str] = []


def target(client: EdgeClient, model: str) -> str:
    targets = client._engine.here().pipeline.targets
    return str(targets.candidates(model, (), None).targets[0])


@pytest.mark.parametrize(
    "providers", [(Gemini, OpenAI, Anthropic), (OpenAI, Gemini, Anthropic), (Anthropic, Gemini, OpenAI)]
)
@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-haiku-4-5", "anthropic"),
        ("claude-sonnet-4-5-20250929", "anthropic"),
        ("claude-opus-5", "anthropic"),
        ("gemini-2.5-flash", "gemini"),
        ("gemma-3-27b-it", "gemini"),
        ("gpt-4o", "openai"),
    ],
)
def test_a_model_is_its_maker_s_in_any_order(providers: tuple[Any, ...], model: str, provider: str) -> None:
    """The price table has Claude's models among Google's, for Vertex AI; the Gemini API does not serve them."""
    with EdgeClient(providers=[kind(api_key="k") for kind in providers]) as client:
        assert target(client, model) == f"{provider}/{model}"


RESELLERS = [
    OpenAICompatible(name="openrouter", api_key="k"),
    AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="v"),
    Bedrock(api_key="k", region_name="us-east-1"),
]
MAKERS = [
    OpenAI(api_key="k"),
    Anthropic(api_key="k"),
    Cohere(api_key="k"),
    Mistral(api_key="k"),
    OpenAICompatible(name="xai", api_key="k"),
    OpenAICompatible(name="groq", api_key="k"),
]


@pytest.mark.parametrize("providers", [[*RESELLERS, *MAKERS], [*MAKERS, *RESELLERS]])
@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("o3", "openai"),
        ("text-embedding-3-small", "openai"),
        ("claude-2.1", "anthropic"),
        ("claude-sonnet-5", "anthropic"),
        ("command-r", "cohere"),
        ("command-r-plus-04-2024", "cohere"),
        ("grok-3", "xai"),
        ("codestral-2501", "mistral"),
        ("mistral-saba-24b", "groq"),
        ("deepseek/deepseek-chat", "openrouter"),
        ("amazon.nova-pro-v1:0", "bedrock"),
        ("phi-4-reasoning-plus", None),
    ],
)
def test_a_makers_own_name_is_no_resellers(providers: list[Any], model: str, provider: str | None) -> None:
    """OpenRouter's own names have a slash, Azure's are the deployments', Bedrock's have a maker; others keep theirs."""
    with EdgeClient(providers=providers) as client:
        first = next(one.name for one in providers if one.name in ("openrouter", "azure"))
        assert target(client, model) == f"{provider or first}/{model}"


def test_a_deployment_that_was_named_is_meant() -> None:
    """By the order, as among others who are known to serve it."""
    azure = AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="v", models=["o3"])
    with EdgeClient(providers=[azure, OpenAI(api_key="k")]) as client:
        assert target(client, "o3") == "azure/o3"
    with EdgeClient(providers=[RESELLERS[1]]) as client:
        assert target(client, "o3") == "azure/o3"


def test_nobody_is_known_to_serve_another_maker_s_model() -> None:
    """Such a name explains nothing: under an SDK it stays with the vendor that the call was sent to."""
    with EdgeClient(providers=[Gemini(api_key="k")]) as client:
        targets = client._engine.here().pipeline.targets
        assert not targets.explains("claude-haiku-4-5")
        assert targets.explains("gemini-2.5-flash")
