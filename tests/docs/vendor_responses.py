"""The Responses API of the made-up OpenAI (https://platform.openai.com/docs/api-reference/responses).

`says` is how a vendor answers: the text for a body in chat's words, and a call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.support.loopback import Request, reply

__all__ = ["respond"]

Says = Callable[[Mapping[str, Any]], tuple[str, dict[str, Any] | None]]


def respond(request: Request, says: Says, streamed: Callable[[Iterable[tuple[str, Any]]], Any]) -> Any:
    """The whole HTTP answer to a request of `/v1/responses`."""
    if request.method == "DELETE":
        return reply(200, {"id": "resp_1", "object": "response", "deleted": True})
    body = {"model": "gpt-4o-mini", "input": "haiku"} if request.method == "GET" else request.json()
    text, call = says(_in_chat(body))
    item = _call(call) if call else _message(text)
    count = {"input_tokens": len(json.dumps(body["input"])) // 4 + 1, "output_tokens": len(text) // 4 + 1}
    whole = {"id": "resp_1", "object": "response", "created_at": 1, "model": body["model"], "status": "completed"}
    whole |= {"output": [item], "usage": {**count, "total_tokens": sum(count.values())}}
    whole |= {"previous_response_id": body.get("previous_response_id"), "store": body.get("store", True)}
    whole |= {"text": body.get("text") or {"format": {"type": "text"}}, "tools": body.get("tools") or []}
    if body.get("stream"):
        return streamed(_events(whole, item, text))
    return reply(200, whole, x_request_id="req_1")


def _in_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    asked = body["input"]
    last = {"role": "user", "content": asked} if isinstance(asked, str) else asked[-1]
    if last.get("type") == "function_call_output":
        last = {"role": "tool", "content": last["output"]}
    schema = ((body.get("text") or {}).get("format") or {}).get("schema")
    tools = [{"function": tool} for tool in body.get("tools") or () if tool["type"] == "function"]
    return {"messages": [last], "tools": tools, "response_format": {"json_schema": {"schema": schema}}}


def _message(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed"}
    return {**item, "name": call["name"], "arguments": json.dumps(call["arguments"])}


def _events(whole: Mapping[str, Any], item: Mapping[str, Any], text: str) -> Iterable[tuple[str, Any]]:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    told: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "content": []}}),
        ("response.content_part.added", {**at, "part": {"type": "output_text", "text": "", "annotations": []}}),
    ]
    first, *rest = text.split(" ")
    told += [
        ("response.output_text.delta", {**at, "delta": word, "logprobs": []})
        for word in (first, *map(" {}".format, rest))
    ]
    told += [
        ("response.output_text.done", {**at, "text": text, "logprobs": []}),
        ("response.content_part.done", {**at, "part": item["content"][0]}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": whole}),
    ]
    return [(kind, {"type": kind, "sequence_number": number, **fields}) for number, (kind, fields) in enumerate(told)]
