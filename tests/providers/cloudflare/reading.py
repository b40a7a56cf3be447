"""What Workers AI's answers and requests say, read in the simplest way and without any of the codec."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from tests.support.judge import documents

__all__ = ["lost", "normal_envelope", "result_of", "result_of_events"]

JSON = dict[str, Any]


def result_of(body: bytes) -> JSON:
    """The result of a whole answer."""
    result: JSON = json.loads(body)["result"]
    return result


def result_of_events(text: str) -> JSON:
    """The result that the events of a stream are, unstreamed."""
    result: JSON = {"response": ""}
    calls: dict[int, JSON] = {}
    for event in documents(text):
        value = event.get("response")
        if value is not None:
            result["response"] += value if isinstance(value, str) else json.dumps(value)
        for fragment in event.get("tool_calls") or []:
            call = calls.setdefault(fragment["index"], {"function": {"name": "", "arguments": ""}})
            call.update({k: v for k, v in fragment.items() if k in ("id", "type")})
            for name, piece in fragment["function"].items():
                call["function"][name] += piece
        if "usage" in event:
            result["usage"] = event["usage"]
    if calls:
        result["tool_calls"] = [calls[index] for index in sorted(calls)]
    return result


def lost(completion: JSON, result: JSON, limit: int | None = None) -> list[str]:
    """What of the result the completion does not say; `limit` tokens were asked for at most."""
    (choice,) = completion["choices"]
    message, faults = choice["message"], []
    told = result.get("response")
    content = message.get("content") or ""
    if content != (told or "") and (isinstance(told, str) or json.loads(content) != told):
        faults.append("content")
    calls = result.get("tool_calls") or []
    wanted = [call.get("function") or call for call in calls]
    found = message.get("tool_calls") or []
    if [(f["name"], value(f["arguments"])) for f in wanted] != [
        (c["function"]["name"], value(c["function"]["arguments"])) for c in found
    ]:
        faults.append("tool_calls")
    ids = [call["id"] for call in found]
    if not all(ids) or len(set(ids)) < len(ids):
        faults.append("ids")
    if any(call.get("id") not in (None, i) for call, i in zip(calls, ids, strict=False)):
        faults.append("ids changed")
    usage = result.get("usage")
    if usage is not None and any(completion["usage"].get(k) != v for k, v in usage.items()):
        faults.append("usage")
    if usage is None and completion.get("usage") is not None:
        faults.append("usage from nowhere")
    cut = limit is not None and usage is not None and usage["completion_tokens"] >= limit
    if choice["finish_reason"] != ("tool_calls" if calls else "length" if cut else "stop"):
        faults.append("finish")
    return faults


def value(arguments: Any) -> Any:
    """Arguments as a value, whether they came as one or as text."""
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def normal_envelope(envelope: JSON) -> JSON:
    """An answer in the form in which equivalent ones are equal.

    Equivalent: no `response` and a null one; no tool calls and an empty list; a JSON value and the text that it is.
    """
    result = {k: v for k, v in envelope["result"].items() if v is not None and v != []}
    if isinstance(result.get("response"), str):
        with contextlib.suppress(ValueError):
            result["response"] = json.loads(result["response"])
    return {**envelope, "result": result}
