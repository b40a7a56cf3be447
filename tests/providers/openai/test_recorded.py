"""Every recorded OpenAI and Azure answer and request, judged by plain dict code that does not use the codec."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter, ValidationError

from edgeagent.core.fitness import lacking, needed
from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    RequestValidationError,
)
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.providers.openai.models import capabilities
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import documents, fold, pieces, same

APIS = ["openai.chat", "azure.chat", "azure_ai.chat"]
CODEC = OpenAIChatCodec()

EVERY_CUT_UP_TO = 1650
"""Streams of so many bytes are cut in two at every byte; larger ones byte by byte, and at random."""
RANDOM_CUTS = 4

every_api = pytest.mark.parametrize("api", APIS)


def answer(record: Record) -> HTTPResponse:
    return HTTPResponse(record["status"], record["response"]["headers"], body(record))


def request_body(record: Record) -> dict[str, Any]:
    """The recorded body; Azure names the model in the path where it is a deployment."""
    value: dict[str, Any] = record["request"]["body"]
    segments = urlsplit(record["request"]["url"]).path.split("/")
    if not value.get("model") and "deployments" in segments:
        return {**value, "model": segments[segments.index("deployments") + 1]}
    return value


def request_of(record: Record) -> ChatRequest:
    return CODEC.decode_request(request_body(record))


def wholes(api: str) -> list[Record]:
    return [r for r in records(api) if r["status"] == 200 and "body_json" in r["response"]]


def streams(api: str) -> list[Record]:
    return [r for r in records(api) if r["status"] == 200 and "body_text" in r["response"]]


def refused(api: str) -> list[Record]:
    return [r for r in records(api) if r["status"] >= 400]


def decode(record: Record, parts: Iterable[bytes]) -> list[ChatCompletionChunk]:
    decoder = CODEC.stream_decoder(request_of(record))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    return chunks + decoder.end()


@cache
def decoded(api: str) -> list[tuple[Record, list[ChatCompletionChunk]]]:
    return [(record, decode(record, [body(record)])) for record in streams(api)]


def check_all(
    api: str, check: str, items: Iterable[Any], judge: Callable[[Any], Iterator[str]], note: str = ""
) -> None:
    """Run one check over all items; every fault names its record."""
    passed, faults = 0, []
    items = list(items)
    if not items:
        pytest.skip("the selection has no such record")
    for item in items:
        record = item[0] if isinstance(item, tuple) else item
        found = list(judge(item))
        faults += [f"{record['id']}: {fault}" for fault in found[:3]]
        passed += not found
    report.add(api, check, passed, len({fault.partition(":")[0] for fault in faults}), note)
    assert not faults, "\n".join(faults[:20])


@every_api
def test_whole_answers_lose_nothing(api: str) -> None:
    """Every field of every whole answer is on the object, and encoding it again gives the recorded JSON."""

    def judge(record: Record) -> Iterator[str]:
        recorded = record["response"]["body_json"]
        completion = CODEC.decode_response(answer(record))
        yield from same(recorded, completion)
        for choice, part in zip(completion.choices, recorded["choices"], strict=True):
            message = part["message"]
            if (choice.message.content, choice.finish_reason) != (message["content"], part["finish_reason"]):
                yield "text or finish reason"
            calls = [(c.id, c.type, (c.function or c.custom).name) for c in choice.message.tool_calls or ()]  # type: ignore[union-attr]
            told = [(c["id"], c["type"], c[c["type"]]["name"]) for c in message.get("tool_calls") or ()]
            if calls != told:
                yield "tool calls"
        if CODEC.encode_response(completion) != recorded:
            yield "encode_response gives something else"

    check_all(api, "whole answers", wholes(api), judge)


@every_api
def test_whole_answers_replayed_as_streams(api: str) -> None:
    """Every whole answer survives being replayed as a stream, in objects and in bytes."""

    def judge(record: Record) -> Iterator[str]:
        completion = CODEC.decode_response(answer(record))
        for call in [call for choice in completion.choices for call in choice.message.tool_calls or ()]:
            (call.model_extra or {}).pop("index", None)  # of whole calls it says nothing, of fragments everything
        chunks = to_chunks(completion)
        if assemble(chunks) != completion:
            yield "assembled chunks differ"
        encoder = CODEC.stream_encoder()
        data = b"".join(encoder.feed(chunk) for chunk in chunks) + encoder.end()
        if assemble(decode(record, [data])) != completion:
            yield "the encoded stream differs"

    check_all(api, "whole answers replayed as streams", wholes(api), judge)


@every_api
def test_streams_lose_nothing(api: str) -> None:
    """Every field of every recorded chunk is on its object, and the assembled answer is what the chunks say."""

    def judge(item: tuple[Record, list[ChatCompletionChunk]]) -> Iterator[str]:
        record, chunks = item
        recorded = documents(body(record).decode())
        for told, chunk in zip(recorded, chunks, strict=True):
            yield from same({**told, "object": "chat.completion.chunk", "choices": told.get("choices", [])}, chunk)
        yield from same(fold(recorded), assemble(chunks))

    check_all(api, "streams", decoded(api), judge)


@every_api
def test_streams_encoded_again(api: str) -> None:
    """Encoding the chunks of every stream gives the recorded documents and, decoded, the same chunks."""

    def judge(item: tuple[Record, list[ChatCompletionChunk]]) -> Iterator[str]:
        record, chunks = item
        encoder = CODEC.stream_encoder()
        data = b"".join(encoder.feed(chunk) for chunk in chunks) + encoder.end()
        if decode(record, [data]) != chunks:
            yield "decoded again, the chunks differ"
        for told, sent in zip(documents(body(record).decode()), documents(data.decode()), strict=True):
            expected = {**told, "object": "chat.completion.chunk", "choices": copy.deepcopy(told.get("choices", []))}
            for choice in expected["choices"]:
                choice.setdefault("finish_reason", None)
            if expected != sent:
                yield "a document differs"

    check_all(api, "streams encoded again", decoded(api), judge)


@pytest.mark.bulk
@every_api
def test_cuts_do_not_matter(api: str) -> None:
    """A stream gives the same chunks byte by byte, cut at random, and (small ones) cut in two at every byte."""
    counts = {"every": 0}

    def judge(item: tuple[Record, list[ChatCompletionChunk]]) -> Iterator[str]:
        record, chunks = item
        data = body(record)
        if decode(record, [data[i : i + 1] for i in range(len(data))]) != chunks:
            yield "byte by byte"
        for seed in range(RANDOM_CUTS):
            if decode(record, pieces(data, 12, seed)) != chunks:
                yield f"random cuts, seed {seed}"
        if len(data) <= EVERY_CUT_UP_TO:
            counts["every"] += 1
            for place in range(len(data)):
                if decode(record, [data[:place], data[place:]]) != chunks:
                    yield f"cut at {place}"

    items = decoded(api)
    small = sum(len(body(record)) <= EVERY_CUT_UP_TO for record, _ in items)
    check_all(api, "streams at any cut", items, judge, f"{small} also in two at every byte")
    assert counts["every"] == small


STATUS_CLASSES: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    404: NotFoundError,
    429: RateLimitError,
}


@every_api
def test_errors(api: str) -> None:
    """Every error body becomes the error of its status, with the vendor's message, code, type, parameter and id."""

    def judge(record: Record) -> Iterator[str]:
        told = record["response"]["body_json"]["error"]
        error = CODEC.decode_error(answer(record))
        if type(error) is not STATUS_CLASSES[record["status"]]:
            yield f"{type(error).__name__} for {record['status']}"
        if (error.status_code, error.message, error.body) != (record["status"], told["message"], told):
            yield "status, message or body"
        for name in ("code", "type", "param"):
            if getattr(error, name) != told.get(name):
                yield name
        headers = record["response"]["headers"]
        if error.request_id != headers.get("x-request-id", headers.get("apim-request-id")):
            yield "request id"
        again = CODEC.encode_error(error)
        if again.status_code != record["status"] or any(again.json()["error"][k] != v for k, v in told.items()):
            yield "encode_error loses something"
        if type(CODEC.decode_error(again)) is not type(error):
            yield "decoded again, it is another error"

    check_all(api, "errors", refused(api), judge)


# Requests


def without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """Null is the same as absent, for parameters and for the fields of messages other than `content`."""
    clean = {name: item for name, item in value.items() if item is not None}
    clean["messages"] = [
        {name: item for name, item in message.items() if item is not None or name == "content"}
        for message in value["messages"]
    ]
    return clean


def edited(value: dict[str, Any], edits: tuple[str, ...]) -> dict[str, Any]:
    """`value` with the edits that the codec says it made."""
    value = copy.deepcopy(value)
    for edit in edits:
        if edit == "stream_options.include_usage added":
            value["stream_options"] = {**value.get("stream_options", {}), "include_usage": True}
        elif edit == "max_tokens sent as max_completion_tokens":
            value["max_completion_tokens"] = value.pop("max_tokens")
        elif edit.startswith("fields of answers not sent back: "):
            names = edit.partition(": ")[2].split(", ")
            for message in value["messages"]:
                if message["role"] == "assistant":
                    for name in names:
                        without(message, name.split("."))
        else:
            raise AssertionError(f"unknown edit {edit!r}")
    return value


def without(value: Any, path: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            without(item, path)
    elif len(path) == 1:
        value.pop(path[0], None)
    elif path[0] in value:
        without(value[path[0]], path[1:])


@every_api
def test_requests_decoded_and_encoded_again(api: str) -> None:
    """A recorded request comes back equal but for the edits that are named; only what OpenAI refused is refused."""
    excepted = []

    def judge(record: Record) -> Iterator[str]:
        recorded = request_body(record)
        stream = bool(recorded.get("stream"))
        try:
            encoded = CODEC.encode_request(request_of(record), model=recorded["model"], stream=stream)
        except RequestValidationError as error:
            told = record["response"].get("body_json", {}).get("error", {})
            if record["status"] != 400 or told.get("param") != error.param:
                yield f"refused: {error}"
            excepted.append(error.param)
            return
        if encoded.dropped:
            yield f"dropped {encoded.dropped}"
        if encoded.body != edited(without_nulls(recorded), encoded.edits):
            yield "another body"
        if stream and encoded.body["stream_options"]["include_usage"] is not True:
            yield "no usage asked for"

    items = records(api)
    expected = sum(
        r["status"] == 400 and r["response"]["body_json"]["error"].get("code") == "decimal_above_max_value"
        for r in items
    )
    note = f"{expected} refused locally with the parameter that OpenAI's 400 names" if expected else ""
    check_all(api, "requests decoded and encoded", items, judge, note)
    assert len(excepted) == expected


@cache
def adapter(*, stream: bool) -> TypeAdapter[Any]:
    return TypeAdapter(CompletionCreateParamsStreaming if stream else CompletionCreateParamsNonStreaming)


def test_the_types_are_a_judge() -> None:
    """What OpenAI's types forbid is found, also inside the messages."""
    good = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    exhaust(adapter(stream=False).validate_python(good))
    for bad in ({**good, "temperature": "warm"}, {**good, "messages": [{"role": "user", "content": 3}]}):
        with pytest.raises(ValidationError):
            exhaust(adapter(stream=False).validate_python(bad))


def exhaust(value: Any) -> None:
    """Pydantic validates an `Iterable` only as it is read."""
    if isinstance(value, dict):
        for item in value.values():
            exhaust(item)
    elif not isinstance(value, str | bytes) and isinstance(value, Iterable):
        for item in value:
            exhaust(item)


@every_api
def test_encoded_requests_are_valid_for_openais_own_types(api: str) -> None:
    """What the codec sends, streamed and not, is valid by the `openai` package's typed parameters."""

    def judge(record: Record) -> Iterator[str]:
        recorded = request_body(record)
        for stream in (False, True):
            try:
                encoded = CODEC.encode_request(request_of(record), model=recorded["model"], stream=stream)
            except RequestValidationError:
                continue
            exhaust(adapter(stream=stream).validate_python(encoded.body))
        return
        yield

    check_all(api, "requests valid for openai's types", records(api), judge)


CAPABILITY_EXCEPTIONS = {"openai.chat-697eaa96e4": "asks for an audio format without the audio modality: ignored"}


def test_capabilities_refuse_nothing_that_was_answered() -> None:
    """No recorded request that OpenAI answered needs a feature that its model is said to lack."""
    api = "openai.chat"

    def judge(record: Record) -> Iterator[str]:
        request = request_of(record)
        missing = lacking(needed(request, stream=record["stream"]), capabilities(request.model))
        if missing and record["id"] not in CAPABILITY_EXCEPTIONS:
            yield f"{request.model} is said to lack {sorted(missing)}"

    check_all(
        api, "capabilities", wholes(api) + streams(api), judge, "; ".join(sorted(set(CAPABILITY_EXCEPTIONS.values())))
    )
