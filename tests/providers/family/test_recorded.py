"""Every recorded answer, error and request of every server of OpenAI's shape, judged by a reading of its own."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from edgeagent.core.fitness import lacking, needed
from edgeagent.errors import APIError, APIStatusError, RequestValidationError, status_error_class
from edgeagent.providers.base import Capabilities
from edgeagent.providers.rows import ROWS
from edgeagent.types import ChatRequest
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.providers.family.reading import read_completion, read_events, read_whole, usage_of, usage_told
from tests.providers.family.support import APIS, OTHER, codec, decode, request_body, request_of, response
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import documents, pieces

every_api = pytest.mark.parametrize("api", APIS)

EVERY_CUT_UP_TO = 1200

ERRORS_INSIDE = {"groq.chat-6f4b145eb6": 400, "openrouter.chat-bb19b9a3a2": 400, "openrouter.chat-b8c020747d": 502}
"""Answers of 200 that are errors, with the status that they mean."""

OTHER_CLASS = {
    "deepseek.chat": {400: ("ContextWindowExceededError",)},
    "openrouter.chat": {400: ("ContextWindowExceededError",)},
    "ollama.openai_chat": {400: ("ContextWindowExceededError",)},
    "llamacpp.chat": {500: ("BadRequestError", "ContextWindowExceededError")},
    "pollinations.chat": {500: ("BadRequestError",)},
    "perplexity.chat": {400: ("NotFoundError",)},
    "huggingface.chat": {400: ("NotFoundError",)},
}
"""Where the body says more than the status: which classes may stand in place of the status's own."""

THINKS = {"perplexity.chat"}
"""Servers that write their reasoning into the text."""

NO_REQUESTS = {
    "llamacpp.chat-f121e022e3": "temperature is a text, which the server refused, too",
}


def check_all(
    api: str, check: str, items: Iterable[Any], judge: Callable[[Any], Iterator[str]], note: str = ""
) -> None:
    passed, faults = 0, []
    for record in items:
        found = list(judge(record))
        faults += [f"{record['id']}: {fault}" for fault in found[:3]]
        passed += not found
    if passed or faults:
        report.add(api, check, passed, len({fault.partition(":")[0] for fault in faults}), note)
    assert not faults, "\n".join(faults[:20])


def answers(api: str, kind: str) -> list[Record]:
    return [r for r in records(api) if r["status"] < 400 and kind in r["response"] and r["id"] not in ERRORS_INSIDE]


@every_api
def test_whole_answers(api: str) -> None:
    """Text, reasoning, calls, finish reasons and usage are what the JSON says; a replay as a stream says the same."""

    def judge(record: Record) -> Iterator[str]:
        recorded = record["response"]["body_json"]
        completion = codec(api).decode_response(response(record))
        if read_completion(completion) != read_whole(recorded, think=api in THINKS):
            yield f"{read_completion(completion)} is not {read_whole(recorded, think=api in THINKS)}"
        if usage_of(completion) != usage_told(recorded.get("usage")):
            yield "usage"
        if any(not call.id for choice in completion.choices for call in choice.message.tool_calls or ()):
            yield "a call without an id"
        told = [c.get("id") for choice in recorded["choices"] for c in choice["message"].get("tool_calls") or ()]
        ids = [call.id for choice in completion.choices for call in choice.message.tool_calls or ()]
        if any(t and t != i for t, i in zip(told, ids, strict=True)):
            yield "an id was changed"
        if lost := set(recorded) - set(completion.model_dump()) - {"object"}:
            yield f"lost {sorted(lost)}"
        if read_completion(assemble(to_chunks(completion))) != read_completion(completion):
            yield "replayed, it says something else"

    check_all(api, "whole answers", answers(api, "body_json"), judge)


@pytest.mark.bulk
@every_api
def test_encoded_again(api: str) -> None:
    """An answer, a stream and an error, encoded in OpenAI's form and read again, say the same."""

    def judge(record: Record) -> Iterator[str]:
        its = codec(api)
        if record["status"] >= 400:
            error = its.decode_error(response(record))
            again = its.decode_error(its.encode_error(error))
            if (type(again), str(again), again.status_code) != (type(error), str(error), error.status_code):
                yield f"{again!r} is not {error!r}"
        elif "body_json" in record["response"]:
            completion = its.decode_response(response(record))
            content = json.dumps(its.encode_response(completion)).encode()
            if its.decode_response(HTTPResponse(200, content=content)) != completion:
                yield "the answer differs"
        else:
            chunks = decode(api, record, [body(record)])
            encoder = its.stream_encoder()
            data = b"".join(encoder.feed(chunk) for chunk in chunks) + encoder.end()
            decoder = its.stream_decoder(ChatRequest(model="m", messages=[]))
            if assemble(decoder.feed(data) + decoder.end()) != assemble(chunks):
                yield "the stream differs"

    check_all(api, "encoded again", [r for r in records(api) if r["id"] not in ERRORS_INSIDE], judge)


@every_api
def test_streams(api: str) -> None:
    """The assembled stream says what its events say; calls have an id and a place."""

    def judge(record: Record) -> Iterator[str]:
        chunks = decode(api, record, [body(record)])
        completion = assemble(chunks)
        events = documents(body(record).decode())
        if read_completion(completion) != read_events(events, think=api in THINKS):
            yield f"{read_completion(completion)} is not {read_events(events, think=api in THINKS)}"
        told = [usage_told(event["usage"]) for event in events if event.get("usage")]
        if usage_of(completion) != (told[-1] if told else None):
            yield "usage"
        calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
        if any(call.index < 0 for call in calls):
            yield "a call without a place"
        if any(not call.id for choice in completion.choices for call in choice.message.tool_calls or ()):
            yield "a call without an id"

    check_all(api, "streams", answers(api, "body_text"), judge)


@pytest.mark.bulk
@every_api
def test_cuts_do_not_matter(api: str) -> None:
    """Byte by byte, cut at random, and (small ones) cut in two at every byte, a stream gives the same chunks."""

    def judge(record: Record) -> Iterator[str]:
        data = body(record)
        whole = decode(api, record, [data])
        if len(data) < 12_000 and decode(api, record, [data[i : i + 1] for i in range(len(data))]) != whole:
            yield "byte by byte"
        for seed in range(2):
            if decode(api, record, pieces(data, 12, seed)) != whole:
                yield f"random cuts, seed {seed}"
        for place in range(len(data) if len(data) <= EVERY_CUT_UP_TO else 0):
            if decode(api, record, [data[:place], data[place:]]) != whole:
                yield f"cut at {place}"

    check_all(api, "streams at any cut", answers(api, "body_text"), judge)


@every_api
def test_errors(api: str) -> None:
    """Every error is of its status's class, or of one that its body's code means; the vendor's words are kept."""

    def judge(record: Record) -> Iterator[str]:
        error = codec(api).decode_error(response(record))
        own = status_error_class(record["status"])
        other = OTHER_CLASS.get(api, {}).get(record["status"], ())
        if type(error) is not own and type(error).__name__ not in other:
            yield f"{type(error).__name__} for {record['status']}"
        told = record["response"].get("body_json")
        if isinstance(told, dict):
            inner = told["error"] if isinstance(told.get("error"), dict) else told
            words = [inner.get("message"), told.get("error"), told.get("detail")]
            words = [word for word in words if isinstance(word, str) and word]
            if words and words[0] not in str(error):
                yield "its words are lost"
        elif body(record).lstrip().startswith(b"<") and "<" in str(error):
            yield "HTML in the message"

    check_all(api, "errors", [r for r in records(api) if r["status"] >= 400], judge)


@pytest.mark.parametrize("id", sorted(ERRORS_INSIDE))
def test_errors_inside_an_answer(id: str) -> None:
    """A 200 that tells of an error raises it, streamed or not, with the status that it means."""
    api = id.rpartition("-")[0]
    found = [r for r in records(api) if r["id"] == id]
    assert found
    with pytest.raises(APIStatusError) as caught:
        decode(api, found[0], [body(found[0])])
    assert caught.value.status_code == ERRORS_INSIDE[id]


# Requests


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def equivalent(api: str, recorded: dict[str, Any]) -> dict[str, Any]:
    """The recorded body with the liberties that the documentation names: usage of streams asked for, names renamed."""
    value = copy.deepcopy(recorded)
    quirks = codec(api)._quirks
    if not value.get("stream"):
        value.pop("stream_options", None)
    elif quirks.stream_options:
        value["stream_options"] = {**(value.get("stream_options") or {}), "include_usage": True}
    if value.get("tool_choice") == "required":
        value["tool_choice"] = quirks.required_choice
    for message in value["messages"]:
        if message["role"] == "developer" and not quirks.developer_role:
            message["role"] = "system"
        if message["role"] == "assistant":
            for name in {"reasoning", "reasoning_content", "reasoning_details"} - set(quirks.replayed):
                message.pop(name, None)
            if message.get("tool_calls") == []:
                del message["tool_calls"]
            for call in message.get("tool_calls") or ():
                call.pop("index", None)
    if quirks.call_id_length is not None:
        _place_ids(value)
    return without_nulls(value)


def _place_ids(value: dict[str, Any]) -> None:
    """Ids of calls as numbers in their order: what they are does not matter, what they connect does."""
    known: dict[str, str] = {}
    for message in value["messages"]:
        for call in message.get("tool_calls") or ():
            call["id"] = known.setdefault(call["id"], str(len(known)))
        if "tool_call_id" in message:
            message["tool_call_id"] = known.setdefault(message["tool_call_id"], str(len(known)))


@every_api
def test_requests(api: str) -> None:
    """A recorded request, decoded and encoded again, is equivalent to what was recorded."""

    def judge(record: Record) -> Iterator[str]:
        recorded = request_body(record)
        encoded = codec(api).encode_request(
            request_of(api, record), model=recorded["model"], stream=bool(recorded.get("stream"))
        )
        built = copy.deepcopy(encoded.body)
        if codec(api)._quirks.call_id_length is not None:
            _place_ids(built)
        if without_nulls(built) != equivalent(api, recorded):
            yield f"{json.dumps(without_nulls(built))[:300]} is not {json.dumps(equivalent(api, recorded))[:300]}"
        if encoded.dropped:
            yield f"dropped {encoded.dropped}"

    items = [r for r in records(api) if isinstance(r["request"]["body"], dict) and r["id"] not in NO_REQUESTS]
    left = [NO_REQUESTS[r["id"]] for r in records(api) if r["id"] in NO_REQUESTS]
    check_all(api, "requests", items, judge, "; ".join(left[:1]))
    for record in records(api):
        if record["id"] in NO_REQUESTS:
            with pytest.raises(RequestValidationError):
                request_of(api, record)


@every_api
def test_capabilities_refuse_nothing_that_was_answered(api: str) -> None:
    """No recorded request that a server answered needs a feature that its row says it lacks."""
    name = OTHER.get(api, api.partition(".")[0])
    if name is None:
        pytest.skip("no row")

    def judge(record: Record) -> Iterator[str]:
        missing = lacking(needed(request_of(api, record), stream=record["stream"]), Capabilities(ROWS[name].features))
        missing = {feature for feature in missing if "parts" not in feature}  # a vendor's own, named otherwise
        if missing:
            yield f"{name} is said to lack {sorted(missing)}"

    check_all(api, "capabilities", [r for r in records(api) if r["status"] < 400 and r["id"] not in NO_REQUESTS], judge)


@pytest.mark.bulk
@every_api
def test_mutations_give_typed_errors(api: str) -> None:
    """Cut off, with a byte lost or doubled, an answer decodes or raises one of our errors."""

    def judge(record: Record) -> Iterator[str]:
        data = body(record)
        for place in range(1, len(data), max(1, len(data) // 12)):
            for changed in (data[:place], data[:place] + data[place + 1 :], data[:place] + data[place - 1 :]):
                with contextlib.suppress(APIError):
                    decode(api, record, [changed])
        return
        yield

    short = [sorted(answers(api, kind), key=lambda r: len(body(r)) > 8000) for kind in ("body_text", "body_json")]
    check_all(api, "damaged", [*short[0][:6], *short[1][:6]], judge)
