"""An independent reading of Anthropic's answers and bodies: plain dicts, none of the codec's code."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["MERGED_COUNTERS", "call_inputs", "lost", "message_of_stream", "normal_body", "normal_message", "reading"]

MERGED_COUNTERS = {"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}
FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def message_of_stream(text: str) -> dict[str, Any]:
    """The message that a whole stream tells, read as the vendor documents it."""
    message: dict[str, Any] = {}
    partial: dict[int, str] = {}
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        data = "".join(line[5:].strip() for line in paragraph.split("\n") if line.startswith("data:"))
        if not data:
            continue
        event = json.loads(data)
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            assert event["index"] == len(message["content"])
            message["content"].append(event["content_block"])
        elif kind == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            if delta["type"] == "text_delta":
                block["text"] += delta["text"]
            elif delta["type"] == "thinking_delta":
                block["thinking"] += delta["thinking"]
            elif delta["type"] == "signature_delta":
                block["signature"] = delta["signature"]
            elif delta["type"] == "citations_delta":
                block["citations"] = (block.get("citations") or []) + [delta["citation"]]
            else:
                assert delta["type"] == "input_json_delta"
                partial[event["index"]] = partial.get(event["index"], "") + delta["partial_json"]
        elif kind == "message_delta":
            message.update(event["delta"])
            message["usage"].update(event["usage"])
            message.update({k: v for k, v in event.items() if k not in {"type", "delta", "usage"}})
    for index, text_ in partial.items():
        if text_:
            try:
                message["content"][index]["input"] = json.loads(text_)
            except json.JSONDecodeError:  # cut by max_tokens
                message["content"][index]["input"] = text_
    return message


def reading(message: dict[str, Any]) -> dict[str, Any]:
    """What a caller expects of the message, in OpenAI's terms."""
    blocks = message["content"]
    calls = [(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
    reason = message["stop_reason"]
    usage = message["usage"]
    prompt = sum(usage.get(f"{kind}input_tokens") or 0 for kind in ("", "cache_read_", "cache_creation_"))
    return {
        "id": message["id"],
        "model": message["model"],
        "text": "".join(b["text"] for b in blocks if b["type"] == "text"),
        "reasoning": "".join(b["thinking"] for b in blocks if b["type"] == "thinking"),
        "calls": calls,
        "finish": ("tool_calls" if calls else "stop") if reason == "tool_use" else FINISH[reason],
        "native_finish": reason,
        "tokens": (prompt, usage["output_tokens"], prompt + usage["output_tokens"]),
        "cached": (usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")),
        "thought": (usage.get("output_tokens_details") or {}).get("thinking_tokens"),
    }


def call_inputs(message: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """The tool calls of a completion's message (as a dict), arguments parsed where they are JSON."""
    found = []
    for call in message.get("tool_calls") or ():
        arguments = call["function"]["arguments"]
        try:
            value = json.loads(arguments)
        except json.JSONDecodeError:
            value = arguments
        found.append((call["id"], call["function"]["name"], value))
    return found


def lost(completion: dict[str, Any], message: dict[str, Any]) -> list[str]:
    """What of the vendor's message the completion (as a dict) does not say; empty if it says it all."""
    expected = reading(message)
    [choice] = completion["choices"]
    ours = choice["message"]
    usage = completion["usage"]
    prompt_details = usage.get("prompt_tokens_details") or {}
    output_details = usage.get("completion_tokens_details") or {}
    said = {
        "id": completion["id"],
        "model": completion["model"],
        "text": ours["content"] or "",
        "reasoning": ours.get("reasoning_content") or "",
        "calls": call_inputs(ours),
        "finish": choice["finish_reason"],
        "native_finish": choice["native_finish_reason"],
        "tokens": (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]),
        "cached": (prompt_details.get("cached_tokens"), prompt_details.get("cache_write_tokens")),
        "thought": output_details.get("reasoning_tokens"),
    }
    faults = [name for name in expected if said[name] != expected[name]]
    faults += [f"usage.{k}" for k, v in message["usage"].items() if k not in MERGED_COUNTERS and usage.get(k) != v]
    native = ours.get("native_content")
    if native is None:
        faults += ["native_content"] if needs_native(message["content"]) else []
    elif native != {"wire": "anthropic.messages", "content": message["content"]}:
        faults.append("native_content differs")
    told = {"id", "model", "type", "role", "content", "usage", "stop_reason"}
    for name, value in message.items():
        if value is not None and name not in told and choice.get(name, completion.get(name)) != value:
            faults.append(name)
    return faults


def needs_native(blocks: list[dict[str, Any]]) -> bool:
    """Whether text and tool calls alone cannot give these blocks back."""
    plain = {"text": {"type", "text"}, "tool_use": {"type", "id", "name", "input"}}
    kinds = [b["type"] for b in blocks]
    if kinds[:1] == ["text"]:
        kinds = kinds[1:]
    if any(kind != "tool_use" for kind in kinds):
        return True
    return any({k for k, v in b.items() if k != "citations" or v} - plain[b["type"]] for b in blocks)


# Equivalence of bodies


def normal_message(message: dict[str, Any]) -> dict[str, Any]:
    """An answer without what says nothing: null fields, and citations that are none."""
    result = {k: v for k, v in message.items() if v is not None}
    result["content"] = [{k: v for k, v in b.items() if k != "citations" or v} for b in message["content"]]
    result["usage"] = {k: v for k, v in message["usage"].items() if v is not None}
    return result


def normal_body(body: dict[str, Any]) -> dict[str, Any]:
    """A request in the form in which equivalent ones are equal.

    Equivalent by the vendor's documentation: a string and one text block; messages of one role in a row and one
    message; a null or empty optional field and none; `output_format` and `output_config.format`; a tool of type
    "custom" and one without type; a tool that is not strict; parallel tool use not disabled; `stream: false`.
    """
    result = {k: v for k, v in body.items() if v is not None and v != [] and k not in {"messages", "output_format"}}
    if result.get("stream") is False:
        del result["stream"]
    form = body.get("output_format")
    if form is not None:
        result["output_config"] = {**(body.get("output_config") or {}), "format": form}
    if isinstance(result.get("output_config"), dict) and isinstance(result["output_config"].get("format"), dict):
        form = {k: v for k, v in result["output_config"]["format"].items() if k in {"type", "schema"}}
        result["output_config"] = {**result["output_config"], "format": form}
    if "system" in result:
        result["system"] = _blocks(result["system"])
    if "tools" in result:
        result["tools"] = [_tool(tool) for tool in result["tools"]]
    if "tool_choice" in result:
        choice = result["tool_choice"]
        result["tool_choice"] = {k: v for k, v in choice.items() if (k, v) != ("disable_parallel_tool_use", False)}
    messages: list[dict[str, Any]] = []
    for message in body["messages"]:
        blocks = _blocks(message["content"])
        more = {k: v for k, v in message.items() if k not in {"role", "content"}}
        if messages and messages[-1]["role"] == message["role"] and message["role"] != "system":
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": message["role"], "content": blocks, **more})
    result["messages"] = messages
    return result


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [_block(block) for block in content]


def _block(block: dict[str, Any]) -> dict[str, Any]:
    result = {k: v for k, v in block.items() if v is not None}
    if result["type"] == "tool_result":
        result["content"] = _blocks(result.get("content") or [])
    return result


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in tool.items() if v is not None and (k, v) not in [("type", "custom"), ("strict", False)]}
