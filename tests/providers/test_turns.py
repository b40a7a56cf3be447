"""Who has the last word of a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.core.requests import chat_request
from edgeagent.errors import RequestValidationError
from edgeagent.providers import Anthropic, Bedrock
from edgeagent.providers.base import HTTPProvider

USER = {"role": "user", "content": "Say it."}
ASSISTANT = {"role": "assistant", "content": "It is"}

VENDORS: tuple[tuple[HTTPProvider, str], ...] = (
    (Anthropic(api_key="k"), "claude-sonnet-4-5"),
    (Bedrock(api_key="k", region_name="us-east-1"), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    (Bedrock(api_key="k", region_name="us-east-1"), "amazon.nova-lite-v1:0"),
)


def encoded(provider: HTTPProvider, model: str, *messages: dict[str, Any]) -> Any:
    request = chat_request({"model": model, "messages": [*messages]})
    return provider.codec_for(model).encode_request(request, model=model, stream=False)


@pytest.mark.parametrize(("provider", "model"), VENDORS, ids=[model for _, model in VENDORS])
@pytest.mark.parametrize("content", ["", [], None])
def test_silence_is_no_wish_to_go_on(provider: HTTPProvider, model: str, content: Any) -> None:
    """An empty question after an answer is refused by its place; one before it is only left out."""
    with pytest.raises(RequestValidationError) as refused:
        encoded(provider, model, USER, ASSISTANT, {"role": "user", "content": content})
    assert refused.value.param == "messages[2].content"
    assert encoded(provider, model, USER, {"role": "user", "content": content}) is not None
    assert encoded(provider, model, USER, ASSISTANT, {"role": "user", "content": content}, USER) is not None


@pytest.mark.parametrize(("provider", "model"), VENDORS, ids=[model for _, model in VENDORS])
def test_who_wants_an_answer_to_go_on_has_it(provider: HTTPProvider, model: str) -> None:
    """Where the caller's own last message is the assistant's."""
    assert encoded(provider, model, USER, ASSISTANT) is not None
