"""Every recorded interaction with a Responses API, judged by an independent reading and by the vendor's own types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    NotFoundError,
    RequestValidationError,
)
from edgeagent.types import ChatCompletion, ChatRequest, CompletionUsage
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.responses.reading import (
    differences,
    events_of,
    normal_request,
    normal_response,
    response_of_stream,
)
from tests.providers.responses.support import APIS, CODEC, codec_of, read
from tests.providers.responses.vendor_types import faults_of_request
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces

SMALL = 20_000
"""Bytes up to which a stream is fed byte by byte."""
UNSENDABLE = {"openai.responses-96ec046ddd": "temperature -1 is refused before it is sent, as the vendor did"}
UNTYPED = {
    "mistralrs.responses-813e7e72b2": "the server's `reasoning` is text",
    "openai.responses-58fc1c1259": "a web search whose action the package does not know",
    "openai.responses-b94128ce96": "the same",
    "openai.responses-dac4e56245": "the same",
    "openrouter.responses-a51b6315d2": "a service tier of the server's own",
    "openrouter.responses-f41abfdaf3": "the same",
    "xai.responses-390ea8baba": "a format without a name is echoed",
}
"""Recorded answers that the `openai` package's types do not take either."""
EVENTS = TypeAdapter(ResponseStreamEvent)


@cache
def everything() -> tuple[Record, ...]:
    return tuple(record for api in APIS for record in records(f"{api}.responses"))


def wholes() -> list[Record]:
    return [r for r in everything() if r["status"] == 200 and not r["stream"]]


def streams() -> list[Record]:
    return [r for r in everything() if r["status"] == 200 and r["stream"]]


def check(name: str, found: list[Record], fault: Callable[[Record], object], note: str = "") -> None:
    """Ask `fault` of each record; report by API; fail if there is one."""
    faults = {}
    for record in found:
        wrong = fault(record)
        if wrong:
            faults[record["id"]] = wrong
    for api in sorted({record["api"] for record in found}):
        ids = [record["id"] for record in found if record["api"] == api]
        failed = len(faults.keys() & set(ids))
        report.add(api, name, len(ids) - failed, failed, note)
    assert found
    assert faults == {}


def test_answers_lose_nothing() -> None:
    """Each unstreamed answer says everything that the vendor's response says."""

    def fault(record: Record) -> object:
        completion = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        return differences(completion.model_dump(exclude_unset=True), json.loads(body(record)))

    check("answer decoded, nothing lost", wholes(), fault)


def test_answers_there_and_back() -> None:
    """Each unstreamed answer is encoded to what it was, and the `openai` package's own type takes it."""

    def fault(record: Record) -> object:
        back = CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=body(record))))
        one, other = normal_response(back), normal_response(json.loads(body(record)))
        return [name for name in {*one, *other} if one.get(name) != other.get(name)]

    check("answer encoded again", wholes(), fault)


def test_encoded_answers_are_the_vendors() -> None:
    """What we encode is valid by the `openai` package's own type."""

    def fault(record: Record) -> object:
        back = CODEC.encode_response(CODEC.decode_response(HTTPResponse(200, content=body(record))))
        return None if is_valid(back) else "not valid"

    assert not any(is_valid(json.loads(body(r))) for r in wholes() if r["id"] in UNTYPED)
    typed = [r for r in wholes() if r["id"] not in UNTYPED]
    check("encoded answer is the vendor's type", typed, fault, "without those the vendor's types do not take")


def is_valid(response: object) -> bool:
    try:
        Response.model_validate(response)
    except ValueError:
        return False
    return True


def test_streams_lose_nothing() -> None:
    """Each stream, assembled, says everything that its response says."""

    def fault(record: Record) -> object:
        completion = assemble(read([body(record)]))
        return differences(completion.model_dump(exclude_unset=True), response_of_stream(body(record).decode()))

    check("stream decoded, nothing lost", streams(), fault)


def test_streams_are_their_responses() -> None:
    """Each stream, assembled, is the completion that its response gives unstreamed."""

    def fault(record: Record) -> object:
        response = response_of_stream(body(record).decode())
        whole = comparable(CODEC.decode_response(HTTPResponse(200, content=json.dumps(response).encode())))
        streamed = comparable(assemble(read([body(record)])))
        return [name for name in whole if whole[name] != streamed.get(name)]

    check("stream ≡ its response", streams(), fault)


def comparable(completion: ChatCompletion) -> dict[str, Any]:
    """Log probabilities with six digits: OpenAI's last event has no more, its deltas have them all."""
    made = completion.model_dump()
    for choice in made["choices"]:
        for token in (choice["logprobs"] or {}).get("content") or ():
            token["logprob"] = round(token["logprob"], 6)
    return made


@pytest.mark.bulk
def test_streams_at_every_cut() -> None:
    """Bytes one by one (small streams) or cut at random: the same chunks."""

    def fault(record: Record) -> object:
        data = body(record)
        whole = read([data])
        return [len(parts) for parts in cuts(data) if read(parts) != whole]

    check("stream at every cut", streams(), fault, "small ones at every byte")


def cuts(data: bytes) -> Iterator[list[bytes]]:
    if len(data) <= SMALL:
        yield [data[i : i + 1] for i in range(len(data))]
    yield from (pieces(data, 1 + 7 * count, count) for count in range(2))


def test_streams_there_and_back() -> None:
    """Each stream is encoded to events that the vendor's type takes, in order, and that decode to the same answer.

    But for what a stream has told before it is known: ids of items, and the borders between parts of one summary.
    """

    def fault(record: Record) -> object:
        chunks = read([body(record)])
        encoder = CODEC.stream_encoder()
        data = b"".join(encoder.feed(chunk) for chunk in chunks) + encoder.end()
        events = events_of(data.decode())
        wrong = order_faults(events)
        one, other = assemble(chunks), assemble(read([data]))
        for choice in (*one.choices, *other.choices):
            choice.message.native_content = None
        used, used_again = counted(one.usage), counted(other.usage)
        return wrong or (one.choices != other.choices and "another answer") or used != used_again

    check("stream encoded again", streams(), fault)


def counted(usage: CompletionUsage | None) -> object:
    """The counts that are not zero: the vendor's form has some that are not known."""
    if usage is None:
        return None
    made: dict[str, object] = {}
    for name, value in usage.model_dump(exclude_none=True).items():
        made[name] = {k: v for k, v in value.items() if v} if isinstance(value, dict) else value
    return {name: value for name, value in made.items() if value}


def order_faults(events: list[dict[str, object]]) -> list[str]:
    """What of the documented order does not hold."""
    found = []
    if [event["sequence_number"] for event in events] != list(range(len(events))):
        found.append("sequence numbers")
    kinds = [str(event["type"]) for event in events]
    if kinds[:2] != ["response.created", "response.in_progress"]:
        found.append("beginning")
    if kinds[-1] not in ("response.completed", "response.incomplete"):
        found.append("end")
    begun: list[object] = []
    done = {}
    for event in events:
        kind, place = str(event["type"]), event.get("output_index")
        if kind == "response.output_item.added":
            found += ["place"] if place != len(begun) else []
            begun.append(place)
        elif place is not None and (place not in begun or place in done):
            found.append(f"{kind} outside its item")
        if kind == "response.output_item.done":
            done[place] = event["item"]
    output = events[-1]["response"]["output"]  # type: ignore[index]
    if [done[place] for place in sorted(done)] != output:  # type: ignore[type-var]
        found.append("output")
    return found


def test_encoded_events_are_the_vendors() -> None:
    """What we stream is valid by the `openai` package's own types, event by event."""

    def fault(record: Record) -> object:
        encoder = CODEC.stream_encoder()
        data = b"".join(encoder.feed(chunk) for chunk in read([body(record)])) + encoder.end()
        return [event["type"] for event in some(events_of(data.decode())) if not is_event(event)]

    check("encoded events are the vendor's types", [r for r in streams() if r["id"] not in UNTYPED], fault)


def some(events: list[dict[str, object]]) -> list[dict[str, object]]:
    """One event of each kind."""
    return list({str(event["type"]): event for event in events}.values())


def is_event(event: object) -> bool:
    try:
        EVENTS.validate_python(event)
    except ValueError:
        return False
    return True


def test_errors_have_their_classes() -> None:
    """Each recorded error is of the class that its status and code stand for, and quotes its message."""
    by_code = {
        "model_not_found": NotFoundError,
        "invalid_api_key": AuthenticationError,
        "context_length_exceeded": ContextWindowExceededError,
    }

    def fault(record: Record) -> object:
        response = record["response"]
        error = codec_of(record).decode_error(HTTPResponse(record["status"], response["headers"], body(record)))
        told = response["body_json"]["error"]
        message, code = (told, None) if isinstance(told, str) else (told["message"], told["code"])
        wanted = by_code.get(code, AuthenticationError if record["status"] == 401 else BadRequestError)
        return type(error) is not wanted or error.message != message or error.status_code != record["status"]

    check("error typed", [r for r in everything() if r["status"] != 200], fault)


def test_errors_there_and_back() -> None:
    """Each error is encoded to what it was."""

    def fault(record: Record) -> object:
        told = record["response"]["body_json"]["error"]
        if isinstance(told, str):
            return None  # not OpenAI's form
        back = CODEC.encode_error(CODEC.decode_error(HTTPResponse(record["status"], {}, body(record))))
        return back.status_code != record["status"] or json.loads(back.content)["error"] != told

    check("error encoded again", [r for r in everything() if r["status"] != 200], fault)


def test_requests_there_and_back() -> None:
    """Each recorded request, decoded and encoded again, asks for what it asked for."""

    def fault(record: Record) -> object:
        sent = record["request"]["body"]
        request = codec_of(record).decode_request(sent)
        try:
            again = codec_of(record).encode_request(request, model=request.model, stream=bool(sent.get("stream")))
        except RequestValidationError as error:
            return None if record["id"] in UNSENDABLE else str(error)
        one, other = normal_request(again.body), normal_request(sent)
        if not sent.get("model"):  # it stands in the stored prompt
            one.pop("model", None)
        wrong = [name for name in {*one, *other} if one.get(name) != other.get(name)]
        return wrong or again.dropped

    check("request rebuilt", everything(), fault)  # type: ignore[arg-type]


def test_rebuilt_requests_are_the_vendors() -> None:
    """Each rebuilt request is valid by the `openai` package's own types, if the recorded one is."""

    def fault(record: Record) -> object:
        sent = record["request"]["body"]
        if record["id"] in UNSENDABLE or faults_of_request(sent):
            return None
        request = codec_of(record).decode_request(sent)
        again = codec_of(record).encode_request(request, model=request.model, stream=bool(sent.get("stream")))
        return faults_of_request({**again.body, "model": sent.get("model") or "m"})

    own = [r for r in everything() if not faults_of_request(r["request"]["body"])]
    assert len(own) > len(everything()) / 2
    check("rebuilt request is the vendor's type", own, fault)


def test_answers_sent_back_are_the_same_items() -> None:
    """An answer sent back as the next turn is the vendor's own items again, if one of them is more than chat holds."""

    def fault(record: Record) -> object:
        answer = CODEC.decode_response(HTTPResponse(200, content=body(record)))
        message = answer.choices[0].message.model_dump(exclude_unset=True)
        conversation = [{"role": "user", "content": "a"}, message, {"role": "user", "content": "b"}]
        request = ChatRequest(model="gpt-5", messages=conversation, store=True)
        sent = CODEC.encode_request(request, model="gpt-5", stream=False).body["input"][1:-1]
        items = json.loads(body(record))["output"]
        if message.get("native_content"):
            return sent != items
        return normal_request({"input": sent}) != normal_request({"input": items})

    check("answer sent back unchanged", [r for r in wholes() if json.loads(body(r))["output"]], fault)


def test_a_hidden_error_is_raised() -> None:
    """A 200 whose body is an error object raises the error that it is."""
    recorded = next(r for r in everything() if r["status"] == 401)
    with pytest.raises(APIStatusError) as caught:
        CODEC.decode_response(HTTPResponse(200, content=body(recorded)))
    assert type(caught.value) is AuthenticationError


def test_the_selection_shows_every_kind() -> None:
    """What a clone has at hand contains answers, streams and errors."""
    kinds = {(r["status"], r["stream"]) for r in everything()}
    assert {(200, True), (200, False), (400, False), (401, False)} <= kinds
    assert all(a["id"] != b["id"] for a, b in pairwise(everything()))
