"""Every recorded interaction with Converse, judged by an independent reading and by botocore's service model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

from edgeagent.errors import (
    BadRequestError,
    ContextWindowExceededError,
    NotFoundError,
    RequestValidationError,
)
from edgeagent.providers.bedrock import BedrockConverseCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.providers.bedrock.reading import events, invalid, lost, message_of_stream, normal_answer, normal_body
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces
from tests.support.recorded import Recorded

API = "bedrock.converse"
RECORDED = Recorded(API)
wholes, streams, check = RECORDED.wholes, RECORDED.streams, RECORDED.check
CODEC = BedrockConverseCodec()
SMALL = 5_000
"""Bytes up to which a stream is fed byte by byte."""
TINY = 900
"""Bytes up to which a stream is cut in two at every byte."""


def model_of(record: Record) -> str:
    return unquote(record["request"]["url"].split("/model/")[1].rsplit("/", 1)[0])


def answer_of(record: Record) -> HTTPResponse:
    headers = record["response"]["headers"]
    return HTTPResponse(record["status"], headers, body(record), HTTPRequest("POST", record["request"]["url"]))


@cache
def asked(digits: str) -> ChatRequest:
    record = next(r for r in records(API) if r["id"] == digits)
    return CODEC.decode_request(record["request"]["body"])


def decoded(record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    head = answer_of(record)
    head.content = b""
    decoder = CODEC.stream_decoder(asked(record["id"]), head)
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    assert decoder.finished
    return chunks + decoder.end()


def test_answers_lose_nothing() -> None:
    """Each unstreamed answer says everything that the vendor's says, its id and its model."""
    faults = []
    for record in wholes():
        response = answer_of(record)
        completion = CODEC.decode_response(response).model_dump(exclude_unset=True)
        missing = lost(completion, json.loads(body(record)))
        if completion["model"] != model_of(record):
            missing.append("model")
        if completion["id"] != response.headers.get("x-amzn-requestid", ""):
            missing.append("id")
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("answer decoded, nothing lost", len(wholes()), faults)


def test_answers_there_and_back() -> None:
    """Each unstreamed answer is encoded to what it was, but for the undocumented type of tool calls."""
    faults = []
    for record in wholes():
        back = CODEC.encode_response(CODEC.decode_response(answer_of(record)))
        if normal_answer(back) != normal_answer(json.loads(body(record))):
            faults.append(record["id"])
    check("answer encoded again", len(wholes()), faults)


def test_streams_lose_nothing() -> None:
    """Each stream, assembled, says everything that the events tell."""
    faults = []
    for record in streams():
        completion = assemble(decoded(record, [body(record)])).model_dump(exclude_unset=True)
        missing = lost(completion, message_of_stream(events(body(record))))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("stream decoded, nothing lost", len(streams()), faults)


def test_streams_are_their_answers() -> None:
    """Each stream, assembled, is the completion that its answer gives unstreamed."""
    faults = []
    for record in streams():
        answer = answer_of(record)
        answer.content = json.dumps(normal_answer(message_of_stream(events(body(record))))).encode()
        whole = comparable(CODEC.decode_response(answer).model_dump())
        streamed = comparable(assemble(decoded(record, [body(record)])).model_dump())
        if whole != streamed:
            faults.append(record["id"])
    check("stream ≡ its answer", len(streams()), faults)


def comparable(completion: dict[str, Any]) -> dict[str, Any]:
    """Arguments as values: a stream has them as the model wrote them, an answer as an object."""
    for choice in completion["choices"]:
        for call in choice["message"]["tool_calls"] or ():
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return completion


def test_streams_at_every_cut() -> None:
    """Bytes one by one, cut in two at every place (tiny streams), or cut at random: the same chunks."""
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
    yield from (pieces(data, 1 + 4 * count, seed + count) for count in range(4))


def test_streams_there_and_back() -> None:
    """Each stream is encoded to events in the documented order that decode to the same answer."""
    faults = []
    for record in streams():
        chunks = decoded(record, [body(record)])
        encoder = CODEC.stream_encoder()
        data = b"".join(map(encoder.feed, chunks)) + encoder.end()
        again = assemble(decoded(record, [data]))
        if again != assemble(chunks):
            faults.append(record["id"])
        faults += [f"{record['id']}: {fault}" for fault in disorder(events(data))]
    check("stream encoded again", len(streams()), faults)


def disorder(pairs: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Where events are not in the documented order."""
    kinds = [name for name, _ in pairs]
    if kinds[0] != "messageStart" or kinds[-2:] != ["messageStop", "metadata"]:
        yield "ends"
    index, is_open = 0, False
    for name, event in pairs[1:-2]:
        if event["contentBlockIndex"] != index or (name == "contentBlockStart" and is_open):
            yield f"block {index}: {name}"
        is_open = name != "contentBlockStop"
        index += not is_open
    if is_open:
        yield "a block is open at the end"


def test_errors() -> None:
    """Each error is of the class of its type, with message and request id, and is encoded to what it was."""
    classes = {400: BadRequestError, 404: NotFoundError}
    faults, found = [], [r for r in records(API) if r["status"] != 200]
    for record in found:
        answer, response = record["response"]["body_json"], answer_of(record)
        error = CODEC.decode_error(response)
        kind = response.headers.get("x-amzn-errortype", "").partition(":")[0] or None
        told = (error.message, error.type, error.status_code, error.request_id)
        expected = (answer["message"], kind, record["status"], response.headers.get("x-amzn-requestid"))
        cls = ContextWindowExceededError if "Exceeded" in answer["message"] else classes[record["status"]]
        if type(error) is not cls or told != expected:
            faults.append(f"{record['id']}: {type(error).__name__} {told}")
        back = CODEC.encode_error(error)
        if back.status_code != record["status"] or json.loads(back.content) != answer:
            faults.append(f"{record['id']}: encoded again")
    check("error typed", len(found), faults)


def test_requests_there_and_back() -> None:
    """Each recorded body is decoded and encoded to an equivalent one, valid by AWS's service model.

    Bodies that the vendor refused with a 400 may be refused here too, or repaired.
    """
    faults, unknown = [], 0
    for record in records(API):
        sent = record["request"]["body"]
        try:
            request = CODEC.decode_request(sent)
            encoded = CODEC.encode_request(request, model=model_of(record), stream=record["stream"])
            report_ = invalid("Converse", encoded.body)
        except (RequestValidationError, AssertionError) as error:
            faults.append(f"{record['id']}: {error}")
            continue
        if report_:
            try:
                unknown += bool(invalid("Converse", sent))
            except AssertionError:
                unknown += 1
            else:
                faults.append(f"{record['id']}: {report_[:200]}")
        if normal_body(encoded.body) != normal_body(sent):
            faults.append(f"{record['id']}: differs")
    check("request encoded again, valid", len(records(API)), faults)
    assert unknown == 0


def test_answers_sent_back_unchanged() -> None:
    """An answer sent back as the next turn gives the vendor's own blocks again, whatever they hold."""
    faults, found = [], [r for r in wholes() if json.loads(body(r))["output"]["message"]["content"]]
    for record in found:
        answer = CODEC.decode_response(answer_of(record))
        message = answer.choices[0].message.model_dump(exclude_unset=True)
        conversation = [{"role": "user", "content": "a"}, message, {"role": "user", "content": "b"}]
        request = ChatRequest(model="m", messages=conversation)
        sent = CODEC.encode_request(request, model="m", stream=False).body["messages"][1]
        expected = normal_answer(json.loads(body(record)))["output"]["message"]["content"]
        given = normal_answer({"output": {"message": sent}})["output"]["message"]["content"]
        if given != [block for block in expected if block != {"text": ""}]:
            faults.append(record["id"])
    check("answer sent back unchanged", len(found), faults)


def test_the_selection_shows_every_kind() -> None:
    """What a clone has at hand contains answers, streams and errors."""
    kinds = {(r["status"], r["stream"]) for r in records(API)}
    assert {(200, True), (200, False), (400, False), (404, False)} <= kinds
