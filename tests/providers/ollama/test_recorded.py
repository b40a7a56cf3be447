"""Every recorded interaction with Ollama, judged by an independent reading and by the `ollama` package's own types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from edgeagent.errors import APIError, BadRequestError, NotFoundError
from edgeagent.providers.ollama import OllamaChatCodec, OllamaGenerateCodec
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.ollama.reading import (
    METRICS,
    answer_of_lines,
    generate_as_chat,
    lost,
    normal_answer,
    normal_body,
)
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces
from tests.support.recorded import response_of as response

__all__: list[str] = []

CODECS: dict[str, OllamaChatCodec] = {"ollama.chat": OllamaChatCodec(), "ollama.generate": OllamaGenerateCodec()}
APIS = pytest.mark.parametrize("api", CODECS)
SMALL = 8_000
"""Bytes up to which a stream is fed byte by byte."""
TINY = 1500
"""Bytes up to which a stream is cut in two at every byte."""


def wholes(api: str) -> list[Record]:
    return [r for r in records(api) if r["status"] == 200 and not r["stream"]]


def streams(api: str) -> list[Record]:
    return [r for r in records(api) if r["status"] == 200 and r["stream"]]


def decoded(api: str, record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    request = CODECS[api].decode_request(record["request"]["body"])
    decoder = CODECS[api].stream_decoder(request, HTTPResponse(200, record["response"]["headers"]))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)] + decoder.end()
    assert decoder.finished
    return chunks


def read(api: str, record: Record) -> dict[str, Any]:
    """The recorded answer, whole and in the form of /api/chat."""
    if not record["stream"]:
        answer = json.loads(body(record))
        return generate_as_chat(answer) if api == "ollama.generate" else answer
    if api == "ollama.chat":
        return answer_of_lines(body(record).decode())
    lines = [json.loads(line) for line in body(record).decode().splitlines()]
    return answer_of_lines("\n".join(json.dumps(generate_as_chat(line)) for line in lines))


def check(api: str, name: str, total: int, faults: list[str], note: str = "") -> None:
    report.add(api, name, total - len(faults), len(faults), note)
    assert total
    assert faults == []


@APIS
def test_answers_lose_nothing(api: str) -> None:
    """Each unstreamed answer says everything that Ollama's says."""
    faults = []
    for record in wholes(api):
        completion = CODECS[api].decode_response(response(record))
        missing = lost(completion.model_dump(exclude_unset=True), read(api, record))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check(api, "answer decoded, nothing lost", len(wholes(api)), faults)


@APIS
def test_answers_there_and_back(api: str) -> None:
    """Each unstreamed answer is encoded to what it was."""
    faults = []
    for record in wholes(api):
        back = CODECS[api].encode_response(CODECS[api].decode_response(response(record)))
        if api == "ollama.generate":
            back = generate_as_chat(back)
        faults += [record["id"]] if normal_answer(back) != normal_answer(read(api, record)) else []
    check(api, "answer encoded again", len(wholes(api)), faults)


@APIS
def test_streams_lose_nothing(api: str) -> None:
    """Each stream, assembled, says everything that its lines say."""
    faults = []
    for record in streams(api):
        completion = assemble(decoded(api, record, [body(record)]))
        missing = lost(completion.model_dump(exclude_unset=True), read(api, record))
        faults += [f"{record['id']}: {missing}"] if missing else []
    check(api, "stream decoded, nothing lost", len(streams(api)), faults)


@APIS
def test_streams_are_their_answers(api: str) -> None:
    """Each stream, assembled, is the completion of the same answer unstreamed, but for ids and times made of it."""
    faults = []
    for record in streams(api):
        whole = OllamaChatCodec().decode_response(HTTPResponse(200, content=json.dumps(read(api, record)).encode()))
        streamed = assemble(decoded(api, record, [body(record)]))
        if comparable(whole.model_dump()) != comparable(streamed.model_dump()):
            faults.append(record["id"])
    check(api, "stream ≡ its answer", len(streams(api)), faults)


def comparable(completion: dict[str, Any]) -> dict[str, Any]:
    """Without the id and the time, which are those of the first line and of the last."""
    return {k: v for k, v in completion.items() if k not in ("id", "created")}


@pytest.mark.bulk
@APIS
def test_streams_at_every_cut(api: str) -> None:
    """Bytes one by one, cut in two at every place (tiny streams), or cut at random: the same chunks."""
    faults, cuts = [], 0
    for number, record in enumerate(streams(api)):
        data = body(record)
        whole = decoded(api, record, [data])
        for parts in cut(data, seed=number):
            cuts += 1
            if decoded(api, record, parts) != whole:
                faults.append(f"{record['id']}: {len(parts)} pieces")
    check(api, "stream at every cut", len(streams(api)), faults, f"{cuts} cuts")


def cut(data: bytes, seed: int) -> Iterator[list[bytes]]:
    if len(data) <= SMALL:
        yield [data[i : i + 1] for i in range(len(data))]
    if len(data) <= TINY:
        yield from ([data[:i], data[i:]] for i in range(1, len(data)))
    yield pieces(data, 40, seed)


@APIS
def test_streams_there_and_back(api: str) -> None:
    """Each stream's chunks, encoded again, are lines that say the same (tool calls come at the end)."""
    faults = []
    for record in streams(api):
        encoder = CODECS[api].stream_encoder()
        chunks = decoded(api, record, [body(record)])
        data = b"".join(map(encoder.feed, chunks)) + encoder.end()
        again = dict(record, response={"headers": record["response"]["headers"], "body_text": data.decode()})
        if normal_answer(read(api, again)) != normal_answer(read(api, record)):
            faults.append(record["id"])
    check(api, "stream encoded again", len(streams(api)), faults)


@APIS
def test_requests_are_rebuilt(api: str) -> None:
    """Each request, decoded and encoded, is equivalent to what was recorded; nothing is dropped or edited."""
    faults = []
    for record in records(api):
        asked = record["request"]["body"]
        request = CODECS[api].decode_request(asked)
        encoded = CODECS[api].encode_request(request, model=request.model, stream=bool(request.stream))
        if normal_body(encoded.body) != normal_body(asked) or encoded.dropped or encoded.edits:
            faults.append(record["id"])
    check(api, "request rebuilt", len(records(api)), faults)


def test_requests_are_what_the_package_sends() -> None:
    """Each rebuilt request is valid by the types of the `ollama` package, which keep all of it."""
    types = pytest.importorskip("ollama._types")
    faults = []
    for record in records("ollama.chat"):
        request = CODECS["ollama.chat"].decode_request(record["request"]["body"])
        sent = CODECS["ollama.chat"].encode_request(request, model=request.model, stream=bool(request.stream)).body
        valid = types.ChatRequest(**sent).model_dump(exclude_none=True)
        faults += [record["id"]] if valid.keys() != sent.keys() else []
        for message in sent["messages"]:
            images = [types.Image(value=image) for image in message.get("images", ())]
            types.Message(**message | ({"images": images} if images else {}))
    check("ollama.chat", "request valid by ollama's types", len(records("ollama.chat")), faults)


@APIS
def test_answers_are_what_the_package_reads(api: str) -> None:
    """Each answer encoded again is valid by the types of the `ollama` package."""
    types = pytest.importorskip("ollama._types")
    kind = types.ChatResponse if api == "ollama.chat" else types.GenerateResponse
    for record in wholes(api):
        back = CODECS[api].encode_response(CODECS[api].decode_response(response(record)))
        kind.model_validate(back, strict=True)
    check(api, "answer valid by ollama's types", len(wholes(api)), [])


def test_errors_by_their_class() -> None:
    """404 for an unknown model; 500 for an image that cannot be read is the request's fault."""
    wanted = {404: NotFoundError, 500: BadRequestError}
    failed = [r for r in records("ollama.chat") if r["status"] != 200]
    faults = []
    for record in failed:
        error = CODECS["ollama.chat"].decode_error(response(record))
        told = record["response"]["body_json"]["error"]
        if type(error) is not wanted[record["status"]] or error.message != told or error.body != told:
            faults.append(record["id"])
        again = CODECS["ollama.chat"].encode_error(error)
        if (again.status_code, again.json()) != (record["status"], record["response"]["body_json"]):
            faults.append(record["id"])
    check("ollama.chat", "error decoded and encoded again", len(failed), faults)


def test_local_generate_is_not_ollama() -> None:
    """Those records are Gemini's generateContent behind proxies: read by this codec they are typed errors."""
    found = records("local.generate")
    for record in found:
        assert "enerateContent" in record["request"]["url"]
        with pytest.raises(APIError):
            CODECS["ollama.generate"].decode_response(response(record))
        decoder = CODECS["ollama.generate"].stream_decoder(
            CODECS["ollama.chat"].decode_request({"model": "m", "messages": []})
        )
        with pytest.raises(APIError):
            decoder.feed(body(record) + b"\n")
    note = "Gemini's API behind proxies, not Ollama's: decoded by Gemini's codec"
    report.add("local.generate", "typed error from Ollama's reader", len(found), 0, note)


def test_the_reader_sees_what_is_missing() -> None:
    """The judge judges: an answer with anything changed is not what the record says."""
    record = wholes("ollama.chat")[0]
    completion = CODECS["ollama.chat"].decode_response(response(record)).model_dump(exclude_unset=True)
    answer = read("ollama.chat", record)
    assert lost(completion, answer) == []
    assert lost(completion, {**answer, "eval_count": 1}) == ["usage"]
    assert lost(completion, {**answer, METRICS[0]: 1}) == [METRICS[0]]
    assert "content" in lost(completion, {**answer, "message": {"content": "other"}})
