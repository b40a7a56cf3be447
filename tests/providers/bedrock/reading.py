"""An independent reading of Bedrock's answers and bodies: plain dicts and bytes, none of the codec's code."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

__all__ = ["events", "frame", "invalid", "lost", "message_of_stream", "normal_answer", "normal_body", "reading"]

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
COUNTERS = {"inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens"}
Block = dict[str, Any]


def events(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events of an event stream, read in the simplest way: text headers only, no checks."""
    found = []
    while data:
        total, size = struct.unpack("!II", data[:8])
        head, payload, data = data[12 : 12 + size], data[12 + size : total - 4], data[total:]
        headers = {}
        while head:
            name, rest = head[1 : 1 + head[0]].decode(), head[1 + head[0] :]
            assert rest[0] == 7
            length = int.from_bytes(rest[1:3], "big")
            headers[name], head = rest[3 : 3 + length].decode(), rest[3 + length :]
        assert headers[":message-type"] == "event"
        found.append((headers[":event-type"], json.loads(payload)))
    return found


def frame(payload: bytes, **headers: str) -> bytes:
    """One message, written in the simplest way; `message_type` is the header `:message-type`."""
    import zlib

    head = b""
    for name, value in headers.items():
        raw, text = (":" + name.replace("_", "-")).encode(), value.encode()
        head += bytes([len(raw)]) + raw + b"\x07" + len(text).to_bytes(2, "big") + text
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack("!I", zlib.crc32(body))


def message_of_stream(pairs: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The answer that ConverseStream's events tell."""
    blocks: dict[int, Block] = {}
    answer: dict[str, Any] = {}
    for name, event in pairs:
        event = {k: v for k, v in event.items() if k != "p"}
        if name == "contentBlockStart":
            [(kind, start)] = event["start"].items()
            blocks[event["contentBlockIndex"]] = {kind: {**start, "content": [] if kind == "toolResult" else None}}
            if kind == "toolUse":
                blocks[event["contentBlockIndex"]] = {kind: {**start, "input": ""}}
        elif name == "contentBlockDelta":
            _grow(blocks.setdefault(event["contentBlockIndex"], {}), event["delta"])
        elif name == "contentBlockStop":
            blocks.setdefault(event["contentBlockIndex"], {"text": ""})
        elif name == "messageStop":
            answer["stopReason"] = event["stopReason"]
        elif name == "metadata":
            answer.update(event)
    content = []
    for index in sorted(blocks):
        block = blocks[index]
        if "citations" in block:
            text = block.get("text", "")
            block = {"citationsContent": {"content": [{"text": text}] if text else [], "citations": block["citations"]}}
        if "toolUse" in block:
            text = block["toolUse"]["input"] or "{}"
            block = {"toolUse": {**block["toolUse"], "input": json.loads(text)}}
        content.append(block)
    return {**answer, "output": {"message": {"role": "assistant", "content": content}}}


def _grow(block: Block, delta: dict[str, Any]) -> None:
    [(kind, value)] = delta.items()
    if kind == "text":
        block["text"] = block.get("text", "") + value
    elif kind == "toolUse":
        block["toolUse"]["input"] += value["input"]
    elif kind == "toolResult":
        block["toolResult"]["content"] += value
    elif kind == "citation":
        block.setdefault("citations", []).append(value)
    else:
        assert kind == "reasoningContent"
        thought = block.setdefault("reasoningContent", {})
        if "redactedContent" in value:
            thought["redactedContent"] = value["redactedContent"]
        else:
            inner = thought.setdefault("reasoningText", {"text": ""})
            for name, piece in value.items():
                inner[name] = inner.get(name, "") + piece


def reading(answer: dict[str, Any]) -> dict[str, Any]:
    """What a caller expects of the answer, in OpenAI's terms."""
    blocks = answer["output"]["message"]["content"]
    text, thoughts, calls = "", "", []
    for block in blocks:
        text += block.get("text", "")
        text += "".join(piece["text"] for piece in block.get("citationsContent", {}).get("content", []))
        thoughts += block.get("reasoningContent", {}).get("reasoningText", {}).get("text", "")
        call = block.get("toolUse")
        if call is not None and call.get("type") != "server_tool_use":
            calls.append((call["toolUseId"], call["name"], call["input"]))
    usage = answer["usage"]
    cached = usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens")
    prompt = usage["inputTokens"] + (cached[0] or 0) + (cached[1] or 0)
    reason = answer["stopReason"]
    return {
        "text": text,
        "reasoning": thoughts,
        "calls": calls,
        "finish": ("tool_calls" if calls else "stop") if reason == "tool_use" else FINISH[reason],
        "native_finish": reason,
        "tokens": (prompt, usage["outputTokens"], usage["totalTokens"]),
        "cached": cached,
    }


def lost(completion: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What of the vendor's answer the completion (as a dict) does not say; empty if it says it all."""
    expected = reading(answer)
    [choice] = completion["choices"]
    ours, usage = choice["message"], completion["usage"]
    details = usage.get("prompt_tokens_details") or {}
    calls = ours.get("tool_calls") or []
    said = {
        "text": ours["content"] or "",
        "reasoning": ours.get("reasoning_content") or "",
        "calls": [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls],
        "finish": choice["finish_reason"],
        "native_finish": choice["native_finish_reason"],
        "tokens": (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]),
        "cached": (details.get("cached_tokens"), details.get("cache_write_tokens")),
    }
    faults = [name for name in expected if said[name] != expected[name]]
    faults += [f"usage.{k}" for k, v in answer["usage"].items() if k not in COUNTERS and usage.get(k) != v]
    blocks = answer["output"]["message"]["content"]
    native = ours.get("native_content")
    if native is None:
        faults += ["native_content"] if _needs_native(blocks) else []
    elif {**native, "content": _untyped(native["content"])} != {
        "wire": "bedrock.converse",
        "content": _untyped(blocks),
    }:
        faults.append("native_content differs")
    for name, value in answer.items():
        if value is not None and name not in {"output", "usage", "stopReason"} and completion.get(name) != value:
            faults.append(name)
    return faults


def _needs_native(blocks: list[Block]) -> bool:
    kinds = [next(iter(block)) for block in blocks]
    if any(block.get("toolUse", {}).get("type") == "server_tool_use" for block in blocks):
        return True
    return any(kind != "toolUse" for kind in (kinds[1:] if kinds[:1] == ["text"] else kinds))


def _untyped(blocks: list[Block]) -> list[Block]:
    """Calls without the type `tool_use`, which says nothing and is not documented."""
    return [
        {"toolUse": {k: v for k, v in block["toolUse"].items() if (k, v) != ("type", "tool_use")}}
        if "toolUse" in block
        else block
        for block in blocks
    ]


# Equivalence


def normal_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the undocumented type of calls."""
    return {**answer, "output": {"message": {**answer["output"]["message"], "content": _untyped(_content(answer))}}}


def _content(answer: dict[str, Any]) -> list[Block]:
    content: list[Block] = answer["output"]["message"]["content"]
    return content


def normal_body(body: dict[str, Any]) -> dict[str, Any]:
    """A request in the form in which equivalent ones are equal.

    Equivalent by the vendor's documentation: an empty optional field and none; messages of one role in a row and one
    message; a result whose status is `success` and one without; a schema's text and its value.
    """
    result = {k: v for k, v in body.items() if v not in (None, {}, []) and k != "messages"}
    if "inferenceConfig" in result:
        result["inferenceConfig"] = {k: v for k, v in result["inferenceConfig"].items() if v not in (None, [])}
    messages: list[dict[str, Any]] = []
    for message in body["messages"]:
        blocks = [_block(block) for block in _untyped(message["content"])]
        if messages and messages[-1]["role"] == message["role"]:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": message["role"], "content": blocks})
    form = result.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema")
    if form is not None:
        result["outputConfig"] = {**form, "schema": json.loads(form["schema"])}
    return {**result, "messages": messages}


def _block(block: Block) -> Block:
    if "toolResult" not in block:
        return block
    fields = {"status": "success", "type": None}
    return {
        "toolResult": {k: v for k, v in block["toolResult"].items() if k not in fields or fields[k] not in (None, v)}
    }


def invalid(operation: str, body: dict[str, Any]) -> str:
    """What botocore's service model of Bedrock says of a request's body; empty if it is valid."""
    from botocore.validate import ParamValidator

    shape = _service().operation_model(operation).input_shape
    report = ParamValidator().validate({"modelId": "m", **_with_bytes(shape, body)}, shape)
    return str(report.generate_report())


def _service() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    global _model
    if _model is None:
        _model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
    return _model


_model: Any = None


def _with_bytes(shape: Any, value: Any) -> Any:
    """The JSON as botocore's caller would have written it: blobs as bytes. Unknown fields are faults."""
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        unknown = value.keys() - shape.members.keys()
        assert not unknown, f"{shape.name}: {unknown}"
        return {k: _with_bytes(shape.members[k], v) for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_with_bytes(shape.member, item) for item in value]
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=False)
    return value
