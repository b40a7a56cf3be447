"""What holds for every codec: damaged input gives typed errors, and decoding is linear in its size."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic_core import PydanticSerializationError

from edgeagent.errors import APIError, APIStatusError, RequestValidationError
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse
from tests.providers.every import CODECS, Wire
from tests.support.corpus import Record, body, records
from tests.support.timing import is_linear

__all__: list[str] = []

every_codec = pytest.mark.parametrize("wire", CODECS, ids=str)

REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}])
STRANGE: tuple[Any, ...] = (None, True, 0, -1, 1e308, "", "x", [], [None], {}, {"x": 1}, [[]], "\ud800")
SEEDS = int(os.environ.get("EDGEAGENT_FUZZ", "150"))
"""How many damaged inputs each codec gets."""


def some(wire: Wire, kind: str, count: int) -> list[Record]:
    found = [r for r in records(wire.api) if r["status"] == 200 and kind in r["response"] and len(body(r)) < 8000]
    return random.Random(1).sample(found, min(count, len(found)))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def swapped(value: Any, chance: random.Random) -> Any:
    """The same with one of its parts replaced, or taken away."""
    path = chance.choice(list(places(value)))
    if not path:
        return chance.choice(STRANGE)
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if isinstance(holder, dict) and chance.random() < 0.3:
        del holder[path[-1]]
    else:
        holder[path[-1]] = chance.choice(STRANGE)
    return changed


def dump(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@every_codec
def test_answers_of_wrong_types(wire: Wire) -> None:
    """A recorded answer with a part of another type or none is a completion, or one of our errors."""
    chance = random.Random(2)
    found = some(wire, "body_json", 15)
    assert found
    for _ in range(SEEDS):
        record = chance.choice(found)
        data = dump(swapped(record["response"]["body_json"], chance))
        try:
            made = wire.codec.decode_response(HTTPResponse(200, record["response"]["headers"], data))
        except APIError:
            continue
        assert isinstance(made, ChatCompletion)
        assert made.choices
        made.model_dump_json()


def decode(wire: Wire, parts: list[bytes], headers: dict[str, str]) -> list[ChatCompletionChunk]:
    decoder = wire.codec.stream_decoder(REQUEST, HTTPResponse(200, headers))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    return chunks + decoder.end()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A piece dropped, doubled, moved, cut off or overwritten."""
    a, b = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return chance.choice(
        [
            data[:a] + data[b:],
            data[:b] + data[a:],
            data[b:] + data[:b],
            data[:a],
            data[:a] + bytes(chance.randrange(256) for _ in range(min(b - a, 8))) + data[b:],
            data[:a] + b"\n\n" + data[a:],
        ]
    )


@every_codec
def test_damaged_streams(wire: Wire) -> None:
    """A recorded stream with bytes lost, doubled, moved or overwritten is chunks, or one of our errors."""
    chance = random.Random(3)
    found = some(wire, "body_text", 15) or some(wire, "body_b64", 15)
    assert found
    for _ in range(SEEDS):
        record = chance.choice(found)
        data = damaged(body(record), chance)
        try:
            decode(wire, [data], record["response"]["headers"])
        except APIError:
            continue


@every_codec
def test_events_of_wrong_types(wire: Wire) -> None:
    """The same for one event of a stream with a part of another type."""
    chance = random.Random(4)
    found = [r for r in some(wire, "body_text", 15) if '{"' in r["response"]["body_text"]]
    for _ in range(SEEDS if found else 0):
        record = chance.choice(found)
        lines = record["response"]["body_text"].split("\n")
        candidates = [i for i, line in enumerate(lines) if line.removeprefix("data:").strip().startswith("{")]
        if not candidates:
            continue
        place = chance.choice(candidates)
        head = "data: " if lines[place].startswith("data:") else ""
        try:
            value = json.loads(lines[place].removeprefix("data:"))
        except ValueError:
            continue
        lines[place] = head + dump(swapped(value, chance)).decode("utf-8", "surrogatepass")
        try:
            decode(wire, ["\n".join(lines).encode("utf-8", "surrogatepass")], record["response"]["headers"])
        except APIError:
            continue


@every_codec
def test_errors_of_any_kind(wire: Wire) -> None:
    """Whatever the body of an error is, it is an error with the status that it came with, or one that it means."""
    chance = random.Random(5)
    odd = [b"", b"null", b"[]", b"[[[", b"{" * 100_000, b"[" * 100_000, b"\xff\xfe", b"<html>", b'"x"', b"3", b"{}"]
    odd += [
        b'{"error": 3}',
        b'{"error": []}',
        b'{"error": {"message": {}}}',
        b'{"error": {"code": []}}',
        b'{"error":null}',
    ]
    told = [
        dump(swapped(r["response"]["body_json"], chance))
        for r in records(wire.api)
        if r["status"] >= 400 and "body_json" in r["response"]
    ][:60]
    for data in (*odd, *told):
        for status in (400, 401, 404, 418, 429, 500, 503, 529):
            error = wire.codec.decode_error(HTTPResponse(status, {"content-type": "application/json"}, data))
            assert isinstance(error, APIStatusError)
            assert str(error)
            again = wire.codec.encode_error(error)
            assert 400 <= again.status_code <= 599


@every_codec
def test_requests_of_wrong_types(wire: Wire) -> None:
    """A recorded request with a part of another type is a request, or a `RequestValidationError`; so is encoding it."""
    chance = random.Random(6)
    found = [r for r in records(wire.api) if isinstance(r["request"]["body"], dict) and len(dump(r["request"])) < 8000]
    for _ in range(SEEDS):
        told = swapped(chance.choice(found)["request"]["body"], chance)
        if not isinstance(told, dict):
            continue
        try:
            request = wire.codec.decode_request(told)
            wire.codec.encode_request(request, model=wire.model, stream=chance.random() < 0.5)
        except (RequestValidationError, PydanticSerializationError):  # the latter: what JSON cannot hold
            continue


# size


def streamed(wire: Wire, texts: list[str]) -> bytes:
    """A stream of these texts, as the vendor would send it."""
    encoder = wire.codec.stream_encoder()

    def chunk(**choice: Any) -> ChatCompletionChunk:
        return ChatCompletionChunk.model_validate(
            {"id": "c", "created": 1, "model": wire.model, "choices": [{"index": 0, "delta": {}, **choice}]}
        )

    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    last = ChatCompletionChunk.model_validate(
        {"id": "c", "created": 1, "model": wire.model, "choices": [], "usage": usage}
    )
    parts = [encoder.feed(chunk(delta={"role": "assistant", "content": text})) for text in texts]
    return b"".join([*parts, encoder.feed(chunk(finish_reason="stop")), encoder.feed(last), encoder.end()])


def reading(wire: Wire, texts: list[str], size: int) -> Callable[[], None]:
    """Reads a stream of these texts, which comes in pieces of that size, and looks whether all is there."""
    data = streamed(wire, texts)
    parts = [data[i : i + size] for i in range(0, len(data), size)]

    def read() -> None:
        chunks = decode(wire, parts, {})
        found = sum(len(choice.delta.content or "") for chunk in chunks for choice in chunk.choices)
        assert found == sum(map(len, texts))

    return read


@pytest.mark.bulk
@every_codec
def test_many_tiny_events(wire: Wire) -> None:
    """Four times the events take about four times as long, in pieces that have nothing to do with them."""

    assert is_linear(reading(wire, ["x"] * 1000, 1000), reading(wire, ["x"] * 4000, 1000), at_most=10)


@every_codec
def test_one_long_event(wire: Wire) -> None:
    """An event of megabytes that comes in small pieces is read once, not once for each piece."""

    short, long = reading(wire, ["x" * 1_000_000], 4096), reading(wire, ["x" * 4_000_000], 4096)
    assert is_linear(short, long, at_most=10)
