"""Claude on Vertex AI: the recorded records, judged by the readers of Anthropic's own API."""

from __future__ import annotations

import json

from edgeagent.providers.vertex import VertexAI
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.anthropic.reading import lost, message_of_stream
from tests.support import report
from tests.support.corpus import Record, body, records

API = "vertex.anthropic"
PROVIDER = VertexAI(project="p", location="us-east5")


def model_of(found: Record) -> str:
    return str(found["request"]["url"]).rpartition("models/")[2].partition(":")[0]


def chunks_of(found: Record, pieces: list[bytes]) -> list[ChatCompletionChunk]:
    codec = PROVIDER.codec_for(model_of(found))
    decoder = codec.stream_decoder(codec.decode_request(found["request"]["body"]))
    return [*(chunk for piece in pieces for chunk in decoder.feed(piece)), *decoder.end()]


def test_answers_and_streams() -> None:
    """Everything in Claude's answer is in the completion."""
    faults = {}
    for found in records(API):
        codec = PROVIDER.codec_for(model_of(found))
        data = body(found)
        if found["stream"]:
            message = message_of_stream(data.decode())
            chunks = chunks_of(found, [data])
            assert chunks_of(found, [data[i : i + 7] for i in range(0, len(data), 7)]) == chunks
            completion = assemble(chunks)
        else:
            message = json.loads(data)
            completion = codec.decode_response(HTTPResponse(200, content=data))
        if fault := lost(completion.model_dump(exclude_unset=True), message):
            faults[found["id"]] = fault
    report.add(API, "answers", len(records(API)) - len(faults), len(faults))
    assert not faults
    assert records(API)


def test_requests() -> None:
    """The body and the address are those that were recorded."""
    for found in records(API):
        model, recorded = model_of(found), found["request"]["body"]
        codec = PROVIDER.codec_for(model)
        encoded = codec.encode_request(codec.decode_request(recorded), model=model, stream=found["stream"])
        assert encoded.body["anthropic_version"] == "vertex-2023-10-16"
        assert "model" not in encoded.body
        assert "anthropic-version" not in encoded.headers
        assert _plain(encoded.body) == _plain(recorded)
        url = PROVIDER.http_request(encoded, "t", model=model, stream=found["stream"]).url
        assert url.partition("/publishers/")[2] == found["request"]["url"].partition("/publishers/")[2]
    report.add(API, "requests rebuilt", len(records(API)), 0)


def _plain(value: object) -> object:
    """One text block and its text are the same, and so are a default and its absence."""
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        only = items[0] if len(items) == 1 else None
        return only["text"] if isinstance(only, dict) and only.keys() == {"type", "text"} else items
    if isinstance(value, dict):
        default = ("disable_parallel_tool_use", False)
        return {name: _plain(item) for name, item in value.items() if (name, item) != default}
    return value
