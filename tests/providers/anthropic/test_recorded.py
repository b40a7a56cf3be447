"""Every recorded interaction with Anthropic, judged by an independent reading and by the vendor's own types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from edgeagent.errors import APIStatusError, AuthenticationError, BadRequestError, NotFoundError, RequestValidationError
from edgeagent.providers.anthropic import AnthropicMessagesCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.anthropic.reading import lost, message_of_stream, normal_body, normal_message
from tests.providers.anthropic.vendor_types import unknown_fields
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces
from tests.support.recorded import Recorded

API = "anthropic.messages"
RECORDED = Recorded(API)
wholes, streams, check = RECORDED.wholes, RECORDED.streams, RECORDED.check
CODEC = AnthropicMessagesCodec()
SMALL = 200_000
"""Bytes up to which a stream is fed byte by byte."""
TINY = 1100
"""Bytes up to which a stream is cut in two at every byte."""


@cache
def asked(digits: str) -> ChatRequest:
    record = next(r for r in records(API) if r["id"] == digits)
    return CODEC.decode_request(record["request"]["body"])


def decoded(record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    decoder = CODEC.stream_decoder(asked(record["id"]))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    chunks += decoder.end()  # some recorders cut the last blank line
    assert decoder.finished
    return chunks


def test_answers_lose_nothing() -> None:
    """Each unstreamed answer says everything that the vendor's message says."""
    faults = []
    for record in wholes():
        completion = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        missing = lost(completion.model_dump(exclude_unset=True), json.loads(body(record)))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("answer decoded, nothing lost", len(wholes()), faults)


def test_answers_there_and_back() -> None:
    """Each unstreamed answer is encoded to what it was, but for null fields and empty citations."""
    faults = []
    for record in wholes():
        back = CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=body(record))))
        faults += [record["id"]] if normal_message(back) != normal_message(json.loads(body(record))) else []
    check("answer encoded again", len(wholes()), faults)


def test_streams_lose_nothing() -> None:
    """Each stream, assembled, says everything that the message says which the vendor's events tell."""
    faults = []
    for record in streams():
        completion = assemble(decoded(record, [body(record)]))
        missing = lost(completion.model_dump(exclude_unset=True), message_of_stream(body(record).decode()))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("stream decoded, nothing lost", len(streams()), faults)


def test_streams_are_their_messages() -> None:
    """Each stream, assembled, is the completion that its message gives unstreamed."""
    faults = []
    for record in streams():
        message = message_of_stream(body(record).decode())
        whole = CODEC.decode_response(HTTPResponse(200, content=json.dumps(message).encode()))
        streamed = assemble(decoded(record, [body(record)]))
        if comparable(whole.model_dump()) != comparable(streamed.model_dump()):
            faults.append(record["id"])
    check("stream ≡ its message", len(streams()), faults)


def comparable(completion: dict[str, Any]) -> dict[str, Any]:
    """Arguments as values: a stream has them as the model wrote them, a message as an object."""
    for choice in completion["choices"]:
        for call in choice["message"]["tool_calls"] or ():
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return completion


@pytest.mark.bulk
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
    """Each stream is encoded to events in the documented order that decode to the same answer.

    But for the `caller` of a tool call: it belongs into the block's first event and is known with its last.
    """
    faults = []
    for record in streams():
        chunks = decoded(record, [body(record)])
        encoder = CODEC.stream_encoder()
        data = b"".join(map(encoder.feed, chunks)) + encoder.end()
        again = assemble(decoded(record, [data]))
        if without_callers(again.model_dump()) != without_callers(assemble(chunks).model_dump()):
            faults.append(record["id"])
        faults += [f"{record['id']}: {fault}" for fault in disorder(data.decode())]
    check("stream encoded again", len(streams()), faults)


def without_callers(completion: dict[str, Any]) -> dict[str, Any]:
    message = completion["choices"][0]["message"]
    for block in (message["native_content"] or {}).get("content", ()):
        if block["type"] == "tool_use":
            block.pop("caller", None)
    if message["native_content"] is not None:
        kinds = {block["type"] for block in message["native_content"]["content"][1:]}
        if kinds <= {"tool_use"}:
            message["native_content"] = None  # nothing but the caller made it needed
    return completion


def disorder(text: str) -> Iterator[str]:
    """Where events are not in the documented order."""
    events = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]
    kinds = [event["type"] for event in events]
    if kinds[0] != "message_start" or kinds[-2:] != ["message_delta", "message_stop"]:
        yield "ends"
    index, is_open = -1, False
    for event in events[1:-2]:
        kind = event["type"]
        if kind == "content_block_start":
            index += 1
        if event["index"] != index or is_open == (kind == "content_block_start"):
            yield f"block {index}: {kind}"
        is_open = kind != "content_block_stop"
    if is_open:
        yield "a block is open at the end"


def test_errors() -> None:
    """Each error body is the class of its type, with message, type and request id."""
    classes = {400: BadRequestError, 401: AuthenticationError, 404: NotFoundError}
    faults, found = [], [r for r in records(API) if r["status"] != 200]
    for record in found:
        answer = record["response"]["body_json"]
        response = HTTPResponse(record["status"], record["response"]["headers"], body(record))
        error = CODEC.decode_error(response)
        told = (error.message, error.type, error.status_code, error.request_id)
        request_id = response.headers.get("request-id") or answer.get("request_id")
        expected = (answer["error"]["message"], answer["error"]["type"], record["status"], request_id)
        if type(error) is not classes[record["status"]] or told != expected:
            faults.append(f"{record['id']}: {type(error).__name__} {told}")
        back = CODEC.encode_error(error)
        if back.status_code != record["status"] or json.loads(back.content)["error"] != answer["error"]:
            faults.append(f"{record['id']}: encoded again")
    check("error typed", len(found), faults)


def test_requests_there_and_back() -> None:
    """Each recorded body is decoded and encoded to an equivalent one, and is valid by the vendor's own types.

    Bodies that the vendor refused with a 400 may be refused here too, or repaired.
    """
    faults, refused = [], 0
    for record in records(API):
        sent = record["request"]["body"]
        try:
            request = CODEC.decode_request(sent)
            encoded = CODEC.encode_request(request, model=sent["model"], stream=bool(sent.get("stream")))
            unknown = unknown_fields(encoded.body)
        except (RequestValidationError, ValidationError) as error:
            refused += 1
            faults += [f"{record['id']}: {error}"] if record["status"] != 400 else []
            continue
        if unknown:
            faults.append(f"{record['id']}: {unknown}")
        if normal_body(encoded.body) != normal_body(sent) and record["status"] != 400:
            faults.append(f"{record['id']}: differs")
    check("request encoded again, valid", len(records(API)), faults, f"{refused} refused, as by the vendor")


def test_a_hidden_error_is_raised() -> None:
    """A 200 whose body is an error object raises the error that it is."""
    recorded = next(r for r in records(API) if r["status"] == 404)
    with pytest.raises(APIStatusError) as caught:
        CODEC.decode_response(HTTPResponse(200, content=body(recorded)))
    assert type(caught.value) is NotFoundError
    assert caught.value.status_code == 404


def test_pairs_of_messages_are_one_conversation() -> None:
    """An answer sent back as the next turn gives the vendor's own blocks again, whatever they hold."""
    faults, found = [], [r for r in wholes() if json.loads(body(r))["content"]]
    for record in found:
        answer = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        message = answer.choices[0].message.model_dump(exclude_unset=True)
        conversation = [{"role": "user", "content": "a"}, message, {"role": "user", "content": "b"}]
        request = ChatRequest(model="claude-sonnet-4-6", messages=conversation)
        sent = CODEC.encode_request(request, model="claude-sonnet-4-6", stream=False).body["messages"][1]["content"]
        blocks = json.loads(body(record))["content"]
        expected = [block for block in blocks if block != {"type": "text", "text": ""}]
        given = [{"type": "text", "text": sent}] if isinstance(sent, str) else sent
        if without_empty_citations(given) != without_empty_citations(expected):
            faults.append(record["id"])
    check("answer sent back unchanged", len(found), faults)


def without_empty_citations(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in block.items() if k != "citations" or v} for block in blocks]


def test_the_selection_shows_every_kind() -> None:
    """What a clone has at hand contains answers, streams and errors."""
    kinds = {(r["status"], r["stream"]) for r in records(API)}
    assert {(200, True), (200, False), (400, False), (404, False)} <= kinds
    assert all(a["id"] != b["id"] for a, b in pairwise(records(API)))
