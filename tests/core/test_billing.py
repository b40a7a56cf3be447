"""Which service tier a call is billed in: the request's word, the answer's, the provider's."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.core.billing import STANDARD, asked_tier, billed_tier, own_tier
from edgeagent.providers import Anthropic, AzureOpenAI, OpenAI, OpenAICompatible
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion, ChatRequest, EmbeddingRequest

USUAL = sorted(tier for tier in STANDARD if tier is not None)


def request(**said: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "?"}], **said})


def answer(tier: str | None = None, **usage: Any) -> ChatCompletion:
    return ChatCompletion.model_validate(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [],
            "service_tier": tier,
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, **usage},
        }
    )


@pytest.mark.parametrize(
    ("said", "own", "tier"),
    [
        ({}, None, None),
        ({}, "batch", "batch"),
        *(({"service_tier": tier}, None, None) for tier in USUAL),
        *(({"service_tier": tier}, "priority", "priority") for tier in USUAL),
        ({"service_tier": "flex"}, None, "flex"),
        ({"service_tier": "flex"}, "batch", "flex"),
        ({"service_tier": "batch"}, None, None),
        ({"service_tier": "batch"}, "priority", "priority"),
        ({"service_tier": "batch"}, "batch", "batch"),
        ({"speed": "fast"}, None, "fast"),
        ({"speed": "standard"}, None, None),
        ({"speed": "fast", "service_tier": "auto"}, "batch", "fast"),
    ],
)
def test_before_a_call(said: dict[str, Any], own: str | None, tier: str | None) -> None:
    """The request's, else the provider's; no request makes an answer a batch's, so none lowers what is reserved."""
    assert asked_tier(request(**said), own) == tier


def test_what_is_no_chat_has_its_provider_s() -> None:
    """Embeddings name none."""
    asked = EmbeddingRequest(model="m", input=["text"])
    assert asked_tier(asked, None) is None
    assert asked_tier(asked, "batch") == "batch"


@pytest.mark.parametrize(
    ("told", "own", "tier"),
    [
        (answer(), None, None),
        (answer(), "batch", "batch"),
        *((answer(tier), None, None) for tier in USUAL),
        *((answer(tier), "batch", "batch") for tier in USUAL),
        (answer("priority"), "batch", "priority"),
        (answer("batch"), None, "batch"),
        (answer(speed="fast"), None, "fast"),
        (answer("default", speed="fast"), None, "fast"),
        (answer("default", speed="standard"), None, None),
        (answer("unheard-of"), "batch", "unheard-of"),
    ],
)
def test_after_it(told: ChatCompletion, own: str | None, tier: str | None) -> None:
    """The answer's, where it names one that is not the usual."""
    assert billed_tier(told, own) == tier


@pytest.mark.parametrize("tier", [None, *USUAL])
def test_a_provider_that_says_the_usual_says_nothing(tier: str | None) -> None:
    """Nor does one that has no such word."""
    assert own_tier(OpenAI(api_key="k", service_tier=tier)) is None
    assert own_tier(FakeProvider("x")) is None


@pytest.mark.parametrize(
    "provider",
    [
        OpenAI(api_key="k", service_tier="batch"),
        Anthropic(api_key="k", service_tier="batch"),
        OpenAICompatible(name="groq", api_key="k", service_tier="batch"),
        AzureOpenAI(api_key="k", azure_endpoint="https://h.example", api_version="v1", service_tier="batch"),
    ],
    ids=lambda provider: provider.vendor,
)
def test_every_vendor_takes_it(provider: Any) -> None:
    """As an argument."""
    assert own_tier(provider) == "batch"
