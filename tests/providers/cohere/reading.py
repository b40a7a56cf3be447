"""An independent reading of Cohere's answers and bodies: plain dicts, none of the codec's code."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["answer_of_stream", "lost", "normal_answer", "normal_body", "normal_message"]

FINISH = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}


def answer_of_stream(text: str) -> dict[str, Any]:
    """The whole answer that a stream tells."""
    message: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    answer: dict[str, Any] = {"message": message}
    lines = [line[5:].strip() for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    for event in (json.loads(line) for line in lines if line != "[DONE]"):
        kind, told = event["type"], event.get("delta", {}).get("message", {})
        if kind == "message-start":
            answer["id"] = event["id"]
        elif kind == "content-start":
            message["content"].append(told["content"])
        elif kind == "content-delta":
            [(name, piece)] = told["content"].items()
            message["content"][-1][name] += piece
        elif kind == "tool-plan-delta":
            message["tool_plan"] += told["tool_plan"]
        elif kind == "tool-call-start":
            message["tool_calls"].append(told["tool_calls"])
        elif kind == "tool-call-delta":
            message["tool_calls"][event["index"]]["function"]["arguments"] += told["tool_calls"]["function"][
                "arguments"
            ]
        elif kind == "citation-start":
            message["citations"].append(told["citations"])
        elif kind == "message-end":
            answer.update(event["delta"])
        else:
            assert kind in ("content-end", "tool-call-end", "citation-end")
    answer["message"] = {name: value for name, value in message.items() if value}
    return answer


def said(answer: dict[str, Any]) -> dict[str, Any]:
    """What a caller expects of the answer, in OpenAI's terms."""
    message, usage = answer["message"], answer.get("usage") or {}
    blocks = message.get("content") or []
    calls = [
        (call["id"], call["function"]["name"], call["function"]["arguments"] or "{}")
        for call in message.get("tool_calls") or ()
    ]
    tokens = usage.get("tokens") or {}
    prompt = tokens.get("input_tokens", 0) + tokens.get("image_tokens", 0)
    output = tokens.get("output_tokens", 0)
    return {
        "id": answer["id"],
        "text": "".join(block["text"] for block in blocks if block["type"] == "text"),
        "reasoning": "".join(b["thinking"] for b in blocks if b["type"] == "thinking")
        + (message.get("tool_plan") or ""),
        "calls": calls,
        "finish": "stop" if answer["finish_reason"] == "TOOL_CALL" and not calls else FINISH[answer["finish_reason"]],
        "native_finish": answer["finish_reason"],
        "tokens": (prompt, output, prompt + output),
        "cached": usage.get("cached_tokens"),
        "thought": tokens.get("reasoning_tokens"),
        "images": tokens.get("image_tokens"),
        "billed": usage.get("billed_units"),
        "citations": message.get("citations") or [],
        "plan": message.get("tool_plan") or "",
        "thinking": [b for b in blocks if b["type"] != "text"],
        "logprobs": [(item["text"], sum(item["logprobs"])) for item in answer.get("logprobs") or ()],
    }


def lost(completion: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What of the vendor's answer the completion (as a dict) does not say; empty if it says it all."""
    expected = said(answer)
    [choice] = completion["choices"]
    message, usage = choice["message"], completion["usage"]
    native = message.get("native_content") or {}
    told = {
        "id": completion["id"],
        "text": message["content"] or "",
        "reasoning": message.get("reasoning_content") or "",
        "calls": [
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        ],
        "finish": choice["finish_reason"],
        "native_finish": choice["native_finish_reason"],
        "tokens": (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]),
        "cached": (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
        "images": (usage.get("prompt_tokens_details") or {}).get("image_tokens"),
        "thought": (usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        "billed": usage.get("billed_units"),
        "citations": native.get("citations") or [],
        "plan": native.get("tool_plan") or "",
        "thinking": [block for block in native.get("content", ()) if block["type"] != "text"],
        "logprobs": [(t["token"], t["logprob"]) for t in (choice.get("logprobs") or {}).get("content") or ()],
    }
    return [name for name in expected if told[name] != expected[name]]


# Equivalence


def normal_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what says nothing: null and empty fields, and one empty text."""
    message = {k: v for k, v in answer["message"].items() if v and v != [{"type": "text", "text": ""}]}
    return {**{k: v for k, v in answer.items() if v is not None}, "message": message}


def normal_body(body: dict[str, Any]) -> dict[str, Any]:
    """A request in the form in which equivalent ones are equal.

    Equivalent by the vendor's documentation: a null or empty optional field and none; `stream: false` and none; text
    and a list of one text block, an empty text and none; `json_schema` and `json_object` with a schema; `tool_choice`
    in lower case, and NONE without tools; a tool without a description and with an empty one;
    `strict_tools: false` and none.
    """
    nothing = (None, [], "")
    result = {k: v for k, v in body.items() if v not in nothing and (k, v) != ("stream", False)}
    if result.get("strict_tools") is False:
        del result["strict_tools"]
    if "tool_choice" in result:
        result["tool_choice"] = result["tool_choice"].upper()
    if "tools" not in result and result.get("tool_choice") == "NONE":
        del result["tool_choice"]
    if (result.get("response_format") or {}).get("type") == "json_schema":
        result["response_format"] = {**result["response_format"], "type": "json_object"}
    result["messages"] = [normal_message(message) for message in body["messages"]]
    return result


def normal_message(message: dict[str, Any]) -> dict[str, Any]:
    result = {k: v for k, v in message.items() if v not in (None, [], "")}
    content = result.get("content")
    if isinstance(content, list):
        blocks = [block for block in content if block != {"type": "text", "text": ""}]
        texts = all(block["type"] == "text" for block in blocks)
        result["content"] = "".join(block["text"] for block in blocks) if texts else blocks
        if not result["content"]:
            del result["content"]
    return result
