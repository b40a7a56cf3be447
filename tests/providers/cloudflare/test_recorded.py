"""Every recorded interaction with Workers AI, judged by an independent reading."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import AuthenticationError, BadRequestError, NotFoundError
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.providers.cloudflare.reading import lost, normal_envelope, result_of, result_of_events
from tests.providers.cloudflare.support import CODEC
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces
from tests.support.recorded import Recorded

__all__: list[str] = []

API = "cloudflare.run"
RECORDED = Recorded(API)
wholes, streams, check = RECORDED.wholes, RECORDED.streams, RECORDED.check


def response(record: Record) -> HTTPResponse:
    asked = HTTPRequest("POST", record["request"]["url"])
    return HTTPResponse(record["status"], record["response"]["headers"], body(record), asked)


def decoded(record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    request = CODEC.decode_request(record["request"]["body"])
    decoder = CODEC.stream_decoder(request, HTTPResponse(200, record["response"]["headers"]))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)] + decoder.end()
    assert decoder.finished
    return chunks


def test_answers_lose_nothing() -> None:
    """Each unstreamed answer says everything that Cloudflare's says, and which model of the address gave it."""
    faults = []
    for record in wholes():
        completion = CODEC.decode_response(response(record))
        CODEC.concluded(completion, CODEC.decode_request(record["request"]["body"]))
        limit = record["request"]["body"].get("max_tokens")
        missing = lost(completion.model_dump(exclude_unset=True), result_of(body(record)), limit)
        missing += [] if record["request"]["url"].endswith(completion.model) and completion.model else ["model"]
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("answer decoded, nothing lost", len(wholes()), faults)


def test_answers_there_and_back() -> None:
    """Each unstreamed answer is encoded to what it was."""
    faults = []
    for record in wholes():
        back = CODEC.encode_response(CODEC.decode_response(response(record)))
        faults += [record["id"]] if normal_envelope(back) != normal_envelope(json.loads(body(record))) else []
    check("answer encoded again", len(wholes()), faults)


def test_streams_lose_nothing() -> None:
    """Each stream, assembled, says everything that its events say."""
    faults = []
    for record in streams():
        completion = assemble(decoded(record, [body(record)]))
        limit = record["request"]["body"].get("max_tokens")
        missing = lost(completion.model_dump(exclude_unset=True), result_of_events(body(record).decode()), limit)
        faults += [f"{record['id']}: {missing}"] if missing else []
    check("stream decoded, nothing lost", len(streams()), faults)


def test_streams_are_their_answers() -> None:
    """Each stream, assembled, is the completion of the same answer unstreamed, but for the reason of its end.

    A whole answer's decoder does not know how many tokens were asked for, and Cloudflare does not say why it ended.
    """
    faults = []
    for record in streams():
        asked = HTTPRequest("POST", record["request"]["url"])
        envelope = {"result": result_of_events(body(record).decode()), "success": True}
        content = json.dumps(envelope).encode()
        whole = CODEC.decode_response(HTTPResponse(200, record["response"]["headers"], content, asked))
        CODEC.concluded(whole, CODEC.decode_request(record["request"]["body"]))
        streamed = assemble(decoded(record, [body(record)]))
        if comparable(whole.model_dump()) != comparable(streamed.model_dump()):
            faults.append(record["id"])
    check("stream ≡ its answer", len(streams()), faults)


def comparable(completion: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in completion.items() if k != "model"}


@pytest.mark.bulk
def test_streams_at_every_cut() -> None:
    """Bytes one by one, in two at every place (tiny streams), or cut at random: the same chunks."""
    faults, cuts = [], 0
    for number, record in enumerate(streams()):
        data = body(record)
        whole = decoded(record, [data])
        ways = [[data[i : i + 1] for i in range(len(data))], pieces(data, 20, number), pieces(data, 3, number)]
        ways += [[data[:i], data[i:]] for i in range(1, len(data))] if len(data) < 1200 else []
        for parts in ways:
            cuts += 1
            if decoded(record, parts) != whole:
                faults.append(f"{record['id']}: {len(parts)} pieces")
    check("stream at every cut", len(streams()), faults, f"{cuts} cuts")


def test_streams_there_and_back() -> None:
    """Each stream's chunks, encoded again, are events that say the same."""
    faults = []
    for record in streams():
        encoder = CODEC.stream_encoder()
        data = b"".join(map(encoder.feed, decoded(record, [body(record)]))) + encoder.end()
        if result_of_events(data.decode()) != result_of_events(body(record).decode()):
            faults.append(record["id"])
    check("stream encoded again", len(streams()), faults)


def test_requests_are_rebuilt() -> None:
    """Each request, decoded and encoded, is what was recorded; nothing is dropped or edited."""
    faults = []
    for record in records(API):
        asked = record["request"]["body"]
        encoded = CODEC.encode_request(CODEC.decode_request(asked), model="m", stream=asked.get("stream") is True)
        if encoded.body != asked or encoded.dropped or encoded.edits:
            faults.append(record["id"])
    check("request rebuilt", len(records(API)), faults)


def test_errors_by_their_code() -> None:
    """The code counts over the status: no route is no such model, no JSON schema is the request's fault."""
    wanted = {10000: AuthenticationError, 7000: NotFoundError, 5025: BadRequestError}
    failed = [r for r in records(API) if r["status"] != 200]
    faults = []
    for record in failed:
        told = record["response"]["body_json"]["errors"][0]
        error = CODEC.decode_error(response(record))
        if type(error) is not wanted[told["code"]] or error.body != told or error.code != str(told["code"]):
            faults.append(record["id"])
        again = CODEC.encode_error(error)
        if (again.status_code, again.json()["errors"], again.json()["success"]) != (record["status"], [told], False):
            faults.append(record["id"])
    check("error decoded and encoded again", len(failed), faults)


def test_all_records_are_text_generation() -> None:
    """None is left out: no record of this collection is an image, an embedding or speech."""
    assert all("messages" in r["request"]["body"] for r in records(API))


def test_the_reader_sees_what_is_missing() -> None:
    """The judge judges."""
    record = next(r for r in wholes() if not result_of(body(r)).get("tool_calls"))
    completion = CODEC.decode_response(response(record)).model_dump(exclude_unset=True)
    result = result_of(body(record))
    assert lost(completion, result) == []
    assert lost(completion, {**result, "response": "other"}) == ["content"]
    assert lost(completion, {**result, "tool_calls": [{"name": "f", "arguments": {}}]}) == ["tool_calls", "finish"]
