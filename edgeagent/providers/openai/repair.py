"""What servers of OpenAI's shape really send, made into what OpenAI documents.

Two kinds of repair. `repaired` works on a JSON document that is no completion (or chunk) as it stands, and runs only
when one was refused; it is harmless for OpenAI itself. `tidy.Tidy` works on objects that are well formed and say
something in a way that callers do not expect; it is for servers other than OpenAI's own (`Quirks.lenient`).
"""

from __future__ import annotations

import math
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.wire.json import dump_json

__all__ = ["WIRE", "broken_off", "repaired"]

WIRE: Final = "openai.chat"

_FINISH_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length"), "length"),
    "model_context_window_exceeded": "length",
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use"), "tool_calls"),
    **dict.fromkeys(("content_filter", "safety", "refusal", "sensitive", "guardrail_intervened"), "content_filter"),
    **dict.fromkeys(("recitation", "prohibited_content", "blocklist", "spii"), "content_filter"),  # Gemini's
    "function_call": "function_call",
}
"""OpenAI's own and, in lower case, those that gateways and compatible servers pass on from other vendors."""

_OWN: Final = frozenset(_FINISH_REASONS.values())
_COUNTERS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


_BROKEN: Final = frozenset({"error", "insufficient_system_resource", "network_error"})
"""Finish reasons of answers that the server did not finish: OpenRouter's, DeepSeek's, Z.ai's. None is an answer."""


def broken_off(data: Mapping[str, Any]) -> str | None:
    """The finish reason by which the server says that it failed, where it tells no error beside it."""
    choices = data.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        reason = choice.get("finish_reason") if isinstance(choice, dict) and not choice.get("error") else None
        if isinstance(reason, str) and reason.lower() in _BROKEN:
            return reason
    return None


# Documents


def repaired(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A completion or chunk with what servers leave out or write otherwise, and with OpenAI's finish reasons.

    Azure's first chunk has an empty `object`; OpenAI's audio chunks may have no `choices`, others no `delta`.
    """
    fixed = {**data, "object": kind}
    for name, default in (("id", ""), ("model", ""), ("created", 0)):
        if fixed.get(name) is None:
            fixed[name] = default
    created = fixed["created"]
    if isinstance(created, float) and math.isfinite(created):
        fixed["created"] = int(created)
    usage = data.get("usage")
    if isinstance(usage, dict) and any(usage.get(name, 0) is None for name in _COUNTERS):
        fixed["usage"] = {**usage, **{name: usage.get(name) or 0 for name in _COUNTERS}}
    choices = data.get("choices")
    whole = kind == "chat.completion"
    if choices is None and not whole:
        choices = []
    if isinstance(choices, list):
        fixed["choices"] = [_choice(i, choice, whole=whole) for i, choice in enumerate(choices)]
    return fixed


def _choice(position: int, choice: Any, *, whole: bool) -> Any:
    if not isinstance(choice, dict):
        return choice
    fixed = {"index": position, **choice}
    part = "message" if whole else "delta"
    if not whole and fixed.get("delta") is None:
        fixed["delta"] = {}
    if isinstance(fixed.get(part), dict):
        fixed[part] = _message(fixed[part], whole=whole)
    if isinstance(fixed.get("logprobs"), dict):
        fixed["logprobs"] = {name: _tokens(value) for name, value in fixed["logprobs"].items()}
    reason = fixed.get("finish_reason")
    if isinstance(reason, str) and reason not in _OWN:
        fixed["finish_reason"] = _FINISH_REASONS.get(reason.lower(), "stop") if reason else None
        if reason and fixed.get("native_finish_reason") is None:
            fixed["native_finish_reason"] = reason
    return fixed


def _message(message: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    fixed = dict(message)
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        fixed.update(_from_parts(content, message.get("reasoning_content")))
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        fixed["tool_calls"] = [_call(i, call, whole=whole) for i, call in enumerate(calls)]
    elif isinstance(calls, dict):  # one call, not in a list
        fixed["tool_calls"] = [_call(0, calls, whole=whole)]
    return fixed


def _from_parts(parts: list[dict[str, Any]], reasoning: Any) -> dict[str, Any]:
    """Content in parts, as Mistral has it: thinking beside text. The parts themselves are kept for the next turn."""
    texts: list[str] = []
    thoughts: list[str] = [reasoning] if isinstance(reasoning, str) else []
    for part in parts:
        if part.get("type") == "thinking":
            thoughts += _thoughts(part.get("thinking"))
        elif isinstance(part.get("text"), str):
            texts.append(part["text"])
    fixed: dict[str, Any] = {"content": "".join(texts) if texts else None}
    if thoughts:
        fixed["reasoning_content"] = "".join(thoughts)
    return {**fixed, "native_content": {"wire": WIRE, "content": parts}}


def _thoughts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value if isinstance(value, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]


def _call(position: int, call: Any, *, whole: bool) -> Any:
    if not isinstance(call, dict):
        return call
    fixed = {"type": "function", **call} if whole else dict(call)
    if whole and fixed.get("id") is None:
        fixed["id"] = ""
    if whole and fixed["type"] is None:
        fixed["type"] = "function"
    if not whole and fixed.get("index") is None:
        fixed["index"] = -1 - position  # which one it is, is known to who sees the whole stream
    function = fixed.get("function")
    if isinstance(function, dict):
        arguments = function.get("arguments")
        if arguments is None:
            arguments = "" if whole or "arguments" in function else None
        elif not isinstance(arguments, str):
            arguments = _json_text(arguments)
        fixed["function"] = {**function, "arguments": arguments}
    return fixed


def _json_text(value: Any) -> str:
    try:
        return dump_json(value).decode()
    except (ValueError, RecursionError):
        return "{}"


def _tokens(value: Any) -> Any:
    """Log probabilities whose bytes are base64, or which say nothing of a token but its text."""
    if not isinstance(value, list):
        return value
    return [_token(token) if isinstance(token, dict) else token for token in value]


def _token(token: dict[str, Any]) -> dict[str, Any]:
    fixed = {"token": "", **token}
    if fixed.get("logprob") is None:
        fixed["logprob"] = 0.0
    if isinstance(fixed.get("bytes"), str):
        try:
            fixed["bytes"] = list(b64decode(fixed["bytes"], validate=True))
        except (Error, ValueError):
            fixed["bytes"] = None
    if "top_logprobs" in fixed:
        fixed["top_logprobs"] = _tokens(fixed["top_logprobs"])
    return fixed
