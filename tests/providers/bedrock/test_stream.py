"""ConverseStream: what no recording shows, faults, and damaged bytes."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestValidationError,
    ResponseValidationError,
)
from edgeagent.providers.bedrock import BedrockInvokeCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.providers.bedrock.reading import events, frame
from tests.providers.bedrock.support import CODEC, answered, asking, encode, framed, streamed
from tests.support.corpus import body, record

Event = tuple[str, dict[str, Any]]


def delta(index: int, **member: Any) -> Event:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": member}


def start(index: int, **member: Any) -> Event:
    return "contentBlockStart", {"contentBlockIndex": index, "start": member}


def stop(index: int) -> Event:
    return "contentBlockStop", {"contentBlockIndex": index}


CALL = start(0, toolUse={"toolUseId": "t", "name": "f"})


def test_a_call_without_arguments() -> None:
    """Its arguments are `{}`; the reason is a call's only if there is one."""
    answer = streamed(CALL, stop(0))
    [call] = answer.choices[0].message.tool_calls or []
    assert call.function is not None
    assert (call.id, call.function.arguments) == ("t", "{}")
    assert answer.choices[0].message.content is None
    whole = answered(stop="tool_use")
    assert whole.choices[0].finish_reason == "stop"


def test_a_block_without_its_end() -> None:
    """The end of the answer ends its blocks; truncated arguments are kept as they were sent."""
    answer = streamed(CALL, delta(0, toolUse={"input": '{"a": '}))
    [call] = answer.choices[0].message.tool_calls or []
    assert call.function is not None
    assert call.function.arguments == '{"a": '


def test_the_reserved_tool_is_the_content() -> None:
    """What the JSON tool was called with is the answer's text; it is not sent back as a call."""
    block = {"toolUse": {"toolUseId": "t", "name": "edgeagent_json_output", "input": {"a": 1}}}
    reserved = start(0, toolUse={"toolUseId": "t", "name": "edgeagent_json_output"})
    for answer in (
        answered(block, stop="tool_use"),
        streamed(reserved, delta(0, toolUse={"input": '{"a":1}'}), stop(0)),
    ):
        choice = answer.choices[0]
        assert (choice.message.content, choice.message.tool_calls, choice.finish_reason) == ('{"a":1}', None, "stop")


def test_a_free_form_tool() -> None:
    """Its call comes whole, as the text that it is."""
    request = asking(tools=[{"type": "custom", "custom": {"name": "f"}}])
    piece = delta(0, toolUse={"input": '{"edgeagent_custom_input": "go"}'})
    answer = streamed(CALL, piece, stop(0), request=request)
    [call] = answer.choices[0].message.tool_calls or []
    assert call.custom is not None
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "f", "go")
    back = CODEC.stream_encoder()
    data = b"".join(map(back.feed, to_chunks(answer))) + back.end()
    decoder = CODEC.stream_decoder(request)
    assert assemble(decoder.feed(data)).choices[0].message.tool_calls == [call]


def test_a_replayed_completion_is_streamed_once() -> None:
    """Native blocks that come with their content tell it once, in order, with signature and citations."""
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    web = {"location": {"web": {"url": "https://x", "domain": "x"}}}
    cited = {"citationsContent": {"content": [{"text": "b"}], "citations": [web]}}
    use = {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}
    image = {"image": {"format": "png", "source": {"bytes": "AA=="}}}
    answer = answered(thought, {"text": "a"}, cited, image, use, stop="tool_use")
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, to_chunks(answer))) + encoder.end()
    decoder = CODEC.stream_decoder(asking(), None)
    again = assemble(decoder.feed(data))
    assert again.choices[0].message.content == "ab"
    assert again.choices[0].message.reasoning_content == "hm"
    assert again.choices[0].message.annotations == answer.choices[0].message.annotations
    native = again.choices[0].message.native_content
    assert native is not None
    assert native["content"][:3] == [thought, {"text": "a"}, cited]
    assert native["content"][4:] == [use]


def test_calls_whose_fragments_are_mixed() -> None:
    """Blocks come one at a time, whatever the order of the fragments."""
    top = {"id": "c", "created": 0, "model": "m"}
    parts = [
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}},
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": '{"y"'}},
        {"index": 0, "function": {"arguments": ": 1}"}},
        {"index": 1, "function": {"arguments": ": 2}"}},
    ]
    encoder = CODEC.stream_encoder()
    chunks = [{**top, "choices": [{"index": 0, "delta": {"tool_calls": [part]}}]} for part in parts]
    data = b"".join(encoder.feed(ChatCompletionChunk.model_validate(chunk)) for chunk in chunks) + encoder.end()
    answer = assemble(CODEC.stream_decoder(asking()).feed(data))
    found = [(c.id, c.function.arguments) for c in answer.choices[0].message.tool_calls or [] if c.function]
    assert found == [("a", '{"x": 1}'), ("b", '{"y": 2}')]


def test_a_foreign_answer_is_encoded() -> None:
    """Reasoning, text, refusal, calls and the nearest words."""
    message = {
        "content": "t",
        "reasoning_content": "r",
        "refusal": "no",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "oops"}}],
        "function_call": {"name": "g", "arguments": "{}"},
    }
    choice = {"index": 0, "message": message, "finish_reason": "content_filter"}
    foreign = ChatCompletion.model_validate({"id": "c", "created": 0, "model": "m", "choices": [choice]})
    body_ = CODEC.encode_response(foreign)
    assert body_["stopReason"] == "content_filtered"
    kinds = [next(iter(block)) for block in body_["output"]["message"]["content"]]
    assert kinds == ["reasoningContent", "text", "text", "toolUse", "toolUse"]
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, to_chunks(foreign))) + encoder.end()
    assert [name for name, _ in events(data)][-2:] == ["messageStop", "metadata"]
    again = assemble(CODEC.stream_decoder(asking()).feed(data)).choices[0].message
    assert again.content == "tno"
    assert len(again.tool_calls or []) == 2


# faults


@pytest.mark.parametrize(
    ("kind", "status", "cls"),
    [
        ("throttlingException", 429, RateLimitError),
        ("modelStreamErrorException", 424, InternalServerError),
        ("internalServerException", 500, InternalServerError),
        ("serviceUnavailableException", 503, OverloadedError),
        ("validationException", 400, BadRequestError),
        ("modelTimeoutException", 408, InternalServerError),
        ("somethingNewException", 500, InternalServerError),
    ],
)
def test_exceptions_in_the_stream(kind: str, status: int, cls: type[APIStatusError]) -> None:
    """Typed, with the status that they stand for, after what came before them."""
    fault = frame(b'{"message":"m"}', exception_type=kind, content_type="application/json", message_type="exception")
    decoder = CODEC.stream_decoder(asking())
    assert decoder.feed(framed(("messageStart", {"role": "assistant"}), delta(0, text="a")) + fault)
    with pytest.raises(cls) as caught:
        decoder.end()
    assert type(caught.value) is cls
    assert (caught.value.status_code, caught.value.message) == (status, "m")


def test_an_undocumented_error_in_the_stream() -> None:
    """A message of type `error` has its words in headers."""
    fault = frame(b"", message_type="error", error_code="InternalFailure", error_message="broken")
    with pytest.raises(InternalServerError, match="broken"):
        CODEC.stream_decoder(asking()).feed(fault)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b'{"message": "x"}',
        frame(b"[]", event_type="messageStart", message_type="event"),
        frame(b"{", event_type="messageStart", message_type="event"),
        frame(b"{}", event_type="messageStart", message_type="telegram"),
        framed(("contentBlockDelta", {})),
        framed(delta(0, text=5)),
        framed(delta(0, toolUse={"input": "x"})),
        framed(delta(0, text="a"), delta(0, toolUse={"input": "x"})),
        framed(delta(0, reasoningContent={"text": 5})),
        framed(start(0, toolUse={"name": 5})),
        framed(
            ("contentBlockStart", {"contentBlockIndex": "0", "start": {"toolUse": {"toolUseId": "a", "name": "b"}}})
        ),
        framed(("messageStop", {"stopReason": 5})),
        framed(("metadata", {"usage": {"inputTokens": "many"}})),
    ],
)
def test_what_is_no_stream(data: bytes) -> None:
    """A typed fault, whatever it is."""
    decoder = CODEC.stream_decoder(asking())
    assert outcome(decoder, data + bytes(40), len(data) + 40)[1] == "ResponseValidationError"


def test_streams_that_are_cut() -> None:
    """Without `messageStop` the connection broke; without `metadata` only the usage is missing."""
    recorded = body(record("bedrock.converse", "cb261a620f"))
    names = [name for name, _ in events(recorded)]
    sizes, rest = [], recorded
    while rest:
        sizes.append(int.from_bytes(rest[:4], "big"))
        rest = rest[sizes[-1] :]
    for count in range(len(names)):
        decoder = CODEC.stream_decoder(asking())
        decoder.feed(recorded[: sum(sizes[:count])])
        if "messageStop" in names[:count]:
            assert decoder.end() == []
            assert decoder.finished
            continue
        with pytest.raises(APIConnectionError):
            decoder.end()
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(recorded[:-1])
    with pytest.raises(APIConnectionError):
        decoder.end()


def test_one_document_in_place_of_a_stream() -> None:
    """An answer, or an error, labelled as JSON."""
    head = HTTPResponse(200, {"content-type": "application/json"})
    decoder = CODEC.stream_decoder(asking(), head)
    data = body(record("bedrock.converse", "6effa28679"))
    assert decoder.feed(data) == []
    assert (assemble(decoder.end()).choices[0].message.content or "").startswith("Rust")
    fault = HTTPResponse(200, {"x-amzn-errortype": "ThrottlingException:http://x/"}, b'{"message":"m"}')
    with pytest.raises(RateLimitError):
        CODEC.decode_response(fault)


# errors


@pytest.mark.parametrize(
    ("status", "headers", "content", "cls", "code"),
    [
        (429, {"x-amzn-errortype": "ThrottlingException"}, b'{"message":"Too many requests"}', RateLimitError, None),
        (400, {}, b'{"__type":"com.amazon#ServiceQuotaExceededException"}', RateLimitError, "insufficient_quota"),
        (403, {}, b'{"__type":"ExpiredTokenException","message":"x"}', AuthenticationError, None),
        (403, {}, b'{"Message":"User: x is not authorized"}', PermissionDeniedError, None),
        (429, {"x-amzn-errortype": "ModelNotReadyException:http://x"}, b"{}", OverloadedError, None),
        (404, {"x-amzn-errortype": "ResourceNotFoundException"}, b"", NotFoundError, None),
        (400, {}, b'{"message":"Input is too long for requested model."}', ContextWindowExceededError, None),
        (503, {"content-type": "text/html"}, b"<html></html>", OverloadedError, None),
        (500, {}, b'"text"', InternalServerError, None),
        (400, {}, b'{"message": 5, "__type": []}', BadRequestError, None),
        (403, {"x-amzn-errortype": ":"}, b"\xff\x00", PermissionDeniedError, None),
    ],
)
def test_error_classes(status: int, headers: Any, content: bytes, cls: type[APIStatusError], code: str | None) -> None:
    """By type, else by status; by words only where there is no type for it."""
    error = CODEC.decode_error(HTTPResponse(status, headers, content))
    assert type(error) is cls
    assert error.status_code == status
    if code is not None:
        assert error.code == code
    again = CODEC.decode_error(CODEC.encode_error(error))
    assert isinstance(again, cls) or isinstance(error, ContextWindowExceededError)


def test_foreign_errors_are_encoded() -> None:
    """Another vendor's error has a type of Bedrock's, with that type's status."""
    for error, kind in (
        (RateLimitError("m"), "ThrottlingException"),
        (AuthenticationError("m"), "UnrecognizedClientException"),
        (NotFoundError("m"), "ResourceNotFoundException"),
        (OverloadedError("m"), "ServiceUnavailableException"),
        (RequestValidationError("m"), "ValidationException"),
        (InternalServerError("m"), "InternalServerException"),
    ):
        encoded = CODEC.encode_error(error)
        assert encoded.headers["x-amzn-errortype"] == kind
        assert json.loads(encoded.content) == {"message": "m"}


@given(content=st.binary(max_size=60) | st.text(max_size=40).map(str.encode), status=st.integers(400, 599))
def test_any_error(content: bytes, status: int) -> None:
    """Never raises, whatever the bytes are."""
    assert CODEC.decode_error(HTTPResponse(status, {}, content)).status_code == status


# damaged bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes with pieces dropped, doubled, replaced or cut off."""
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 40)))
        piece = data[begin:end]
        kind = draw(st.sampled_from(["drop", "double", "replace", "cut", "swap"]))
        if kind == "cut":
            data = data[:begin]
        elif kind == "swap":
            values = st.sampled_from([b"null", b"[]", b"{}", b"5", b'"x"', b"true"])
            old = draw(st.sampled_from([b'""', b"{}", b"0", b"[]", b'"text"', b'"a"']))
            data = data.replace(old, draw(values), 1)
        else:
            put = {"drop": b"", "double": piece * 2, "replace": draw(st.binary(max_size=6))}[kind]
            data = data[:begin] + put + data[end:]
    return data


@st.composite
def mutated_stream(draw: st.DrawFn, api: str, digits: list[str]) -> bytes:
    """A recorded stream with damaged bytes, or with events damaged inside whole frames, dropped, doubled or moved."""
    data = body(record(api, draw(st.sampled_from(digits))))
    if draw(st.booleans()):
        return draw(mutated(data))
    found = events(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(found) - 1))
        name, event = found[place]
        kind = draw(st.sampled_from(["drop", "double", "move", "swap"]))
        if kind == "swap":
            found[place] = name, draw(swapped(event))
        elif kind == "double":
            found.insert(place, (name, event))
        elif len(found) > 1:
            del found[place]
            if kind == "move":
                found.insert(draw(st.integers(0, len(found))), (name, event))
    return framed(*found)


@st.composite
def swapped(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    """The object with one value, at any depth, of another type."""
    if not value:
        return draw(st.dictionaries(st.text(max_size=3), JSON, max_size=1))
    name = draw(st.sampled_from(sorted(value)))
    inner = value[name]
    if isinstance(inner, dict) and draw(st.booleans()):
        return {**value, name: draw(swapped(inner))}
    return {**value, name: draw(JSON)}


def outcome(decoder: Any, data: bytes, step: int) -> tuple[list[ChatCompletionChunk], str | None]:
    chunks: list[ChatCompletionChunk] = []
    try:
        for i in range(0, len(data), step):
            chunks += decoder.feed(data[i : i + step])
        chunks += decoder.end()
    except APIError as error:
        return chunks, type(error).__name__
    return chunks, None


@settings(max_examples=70, deadline=None)
@given(data=mutated_stream("bedrock.converse", ["cb261a620f", "61443c5d21", "0b0082d68c"]), size=st.integers(20, 400))
def test_mutated_streams(data: bytes, size: int) -> None:
    """Any bytes give chunks or a typed error; the outcome does not depend on the cuts."""
    whole = outcome(CODEC.stream_decoder(asking()), data, max(1, len(data)))
    assert outcome(CODEC.stream_decoder(asking()), data, size) == whole


@settings(max_examples=70, deadline=None)
@given(data=mutated_stream("bedrock.invoke", ["8f94d12d95", "5577c19131"]), size=st.integers(20, 400))
def test_mutated_invoke_streams(data: bytes, size: int) -> None:
    """The same for InvokeModel's frames."""
    codec = BedrockInvokeCodec()
    whole = outcome(codec.stream_decoder(asking()), data, max(1, len(data)))
    assert outcome(codec.stream_decoder(asking()), data, size) == whole


FAMILIES = [
    "results",
    "outputText",
    "generation",
    "outputs",
    "completion",
    "completions",
    "generations",
    "choices",
    "text",
]


@settings(max_examples=70, deadline=None)
@given(data=mutated(body(record("bedrock.converse", "86b6b2f1e4"))))
def test_mutated_answers(data: bytes) -> None:
    """Any bytes give a completion or a typed error."""
    for codec in (CODEC, BedrockInvokeCodec()):
        with suppress(ResponseValidationError, APIStatusError):
            assert codec.decode_response(HTTPResponse(200, content=data)).choices


@settings(max_examples=70, deadline=None)
@given(mark=st.sampled_from([*FAMILIES, "output", "content", "embedding"]), value=JSON, more=JSON)
def test_any_answer_of_a_family(mark: str, value: Any, more: Any) -> None:
    """Any JSON under a family's mark gives a completion or a typed error, whole and streamed."""
    answer = {mark: value, "type": "message" if mark == "content" else more, "usage": more, "stop_reason": more}
    with suppress(ResponseValidationError, APIStatusError):
        BedrockInvokeCodec().decode_response(HTTPResponse(200, content=json.dumps(answer).encode()))
    import base64

    inner = base64.b64encode(json.dumps(answer).encode()).decode()
    with suppress(APIError):
        BedrockInvokeCodec().stream_decoder(asking()).feed(framed(("chunk", {"bytes": inner})))


NAMES = ["messages", "system", "toolConfig", "inferenceConfig", "outputConfig", "additionalModelRequestFields"]
MEMBERS = st.sampled_from(
    ["text", "image", "document", "toolUse", "toolResult", "cachePoint", "reasoningContent", "json"]
)


@settings(max_examples=70, deadline=None)
@given(
    value=st.dictionaries(st.sampled_from(NAMES), JSON),
    blocks=st.lists(st.dictionaries(MEMBERS, JSON, max_size=2), max_size=3),
    role=st.sampled_from(["user", "assistant", "system", "x"]),
)
def test_any_body(value: dict[str, Any], blocks: list[Any], role: str) -> None:
    """Any JSON object is a request or a typed error."""
    for codec in (CODEC, BedrockInvokeCodec()):
        with suppress(RequestValidationError):
            codec.decode_request({"messages": [{"role": role, "content": blocks}], **value})


WORDS = st.sampled_from(
    ["user", "assistant", "tool", "system", "function", "custom", "text", "image_url", "file", "document"]
)
FIELDS = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "file",
        "tool_calls",
        "tool_call_id",
        "native_content",
        "wire",
        "document",
    ]
)
NESTED = st.dictionaries(
    FIELDS, WORDS | JSON | st.lists(st.dictionaries(FIELDS, WORDS | JSON, max_size=3), max_size=2), max_size=4
)


@settings(max_examples=70, deadline=None)
@given(
    messages=st.lists(NESTED, min_size=1, max_size=3),
    extra=st.dictionaries(
        st.sampled_from([*NAMES[2:], "tools", "tool_choice", "response_format", "guardrailConfig", "thinking"]),
        JSON,
        max_size=2,
    ),
)
def test_any_request(messages: list[dict[str, Any]], extra: dict[str, Any]) -> None:
    """Whatever messages and parameters hold, encoding gives a body or names the field."""
    try:
        request = asking(messages=messages, **extra)
    except ValueError:  # not the shape that every request has
        return
    try:
        field = None if CODEC.encode_request(request, model="m", stream=False).body["messages"] else ""
    except RequestValidationError as error:
        field = error.param or ""
    assert field != ""


def test_linear() -> None:
    """Ten megabytes in one event, and ten thousand tiny ones: seconds, not minutes."""
    begin = time.perf_counter()
    answer = streamed(delta(0, text="a" * 10_000_000), *[delta(0, text="b")] * 10_000)
    assert len(answer.choices[0].message.content or "") == 10_010_000
    assert time.perf_counter() - begin < 120


def test_deep_nesting_is_a_typed_fault() -> None:
    """A value nested too deeply is refused, not a crash of the interpreter."""
    deep = b'{"output": ' + b"[" * 100_000
    with pytest.raises(ResponseValidationError):
        CODEC.decode_response(HTTPResponse(200, content=deep))
    with pytest.raises(ResponseValidationError):
        CODEC.stream_decoder(asking()).feed(frame(deep, event_type="metadata", message_type="event"))
    assert encode().body["messages"]
