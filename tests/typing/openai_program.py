"""A program typed against `openai`, which type checkers must accept with `edgeagent` in its imports too. Never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from openai import (
    NOT_GIVEN,
    APIConnectionError,
    APIStatusError,
    AsyncAzureOpenAI,
    AsyncOpenAI,
    AsyncStream,
    AzureOpenAI,
    LengthFinishReasonError,
    NotGiven,
    OpenAI,
    OpenAIError,
    RateLimitError,
    Stream,
    omit,
    pydantic_function_tool,
)
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
    ChatCompletionToolMessageParam,
    ChatCompletionToolParam,
    ChatCompletionUserMessageParam,
    ParsedChatCompletion,
)
from pydantic import BaseModel
from typing_extensions import assert_type

__all__: list[str] = []


class City(BaseModel):
    name: str
    people: int


class Weather(BaseModel):
    city: str


TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": True},
}


@dataclass
class Chat:
    client: OpenAI
    messages: list[ChatCompletionMessageParam]

    def ask(self, prompt: str, temperature: float | None = None) -> str:
        self.messages.append({"role": "user", "content": prompt})
        completion = self.client.chat.completions.create(
            model="gpt-4o-mini",
            messages=self.messages,
            temperature=temperature,
            max_tokens=100,
            stop=["\n"],
            seed=omit,
            tools=[TOOL],
            tool_choice="auto",
            response_format={"type": "json_object"},
            stream_options=None,
            reasoning_effort="low",
            timeout=5.0,
            extra_headers={"x-a": "b"},
        )
        assert_type(completion, ChatCompletion)
        message: ChatCompletionMessage = completion.choices[0].message
        answer = message.content or ""
        self.messages.append({"role": "assistant", "content": answer})
        if completion.usage is not None:
            total: int = completion.usage.total_tokens
            print(total, completion.usage.prompt_tokens_details)
        print(
            completion.id, completion.model, completion.created, completion.system_fingerprint, completion._request_id
        )
        return answer

    def tools(self) -> Iterator[ChatCompletionToolMessageParam]:
        completion = self.client.chat.completions.create(model="m", messages=self.messages, tools=[TOOL])
        choice = completion.choices[0]
        if choice.finish_reason == "tool_calls":
            for call in choice.message.tool_calls or []:
                if call.type == "function":
                    name: str = call.function.name
                    arguments: str = call.function.arguments
                    yield {"role": "tool", "tool_call_id": call.id, "content": f"{name}({arguments})"}
                else:
                    print(call.custom.input)

    def stream(self, stream: Literal[True] = True) -> str:
        text = ""
        chunks = self.client.chat.completions.create(model="m", messages=self.messages, stream=stream)
        assert_type(chunks, Stream[ChatCompletionChunk])
        for chunk in chunks:
            delta = chunk.choices[0].delta
            text += delta.content or ""
            for call in delta.tool_calls or []:
                if call.function is not None and call.function.arguments:
                    print(call.index, call.id, call.function.name)
        return text


def messages(system: str, prompt: str) -> list[ChatCompletionMessageParam]:
    first: ChatCompletionSystemMessageParam = {"role": "system", "content": system}
    second = ChatCompletionUserMessageParam(
        role="user",
        content=[
            {"type": "text", "text": prompt},
            {"type": "image_url", "image_url": {"url": "https://a.test/b.png", "detail": "low"}},
        ],
    )
    return [first, second]


def structured(client: OpenAI) -> City | None:
    completion = client.chat.completions.parse(
        model="m", messages=messages("s", "p"), response_format=City, tools=[pydantic_function_tool(Weather)]
    )
    assert_type(completion, ParsedChatCompletion[City])
    message = completion.choices[0].message
    assert_type(message.parsed, City | None)
    for call in message.tool_calls or []:
        print(call.function.name, call.function.parsed_arguments)
    if message.refusal:
        print(message.refusal)
    other = client.beta.chat.completions.parse(model="m", messages=[], response_format=City)
    return message.parsed or other.choices[0].message.parsed


def events(client: OpenAI) -> City | None:
    with client.chat.completions.stream(model="m", messages=[], response_format=City) as stream:
        for event in stream:
            if event.type == "content.delta":
                print(event.delta, event.snapshot, event.parsed)
            elif event.type == "content.done":
                assert_type(event.parsed, City | None)
            elif event.type == "refusal.delta":
                print(event.delta)
            elif event.type == "tool_calls.function.arguments.done":
                print(event.name, event.index, event.arguments, event.parsed_arguments)
            elif event.type == "chunk":
                assert_type(event.chunk, ChatCompletionChunk)
                print(event.snapshot.choices[0].message.content)
            elif event.type == "logprobs.content.delta":
                print([token.logprob for token in event.content])
        completion = stream.get_final_completion()
    assert_type(completion, ParsedChatCompletion[City])
    return completion.choices[0].message.parsed


async def events_async(client: AsyncOpenAI) -> City | None:
    async with client.chat.completions.stream(model="m", messages=[], response_format=City) as stream:
        async for event in stream:
            if event.type == "content.done":
                assert_type(event.parsed, City | None)
        completion = await stream.get_final_completion()
    await stream.until_done()
    return completion.choices[0].message.parsed


def raw(client: OpenAI) -> None:
    response = client.chat.completions.with_raw_response.create(model="m", messages=[])
    assert_type(response.parse(), ChatCompletion)
    remaining: str | None = response.headers.get("x-ratelimit-remaining-requests")
    print(remaining, response.status_code, response.request_id, response.retries_taken, response.elapsed, response.text)
    streamed = client.chat.completions.with_raw_response.create(model="m", messages=[], stream=True)
    for chunk in streamed.parse():
        assert_type(chunk, ChatCompletionChunk)
    with client.chat.completions.with_streaming_response.create(model="m", messages=[]) as streaming:
        for line in streaming.iter_lines():
            assert_type(line, str)
        assert_type(streaming.parse(), ChatCompletion)
        print(streaming.read(), streaming.text(), streaming.json(), list(streaming.iter_bytes(5)))


async def raw_async(client: AsyncOpenAI) -> None:
    response = await client.chat.completions.with_raw_response.create(model="m", messages=[])
    assert_type(response.parse(), ChatCompletion)
    async with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as streaming:
        async for line in streaming.iter_lines():
            assert_type(line, str)
        async for chunk in await streaming.parse():
            assert_type(chunk, ChatCompletionChunk)


async def asynchronous(client: AsyncOpenAI) -> AsyncIterator[str]:
    completion = await client.chat.completions.create(model="m", messages=messages("s", "p"))
    yield completion.choices[0].message.content or ""
    stream = await client.chat.completions.create(model="m", messages=[], stream=True)
    assert_type(stream, AsyncStream[ChatCompletionChunk])
    async for chunk in stream:
        yield chunk.choices[0].delta.content or ""
    await stream.close()
    await client.close()


def clients(key: str, timeout: float | NotGiven = NOT_GIVEN) -> OpenAI:
    with OpenAI(api_key=key, base_url="https://a.test/v1", max_retries=2, default_headers={"a": "b"}) as client:
        view = client.with_options(timeout=5.0, max_retries=0)
        other = client.copy(api_key="x", default_query={"a": "b"})
        assert_type(view, OpenAI)
        other.chat.completions.create(model="m", messages=[], timeout=timeout)
    AzureOpenAI(azure_endpoint="https://a.test", api_version="1", api_key=key, azure_deployment="d")
    AsyncAzureOpenAI(azure_endpoint="https://a.test", api_version="1", azure_ad_token_provider=lambda: "t")
    return view


def errors(client: OpenAI) -> str | None:
    try:
        client.chat.completions.create(model="m", messages=[])
    except RateLimitError as error:
        return error.response.headers.get("retry-after")
    except APIStatusError as error:
        print(error.status_code, error.message, error.body)
        return error.code or error.param or error.type or error.request_id
    except APIConnectionError as error:
        return str(error.__cause__)
    except LengthFinishReasonError as error:
        return str(error.completion.usage)
    except OpenAIError as error:
        raise SystemExit(str(error)) from error
    return None


def dumps(completion: ChatCompletion) -> dict[str, Any]:
    print(completion.model_dump_json(indent=2), completion.to_json(indent=None), completion.model_dump())
    return completion.to_dict(mode="json", exclude_none=True)


def made(request: httpx2.Request) -> list[OpenAIError]:
    limited = RateLimitError("slow down", response=httpx2.Response(429, request=request), body=None)
    return [limited, APIConnectionError(request=request)]
