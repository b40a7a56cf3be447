"""Every recorded request goes in and comes out the same; so does every recorded answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from edgeagent import EdgeClient
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.loopback import Loopback
from tests.transports.recorded import Upstream, sent

EXCEPTED = {"openai.responses": 5, "azure.chat": 4, "anthropic.messages": 1}
"""How many are not understood and pass through as they are: prompts stored at the vendor, addresses of Azure's without
a version, a form of JSON schemas that was never documented."""

APIS = ["openai.chat", "openai.responses", "azure.chat", "anthropic.messages", "gemini.generate"]


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[Upstream, Loopback, httpx.Client]]:
    """A server, and a client over a transport whose gateway has no provider of its own for it."""
    answers = Upstream()
    edge = EdgeClient(providers=[FakeProvider("never")], cache=False, retry=0)
    with Loopback(answers) as server, httpx.Client(transport=transport(edge), timeout=30) as client, edge:
        yield answers, server, client


def playable(record: Record) -> bool:
    """Requests that are JSON."""
    return record["request"]["method"] == "POST" and isinstance(record["request"].get("body"), dict)


def without_usage_option(value: Any) -> Any:
    """A body without what we add to see the usage of a stream."""
    options = {k: v for k, v in (value.get("stream_options") or {}).items() if k != "include_usage"}
    rest = {k: v for k, v in value.items() if k != "stream_options"}
    return {**rest, "stream_options": options} if options else rest


def events(stream: bytes) -> list[Any]:
    """The events of a stream, their JSON read."""
    told = []
    for block in stream.replace(b"\r\n", b"\n").split(b"\n\n"):
        data = b"".join(line[5:].strip() for line in block.split(b"\n") if line.startswith(b"data:"))
        try:
            told.append(json.loads(data))
        except ValueError:
            told.append(data)
    return [event for event in told if event != b""]


def same_answer(record: Record, response: httpx.Response) -> bool:
    """Whether the answer is the recorded one: bytes, or (where usage was not asked for) events."""
    recorded = body(record)
    if response.status_code != record["status"]:
        return False
    if response.content == recorded:
        return True
    if "body_json" in record["response"]:
        return bool(response.json() == record["response"]["body_json"])
    asked = (record["request"]["body"].get("stream_options") or {}).get("include_usage")
    return (
        not asked
        and recorded.startswith((b"data:", b"event:"))
        and events(response.content)
        == [
            {k: v for k, v in event.items() if k != "usage" or v is not None} if isinstance(event, dict) else event
            for event in events(recorded)
            if not (isinstance(event, dict) and event.get("usage") and not event.get("choices") and "choices" in event)
        ]
    )


@pytest.mark.bulk
@pytest.mark.parametrize("api", APIS)
def test_recorded_requests_and_answers_pass_unchanged(
    api: str, upstream: tuple[Upstream, Loopback, httpx.Client]
) -> None:
    """What reaches the vendor is what was sent, and what comes back is what it answered, streams at random cuts."""
    answers, server, client = upstream
    faults: Counter[str] = Counter()
    count = passed_through = 0
    for record in filter(playable, records(api)):
        count += 1
        answers.record = record
        before = len(server.requests)
        response = sent(record, server, client)
        arrived = server.requests[before:]
        passed_through += "x-edgeagent-pass-through" in response.headers
        if len(arrived) != 1:
            faults["not sent once"] += 1
            print(record["id"], len(arrived), response.status_code, response.text[:300])
            continue
        was, now = record["request"]["body"], arrived[0].json()
        if now != was and without_usage_option(now) != without_usage_option(was):
            faults["request"] += 1
            print(record["id"], was, now)
        if not same_answer(record, response):
            faults["answer"] += 1
            print(record["id"], response.status_code, response.content[:400], body(record)[:400])
    report.add(api, "through the transport", count - sum(faults.values()), sum(faults.values()))
    assert count
    assert not faults
    assert passed_through <= EXCEPTED.get(api, 0)
