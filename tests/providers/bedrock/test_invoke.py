"""Every recorded interaction with InvokeModel, judged by an independent reading of each family's own form."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    ConfigurationError,
    PermissionDeniedError,
    RequestValidationError,
    ResponseValidationError,
)
from edgeagent.providers.bedrock import BedrockInvokeCodec
from edgeagent.providers.bedrock.invoke import family_of
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.providers.bedrock.reading import events, frame
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import pieces

API = "bedrock.invoke"
CODEC = BedrockInvokeCodec()
ASKING = ChatRequest(model="m", messages=[{"role": "user", "content": "Hi"}])
GUARD = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"
NO_CHAT = "embeddings and rerankings are no chat answers"


def is_chat(record: Record) -> bool:
    """Whether the model of this record chats."""
    embeds = {"inputText", "normalize"} <= record["request"]["body"].keys()  # a profile's ARN does not tell
    return not embeds and not any(word in record["request"]["url"] for word in ("embed", "rerank"))


def wholes() -> list[Record]:
    return [r for r in records(API) if r["status"] == 200 and not r["stream"] and is_chat(r)]


def streams() -> list[Record]:
    return [r for r in records(API) if r["status"] == 200 and r["stream"]]


def model_of(record: Record) -> str:
    return unquote(record["request"]["url"].split("/model/")[1].rsplit("/", 1)[0])


def answer_of(record: Record) -> HTTPResponse:
    headers = record["response"]["headers"]
    return HTTPResponse(record["status"], headers, body(record), HTTPRequest("POST", record["request"]["url"]))


def decoded(record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    head = answer_of(record)
    head.content = b""
    decoder = CODEC.stream_decoder(ASKING, head)
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    chunks += decoder.end()
    assert decoder.finished
    return chunks


def chunks_of(record: Record) -> list[dict[str, Any]]:
    return [json.loads(base64.b64decode(event["bytes"])) for _, event in events(body(record))]


def said(completion: ChatCompletion) -> dict[str, Any]:
    """What the completion says, in the form of `reading`."""
    [choice] = completion.choices
    calls = [
        (c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or () if c.function
    ]
    usage = completion.usage
    return {
        "text": choice.message.content or "",
        "calls": calls,
        "native": choice.native_finish_reason,
        "tokens": (usage.prompt_tokens, usage.completion_tokens) if usage else None,
    }


def reading(answer: dict[str, Any]) -> dict[str, Any]:
    """What a whole answer of any family says."""
    usage = answer.get("usage") or {}
    cached = sum(v for k, v in usage.items() if k in ("cache_read_input_tokens", "cache_creation_input_tokens"))
    cached += sum(v for k, v in usage.items() if k in ("cacheReadInputTokenCount", "cacheWriteInputTokenCount"))
    calls: list[Any] = []
    tokens: tuple[int, int] | None = None
    if "output" in answer:
        blocks = answer["output"]["message"]["content"]
        text, native = "".join(b.get("text", "") for b in blocks), answer["stopReason"]
        calls = [
            (b["toolUse"]["toolUseId"], b["toolUse"]["name"], b["toolUse"]["input"]) for b in blocks if "toolUse" in b
        ]
        tokens = usage["inputTokens"] + cached, usage["outputTokens"]
    elif answer.get("type") == "message":
        blocks = answer["content"]
        text, native = "".join(b.get("text", "") for b in blocks), answer["stop_reason"]
        calls = [(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
        tokens = usage["input_tokens"] + cached, usage["output_tokens"]
    elif "results" in answer:
        [result] = answer["results"]
        text, native = result["outputText"], result["completionReason"]
        tokens = answer["inputTextTokenCount"], result["tokenCount"]
    elif "generation" in answer:
        text, native = answer["generation"], answer["stop_reason"]
        tokens = answer["prompt_token_count"], answer["generation_token_count"]
    elif "outputs" in answer:
        text, native = answer["outputs"][0]["text"], answer["outputs"][0]["stop_reason"]
    elif "completion" in answer:
        text, native = answer["completion"], answer["stop_reason"]
    elif "completions" in answer:
        [made] = answer["completions"]
        text, native = made["data"]["text"], made["finishReason"]["reason"]
        tokens = len(answer["prompt"]["tokens"]), len(made["data"]["tokens"])
    elif "generations" in answer:
        text, native = answer["generations"][0]["text"], answer["generations"][0]["finish_reason"]
    elif "choices" in answer:
        text, native = answer["choices"][0]["text"], answer["choices"][0]["finish_reason"]
        tokens = usage["prompt_tokens"], usage["completion_tokens"]
    else:
        text, native = answer["text"], answer["finish_reason"]
    return {"text": text, "calls": calls, "native": native, "tokens": tokens}


def reading_of_stream(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """What a stream of any family says."""
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    text, native, partial = "", None, {}
    tokens = metrics["inputTokenCount"], metrics["outputTokenCount"]
    names: dict[int, tuple[str, str]] = {}
    for chunk in chunks:
        kind = chunk.get("type")
        if kind == "content_block_start" and chunk["content_block"]["type"] == "tool_use":
            names[chunk["index"]] = chunk["content_block"]["id"], chunk["content_block"]["name"]
        elif kind == "content_block_delta":
            text += chunk["delta"].get("text", "")
            if "partial_json" in chunk["delta"]:
                partial[chunk["index"]] = partial.get(chunk["index"], "") + chunk["delta"]["partial_json"]
        elif kind == "message_delta":
            native = chunk["delta"]["stop_reason"]
        elif "contentBlockStart" in chunk:
            start = chunk["contentBlockStart"]
            names[start["contentBlockIndex"]] = (
                start["start"]["toolUse"]["toolUseId"],
                start["start"]["toolUse"]["name"],
            )
        elif "contentBlockDelta" in chunk:
            delta, index = chunk["contentBlockDelta"]["delta"], chunk["contentBlockDelta"]["contentBlockIndex"]
            text += delta.get("text", "")
            if "toolUse" in delta:
                partial[index] = partial.get(index, "") + delta["toolUse"]["input"]
        elif "messageStop" in chunk:
            native = chunk["messageStop"]["stopReason"]
        else:
            inner = chunk["outputs"][0] if "outputs" in chunk else chunk
            text += (
                inner.get("outputText") or inner.get("generation") or inner.get("completion") or inner.get("text") or ""
            )
            native = inner.get("completionReason") or inner.get("stop_reason") or native
    calls = [(*names[index], json.loads(partial.get(index) or "{}")) for index in sorted(names)]
    return {"text": text, "calls": calls, "native": native, "tokens": tokens}


def check(name: str, total: int, faults: list[str], note: str = "") -> None:
    report.add(API, name, total - len(faults), len(faults), note)
    assert total
    assert faults == []


def test_answers_are_read() -> None:
    """Each family's unstreamed answer says its text, calls, reason and tokens."""
    faults = []
    for record in wholes():
        completion = CODEC.decode_response(answer_of(record))
        expected = reading(json.loads(body(record)))
        headers = record["response"]["headers"]
        if expected["tokens"] is None and "x-amzn-bedrock-input-token-count" in headers:
            names = (f"x-amzn-bedrock-{side}-token-count" for side in ("input", "output"))
            expected["tokens"] = tuple(int(headers[name]) for name in names)
        if said(completion) != expected:
            faults.append(f"{record['id']}: {said(completion)} {expected}")
        if completion.choices[0].finish_reason is None:
            faults.append(f"{record['id']}: no finish reason")
    check("answer decoded", len(wholes()), faults, NO_CHAT)


def test_what_is_no_chat_is_refused() -> None:
    """Embeddings and rerankings are typed faults, not empty answers."""
    others = [r for r in records(API) if r["status"] == 200 and not is_chat(r)]
    for record in others:
        with pytest.raises(ResponseValidationError):
            CODEC.decode_response(answer_of(record))
    assert others


def test_streams_are_read() -> None:
    """Each family's stream, assembled, says its text, calls, reason and tokens, and keeps the metrics."""
    faults = []
    for record in streams():
        completion, chunks = assemble(decoded(record, [body(record)])), chunks_of(record)
        if said(completion) != reading_of_stream(chunks):
            faults.append(f"{record['id']}: {said(completion)} {reading_of_stream(chunks)}")
        metrics = (completion.model_extra or {}).get("amazon-bedrock-invocationMetrics")
        if metrics != chunks[-1]["amazon-bedrock-invocationMetrics"]:
            faults.append(f"{record['id']}: metrics")
    check("stream decoded", len(streams()), faults)


def test_streams_at_every_cut() -> None:
    """Bytes one by one, in two at every place (tiny streams), or cut at random: the same chunks."""
    faults = []
    for number, record in enumerate(streams()):
        data = body(record)
        whole = decoded(record, [data])
        faults += [record["id"] for parts in cut(data, number) if decoded(record, parts) != whole]
    check("stream at every cut", len(streams()), faults)


def cut(data: bytes, seed: int) -> Iterator[list[bytes]]:
    if len(data) < 6000:
        yield [data[i : i + 1] for i in range(len(data))]
    if len(data) < 900:
        yield from ([data[:i], data[i:]] for i in range(1, len(data)))
    yield from (pieces(data, 1 + 4 * count, seed + count) for count in range(4))


def test_streams_there_and_back() -> None:
    """Claude's and Nova's streams are encoded to frames that decode to the same answer."""
    faults, found = [], [r for r in streams() if family_of(model_of(r)) in ("anthropic", "nova")]
    for record in found:
        chunks = decoded(record, [body(record)])
        encoder = BedrockInvokeCodec(family_of(model_of(record))).stream_encoder()
        data = b"".join(map(encoder.feed, chunks)) + encoder.end()
        if said(assemble(decoded(record, [data]))) != said(assemble(chunks)):
            faults.append(record["id"])
    check("stream encoded again", len(found), faults, "text models are read only")


def test_answers_there_and_back() -> None:
    """Claude's and Nova's answers are encoded to what they were."""
    faults, found = [], [r for r in wholes() if {"output", "content"} & json.loads(body(r)).keys()]
    for record in found:
        answer = json.loads(body(record))
        codec = BedrockInvokeCodec("nova" if "output" in answer else "anthropic")
        back = codec.encode_response(codec.decode_response(answer_of(record)))
        if said(codec.decode_response(HTTPResponse(200, content=json.dumps(back).encode()))) != reading(answer):
            faults.append(f"{record['id']}: read again")
        for name in ("output", "content", "stopReason", "stop_reason"):
            if back.get(name) != answer.get(name):
                faults.append(f"{record['id']}: {name}")
    check("answer encoded again", len(found), faults, "text models are read only")


def test_errors() -> None:
    """Each error is of the class of its type."""
    faults, found = [], [r for r in records(API) if r["status"] != 200]
    for record in found:
        error = CODEC.decode_error(answer_of(record))
        kind = record["response"]["headers"]["x-amzn-errortype"].partition(":")[0]
        cls = {"AccessDeniedException": PermissionDeniedError, "ExpiredTokenException": AuthenticationError}[kind]
        if type(error) is not cls or error.type != kind or error.status_code != 403:
            faults.append(record["id"])
        back = CODEC.encode_error(error)
        if (back.status_code, json.loads(back.content)) != (403, record["response"]["body_json"]):
            faults.append(f"{record['id']}: encoded again")
    check("error typed", len(found), faults)


def test_requests_there_and_back() -> None:
    """Claude's and Nova's recorded bodies are decoded and encoded to equivalent ones.

    Equivalent: what the vendors document as such (see `normal`); Nova's schema version is optional.
    """
    faults, total = [], 0
    for record in records(API):
        sent, family = record["request"]["body"], family_of(model_of(record))
        if "messages" not in sent or family not in ("anthropic", "nova") or not is_chat(record):
            continue
        total += 1
        model = model_of(record)
        encoded = CODEC.encode_request(CODEC.decode_request(sent), model=model, stream=False)
        if normal(encoded.body) != normal(sent):
            faults.append(record["id"])
    check("request encoded again", total, faults, "prompts of text models are not read")


def normal(sent: dict[str, Any]) -> dict[str, Any]:
    """A text and one text block are the same; empty and absent optional fields too; versions are left out."""
    result = {
        k: v
        for k, v in sent.items()
        if v not in (None, [], {}) and k not in ("schemaVersion", "anthropic_version", "stream")
    }
    for name in ("system",):
        if isinstance(result.get(name), str):
            result[name] = [{"type": "text", "text": result[name]}]
    result["messages"] = [{**m, "content": blocks(m["content"])} for m in sent["messages"]]
    if "tools" in result:
        result["tools"] = [{k: v for k, v in tool.items() if (k, v) != ("type", "custom")} for tool in result["tools"]]
    return result


def blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    found = []
    for block in content:
        if block.get("type") == "tool_result":
            block = {**block, "content": blocks(block["content"])}
            if block.get("is_error") is False:
                del block["is_error"]
        found.append(block)
    return found


# forms that were not recorded


def framed(*values: dict[str, Any]) -> bytes:
    encoded = [json.dumps({"bytes": base64.b64encode(json.dumps(v).encode()).decode()}).encode() for v in values]
    return b"".join(
        frame(p, event_type="chunk", content_type="application/json", message_type="event") for p in encoded
    )


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 2}}


def streamed(*values: dict[str, Any]) -> ChatCompletion:
    decoder = CODEC.stream_decoder(ASKING)
    chunks = decoder.feed(framed(*values))
    return assemble(chunks + decoder.end())


def test_an_openai_shaped_family() -> None:
    """GPT-OSS and its like answer in chat completions, streamed without `[DONE]`."""
    top = {"id": "c", "created": 5, "model": "openai.gpt-oss-20b", "object": "chat.completion.chunk"}
    delta = {**top, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]}
    last = {**top, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **METRICS}
    answer = streamed(delta, last)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hi", "stop")
    encoded = CODEC.encode_request(ASKING, model="openai.gpt-oss-20b-1:0", stream=True)
    assert encoded.body["messages"] == [{"role": "user", "content": "Hi"}]
    assert "model" not in encoded.body
    encoder = BedrockInvokeCodec("openai").stream_encoder()
    data = b"".join(map(encoder.feed, decoder_chunks(delta, last))) + encoder.end()
    decoder = CODEC.stream_decoder(ASKING)
    assert assemble(decoder.feed(data)).choices[0].message.content == "Hi"


def decoder_chunks(*values: dict[str, Any]) -> list[ChatCompletionChunk]:
    return CODEC.stream_decoder(ASKING).feed(framed(*values))


def test_what_converse_has_in_the_body_stands_in_headers() -> None:
    """Guardrail, latency and tier; and the list of betas in Claude's body."""
    request = ChatRequest.model_validate(
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hi"}],
            "service_tier": "flex",
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
            "performanceConfig": {"latency": "optimized"},
            "betas": ["x-2026"],
        }
    )
    encoded = CODEC.encode_request(request, model="invoke/anthropic.claude-sonnet-4-5-v1:0", stream=True)
    assert encoded.headers == {
        "accept": "application/vnd.amazon.eventstream",
        "x-amzn-bedrock-guardrailidentifier": "g",
        "x-amzn-bedrock-guardrailversion": "1",
        "x-amzn-bedrock-trace": "ENABLED",
        "x-amzn-bedrock-performanceconfig-latency": "optimized",
        "x-amzn-bedrock-service-tier": "flex",
    }
    assert encoded.body["anthropic_version"] == "bedrock-2023-05-31"
    assert encoded.body["anthropic_beta"] == ["x-2026"]
    assert not encoded.body.keys() & {"model", "stream", "service_tier", "guardrailConfig"}


def test_text_models_are_read_only() -> None:
    """They name the field, or say what cannot be."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.encode_request(ASKING, model="amazon.titan-text-lite-v1", stream=False)
    assert caught.value.param == "model"
    with pytest.raises(RequestValidationError):
        CODEC.decode_request({"prompt": "Hi"})
    text = BedrockInvokeCodec("text")
    with pytest.raises(ConfigurationError):
        text.stream_encoder()
    with pytest.raises(ConfigurationError):
        text.encode_response(streamed({"generation": "Hi", "stop_reason": "stop", **METRICS}))


def test_token_counts_of_the_headers() -> None:
    """Where a family's answer tells none, AWS's headers do."""
    headers = {"x-amzn-bedrock-input-token-count": "7", "x-amzn-bedrock-output-token-count": "2"}
    content = b'{"completion": "Hi", "stop_reason": "stop_sequence"}'
    usage = CODEC.decode_response(HTTPResponse(200, headers, content)).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (7, 2)


@pytest.mark.parametrize(
    "events",
    [
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}, GUARD: "INTERVENED"},
            {"contentBlockStop": {"contentBlockIndex": 0}},
            {"messageStop": {"stopReason": "end_turn"}},
        ],
        [
            {"type": "message_start", "message": {"id": "msg_1", "model": "c", "content": [], "usage": {}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}},
            {"type": "content_block_stop", "index": 0, GUARD: "INTERVENED"},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ],
        [{"generation": "Hi", "stop_reason": "stop", GUARD: "INTERVENED"}],
    ],
    ids=["nova", "claude", "text"],
)
def test_a_guardrails_verdict_in_a_stream(events: list[dict[str, Any]]) -> None:
    """It stands beside the family's own events, on any of them, its trace on the last."""
    events[-1].update(METRICS, **{TRACE: {"guardrail": {"modelOutput": ["masked"]}}})
    answer = streamed(*events)
    assert answer.choices[0].message.content == "Hi"
    assert answer.model_extra is not None
    assert answer.model_extra[GUARD] == "INTERVENED"
    assert answer.model_extra[TRACE] == {"guardrail": {"modelOutput": ["masked"]}}


def test_a_text_completion() -> None:
    """Of a server in OpenAI's older form: the time and the fingerprint are the server's; a wrong one is no answer."""
    told = {"object": "text_completion", "id": "", "created": 5, "system_fingerprint": "3.0", "model": "/opt/ml/model"}
    answer = {**told, "choices": [{"index": 0, "text": "Hi", "finish_reason": "length"}]}
    made = CODEC.decode_response(HTTPResponse(200, {}, json.dumps(answer).encode()))
    assert (made.created, made.system_fingerprint, made.choices[0].finish_reason) == (5, "3.0", "length")
    for wrong in ({"created": "x"}, {"system_fingerprint": 5}):
        with pytest.raises(ResponseValidationError):
            CODEC.decode_response(HTTPResponse(200, {}, json.dumps({**answer, **wrong}).encode()))


@pytest.mark.parametrize(
    "data",
    [
        frame(b'{"bytes": 5}', event_type="chunk", message_type="event"),
        frame(b'{"bytes": "!"}', event_type="chunk", message_type="event"),
        frame(b'{"bytes": "NQ=="}', event_type="chunk", message_type="event"),
        frame(b"{}", event_type="chunk", message_type="event"),
        framed(METRICS),
        framed({"generation": 5}),
        framed({"outputs": [5]}),
        framed({"contentBlockDelta": 5}),
    ],
)
def test_wrong_frames(data: bytes) -> None:
    """Frames that hold no family's events."""
    with pytest.raises(ResponseValidationError):
        CODEC.stream_decoder(ASKING).feed(data)


def test_a_stream_that_is_cut() -> None:
    """Without an end it is a connection that broke; with an end and without metrics it is an answer."""
    decoder = CODEC.stream_decoder(ASKING)
    assert decoder.feed(framed({"generation": "Hi", "stop_reason": None}))
    with pytest.raises(APIConnectionError):
        decoder.end()
    decoder = CODEC.stream_decoder(ASKING)
    chunks = decoder.feed(framed({"generation": "Hi", "stop_reason": "stop"}))
    assert assemble(chunks + decoder.end()).choices[0].finish_reason == "stop"


def test_an_exception_in_the_stream() -> None:
    """A typed error, after what came before it."""
    decoder = CODEC.stream_decoder(ASKING)
    fault = frame(b'{"message": "Slow down"}', exception_type="throttlingException", message_type="exception")
    assert decoder.feed(framed({"generation": "Hi", "stop_reason": None}) + fault)
    with pytest.raises(APIError, match="Slow down"):
        decoder.feed(b"")


@pytest.mark.parametrize("answer", [{"results": []}, {"generations": []}, {"completions": []}, {"outputs": []}])
def test_a_text_model_that_says_nothing(answer: dict[str, Any]) -> None:
    """An answer without a choice is none."""
    with pytest.raises(ResponseValidationError):
        BedrockInvokeCodec().decode_response(HTTPResponse(200, {}, json.dumps(answer).encode()))
