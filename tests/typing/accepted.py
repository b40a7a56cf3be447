"""What type checkers must accept, with the exact types of what comes back. Never run; read by mypy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from typing_extensions import assert_type

import edgeagent
from edgeagent import AsyncEdgeClient, AsyncStream, ChatCompletion, ChatCompletionChunk, EdgeClient, Stream
from edgeagent.cache import Cache
from edgeagent.errors import APIStatusError, RateLimitError, RequestValidationError, StreamInterruptedError
from edgeagent.limits import RedisState, SQLiteAccounts
from edgeagent.providers import Anthropic, OpenAI, OpenAICompatible
from edgeagent.routing.base import Router
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider
from edgeagent.types import (
    AnyRequest,
    AsyncModelPage,
    Attempt,
    ChatRequest,
    CompletionUsage,
    CreateEmbeddingResponse,
    EmbeddingUsage,
    Model,
    ModelPage,
    ModerationCreateResponse,
    RerankResponse,
    ResponseMetadata,
    Target,
)
from edgeagent.types.parsed import ParsedChatCompletion
from edgeagent.types.responses import ParsedResponse, Response, ResponseFunctionToolCall, ResponseStreamEvent

__all__: list[str] = []

MESSAGES = [{"role": "user", "content": "Hello"}]


def whole_or_streamed(client: EdgeClient, stream: bool) -> None:
    create = client.chat.completions.create
    assert_type(create(model="m", messages=MESSAGES), ChatCompletion)
    assert_type(create(model="m", messages=MESSAGES, stream=False), ChatCompletion)
    assert_type(create(model="m", messages=MESSAGES, stream=None), ChatCompletion)
    assert_type(create(model="m", messages=MESSAGES, stream=True), Stream[ChatCompletionChunk])
    assert_type(create(model="m", messages=MESSAGES, stream=stream), ChatCompletion | Stream[ChatCompletionChunk])


async def whole_or_streamed_async(client: AsyncEdgeClient, stream: bool) -> None:
    create = client.chat.completions.create
    assert_type(await create(model="m", messages=MESSAGES), ChatCompletion)
    assert_type(await create(model="m", messages=MESSAGES, stream=False), ChatCompletion)
    assert_type(await create(model="m", messages=MESSAGES, stream=True), AsyncStream[ChatCompletionChunk])
    assert_type(
        await create(model="m", messages=MESSAGES, stream=stream), ChatCompletion | AsyncStream[ChatCompletionChunk]
    )


def streams(client: EdgeClient) -> None:
    with client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
        assert_type(iter(stream), Iterator[ChatCompletionChunk])
        for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
            assert_type(chunk.choices[0].delta.content, str | None)
        assert_type(stream.usage, CompletionUsage | None)
        assert_type(stream.edge, ResponseMetadata)


async def async_streams(client: AsyncEdgeClient) -> None:
    async with await client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
        assert_type(aiter(stream), AsyncIterator[ChatCompletionChunk])
        async for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)


def answers(completion: ChatCompletion) -> None:
    assert_type(completion.choices[0].message.content, str | None)
    assert_type(
        completion.choices[0].finish_reason,
        Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | None,
    )
    edge = completion.edge
    assert_type(edge, ResponseMetadata)
    assert_type(edge.cached, bool)
    assert_type(edge.cache_tier, Literal["memory", "disk", "redis", "semantic"] | None)
    assert_type(edge.cost_usd, Decimal | None)
    assert_type(edge.attempts, tuple[Attempt, ...])
    assert_type(edge.attempts[0].target, Target)


class City(BaseModel):
    name: str


def structured(client: EdgeClient) -> None:
    parse = client.chat.completions.parse
    assert_type(parse(model="m", messages=MESSAGES, response_format=City), ParsedChatCompletion[City])
    assert_type(parse(model="m", messages=MESSAGES, response_format={"type": "text"}), ParsedChatCompletion[None])
    assert_type(parse(model="m", messages=MESSAGES, edge={"cache": "off"}).edge, ResponseMetadata)
    with client.chat.completions.stream(model="m", messages=MESSAGES, response_format=City, edge={}) as stream:
        assert_type(stream.get_final_completion().choices[0].message.parsed, City | None)
        assert_type(stream.edge, ResponseMetadata)
    raw = client.chat.completions.with_raw_response.parse(model="m", messages=MESSAGES, response_format=City)
    assert_type(raw.parse(), ParsedChatCompletion[City])
    assert_type(raw.parse(to=City), City)
    embedded = client.with_raw_response.embeddings.create(model="m", input="x", dimensions=3)
    assert_type(embedded.parse(), CreateEmbeddingResponse)
    with client.moderations.with_streaming_response.create(model="m", input="x") as judged:
        assert_type(judged.parse(), ModerationCreateResponse)
    answered = client.responses.with_raw_response
    assert_type(answered.create(model="m", input="x").parse(), Response)
    assert_type(answered.create(model="m", input="x", stream=True).parse(), Stream[ResponseStreamEvent])
    assert_type(answered.retrieve("resp_1", stream=True).parse(), Stream[ResponseStreamEvent])
    assert_type(answered.parse(model="m", input="x", text_format=City).parse(), ParsedResponse[City])
    assert_type(client.is_closed(), bool)
    EdgeClient(errors="openai")


def options(client: EdgeClient) -> None:
    create = client.chat.completions.create
    create(model="m", messages=MESSAGES, edge={"cache": "refresh", "fallbacks": ["a", "b"], "deadline": 5})
    create(model="m", messages=MESSAGES, edge={"cache": {"mode": "read", "ttl": 60, "max_age": 5.5, "namespace": "n"}})
    create(model="m", messages=MESSAGES, temperature=0, max_tokens=5, seed=1, stop=["x"], n=2, user="u")
    create(model="m", messages=MESSAGES, extra_headers={"x": "y"}, extra_query={"a": 1}, extra_body={"b": 2}, timeout=5)
    assert_type(client.with_options(timeout=5, cache=False), EdgeClient)
    assert_type(client.to_async(), AsyncEdgeClient)
    assert_type(client.to_async().to_sync(), EdgeClient)


class Mine:
    """The least that a provider must be."""

    name = "mine"

    def complete(self, request: ChatRequest) -> str:
        return f"You said {request.messages[-1]['content']}"


class Backwards:
    """A router."""

    def plan(self, request: AnyRequest, targets: object, health: object, /) -> list[Target]:
        return []


def construction() -> None:
    router: Router = Backwards()
    EdgeClient(providers=[OpenAI(), Anthropic(), Mine(), FakeProvider("x")], router=router, models={"fast": ["a", "b"]})
    EdgeClient(providers=[OpenAICompatible(name="vllm", base_url="http://localhost:8000/v1")])
    EdgeClient(cache=Path("answers"), shield="default", state=Path("spent.db"))
    EdgeClient(cache=Cache(disk="answers"), shield=Shield.strict(), state=RedisState("redis://localhost"))
    EdgeClient(cache=False, shield=False, state=SQLiteAccounts("spent.db"))
    assert_type(EdgeClient.from_file("edgeagent.toml"), EdgeClient)
    with EdgeClient() as client:
        assert_type(client, EdgeClient)
    with edgeagent.OpenAI(api_key="k", edge={"cache": True}) as drop_in:
        assert_type(drop_in.chat.completions.create(model="m", messages=MESSAGES), ChatCompletion)


def errors(client: EdgeClient) -> None:
    try:
        client.chat.completions.create(model="m", messages=MESSAGES)
    except RequestValidationError as error:
        assert_type(error.param, str | None)
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.response.text, str)
    except StreamInterruptedError as error:
        print(error.partial)
    except edgeagent.OpenAIError as error:
        print(error.attempts)


def other_calls(client: EdgeClient) -> None:
    answer = client.embeddings.create(
        model="m", input=["a"], encoding_format="base64", dimensions=3, edge={"tags": ["t"]}
    )
    assert_type(answer, CreateEmbeddingResponse)
    assert_type(answer.data[0].embedding, list[float] | str)
    assert_type(answer.data[0].floats, list[float])
    assert_type(answer.usage, EmbeddingUsage | None)
    assert_type(answer.edge.cached_inputs, int)
    client.embeddings.create(model="m", input=[[1, 2]], timeout=3)
    assert_type(client.rerank.create(model="m", query="q", documents=["a"], top_n=1), RerankResponse)
    verdicts = client.moderations.create(input="a")
    assert_type(verdicts, ModerationCreateResponse)
    assert_type(verdicts.results[0].categories.hate_threatening, bool | None)
    page = client.models.list()
    assert_type(page, ModelPage)
    for model in page:
        assert_type(model, Model)
        assert_type(model.edge.provider, str | None)
    assert_type(client.models.retrieve("m").id, str)


async def other_async_calls(client: AsyncEdgeClient) -> None:
    assert_type(await client.embeddings.create(model="m", input="a"), CreateEmbeddingResponse)
    assert_type(await client.rerank.create(model="m", query="q", documents=["a"]), RerankResponse)
    assert_type(await client.moderations.create(input=["a"], model="m"), ModerationCreateResponse)
    assert_type(await client.models.list(), AsyncModelPage)
    async for model in client.models.list():
        assert_type(model, Model)
    async for model in await client.models.list():
        assert_type(model, Model)
    assert_type(await client.models.retrieve("m"), Model)


def written_for_openai_0() -> None:
    """The surface of openai<1."""
    edgeagent.api_key = "sk"
    edgeagent.api_type, edgeagent.api_version = "azure", None
    edgeagent.edge = {"cache": True}
    try:
        assert_type(edgeagent.ChatCompletion.create(engine="d", messages=[]), Any)
    except edgeagent.error.InvalidRequestError as error:
        assert_type(error.param, str | None)
        assert_type(error.http_status, int | None)
        assert_type(error.status_code, int)
    except edgeagent.error.APIConnectionError as error:
        assert_type(error.should_retry, bool)


# responses


def responses(client: EdgeClient, stream: bool) -> None:
    create = client.responses.create
    assert_type(create(model="m", input="hi"), Response)
    assert_type(create(model="m", input=MESSAGES, stream=True), Stream[ResponseStreamEvent])
    assert_type(create(model="m", stream=stream), Response | Stream[ResponseStreamEvent])
    response = create(model="m", input="hi", reasoning={"effort": "low"}, edge={"cache": "off"})
    assert_type(response.output_text, str)
    assert_type(response.edge, ResponseMetadata)
    for item in response.output:
        if item.type == "function_call":
            assert_type(item, ResponseFunctionToolCall)
            assert_type(item.arguments, str)
        elif item.type == "message":
            for part in item.content:
                if part.type == "output_text":
                    assert_type(part.text, str)
    for event in create(model="m", input=[*response.output, {"role": "user", "content": "x"}], stream=True):
        if event.type == "response.output_text.delta":
            assert_type(event.delta, str)
        elif event.type == "response.completed":
            assert_type(event.response, Response)
    assert_type(client.responses.retrieve("resp_1"), Response)
    assert_type(client.responses.retrieve("resp_1", stream=True, starting_after=3), Stream[ResponseStreamEvent])
    client.responses.delete("resp_1", edge={"provider": "openai"})
    with client.responses.stream(response_id="resp_1", starting_after=3, text_format=City) as stored:
        assert_type(stored.get_final_response(), ParsedResponse[City])


def parsed_responses(client: EdgeClient) -> None:
    response = client.responses.parse(model="m", input="hi", text_format=City)
    assert_type(response, ParsedResponse[City])
    assert_type(response.output_parsed, City | None)
    with client.responses.stream(model="m", input="hi", text_format=City) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                assert_type(event.snapshot, str)
            elif event.type == "response.output_text.done":
                assert_type(event.parsed, City | None)
        assert_type(stream.get_final_response(), ParsedResponse[City])


async def async_responses(client: AsyncEdgeClient) -> None:
    assert_type(await client.responses.create(model="m", input="hi"), Response)
    assert_type(await client.responses.create(model="m", stream=True), AsyncStream[ResponseStreamEvent])
    assert_type((await client.responses.parse(model="m", text_format=City)).output_parsed, City | None)
    async with client.responses.stream(model="m", text_format=City) as stream:
        async for event in stream:
            if event.type == "response.function_call_arguments.delta":
                assert_type(event.snapshot, str)
        assert_type((await stream.get_final_response()).output_parsed, City | None)
