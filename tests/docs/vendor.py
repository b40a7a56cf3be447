"""Two made-up vendors on loopback for what the documentation types: OpenAI's API and Anthropic messages.

Written from the vendors' documentation, without a line of the package under test. The answer depends on the last user
message alone: what `ANSWERS` has for a word in it. A request with tools whose last message is the user's is answered by
a call of the first tool; a JSON schema by an object of that schema. Model names choose faults: `…-overloaded` is 529,
`…-limited` 429, `…-cut` breaks off in the middle of its stream, and `…-missing` does not exist.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import partial
from struct import pack
from typing import Any

from tests.docs.vendor_responses import respond
from tests.support.loopback import HANG_UP, Request, chunk, head, reply

__all__ = ["ANSWERS", "answer"]

ANSWERS = {
    "capital of France": "The capital of France is Paris.",
    "capital of Italy": "The capital of Italy is Rome.",
    "capital of Japan": "The capital of Japan is Tokyo.",
    "Count to five": "One, two, three, four, five.",
    "haiku": "Old pond, a frog jumps in, the sound of water.",
    "weather": "It is 18 degrees in Paris.",
    "picture": "A bridge over a river.",
    "paper": "It is about caching.",
}
ARGUMENTS = {"string": "Paris", "integer": 2, "number": 2.5, "boolean": True, "array": [], "null": None}

FAULTS = {
    "missing": (404, "not_found_error", "model_not_found", "The model does not exist."),
    "limited": (429, "rate_limit_error", "rate_limit_exceeded", "Too many requests."),
    "overloaded": (529, "overloaded_error", None, "Overloaded."),
}


def answer(request: Request) -> Any:
    """The whole HTTP answer to one request: bytes, or pieces of a stream."""
    if request.path.startswith("/v1/responses"):
        return respond(request, partial(_says, anthropic=False), partial(_streamed, cut=False))
    anthropic = request.path.startswith("/v1/messages")
    other = OTHER.get(request.path.partition("?")[0])
    if other is not None:
        return other(request)
    if not anthropic and not request.path.startswith("/v1/chat/completions"):
        return reply(404, {"error": {"message": f"No such path: {request.path}", "type": "invalid_request_error"}})
    if not request.headers.keys() & {"authorization", "x-api-key"}:
        return reply(401, {"error": {"message": "No key.", "type": "authentication_error"}})
    body = request.json()
    fault = body["model"].rpartition("-")[2]
    if fault in FAULTS:
        status, kind, code, message = FAULTS[fault]
        error = {"type": kind, "message": message} | ({} if anthropic else {"code": code, "param": None})
        return reply(status, {"type": "error", "error": error} if anthropic else {"error": error})
    text, call = _says(body, anthropic=anthropic)
    speak = _anthropic if anthropic else _openai
    return speak(body, text, call, cut=fault == "cut")


def _says(body: Mapping[str, Any], *, anthropic: bool) -> tuple[str, dict[str, Any] | None]:
    last = body["messages"][-1]
    content = last["content"]
    said = content if isinstance(content, str) else " ".join(part.get("text") or "" for part in content)
    results = not isinstance(content, str) and any(part["type"] == "tool_result" for part in content)
    if body.get("tools") and last["role"] == "user" and not results:
        tool = body["tools"][0] if anthropic else body["tools"][0]["function"]
        return "", {"name": tool["name"], "arguments": _instance(tool.get("input_schema") or tool.get("parameters"))}
    schema = _schema(body)
    if schema is not None:
        return json.dumps(_instance(schema)), None
    if last["role"] == "tool" or results:
        return ANSWERS["weather"], None
    return next((text for word, text in ANSWERS.items() if word in said), f"You said: {said}"), None


def _schema(body: Mapping[str, Any]) -> Any:
    wanted = body.get("response_format") or {}
    anthropic = body.get("output_config", {}).get("format") or body.get("output_format") or {}
    return (wanted.get("json_schema") or anthropic).get("schema")


def _instance(schema: Any) -> Any:
    """Some value of a plain schema."""
    if schema.get("type") == "object" or "properties" in schema:
        return {name: _instance(inner) for name, inner in schema.get("properties", {}).items()}
    return schema["enum"][0] if schema.get("enum") else ARGUMENTS[schema["type"]]


def _words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


def _tokens(value: Any) -> int:
    return len(json.dumps(value)) // 4 + 1


def _streamed(events: Iterable[tuple[str | None, Any]], *, cut: bool) -> Iterable[Any]:
    yield head(x_request_id="req_stream")
    for number, (name, data) in enumerate(events):
        if cut and number == 4:
            yield HANG_UP
        said = data if isinstance(data, str) else json.dumps(data)
        yield chunk(f"event: {name}\ndata: {said}\n\n".encode() if name else f"data: {said}\n\n".encode())
    yield chunk(b"")


# What is no chat (https://platform.openai.com/docs/api-reference: embeddings, moderations, models)


def _embeddings(request: Request) -> bytes:
    """Two numbers for each text: how many of its letters are vowels, and how many are not; a token for each word."""
    body = request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [[float(sum(letter in "aeiou" for letter in text)), float(len(text))] for text in texts]
    coded = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": b64encode(pack("<2f", *row)).decode() if coded else row}
        for i, row in enumerate(rows)
    ]
    used = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return reply(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})


def _moderations(request: Request) -> bytes:
    """Whoever says `hate` hates."""
    body = request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    results = [
        {
            "flagged": "hate" in text,
            "categories": {"hate": "hate" in text, "violence": False},
            "category_scores": {"hate": 0.98 if "hate" in text else 0.01, "violence": 0.0},
        }
        for text in texts
    ]
    model = body.get("model", "omni-moderation-latest")
    return reply(200, {"id": "modr-1", "model": model, "results": results})


def _models(request: Request) -> bytes:
    if "anthropic-version" in request.headers:
        row = {"type": "model", "id": "claude-haiku-4-5", "created_at": "2025-10-15T00:00:00Z"}
        return reply(200, {"data": [row], "has_more": False, "last_id": "claude-haiku-4-5"})
    row = {"id": "gpt-4o-mini", "object": "model", "created": 1721172741, "owned_by": "system"}
    return reply(200, {"object": "list", "data": [row]} if request.path.endswith("models") else row)


OTHER = {
    "/v1/embeddings": _embeddings,
    "/v1/moderations": _moderations,
    "/v1/models": _models,
    "/v1/models/gpt-4o-mini": _models,
}


# OpenAI (https://platform.openai.com/docs/api-reference/chat)


def _openai(body: Mapping[str, Any], text: str, call: dict[str, Any] | None, *, cut: bool) -> Any:
    usage = {"prompt_tokens": _tokens(body["messages"]), "completion_tokens": _tokens(text)}
    usage["total_tokens"] = sum(usage.values())
    base = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
    reason = "tool_calls" if call else "stop"
    calls = []
    if call:
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        calls = [{"id": "call_1", "type": "function", "function": function}]
    if body.get("stream"):
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        return _streamed(_openai_events(base, text, calls, reason, usage if wants_usage else None), cut=cut)
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
    message |= {"tool_calls": calls} if calls else {}
    choices = [
        {"index": i, "message": message, "finish_reason": reason, "logprobs": None} for i in range(body.get("n") or 1)
    ]
    whole = base | {"object": "chat.completion", "choices": choices, "usage": usage, "service_tier": "default"}
    return reply(200, whole, x_request_id="req_1")


def _openai_events(
    base: Mapping[str, Any], text: str, calls: list[dict[str, Any]], reason: str, usage: Any
) -> Iterable[tuple[None, Any]]:
    def piece(delta: Any, finish: str | None = None) -> tuple[None, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return None, {**base, "object": "chat.completion.chunk", "choices": [choice]}

    yield piece({"role": "assistant", "content": "" if text else None})
    for word in _words(text) if text else []:
        yield piece({"content": word})
    for index, call in enumerate(calls):
        yield piece({"tool_calls": [{"index": index, **call}]})
    yield piece({}, reason)
    if usage:
        yield None, {**base, "object": "chat.completion.chunk", "choices": [], "usage": usage}
    yield None, "[DONE]"


# Anthropic (https://docs.anthropic.com/en/api/messages, …/messages-streaming)


def _anthropic(body: Mapping[str, Any], text: str, call: dict[str, Any] | None, *, cut: bool) -> Any:
    block: dict[str, Any] = {"type": "text", "text": text}
    if call:
        block = {"type": "tool_use", "id": "toolu_1", "name": call["name"], "input": call["arguments"]}
    usage = {"input_tokens": _tokens(body["messages"]), "output_tokens": _tokens(text)}
    reason = "tool_use" if call else "end_turn"
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [block]}
    whole |= {"stop_reason": reason, "stop_sequence": None, "usage": usage}
    if body.get("stream"):
        return _streamed(_anthropic_events(whole, block, text, usage), cut=cut)
    return reply(200, whole, request_id="req_1")


def _anthropic_events(
    whole: Mapping[str, Any], block: Mapping[str, Any], text: str, usage: Mapping[str, Any]
) -> Iterable[tuple[str, Any]]:
    def event(name: str, **fields: Any) -> tuple[str, Any]:
        return name, {"type": name, **fields}

    start = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield event("message_start", message=start)
    if block["type"] == "text":
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for word in _words(text):
            yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    else:
        yield event("content_block_start", index=0, content_block={**block, "input": {}})
        said = json.dumps(block["input"])
        yield event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": said})
    yield event("content_block_stop", index=0)
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=delta, usage={"output_tokens": usage["output_tokens"]})
    yield event("message_stop")
