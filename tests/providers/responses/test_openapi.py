"""What we write, judged by OpenAI's own OpenAPI document, where it is at hand beside the checkout."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edgeagent.wire.http import HTTPResponse
from tests.providers.responses.reading import events_of
from tests.providers.responses.support import APIS, CODEC, codec_of, read
from tests.support import report
from tests.support.corpus import SPECS, Record, body, records

DOCUMENT = SPECS / "openai-openapi.json.gz"
MOST = 40
"""Records of each kind: this judge is slow."""

ECHOED = frozenset({"reasoning", "service_tier", "text", "tool_choice", "tools"})

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="OpenAI's OpenAPI document is not at hand")


@cache
def validator(name: str) -> Draft202012Validator:
    """A judge of one schema of the document. Items fit several arms of its unions, so one that fits is enough."""
    document = anyof(json.loads(gzip.decompress(DOCUMENT.read_bytes())))
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def anyof(value: Any) -> Any:
    if isinstance(value, dict):
        return {("anyOf" if k == "oneOf" else k): anyof(v) for k, v in value.items() if k != "discriminator"}
    return [anyof(one) for one in value] if isinstance(value, list) else value


def fits(name: str, value: Any) -> bool:
    return bool(validator(name).is_valid(value))


def chosen(*, stream: bool) -> list[Record]:
    every = [r for api in APIS for r in records(f"{api}.responses") if r["status"] == 200 and r["stream"] == stream]
    return [r for r in every[:: max(1, len(every) // MOST)] if all(fits("OutputItem", item) for item in items(r))]


def items(record: Record) -> list[dict[str, Any]]:
    """The output as it was recorded: servers have items and fields that the document does not know."""
    if not record["stream"]:
        return list(json.loads(body(record))["output"])
    events = events_of(body(record).decode())
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


def judge(check: str, found: list[str], total: int) -> None:
    report.add("openai.responses", check, total - len(found), len(found), "a part of the records, of every API")
    assert total > 10
    assert found == []


def test_requests() -> None:
    """Rebuilt requests are valid, if the recorded ones are."""
    sent = [r for r in chosen(stream=False) if fits("CreateResponse", r["request"]["body"])]
    found = []
    for record in sent:
        request = codec_of(record).decode_request(record["request"]["body"])
        made = codec_of(record).encode_request(request, model=request.model, stream=False).body
        found += [] if fits("CreateResponse", made) else [record["id"]]
    judge("rebuilt request is the document's", found, len(sent))


def test_answers() -> None:
    """Answers that we encode are valid, but for what they echo of the request as the vendor spelled it."""
    found = []
    for record in chosen(stream=False):
        made = CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=body(record))))
        found += [] if fits("Response", unechoed(made)) else [record["id"]]
    judge("encoded answer is the document's", found, len(chosen(stream=False)))


def test_events() -> None:
    """Events that we encode are valid, one of each kind, with the same exception."""
    found = []
    for record in chosen(stream=True):
        encoder = CODEC.stream_encoder()
        data = b"".join(encoder.feed(chunk) for chunk in read([body(record)])) + encoder.end()
        for event in some(events_of(data.decode())):
            if "response" in event:
                event["response"] = unechoed(event["response"])
            found += [] if fits("ResponseStreamEvent", event) else [f"{record['id']}: {event['type']}"]
    judge("encoded events are the document's", found, len(chosen(stream=True)))


def unechoed(response: dict[str, Any]) -> dict[str, Any]:
    """Without what is repeated of the request: it has nulls that the document does not allow, and words of its own."""
    return {**{k: v for k, v in response.items() if k not in ECHOED}, "tools": [], "tool_choice": "auto"}


def some(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One event of each kind."""
    return list({event["type"]: event for event in events if event["type"] != "keepalive"}.values())
