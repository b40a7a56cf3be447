"""An independent reading of OpenAI's responses: plain dict code, none of the codec's."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["differences", "events_of", "normal_request", "normal_response", "response_of_stream"]

JSON = dict[str, Any]
FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


def events_of(text: str) -> list[JSON]:
    """The JSON of each event."""
    lines = [line[5:].strip() for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def response_of_stream(text: str) -> JSON:
    """The response that a stream tells: that of its last event, with the items that came before it.

    Its id is the first event's: GitHub's server gives each event another.
    """
    events = events_of(text)
    last = next(e for e in reversed(events) if e["type"] in ("response.completed", "response.incomplete"))
    items = {e["output_index"]: e["item"] for e in events if e["type"] == "response.output_item.done"}
    output = [items[place] for place in sorted(items)] or last["response"]["output"]
    return {**last["response"], "id": events[0]["response"]["id"], "output": output}


def differences(completion: JSON, response: JSON) -> list[str]:
    """What of the response the completion (a dump of it) does not say."""
    (choice,) = completion["choices"]
    message = choice["message"]
    texts, refusals, thoughts, calls, notes, tokens, server = [], [], [], [], 0, [], False
    for item in response["output"]:
        if item["type"] == "message":
            for part in item["content"]:
                texts.append(part.get("text", ""))
                refusals.append(part.get("refusal", ""))
                notes += len(part.get("annotations") or [])
                tokens += part.get("logprobs") or []
        elif item["type"] == "reasoning":
            thoughts += [p["text"] for p in [*item.get("summary", []), *(item.get("content") or [])]]
        elif item["type"] == "function_call":
            calls.append((item["call_id"], item["name"], item["arguments"]))
        elif item["type"] == "custom_tool_call":
            calls.append((item["call_id"], item["name"], item["input"]))
        else:
            server = True
    bodies = [(c["id"], c.get("function") or c.get("custom")) for c in message.get("tool_calls") or []]
    said_calls = [(i, b["name"], b.get("arguments", b.get("input"))) for i, b in bodies]
    said_tokens = (choice.get("logprobs") or {}).get("content") or []
    finish = "tool_calls" if calls else "stop"
    if response["status"] == "incomplete":
        finish = FINISH[response["incomplete_details"]["reason"]]
    elif response["status"] != "completed":
        finish = None
    wanted = {
        "text": ("".join(texts), message.get("content") or ""),
        "refusal": ("".join(refusals), message.get("refusal") or ""),
        "reasoning": ("".join(thoughts), message.get("reasoning_content") or ""),
        "calls": (calls, said_calls),
        "annotations": (notes, len(message.get("annotations") or [])),
        "logprobs": ([t["token"] for t in tokens], [t["token"] for t in said_tokens]),
        "finish": (finish, choice.get("finish_reason")),
        "id": (response["id"], completion["id"]),
        "model": (response["model"], completion["model"]),
        "usage": (_usage(response.get("usage")), _said_usage(completion.get("usage"))),
    }
    found = [f"{name}: {one!r} is not {other!r}" for name, (one, other) in wanted.items() if one != other]
    if server or any(item["type"] == "reasoning" for item in response["output"]):
        kept = (message.get("native_content") or {}).get("content")
        found += [] if kept == response["output"] else ["native_content is not the output"]
    ours = {"created_at", "error", "id", "incomplete_details", "object", "output", "status", "usage"}
    for name, value in response.items():
        if name not in ours and value is not None and completion.get(name) != value:
            found.append(f"{name} is lost")
    return found


def _usage(usage: JSON | None) -> Any:
    if usage is None:
        return None
    read, written = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    return (
        *(usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]),
        *(read.get("cached_tokens"), read.get("cache_write_tokens"), written.get("reasoning_tokens")),
        {k: v for k, v in usage.items() if "tokens" not in k},
    )


def _said_usage(usage: JSON | None) -> Any:
    if usage is None:
        return None
    read, written = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return (
        *(usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]),
        *(read.get("cached_tokens"), read.get("cache_write_tokens"), written.get("reasoning_tokens")),
        {k: v for k, v in usage.items() if "tokens" not in k},
    )


def normal_response(response: JSON) -> JSON:
    """Comparable: null and absent are one; so are the defaults that a response always has; ids of plain items go."""
    body = {k: v for k, v in response.items() if v is not None}
    body.pop("object", None)
    body["created_at"] = int(body.get("created_at") or 0)
    for name, default in (("parallel_tool_calls", True), ("tool_choice", "auto"), ("tools", [])):
        body.setdefault(name, default)
    if "usage" in body:
        usage = dict(body["usage"])
        for name in ("input_tokens_details", "output_tokens_details"):
            usage[name] = {k: v for k, v in (usage.get(name) or {}).items() if v}
        body["usage"] = usage
    kinds = {item["type"] for item in body["output"]}
    plain = kinds <= {"message", "function_call", "custom_tool_call"}
    body["output"] = [_normal_item(item, plain=plain) for item in body["output"]]
    return body


def _normal_item(item: JSON, *, plain: bool) -> JSON:
    made = {k: v for k, v in item.items() if v is not None and not (plain and k == "id")}
    if made["type"] == "message" and isinstance(made.get("content"), list):
        parts = [{k: v for k, v in part.items() if v not in ([], None)} for part in made["content"]]
        for part in parts:
            if "logprobs" in part:
                part["logprobs"] = [{k: v for k, v in token.items() if v != []} for token in part["logprobs"]]
        made["content"] = parts
    return made


def normal_request(body: JSON) -> JSON:
    """What a request asks for, whichever way it is said:

    null and absent are one, and so are the documented defaults (`store: true`, image detail `auto`, a tool without
    parameters); encrypted reasoning may be asked for besides; instructions are the first system message; an input's
    text is a user message; text alone is the only part of a list, and a refusal is what the
    assistant said; what an input message has from an answer (id,
    status, type) does not count, nor do ids and states of calls and outputs.
    """
    made = {k: v for k, v in body.items() if v is not None and v != []}
    made.setdefault("store", True)
    if any(made.get(name) for name in ("background", "conversation", "previous_response_id", "prompt")):
        made["store"] = bool(body.get("store", True))
    made.pop("stream", None) if made.get("stream") is False else None
    include = sorted(set(made.pop("include", [])) - {"reasoning.encrypted_content"})
    made.update({"include": include} if include else {})
    items = made.pop("input", [])
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    if isinstance(made.get("instructions"), str):
        items = [{"role": "system", "content": made.pop("instructions")}, *items]
    made["input"] = [_input(item) for item in items]
    if "tools" in made:
        made["tools"] = [_tool(tool) for tool in made["tools"]]
    if isinstance(made.get("reasoning"), dict):
        made["reasoning"] = {k: v for k, v in made["reasoning"].items() if v is not None}
    return {k: v for k, v in made.items() if v not in ({}, [], None) or k in ("text", "input")}


def _tool(tool: JSON) -> JSON:
    made = {k: v for k, v in tool.items() if v is not None}
    if made["type"] == "function":
        made.setdefault("parameters", {"type": "object", "properties": {}})
    return made


def _input(item: JSON) -> JSON:
    kind = item.get("type", "message")
    made = {k: v for k, v in item.items() if v is not None}
    if kind == "message":
        content = made["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else [_part(p) for p in content]
        named = {"phase": made["phase"]} if "phase" in made else {}
        return {"type": "message", "role": made["role"], "content": parts, **named}
    if kind in ("function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"):
        made = {k: v for k, v in made.items() if k not in ("id", "status")}
        if isinstance(made.get("output"), list):
            made["output"] = [_part(part) for part in made["output"]]
    return made


def _part(part: JSON) -> JSON:
    made = {k: v for k, v in part.items() if v not in (None, [])}
    if made["type"] == "refusal":
        made["text"] = made.pop("refusal")
    if made["type"] in ("input_text", "output_text", "refusal"):
        made["type"] = "text"
    if made["type"] == "input_image":
        made.setdefault("detail", "auto")
    return made
