"""What a recorded answer of OpenAI's shape says, read by plain dict code that knows nothing of the codec.

`Said` is what a caller wants to know of one choice. The rules are those of the documentation: no arguments are `{}`; a
finish reason that is missing, empty or contradicted by the answer is the one that the answer shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edgeagent.types import ChatCompletion

__all__ = ["Said", "read_completion", "read_events", "read_whole", "usage_of", "usage_told"]

JSON = Any

FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}


@dataclass
class Said:
    """One choice."""

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    finish: str | None = None


def _arguments(value: JSON) -> str:
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return "{}" if value is None or value.strip() in ("", "null") else value


def _text(content: JSON) -> tuple[str, str]:
    """Text and reasoning of a content, which may be in parts."""
    if not isinstance(content, list):
        return content or "", ""
    text = "".join(part.get("text", "") for part in content if part["type"] == "text")
    thoughts = [t["text"] for part in content if part["type"] == "thinking" for t in part["thinking"]]
    return text, "".join(thoughts)


def _finish(told: str | None, calls: bool, function: bool = False) -> str:
    if not told:
        return "tool_calls" if calls else "function_call" if function else "stop"
    if told == "tool_calls" and not calls:
        return "stop"
    return FINISH.get(told, "stop")


def _apart(said: Said, think: bool) -> Said:
    """Reasoning in tags at the beginning of the text, where the server is known for it."""
    found = re.match(r"\s*<think>\s*(.*?)(?:</think>\s*|$)", said.text, re.DOTALL) if think else None
    if found is not None:
        said.text, said.reasoning = said.text[found.end() :], said.reasoning + found[1]
    return said


def read_whole(body: JSON, *, think: bool = False) -> list[Said]:
    """The choices of a whole answer."""
    found = []
    for choice in body["choices"]:
        message = choice["message"]
        text, thoughts = _text(message.get("content"))
        thoughts = thoughts or message.get("reasoning_content") or message.get("reasoning") or ""
        calls = [
            (call["function"]["name"], _arguments(call["function"].get("arguments")))
            for call in message.get("tool_calls") or ()
        ]
        found.append(_apart(Said(text, thoughts, calls, _finish(choice.get("finish_reason"), bool(calls))), think))
    return found


def read_events(documents: Iterable[JSON], *, think: bool = False) -> list[Said]:
    """The choices that the events of a stream say."""
    said: dict[int, Said] = {}
    calls: dict[int, list[dict[str, str]]] = {}
    told: dict[int, str] = {}
    for document in documents:
        for position, choice in enumerate(document.get("choices") or ()):
            index = choice.get("index", position)
            one = said.setdefault(index, Said())
            delta = choice.get("delta") or {}
            text, thoughts = _text(delta.get("content"))
            one.text += text
            one.reasoning += thoughts or delta.get("reasoning_content") or delta.get("reasoning") or ""
            for call in delta.get("tool_calls") or ():
                _add(calls.setdefault(index, []), call)
            if choice.get("finish_reason"):
                told[index] = choice["finish_reason"]
    for index, one in said.items():
        one.calls = [(call["name"], _arguments(call["arguments"])) for call in calls.get(index, ())]
        one.finish = _finish(told.get(index), bool(one.calls))
    return [_apart(said[index], think) for index in sorted(said)]


def _add(known: list[dict[str, str]], call: JSON) -> None:
    function = call.get("function") or {}
    place = call.get("index")
    if place is None or place < 0:
        place = len(known) if call.get("id") or function.get("name") else len(known) - 1
    while len(known) <= place:
        known.append({"name": "", "arguments": ""})
    if function.get("name") and function["name"] != known[place]["name"]:
        known[place]["name"] += function["name"]
    value = function.get("arguments")
    known[place]["arguments"] += _arguments(value) if isinstance(value, dict) else value or ""


def read_completion(completion: ChatCompletion) -> list[Said]:
    """The same of a completion object."""
    found = []
    for choice in completion.choices:
        message = choice.message
        calls = [(c.function.name, c.function.arguments) for c in message.tool_calls or () if c.function is not None]
        found.append(Said(message.content or "", message.reasoning_content or "", calls, choice.finish_reason))
    return found


def usage_told(usage: JSON) -> tuple[int, int] | None:
    """Input and output tokens, reasoning among the output; None where nothing is told."""
    if not usage:
        return None
    inputs, outputs = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    if reasoning and usage.get("total_tokens") == inputs + outputs + reasoning:
        outputs += reasoning
    return inputs, outputs


def usage_of(completion: ChatCompletion) -> tuple[int, int] | None:
    """The same of a completion object."""
    usage = completion.usage
    return None if usage is None else (usage.prompt_tokens, usage.completion_tokens)
