"""Every recorded interaction with Cohere, judged by an independent reading and by the vendor's own types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from edgeagent.errors import (
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    UnprocessableEntityError,
)
from edgeagent.providers.cohere import CohereChatCodec, decode_generation
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.cohere.reading import answer_of_stream, lost, normal_answer, normal_body, normal_message
from tests.providers.cohere.support import CODEC
from tests.providers.cohere.vendor_types import unknown_fields
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces
from tests.support.recorded import Recorded

API = "cohere.chat_v2"
RECORDED = Recorded(API)
wholes, check = RECORDED.wholes, RECORDED.check
SMALL = 30_000
"""Bytes up to which a stream is fed byte by byte."""
TINY = 1_000
"""Bytes up to which a stream is cut in two at every byte."""


def streams() -> list[Record]:
    return [
        r for r in records(API) if r["status"] == 200 and r["stream"] and '"ERROR"' not in r["response"]["body_text"]
    ]


def failed_streams() -> list[Record]:
    return [r for r in records(API) if r["status"] == 200 and r["stream"] and '"ERROR"' in r["response"]["body_text"]]


@cache
def asked(digits: str) -> ChatRequest:
    record = next(r for r in records(API) if r["id"] == digits)
    return CODEC.decode_request(record["request"]["body"])


def decoded(record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    decoder = CODEC.stream_decoder(asked(record["id"]))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    chunks += decoder.end()
    assert decoder.finished
    return chunks


def test_answers_lose_nothing() -> None:
    """Each unstreamed answer says everything that the vendor's answer says."""
    faults = []
    for record in wholes():
        completion = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        missing = lost(completion.model_dump(exclude_unset=True), json.loads(body(record)))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("answer decoded, nothing lost", len(wholes()), faults)


def test_answers_there_and_back() -> None:
    """Each unstreamed answer is encoded to what it was (see `normal_answer`)."""
    faults = []
    for record in wholes():
        back = CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=body(record))))
        faults += [record["id"]] if normal_answer(back) != normal_answer(json.loads(body(record))) else []
    check("answer encoded again", len(wholes()), faults)


def test_streams_lose_nothing() -> None:
    """Each stream, assembled, says everything that the answer says which the vendor's events tell."""
    faults = []
    for record in streams():
        completion = assemble(decoded(record, [body(record)]))
        missing = lost(completion.model_dump(exclude_unset=True), answer_of_stream(body(record).decode()))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("stream decoded, nothing lost", len(streams()), faults)


def test_streams_are_their_answers() -> None:
    """Each stream, assembled, is the completion that its answer gives unstreamed."""
    faults = []
    for record in streams():
        answer = answer_of_stream(body(record).decode())
        codec = CohereChatCodec(record["request"]["body"]["model"])
        whole = codec.decode_response(HTTPResponse(200, content=json.dumps(answer).encode()))
        streamed = assemble(decoded(record, [body(record)]))
        faults += [record["id"]] if whole.model_dump() != streamed.model_dump() else []
    check("stream ≡ its answer", len(streams()), faults)


@pytest.mark.bulk
def test_streams_at_every_cut() -> None:
    """Bytes one by one (small streams), cut in two at every place (tiny ones), or cut at random: the same chunks."""
    faults, cuts = [], 0
    for number, record in enumerate(streams()):
        data = body(record)
        whole = decoded(record, [data])
        for parts in cut(data, seed=number):
            cuts += 1
            if decoded(record, parts) != whole:
                faults.append(f"{record['id']}: {len(parts)} pieces")
    check("stream at every cut", len(streams()), faults, f"{cuts} cuts")


def cut(data: bytes, seed: int) -> Iterator[list[bytes]]:
    if len(data) <= SMALL:
        yield [data[i : i + 1] for i in range(len(data))]
    if len(data) <= TINY:
        yield from ([data[:i], data[i:]] for i in range(1, len(data)))
    yield from (pieces(data, 1 + 7 * count, seed + count) for count in range(3))


def test_streams_there_and_back() -> None:
    """Each stream is encoded to events that decode to the same answer; a plan comes back as thinking."""
    faults = []
    for record in streams():
        chunks = decoded(record, [body(record)])
        encoder = CODEC.stream_encoder()
        data = b"".join(map(encoder.feed, chunks)) + encoder.end()
        again = assemble(decoded(record, [data]))
        if plan_as_thinking(again.model_dump()) != plan_as_thinking(assemble(chunks).model_dump()):
            faults.append(record["id"])
    check("stream encoded again", len(streams()), faults, "tool_plan as thinking")


def plan_as_thinking(completion: dict[str, Any]) -> dict[str, Any]:
    native = completion["choices"][0]["message"]["native_content"]
    if native is not None and native.get("tool_plan"):
        native["content"] = [{"type": "thinking", "thinking": native.pop("tool_plan")}, *native["content"]]
    return completion


def test_failed_streams() -> None:
    """A stream that ends with ERROR gives what came, then the error; the outcome does not depend on the cuts."""
    faults = []
    for record in failed_streams():
        data = body(record)
        outcomes = []
        for size in (1, 50, len(data)):
            decoder = CODEC.stream_decoder(asked(record["id"]))
            chunks: list[ChatCompletionChunk] = []
            error = None
            try:
                for i in range(0, len(data), size):
                    chunks += decoder.feed(data[i : i + size])
                chunks += decoder.end()
            except InternalServerError as raised:
                error = raised
            assert error is not None
            told = [
                json.loads(line[5:]) for line in data.decode().split("\n") if '"message-end"' in line and "data" in line
            ]
            delta = told[0]["delta"]
            assert error.message == delta["error"]
            assert error.code == delta.get("error_type")
            outcomes.append(assemble(chunks))
        faults += [record["id"]] if outcomes[0] != outcomes[1] or outcomes[1] != outcomes[2] else []
        faults += [] if outcomes[0].choices[0].message.reasoning_content else [record["id"]]
    check("stream with an error typed", len(failed_streams()), faults)


def test_errors() -> None:
    """Each error body is the class of its status or type, with message and id."""
    classes = {400: BadRequestError, 401: AuthenticationError, 404: NotFoundError, 422: UnprocessableEntityError}
    faults, found = [], [r for r in records(API) if r["status"] != 200]
    for record in found:
        answer, headers = record["response"]["body_json"], record["response"]["headers"]
        error = CODEC.decode_error(HTTPResponse(record["status"], headers, body(record)))
        too_long = answer.get("error_type") == "TOO_MANY_TOKENS"
        told = (error.status_code, error.message, error.code, error.request_id)
        code = "context_length_exceeded" if too_long else answer.get("error_type")
        expected = (record["status"], answer["message"], code, answer["id"])
        if type(error) is not (ContextWindowExceededError if too_long else classes[record["status"]]):
            faults.append(f"{record['id']}: {type(error).__name__}")
        faults += [f"{record['id']}: {told}"] if told != expected else []
        back = CODEC.encode_error(error)
        if back.status_code != record["status"] or json.loads(back.content) != answer:
            faults.append(f"{record['id']}: encoded again")
    check("error typed", len(found), faults)


def test_requests_there_and_back() -> None:
    """Each recorded body is decoded and encoded to an equivalent one, valid by the vendor's own types."""
    faults = []
    for record in records(API):
        sent = record["request"]["body"]
        request = CODEC.decode_request(sent)
        encoded = CODEC.encode_request(request, model=sent["model"], stream=bool(sent.get("stream")))
        if encoded.dropped or normal_body(encoded.body) != normal_body(sent):
            faults.append(f"{record['id']}: differs")
        unknown = unknown_fields(encoded.body)
        faults += [f"{record['id']}: {unknown}"] if unknown else []
    check("request encoded again, valid", len(records(API)), faults)


def test_answers_sent_back() -> None:
    """An answer sent back as the next turn gives the vendor's own message again, whatever it holds."""
    faults, found = [], wholes()
    for record in found:
        answer = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        given = json.loads(body(record))["message"]
        message = answer.choices[0].message.model_dump(exclude_unset=True)
        request = ChatRequest(model="m", messages=[{"role": "user", "content": "a"}, message])
        sent = CODEC.encode_request(request, model="m", stream=False).body["messages"][1:]
        said = [normal_message(one) for one in sent] or [{"role": "assistant"}]
        faults += [record["id"]] if said != [normal_message(given)] else []
    check("answer sent back unchanged", len(found), faults)


def test_generations() -> None:
    """The answers of the older text endpoint, whole and streamed, say their text, end and usage."""
    faults, found = [], records("cohere.generate")
    for record in found:
        completion = decode_generation(
            HTTPResponse(200, content=body(record)), model=record["request"]["body"]["model"]
        )
        lines = body(record).decode().strip().split("\n")
        value = json.loads(lines[-1])
        value = value.get("response", value)
        [generation], [choice] = value["generations"], completion.choices
        billed = value["meta"]["billed_units"]
        assert completion.usage is not None
        told = (choice.message.content, choice.native_finish_reason, completion.usage.prompt_tokens, completion.id)
        expected = (generation["text"], generation["finish_reason"], billed["input_tokens"], value["id"])
        faults += [record["id"]] if told != expected or choice.finish_reason != "stop" else []
    report.add("cohere.generate", "answer decoded", len(found) - len(faults), len(faults), "decode only")
    assert faults == []


def test_the_selection_shows_every_kind() -> None:
    """What a clone has at hand contains answers, streams and errors."""
    kinds = {(r["status"], r["stream"]) for r in records(API)}
    assert {(200, True), (200, False), (400, False), (401, False), (404, True), (422, False)} <= kinds
