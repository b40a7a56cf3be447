"""Our request → a body of `POST /v2/chat`.

Parameters of the vendor's own (`documents`, `citation_options`, `safety_mode`, `thinking`, `k`, `priority`, …) come
with `extra_body` and win.

https://docs.cohere.com/v2/reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.cohere.messages import encode_messages
from edgeagent.providers.cohere.tools import encode_choice, encode_format, encode_tools
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["BUDGETS", "encode_request", "reasons"]

_SAME: Final = ("temperature", "seed", "frequency_penalty", "presence_penalty", "logprobs")
_ADVISORY: Final = (
    *("user", "safety_identifier", "store", "verbosity", "metadata", "service_tier", "prediction"),
    *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
)
_UNFIT: Final[Mapping[str, str]] = {
    "logit_bias": "takes no bias of single tokens",
    "top_logprobs": "tells no alternatives to a token",
    "audio": "does not speak",
    "web_search_options": "does not search the web",
    "moderation": "moderates no answers",
}
BUDGETS: Final[Mapping[str, int | None]] = {
    "minimal": 512,
    "low": 1024,
    "medium": 4096,
    "high": None,
    "xhigh": None,
    "max": None,
}
"""Tokens of thinking for an effort; None: as many as the model wants. Cohere documents a budget and no efforts
(https://docs.cohere.com/v2/docs/reasoning): the numbers are chosen here."""

_PLAIN: Final = ("command-a-03", "command-a-vision", "command-a-translate", "command-r", "command-light", "command-n")
_LEAST_P, _MOST_P = 0.01, 0.99
_HINT: Final = "cache_control"


def reasons(model: str) -> bool:
    """Whether the model can think, as far as it is known; an unknown one can."""
    return model != "command" and not model.startswith(_PLAIN)


def encode_request(request: ChatRequest, *, model: str, stream: bool) -> Encoded:
    """Our request → the body for `model`. Raises `RequestValidationError` for what this vendor has not."""
    _refuse_unfit(request)
    notes = Notes()
    extra = dict(request.model_extra or {})
    if extra.pop(_HINT, None) is not None:
        notes.drop(_HINT)
    tools, strict_tools = encode_tools(request, notes)
    beside = "tools" if tools else "documents" if extra.get("documents") else None
    body: dict[str, Any] = {"model": model, "messages": encode_messages(request.messages, notes)}
    body.update({name: value for name in _SAME if (value := getattr(request, name)) is not None})
    if request.max_completion_tokens is not None and request.max_tokens is not None:
        notes.drop("max_tokens")
    if request.parallel_tool_calls is False:
        notes.drop("parallel_tool_calls")
    values = {
        "stream": True if stream else None,
        "max_tokens": request.output_limit,
        "stop_sequences": _stop(request.stop) or None,
        "p": _top_p(request.top_p, notes),
        "tools": tools or None,
        "strict_tools": strict_tools,
        "tool_choice": encode_choice(request, tools),
        "response_format": encode_format(request.response_format, beside=beside, notes=notes),
        "thinking": None if "thinking" in extra else _thinking(request.reasoning_effort, model, notes),
    }
    body.update({name: value for name, value in values.items() if value is not None})
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
    body.update(extra)
    return notes.encoded(body)


def _refuse_unfit(request: ChatRequest) -> None:
    for name, reason in _UNFIT.items():
        value = getattr(request, name)
        if value is not None and (value or name not in ("logit_bias", "top_logprobs")):  # empty: it asks for nothing
            _refuse(f"Cohere {reason}", name)
    if request.n not in (None, 1):
        _refuse("Cohere gives one answer to a request", "n")
    if request.modalities not in (None, [], ["text"]):
        _refuse("Cohere answers with text only", "modalities")
    for name in ("frequency_penalty", "presence_penalty"):
        value = getattr(request, name)
        if value is not None and not 0 <= value <= 1:
            _refuse(f"must be between 0 and 1 for Cohere; got {value}", name)
    if request.temperature is not None and request.temperature < 0:
        _refuse("must not be negative", "temperature")


def _stop(stop: str | list[str] | None) -> list[str]:
    sequences = [stop] if isinstance(stop, str) else list(stop or ())
    if len(sequences) > 5:
        _refuse("Cohere takes at most 5 sequences", "stop")
    return sequences


def _top_p(top_p: float | None, notes: Notes) -> float | None:
    if top_p is None:
        return None
    if not 0 <= top_p <= 1:
        _refuse(f"must be between 0 and 1; got {top_p}", "top_p")
    sent = min(max(top_p, _LEAST_P), _MOST_P)
    if sent != top_p:
        notes.edit(f"top_p is sent as {sent}: the vendor takes values from {_LEAST_P} to {_MOST_P}.")
    return sent


def _thinking(effort: str | None, model: str, notes: Notes) -> dict[str, Any] | None:
    if effort is None:
        return None
    if effort != "none" and effort not in BUDGETS:
        _refuse("is none of the documented values", "reasoning_effort")
    if not reasons(model):
        if effort != "none":
            notes.drop("reasoning_effort")
        return None
    if effort == "none":
        return {"type": "disabled"}
    budget = BUDGETS[effort]
    return {"type": "enabled", **({"token_budget": budget} if budget is not None else {})}


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
