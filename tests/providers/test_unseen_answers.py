"""Answers that no record shows: random ones, valid by the vendors' own types, read by the codecs and judged here.

What the packages' types allow is what a vendor may send tomorrow: every kind of block, item, event and finish reason.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter

from edgeagent.errors import APIError
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.bedrock.codec import BedrockConverseCodec
from edgeagent.providers.gemini import GeminiCodec
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec
from edgeagent.providers.responses import ResponsesCodec
from edgeagent.types import ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.instances import instance, shaped

__all__: list[str] = []

JSON = dict[str, Any]
ANSWERS = 200
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}])


@dataclass(frozen=True)
class Kind:
    """A vendor's answers: the codec, how one is made, and what it says as (text of a choice, names of its calls)."""

    name: str
    codec: Any
    make: Callable[[random.Random], JSON]
    read: Callable[[JSON], Iterator[tuple[str, list[str]]]]
    fails: Callable[[JSON], bool]
    """Whether the answer tells an error, or is not whole: a typed error is right."""

    def __str__(self) -> str:
        return self.name


@cache
def schema_of(path: str) -> JSON:
    from importlib import import_module

    module, _, name = path.rpartition(".")
    return TypeAdapter(getattr(import_module(module), name)).json_schema(by_alias=True)


def of(path: str) -> Callable[[random.Random], JSON]:
    return lambda chance: instance(schema_of(path), chance)


@cache
def converse(operation: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model(operation).output_shape


def names(calls: Any) -> list[str]:
    return [(call.get("function") or call.get("custom") or {}).get("name") for call in calls or ()]


def chat(answer: JSON) -> Iterator[tuple[str, list[str]]]:
    for choice in answer["choices"]:
        yield choice["message"].get("content") or "", names(choice["message"].get("tool_calls"))


def messages(answer: JSON) -> Iterator[tuple[str, list[str]]]:
    blocks = answer["content"]
    yield (
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        [block["name"] for block in blocks if block["type"] == "tool_use"],
    )


def responses(answer: JSON) -> Iterator[tuple[str, list[str]]]:
    parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
    text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    yield text, [item["name"] for item in answer["output"] if item["type"] in ("function_call", "custom_tool_call")]


def generate(answer: JSON) -> Iterator[tuple[str, list[str]]]:
    for candidate in answer.get("candidates") or ():
        parts = (candidate.get("content") or {}).get("parts") or []
        said = [part.get("text") or "" for part in parts if part.get("thought") is not True]
        yield "".join(said), [part["functionCall"]["name"] for part in parts if part.get("functionCall")]


def bedrock(answer: JSON) -> Iterator[tuple[str, list[str]]]:
    blocks = ((answer.get("output") or {}).get("message") or {}).get("content") or []
    cited = [
        block["citationsContent"].get("content") or [] if "citationsContent" in block else [block] for block in blocks
    ]
    asked = [block["toolUse"] for block in blocks if "toolUse" in block]
    yield (
        "".join(part["text"] for parts in cited for part in parts if "text" in part),
        [call["name"] for call in asked if call.get("type") != "server_tool_use"],  # those Bedrock runs itself
    )


def stated(value: Any) -> Any:
    """Without what is null: Google leaves it out."""
    if isinstance(value, dict):
        return {name: stated(part) for name, part in value.items() if part is not None}
    return [stated(part) for part in value] if isinstance(value, list) else value


def google(chance: random.Random) -> JSON:
    """Google's types have everything optional: what makes an answer one is added where it is missing."""
    answer = stated({**of("google.genai.types.GenerateContentResponse")(chance), "promptFeedback": None})
    answer["candidates"] = answer.get("candidates") or [stated(of("google.genai.types.Candidate")(chance))]
    for place, candidate in enumerate(answer["candidates"]):
        reason = candidate.get("finishReason")
        candidate.update(index=place, finishReason="STOP" if reason in (None, "FINISH_REASON_UNSPECIFIED") else reason)
        for part in (candidate.get("content") or {}).get("parts") or ():
            if "functionCall" in part:  # pieces of arguments are for streams, and have tests of their own
                told = {k: v for k, v in part["functionCall"].items() if k in ("id", "name", "args")}
                part["functionCall"] = {"name": "f", **told}
    return answer


KINDS = (
    Kind("openai", OpenAIChatCodec(), of("openai.types.chat.ChatCompletion"), chat, lambda a: not a["choices"]),
    Kind("groq", OpenAIChatCodec(COMPATIBLE), of("groq.types.chat.ChatCompletion"), chat, lambda a: not a["choices"]),
    Kind(
        "responses",
        ResponsesCodec(),
        of("openai.types.responses.Response"),
        responses,
        lambda a: bool(a.get("error")) or a.get("status") in ("failed", "cancelled", "queued", "in_progress"),
    ),
    Kind("anthropic", AnthropicMessagesCodec(), of("anthropic.types.Message"), messages, lambda a: False),
    Kind("anthropic beta", AnthropicMessagesCodec(), of("anthropic.types.beta.BetaMessage"), messages, lambda a: False),
    Kind("gemini", GeminiCodec(), google, generate, lambda a: False),
    Kind("vertex", GeminiCodec(vertex=True), google, generate, lambda a: False),
    Kind(
        "bedrock", BedrockConverseCodec(), lambda chance: shaped(converse("Converse"), chance), bedrock, lambda a: False
    ),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_answers_of_the_vendors_own_types(kind: Kind) -> None:
    """Whatever the package's type of an answer allows is decoded, says the same, and is encoded again."""
    read = 0
    for seed in range(ANSWERS):
        answer = kind.make(random.Random(seed))
        response = HTTPResponse(200, {"content-type": "application/json"}, json.dumps(answer).encode())
        if kind.fails(answer):
            with contextlib.suppress(APIError):
                kind.codec.decode_response(response)
            continue
        completion = kind.codec.decode_response(response)
        told = [(c.message.content or "", names(_dumped(c.message.tool_calls))) for c in completion.choices]
        assert told == list(kind.read(answer)), seed
        completion.model_dump_json()
        kind.codec.encode_response(completion)
        read += 1
    assert read > ANSWERS / 10


def _dumped(calls: Any) -> list[JSON]:
    return [call.model_dump(exclude_none=True) for call in calls or ()]


# Streams


def sse(event: JSON) -> bytes:
    return f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n".encode()


STREAMS = (
    ("openai", OpenAIChatCodec(), of("openai.types.chat.ChatCompletionChunk"), sse),
    ("compatible", OpenAIChatCodec(COMPATIBLE), of("groq.types.chat.ChatCompletionChunk"), sse),
    ("responses", ResponsesCodec(), of("openai.types.responses.ResponseStreamEvent"), sse),
    ("anthropic", AnthropicMessagesCodec(), of("anthropic.types.RawMessageStreamEvent"), sse),
    ("anthropic beta", AnthropicMessagesCodec(), of("anthropic.types.beta.BetaRawMessageStreamEvent"), sse),
    ("gemini", GeminiCodec(), of("google.genai.types.GenerateContentResponse"), sse),
)


@pytest.mark.parametrize(("name", "codec", "make", "wire"), STREAMS, ids=[stream[0] for stream in STREAMS])
def test_events_of_the_vendors_own_types(name: str, codec: Any, make: Any, wire: Any) -> None:
    """Events of every kind in any order, each valid by itself: chunks, or a typed error."""
    for seed in range(ANSWERS):
        chance = random.Random(seed)
        decoder = codec.stream_decoder(REQUEST)
        chunks = []
        try:
            for _ in range(chance.randrange(1, 9)):
                chunks += decoder.feed(wire(make(chance)))
            chunks += decoder.end()
        except APIError:
            continue
        assemble(chunks).model_dump_json()


def responses_events(answer: JSON) -> Iterator[JSON]:
    """The stream of a response: each item announced as it begins, and told when it is done."""
    yield {"type": "response.created", "response": {**answer, "output": [], "status": "in_progress"}}
    for index, item in enumerate(answer["output"]):
        begun = {**item, **({"content": []} if item["type"] == "message" else {})}
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": answer}


def messages_events(answer: JSON) -> Iterator[JSON]:
    """The stream of a message: what grows comes in deltas, every other block whole with its start."""
    started = {**answer, "content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(answer["content"]):
        first, deltas = begun_block(block)
        yield {"type": "content_block_start", "index": index, "content_block": first}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {name: answer.get(name) for name in ("stop_reason", "stop_sequence", "stop_details", "container")}
    yield {"type": "message_delta", "delta": ended, "usage": answer["usage"]}
    yield {"type": "message_stop"}


def begun_block(block: JSON) -> tuple[JSON, list[JSON]]:
    kind = block["type"]
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": each} for each in block.get("citations") or ()]
        none = {"citations": block["citations"] and []} if "citations" in block else {}
        return {**block, "text": "", **none}, [{"type": "text_delta", "text": block["text"]}, *cited]
    if kind == "thinking":
        told = {"type": "thinking_delta", "thinking": block["thinking"]}
        return {**block, "thinking": "", "signature": ""}, [
            told,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    return block, []


def generate_events(answer: JSON) -> Iterator[JSON]:
    """The stream of an answer: a part a piece, and everything else with the last."""
    rest = [{**candidate, "content": {"role": "model", "parts": []}} for candidate in answer["candidates"]]
    for index, candidate in enumerate(answer["candidates"]):
        for part in (candidate.get("content") or {}).get("parts") or ():
            piece = {"index": candidate.get("index") or index, "content": {"role": "model", "parts": [part]}}
            yield {**{k: answer[k] for k in ("responseId", "modelVersion") if k in answer}, "candidates": [piece]}
    yield {**answer, "candidates": rest}


PAIRS = (
    (KINDS[2], responses_events),
    (KINDS[3], messages_events),
    (KINDS[4], messages_events),
    (KINDS[5], generate_events),
)


@pytest.mark.parametrize(("kind", "events"), PAIRS, ids=lambda value: str(value) if isinstance(value, Kind) else "")
def test_streams_of_the_vendors_own_types(kind: Kind, events: Callable[[JSON], Iterator[JSON]]) -> None:
    """The stream of an answer, assembled, is the answer: the same words, calls, native content and end."""
    compared = 0
    for seed in range(ANSWERS):
        answer = kind.make(random.Random(seed))
        if kind.fails(answer):
            continue
        content = json.dumps(answer).encode()
        whole = kind.codec.decode_response(HTTPResponse(200, {"content-type": "application/json"}, content))
        decoder = kind.codec.stream_decoder(REQUEST)
        chunks = [chunk for event in events(answer) for chunk in decoder.feed(sse(event))]
        joined = assemble([*chunks, *decoder.end()])
        assert facts(joined) == facts(whole), seed
        compared += 1
    assert compared > ANSWERS / 10


def facts(completion: Any) -> Any:
    return [
        (
            choice.message.content or "",
            choice.message.reasoning_content or "",
            choice.message.refusal or "",
            _dumped(choice.message.tool_calls),
            choice.message.native_content,
            choice.finish_reason,
            choice.native_finish_reason,
        )
        for choice in sorted(completion.choices, key=lambda choice: choice.index)
    ]
