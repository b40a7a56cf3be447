"""What Ollama's answers and requests say, read in the simplest way and without any of the codec."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["answer_of_lines", "generate_as_chat", "lost", "normal_answer", "normal_body"]

JSON = dict[str, Any]
METRICS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


def answer_of_lines(text: str) -> JSON:
    """The whole answer that the lines of a stream are."""
    lines = [json.loads(line) for line in text.split("\n") if line.strip()]
    whole: JSON = dict(lines[-1])
    messages = [line["message"] for line in lines]
    message: JSON = {"role": "assistant", "content": "".join(m.get("content", "") for m in messages)}
    if any("thinking" in m for m in messages):
        message["thinking"] = "".join(m.get("thinking", "") for m in messages)
    if any("tool_calls" in m for m in messages):
        message["tool_calls"] = [call for m in messages for call in m.get("tool_calls", [])]
    whole["message"] = message
    if any("logprobs" in line for line in lines):
        whole["logprobs"] = [token for line in lines for token in line.get("logprobs", [])]
    return whole


def generate_as_chat(answer: JSON) -> JSON:
    """An answer of /api/generate as one of /api/chat."""
    rest = {k: v for k, v in answer.items() if k not in ("response", "thinking")}
    message = {"role": "assistant", "content": answer.get("response", "")}
    if "thinking" in answer:
        message["thinking"] = answer["thinking"]
    return {**rest, "message": message}


def lost(completion: JSON, answer: JSON) -> list[str]:
    """What of Ollama's answer the completion does not say."""
    (choice,) = completion["choices"]
    message, told = choice["message"], answer["message"]
    calls = told.get("tool_calls") or []
    faults = []
    if (message.get("content") or "") != told.get("content", ""):
        faults.append("content")
    if (message.get("reasoning_content") or "") != told.get("thinking", ""):
        faults.append("thinking")
    found = message.get("tool_calls") or []
    wanted = [(c.get("id"), c["function"]["name"], c["function"]["arguments"]) for c in calls]
    got = [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in found]
    if [(name, args) for _, name, args in got] != [(name, args) for _, name, args in wanted]:
        faults.append("tool_calls")
    if any(a != b for (a, _, _), (b, _, _) in zip(wanted, got, strict=False) if a) or not all(i for i, _, _ in got):
        faults.append("ids")
    reason = answer.get("done_reason")
    expected = "tool_calls" if calls and reason != "length" else "length" if reason == "length" else "stop"
    if choice["finish_reason"] != expected or choice.get("native_finish_reason") != reason:
        faults.append(f"finish {choice['finish_reason']}")
    usage, prompt, output = completion["usage"], answer.get("prompt_eval_count", 0), answer.get("eval_count", 0)
    if (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) != (prompt, output, prompt + output):
        faults.append("usage")
    tokens = (choice.get("logprobs") or {}).get("content")
    if tokens != answer.get("logprobs"):
        faults.append("logprobs")
    faults += [name for name in (*METRICS, "created_at", "context") if completion.get(name) != answer.get(name)]
    if completion["model"] != answer["model"]:
        faults.append("model")
    return faults


def normal_answer(answer: JSON) -> JSON:
    """An answer without what says nothing: a null, an empty text of thinking, a call's number in its list.

    Older servers told no reason for the end, newer ones "stop".
    """
    result = {"done_reason": "stop", **{k: v for k, v in answer.items() if v is not None}}
    message = {k: v for k, v in answer["message"].items() if v not in (None, "") or k == "content"}
    if "tool_calls" in message:
        message["tool_calls"] = [_call(call) for call in message["tool_calls"]]
    return {**result, "message": message}


def normal_body(body: JSON) -> JSON:
    """A request in the form in which equivalent ones are equal.

    Equivalent by Ollama's documentation: an absent optional field and an empty or null one, no `stream` and
    `stream: true`, a tool call with and without its `type` and its number in the list.
    """
    result = {k: v for k, v in body.items() if v not in (None, "", {}, [])}
    result.setdefault("stream", True)
    if "messages" in body:
        result["messages"] = [_message(message) for message in body["messages"]]
    return result


def _message(message: JSON) -> JSON:
    result = {k: v for k, v in message.items() if v not in (None, [])}
    if "tool_calls" in result:
        result["tool_calls"] = [_call(call) for call in result["tool_calls"]]
    return result


def _call(call: JSON) -> JSON:
    function = {k: v for k, v in call["function"].items() if k != "index"}
    return {k: v for k, v in {**call, "function": function}.items() if k != "type"}
