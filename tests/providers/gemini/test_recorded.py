"""Every recorded record of the two APIs, judged by `reading`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    NotFoundError,
    RateLimitError,
)
from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.providers.gemini.reading import answers_in, joined, lost, normal_answer, normal_body
from tests.providers.gemini.support import APIS, chunks_of, codec, is_stream, model_of, response_of
from tests.providers.gemini.vendor_types import unknown_fields
from tests.support import report
from tests.support.corpus import body, records
from tests.support.judge import pieces

SMALL = 2500


def dump(completion: ChatCompletion) -> dict[str, Any]:
    return completion.model_dump(exclude_unset=True)


def noted(api: str, check: str, faults: dict[str, Any], total: int, note: str = "") -> None:
    report.add(api, check, total - len(faults), len(faults), note)
    assert not faults
    assert total


@pytest.mark.parametrize("api", APIS)
def test_whole_answers(api: str) -> None:
    """Everything in the answer is in the completion."""
    found = [r for r in records(api) if r["status"] == 200 and not is_stream(r)]
    faults = {}
    for one in found:
        answer = json.loads(body(one))
        fault = lost(dump(codec(api).decode_response(response_of(one))), answer)
        if fault:
            faults[one["id"]] = fault
    noted(api, "answers", faults, len(found))


@pytest.mark.parametrize("api", APIS)
def test_streams(api: str) -> None:
    """An assembled stream says what an answer of the joined pieces says, and is what reading that answer gives."""
    found = [r for r in records(api) if is_stream(r)]
    faults = {}
    for one in found:
        answer = joined(answers_in(one["response"]["body_text"]))
        streamed = assemble(chunks_of([body(one)], api))
        fault = lost(dump(streamed), answer)
        whole = codec(api).decode_response(HTTPResponse(200, content=json.dumps(answer).encode()))
        if dump(streamed) != dump(whole):
            fault.append("it is not the unstreamed answer")
        if fault:
            faults[one["id"]] = fault
    noted(api, "streams", faults, len(found))


@pytest.mark.bulk
@pytest.mark.parametrize("api", APIS)
def test_cuts(api: str) -> None:
    """The same chunks wherever the bytes are cut: everywhere for small streams, at random places for large ones."""
    found = [r for r in records(api) if is_stream(r)]
    faults = {}
    small = 0
    for number, one in enumerate(found):
        data = body(one)
        expected = chunks_of([data], api)
        cuts = [[data[:5], data[5:6], data[6:]], pieces(data, 12, number), pieces(data, 3, number)]
        if len(data) < SMALL and small < 6:
            small += 1
            cuts += [[data[:i], data[i:]] for i in range(len(data))]
            cuts.append([data[i : i + 1] for i in range(len(data))])
        if any(chunks_of(cut, api) != expected for cut in cuts):
            faults[one["id"]] = "other chunks"
    noted(api, "cuts", faults, len(found))


EXPECTED = {
    "gemini.generate-01c8b5b114": AuthenticationError,
    "gemini.generate-a427769058": AuthenticationError,
    "gemini.generate-a9ddf96a05": AuthenticationError,
    "gemini.generate-148325bf2c": AuthenticationError,
    "vertex.generate-a11cc04f76": ContextWindowExceededError,
}
BY_STATUS = {400: BadRequestError, 404: NotFoundError, 429: RateLimitError}


@pytest.mark.parametrize("api", APIS)
def test_errors(api: str) -> None:
    """The class, the vendor's words and codes."""
    found = [r for r in records(api) if r["status"] >= 400]
    faults = {}
    for one in found:
        error = codec(api).decode_error(response_of(one))
        text = one["response"].get("body_text") or json.dumps(one["response"].get("body_json"))
        parsed = json.loads(text.removeprefix("data:").strip())
        detail = (parsed[0] if isinstance(parsed, list) else parsed)["error"]
        if type(error) is not EXPECTED.get(one["id"], BY_STATUS[one["status"]]):
            faults[one["id"]] = type(error).__name__
        elif (error.message, error.status_code) != (detail["message"].strip(), one["status"]):
            faults[one["id"]] = error.message
        elif error.type != detail["status"]:
            faults[one["id"]] = error.type
    noted(api, "errors", faults, len(found))


# the other direction


@pytest.mark.parametrize("api", APIS)
def test_answers_encoded_again(api: str) -> None:
    """A decoded answer, encoded again, is the recorded one."""
    found = [r for r in records(api) if r["status"] == 200]
    faults = {}
    for one in found:
        text = one["response"].get("body_text")
        answer = joined(answers_in(text)) if is_stream(one) else json.loads(body(one))
        completion = codec(api).decode_response(HTTPResponse(200, content=json.dumps(answer).encode()))
        again = codec(api).encode_response(completion)
        if normal_answer(again) != normal_answer(answer):
            faults[one["id"]] = "another answer"
    noted(api, "answers encoded", faults, len(found))


@pytest.mark.parametrize("api", APIS)
def test_streams_encoded_again(api: str) -> None:
    """Chunks, encoded and decoded again, say the same completion; so do those of a completion."""
    found = [r for r in records(api) if is_stream(r)]
    faults = {}
    for one in found:
        chunks = chunks_of([body(one)], api)
        for stream in (chunks, to_chunks(assemble(chunks))):
            encoder = codec(api).stream_encoder()
            data = b"".join([*(encoder.feed(chunk) for chunk in stream), encoder.end()])
            once, again = dump(assemble(chunks)), dump(assemble(chunks_of([data], api)))
            # parts may be cut elsewhere: what they say is compared, and the signatures in order
            parts = [_signed(one_.pop("native_content", None)) for one_ in (m["message"] for m in once["choices"])]
            others = [_signed(one_.pop("native_content", None)) for one_ in (m["message"] for m in again["choices"])]
            if once != again or parts != others:
                faults[one["id"]] = "another completion"
    noted(api, "streams encoded", faults, len(found))


def _signed(native: Any) -> Any:
    parts = [part for part in (native or {}).get("content", []) if part.keys() - {"text", "thought"}]
    return [{name: value for name, value in part.items() if name != "text"} for part in parts]


NOT_OURS = {
    "vertex.generate-f50c2d3377": "a role that does not exist, refused by the vendor too",
    "vertex.generate-b5ad042532": "a temperature of 1000, refused by the vendor too",
}


@pytest.mark.parametrize("api", APIS)
def test_requests_rebuilt(api: str) -> None:
    """A recorded body, decoded and encoded again, asks for the same, and has no field that Google's types do not have.

    Where Google's schemas cannot say what was recorded, the schema is compared as it was translated: see `edits`.
    """
    found = list(records(api))
    faults: dict[str, Any] = {}
    for one in found:
        if one["id"] in NOT_OURS:
            continue
        recorded = one["request"]["body"]
        try:
            request = codec(api).decode_request(recorded)
            encoded = codec(api).encode_request(request, model=model_of(one), stream=is_stream(one))
        except APIStatusError as error:
            faults[one["id"]] = error.message
            continue
        mine, theirs = normal_body(encoded.body), normal_body(recorded)
        if any("relaxed" in edit for edit in encoded.edits):
            for side in (mine, theirs):
                side["functions"] = [f["name"] for f in side.get("functions", [])]
                side.get("generationConfig", {}).pop("responseSchema", None)
        if mine != theirs:
            faults[one["id"]] = [k for k in {**mine, **theirs} if mine.get(k) != theirs.get(k)]
        elif strange := unknown_fields(encoded.body):
            faults[one["id"]] = strange
    noted(api, "requests rebuilt", faults, len(found) - len([r for r in found if r["id"] in NOT_OURS]))


@pytest.mark.parametrize("api", APIS)
def test_errors_encoded_again(api: str) -> None:
    """An error, encoded and decoded again, is of the same class and says the same."""
    for one in records(api):
        if one["status"] >= 400:
            error = codec(api).decode_error(response_of(one))
            again = codec(api).decode_error(codec(api).encode_error(error))
            assert isinstance(again, APIStatusError)
            assert (type(again), again.message, again.code) == (type(error), error.message, error.code)
