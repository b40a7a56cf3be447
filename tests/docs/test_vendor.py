"""The made-up vendors speak as the real ones: the vendors' own clients understand them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.loopback import Loopback

__all__: list[str] = []

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

ASK: Any = [{"role": "user", "content": "What is the capital of France?"}]
PARAMETERS: Any = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.fixture
def openai_client(vendors: Loopback) -> Iterator[Any]:
    with openai.OpenAI(api_key="k", base_url=f"{vendors.url}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(vendors: Loopback) -> Iterator[Any]:
    with anthropic.Anthropic(api_key="k", base_url=vendors.url, max_retries=0) as client:
        yield client


def test_openai_reads_the_answer(openai_client):
    """A completion, a tool call and a stream with usage are what OpenAI's client expects."""
    create = openai_client.chat.completions.create
    assert create(model="m", messages=ASK).choices[0].message.content == "The capital of France is Paris."
    tools = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]
    call = create(model="m", messages=ASK, tools=tools).choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Paris"}')
    chunks = list(create(model="m", messages=ASK, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "The capital of France is Paris."
    assert chunks[-1].usage.total_tokens > 0


def test_anthropic_reads_the_answer(anthropic_client):
    """A message, a tool call and a stream are what Anthropic's client expects."""
    create = anthropic_client.messages.create
    assert create(model="m", messages=ASK, max_tokens=9).content[0].text == "The capital of France is Paris."
    tools = [{"name": "weather", "input_schema": PARAMETERS}]
    assert create(model="m", messages=ASK, max_tokens=9, tools=tools).content[0].input == {"city": "Paris"}
    with anthropic_client.messages.stream(model="m", messages=ASK, max_tokens=9) as stream:
        assert stream.get_final_text() == "The capital of France is Paris."


@pytest.mark.parametrize(
    ("model", "error"),
    [("m-missing", "NotFoundError"), ("m-limited", "RateLimitError"), ("m-overloaded", "InternalServerError")],
)
def test_both_read_the_errors(openai_client, anthropic_client, model, error):
    """A fault is the exception that each vendor's client has for it."""
    with pytest.raises(getattr(openai, error)):
        openai_client.chat.completions.create(model=model, messages=ASK)
    with pytest.raises(getattr(anthropic, error, anthropic.InternalServerError)):
        anthropic_client.messages.create(model=model, messages=ASK, max_tokens=9)


def test_openai_reads_what_is_no_chat(openai_client, anthropic_client):
    """Vectors in both forms, verdicts and models."""
    for form in ("float", "base64"):
        answer = openai_client.embeddings.create(model="m", input=["a cat", "b"], encoding_format=form)
        assert (answer.usage.prompt_tokens, answer.data[1].index) == (3, 1)
    assert openai_client.embeddings.create(model="m", input="a cat").data[0].embedding == [2.0, 5.0]
    verdict = openai_client.moderations.create(input="I hate it").results[0]
    assert (verdict.flagged, verdict.categories.hate) == (True, True)
    assert [model.id for model in openai_client.models.list()] == ["gpt-4o-mini"]
    assert openai_client.models.retrieve("gpt-4o-mini").created == 1721172741
    assert [model.id for model in anthropic_client.models.list()] == ["claude-haiku-4-5"]
