"""An independent reading of Mistral's answers and bodies: plain dicts, none of the codec's code."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["answer_of_stream", "lost", "normal_answer", "normal_body", "said"]


def answer_of_stream(text: str) -> dict[str, Any]:
    """The whole answer that a stream tells: fragments joined, parts of one kind in a row made one."""
    whole: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    lines = [line[5:].strip() for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    for event in (json.loads(line) for line in lines if line != "[DONE]"):
        whole.update({name: event[name] for name in ("id", "model", "created", "usage") if event.get(name)})
        for part in event["choices"]:
            choice = choices.setdefault(part["index"], {"parts": [], "calls": [], "lists": False})
            delta = part["delta"]
            content = delta.get("content") or []
            if isinstance(content, list) and content:
                choice["lists"] = True
            for piece in [{"type": "text", "text": content}] if isinstance(content, str) else content:
                add_part(choice["parts"], piece)
            choice["calls"] += delta.get("tool_calls") or []
            choice["reason"] = part["finish_reason"] or choice.get("reason")
    whole["choices"] = []
    for index in sorted(choices):
        found = choices[index]
        parts = found["parts"]
        content = parts if found["lists"] else "".join(part["text"] for part in parts)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if found["calls"]:
            message["tool_calls"] = found["calls"]  # recorded: each comes whole
        whole["choices"].append({"index": index, "message": message, "finish_reason": found["reason"]})
    return whole


def add_part(parts: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    if not parts or parts[-1]["type"] != piece["type"]:
        parts.append({**piece, "text": ""} if piece["type"] == "text" else {**piece, "thinking": []})
    last = parts[-1]
    if piece["type"] == "text":
        last["text"] += piece["text"]
        return
    last.update({k: v for k, v in piece.items() if k not in ("type", "thinking")})
    for item in piece["thinking"]:
        assert item["type"] == "text"
        if last["thinking"]:
            last["thinking"][0]["text"] += item["text"]
        else:
            last["thinking"].append(dict(item))


def said(answer: dict[str, Any]) -> dict[str, Any]:
    """What a caller expects of the answer, in OpenAI's terms."""
    usage = answer["usage"]
    choices = []
    for choice in answer["choices"]:
        message = choice["message"]
        content = message["content"]
        parts = [{"type": "text", "text": content or ""}] if not isinstance(content, list) else content
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        thought = "".join(i["text"] for part in parts if part["type"] == "thinking" for i in part["thinking"])
        calls = [
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        ]
        native = choice["finish_reason"]
        finish = {"model_length": "length", "tool_calls": "tool_calls" if calls else "stop"}.get(native, native)
        parted = parts if any(part["type"] != "text" for part in parts) else None
        choices.append((choice["index"], text, thought, calls, finish, native, parted))
    completion = usage["completion_tokens"]
    details = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens", usage.get("num_cached_tokens"))
    tokens = (usage["total_tokens"] - completion, completion, usage["total_tokens"], cached)
    return {"id": answer["id"], "model": answer["model"], "choices": choices, "tokens": tokens}


def lost(completion: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What of the vendor's answer the completion (as a dict) does not say; empty if it says it all."""
    expected = said(answer)
    choices = []
    for choice in completion["choices"]:
        message = choice["message"]
        calls = [
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        ]
        native = message.get("native_content")
        parts = native["content"] if native and native["wire"] == "mistral.chat" else None
        text, thought = message["content"] or "", message.get("reasoning_content") or ""
        reasons = (choice["finish_reason"], choice["native_finish_reason"])
        choices.append((choice["index"], text, thought, calls, *reasons, parts))
    usage = completion["usage"]
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    tokens = (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"], cached)
    told = {"id": completion["id"], "model": completion["model"], "choices": choices, "tokens": tokens}
    faults = [name for name in expected if told[name] != expected[name]]
    for name in ("prompt_audio_seconds", "num_cached_tokens", "service_tier"):
        if answer["usage"].get(name) is not None and usage.get(name) != answer["usage"][name]:
            faults.append(f"usage.{name}")
    return faults


# Equivalence


def normal_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer in the form in which equivalent ones are equal.

    Equivalent: a null field and none; no content and an empty one; a tool call's type, which is always "function"; how
    many tokens were cached or of audio, told in one place or in two, or left to be reckoned from the total.
    """
    usage = {k: v for k, v in answer["usage"].items() if k not in ("prompt_tokens_details", "num_cached_tokens")}
    result = {**answer, "usage": usage, "choices": []}
    for choice in answer["choices"]:
        message = {k: v for k, v in choice["message"].items() if v}
        for number, call in enumerate(message.get("tool_calls", ())):
            call.setdefault("type", "function")
            call.setdefault("index", number)
        result["choices"].append({**choice, "message": message})
    return result


def normal_body(body: dict[str, Any]) -> dict[str, Any]:
    """A request in the form in which equivalent ones are equal.

    Equivalent by the vendor's documentation: `any` and `required`, `auto` or `none` without tools
    and nothing; a null or empty optional field and none;
    `stream: false` and none; `prefix: false` and none; an assistant's text and a list of one text part; an image's
    address and an object with it; a tool (or choice) with and without its type "function", a function with an empty
    description and with none; a call's `index`. Ids of calls count by what they connect, as recorders scrub them.
    """
    result = {k: v for k, v in body.items() if v is not None and (k, v) != ("stream", False) and v != []}
    if result.get("tool_choice") == "required":
        result["tool_choice"] = "any"
    if "tools" not in result and result.get("tool_choice") in ("auto", "none"):
        del result["tool_choice"]
    if "tools" in result:
        result["tools"] = [normal_tool(tool) for tool in result["tools"]]
    ids: dict[str, int] = {}
    result["messages"] = [normal_message(message, ids) for message in body["messages"]]
    return result


def normal_tool(tool: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", **tool} if "function" in tool else tool


def normal_message(message: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
    result = {k: v for k, v in message.items() if v is not None and v != [] and v != "" and (k, v) != ("prefix", False)}
    content = result.get("content")
    if isinstance(content, list):
        parts = [normal_part(part) for part in content]
        texts = all(part["type"] == "text" for part in parts)
        result["content"] = "".join(part["text"] for part in parts) if texts else parts
    if "tool_call_id" in result:
        result["tool_call_id"] = ids[result["tool_call_id"]]
    if "tool_calls" in result:
        result["tool_calls"] = [
            {"id": ids.setdefault(call["id"], len(ids)), "function": call["function"]} for call in result["tool_calls"]
        ]
    return result


def normal_part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "image_url" and isinstance(part["image_url"], str):
        return {**part, "image_url": {"url": part["image_url"]}}
    return part
