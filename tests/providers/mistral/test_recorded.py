"""Every recorded interaction with Mistral, judged by an independent reading and by the vendor's own types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import pytest
from pydantic import ValidationError

from edgeagent.errors import (
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    UnprocessableEntityError,
)
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.mistral.reading import answer_of_stream, lost, normal_answer, normal_body
from tests.providers.mistral.support import CODEC
from tests.providers.mistral.vendor_types import unknown_fields
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces
from tests.support.recorded import Recorded

API = "mistral.chat"
RECORDED = Recorded(API)
wholes, streams, check = RECORDED.wholes, RECORDED.streams, RECORDED.check
SMALL = 8_000
"""Bytes up to which a stream is fed byte by byte."""
TINY = 560
"""Bytes up to which a stream is cut in two at every byte."""


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
        whole = CODEC.decode_response(HTTPResponse(200, content=json.dumps(answer).encode()))
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
    """Each stream is encoded to events that decode to the same answer."""
    faults = []
    for record in streams():
        chunks = decoded(record, [body(record)])
        encoder = CODEC.stream_encoder()
        data = b"".join(map(encoder.feed, chunks)) + encoder.end()
        if assemble(decoded(record, [data])).model_dump() != assemble(chunks).model_dump():
            faults.append(record["id"])
    check("stream encoded again", len(streams()), faults)


def test_errors() -> None:
    """Each error body is the class of its type or status, with message, code and request id."""
    classes = {
        (400, "invalid_model"): NotFoundError,
        (400, "invalid_request_invalid_args"): BadRequestError,
        (400, "invalid_request_audio"): BadRequestError,
        (401, None): AuthenticationError,
        (422, None): UnprocessableEntityError,
        (500, "internal_server_error"): InternalServerError,
    }
    faults, found = [], [r for r in records(API) if r["status"] != 200]
    for record in found:
        answer, headers = record["response"]["body_json"], record["response"]["headers"]
        error = CODEC.decode_error(HTTPResponse(record["status"], headers, body(record)))
        detail = answer.get("detail")
        message = answer.get("message") or (detail if isinstance(detail, str) else detail[0]["msg"])
        expected = (record["status"], answer.get("type"), answer.get("code"), headers.get("mistral-correlation-id"))
        told = (error.status_code, error.type, error.code, error.request_id)
        if type(error) is not classes[expected[:2]] or told != expected or message not in error.message:
            faults.append(f"{record['id']}: {type(error).__name__} {told}")
        back = CODEC.encode_error(error)
        if back.status_code != record["status"] or json.loads(back.content) != answer:
            faults.append(f"{record['id']}: encoded again")
    check("error typed", len(found), faults)


def test_requests_there_and_back() -> None:
    """Each recorded body is decoded and encoded to an equivalent one, valid by the vendor's own types.

    The bodies that the vendor refused with a 422 (a tool that chat completions have not) are not valid here either.
    """
    faults, invalid = [], 0
    for record in records(API):
        sent = record["request"]["body"]
        request = CODEC.decode_request(sent)
        encoded = CODEC.encode_request(request, model=sent["model"], stream=bool(sent.get("stream")))
        if encoded.dropped or normal_body(encoded.body) != normal_body(sent):
            faults.append(f"{record['id']}: differs")
        try:
            unknown = unknown_fields(encoded.body)
        except ValidationError as error:
            invalid += 1
            faults += [] if record["status"] == 422 else [f"{record['id']}: {error}"]
            continue
        faults += [f"{record['id']}: {unknown}"] if unknown else []
    check("request encoded again, valid", len(records(API)), faults, f"{invalid} invalid, as for the vendor")


def test_answers_sent_back() -> None:
    """An answer sent back as the next turn gives the vendor's own content again, whatever it holds."""
    faults, found = [], wholes()
    for record in found:
        answer = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        given = json.loads(body(record))["choices"][0]["message"]
        if not given["content"] and not given.get("tool_calls"):
            continue
        message = answer.choices[0].message.model_dump(exclude_unset=True)
        request = ChatRequest(model="m", messages=[{"role": "user", "content": "a"}, message])
        sent = CODEC.encode_request(request, model="m", stream=False).body["messages"][1]
        faults += [record["id"]] if (sent.get("content") or "") != (given["content"] or "") else []
    check("answer sent back unchanged", len(found), faults)


def test_the_selection_shows_every_kind() -> None:
    """What a clone has at hand contains answers, streams and errors."""
    kinds = {(r["status"], r["stream"]) for r in records(API)}
    assert {(200, True), (200, False), (400, False), (401, True), (422, False), (500, True)} <= kinds
