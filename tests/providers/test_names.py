"""Which provider a model's name means, by what the providers and the price table say together."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, Gemini, OpenAI

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


def test_nobody_is_known_to_serve_another_maker_s_model() -> None:
    """Such a name explains nothing: under an SDK it stays with the vendor that the call was sent to."""
    with EdgeClient(providers=[Gemini(api_key="k")]) as client:
        targets = client._engine.here().pipeline.targets
        assert not targets.explains("claude-haiku-4-5")
        assert targets.explains("gemini-2.5-flash")
