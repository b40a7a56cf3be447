"""Our completion → a response object, as OpenAI's own SDK reads it.

An answer that came from this API keeps its items; any other is said in items of our making, whose ids are derived from
the completion's and the calls'. The API has one answer, so that of several choices the first is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from edgeagent.providers.responses.items import CALLS, WIRE, native_items, status_of_last
from edgeagent.providers.responses.sealed import sealed_item
from edgeagent.providers.responses.usage import encode_usage
from edgeagent.types import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageToolCall, Choice, ChoiceLogprobs

__all__ = [
    "NOTHING",
    "NULLS",
    "call_item",
    "flat_annotations",
    "item_id",
    "items_of",
    "logprobs_of",
    "response_of",
    "state_of",
]

_STATUSES: Final = frozenset({"cancelled", "completed", "in_progress", "incomplete", "queued"})
_INCOMPLETE: Final[Mapping[str, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}

_OWN: Final = frozenset(
    {"created_at", "error", "id", "incomplete_details", "model", "object", "output", "status", "usage"}
)
"""Fields that say what the completion says, whatever another vendor means by the name."""

NOTHING: Final[Mapping[str, Any]] = {}

NULLS: Final = ("error", "incomplete_details", "instructions", "metadata", "temperature", "top_p")
"""Fields that a response always has, and that are null where nothing is known."""


def response_of(completion: ChatCompletion, echo: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """The body of a 200 answer of `POST /responses`; `echo` is what it repeats of the request."""
    choice = completion.choices[0] if completion.choices else None
    status, reason = state_of(choice)
    body: dict[str, Any] = {
        "id": completion.id,
        "object": "response",
        "created_at": completion.created,
        "status": status,
        **dict.fromkeys(NULLS),
        "model": completion.model,
        "output": items_of(choice, completion.id) if choice is not None else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **echo,
        **{name: value for name, value in (completion.model_extra or {}).items() if _is_told(name, value)},
    }
    if completion.usage is not None:
        body["usage"] = encode_usage(completion.usage)
    if reason is not None:
        body["incomplete_details"] = {"reason": reason}
    for name in ("metadata", "moderation", "service_tier"):
        if getattr(completion, name) is not None:
            body[name] = getattr(completion, name)
    return body


def _is_told(name: str, value: Any) -> bool:
    """Whether a field that the unified model does not know is a response's: a `prompt` here is one that is stored."""
    return name not in _OWN and (name != "prompt" or value is None or (isinstance(value, Mapping) and "id" in value))


def state_of(choice: Choice | None) -> tuple[str, str | None]:
    """`status`, and the reason of `incomplete_details`. The vendor's own word counts where it is one of this API's."""
    if choice is None:
        return "completed", None
    native = choice.native_finish_reason
    if choice.finish_reason in _INCOMPLETE:
        known = native in _INCOMPLETE.values()
        return "incomplete", native if known else _INCOMPLETE[str(choice.finish_reason)]
    if choice.finish_reason is None:
        return (native if native in _STATUSES else "in_progress") or "in_progress", None
    return "completed", None


def items_of(choice: Choice, response_id: str) -> list[dict[str, Any]]:
    """The output items of an answer: the vendor's own, else made of what the message says."""
    message = choice.message
    native = native_items(message.model_dump(mode="json", exclude_none=True)) if message.native_content else None
    if native is not None:
        return [dict(item) for item in native]
    items: list[dict[str, Any]] = []
    if message.reasoning_content:
        summary = [{"type": "summary_text", "text": message.reasoning_content}]
        items.append({"id": item_id("rs", response_id, 0), "type": "reasoning", "summary": summary})
    calls = list(_calls(message, response_id))
    cut = choice.finish_reason in _INCOMPLETE
    if cut and calls:
        calls[-1]["status"] = status_of_last(calls[-1])
    parts = list(_parts(choice))
    if parts or not calls:
        status = "incomplete" if cut and not (calls and calls[-1]["status"] == "incomplete") else "completed"
        made = {"id": item_id("msg", response_id, len(items)), "type": "message", "status": status}
        items.append({**made, "role": "assistant", "content": parts})
    if not message.content and not calls and not parts and choice.finish_reason is None:
        items.pop()  # nothing has come yet
    items += calls
    if message.native_content and message.native_content.get("wire") != WIRE:
        items.append(sealed_item(message.native_content, item_id("rs", response_id, len(items))))
    return items


def _parts(choice: Choice) -> Iterable[dict[str, Any]]:
    message = choice.message
    text = message.content
    if not text and message.audio is not None:
        text = message.audio.transcript
    if text or (text == "" and not message.refusal and not message.tool_calls):
        notes = flat_annotations(message.annotations or ())
        yield {"type": "output_text", "text": text, "annotations": notes, "logprobs": logprobs_of(choice.logprobs)}
    if message.refusal:
        yield {"type": "refusal", "refusal": message.refusal}


def flat_annotations(annotations: Iterable[Any], start: int = 0) -> list[dict[str, Any]]:
    """Chat's annotations as a text part has them; `start` is where its text begins in the joined text."""
    found = []
    for annotation in annotations:
        note = annotation.model_dump(mode="json", exclude_none=True)
        kind = note.get("type")
        fields = note.get(kind)
        flat = {"type": kind, **fields} if isinstance(fields, Mapping) else note
        for name in ("start_index", "end_index"):
            if isinstance(flat.get(name), int):
                flat[name] -= start
        found.append(flat)
    return found


def logprobs_of(logprobs: ChoiceLogprobs | None) -> list[dict[str, Any]]:
    """Chat's log probabilities of the content as a text part has them: bytes and alternatives are always lists."""
    found = []
    for token in (logprobs.content if logprobs is not None else None) or ():
        entry = token.model_dump(mode="json", exclude_none=True)
        tops = [{"bytes": [], **top} for top in entry.get("top_logprobs") or ()]
        found.append({"bytes": [], **entry, "top_logprobs": tops})
    return found


def _calls(message: ChatCompletionMessage, response_id: str) -> Iterable[dict[str, Any]]:
    for call in message.tool_calls or ():
        yield call_item(call, response_id)
    if message.function_call is not None:
        old = message.function_call
        made = {"id": "function_1", "function": {"name": old.name, "arguments": old.arguments}}
        yield call_item(ChatCompletionMessageToolCall.model_validate(made), response_id)


def call_item(call: ChatCompletionMessageToolCall, response_id: str) -> dict[str, Any]:
    """A tool call as an item."""
    kind = "custom_tool_call" if call.custom is not None else "function_call"
    body: Any = call.custom if call.custom is not None else call.function
    given = CALLS[kind][1]
    item = {"id": item_id("ctc" if call.custom is not None else "fc", call.id or response_id), "type": kind}
    name, value = (body.name, getattr(body, given)) if body is not None else ("", "")
    return {**item, "status": "completed", "call_id": call.id, "name": name, given: value}


def item_id(prefix: str, base: str, place: int | None = None) -> str:
    """An item's id: the kind's prefix, and what makes it its own."""
    rest = base.removeprefix("resp_").removeprefix("call_").removeprefix("chatcmpl-")
    return f"{prefix}_{rest}" if place is None else f"{prefix}_{rest}_{place}"
