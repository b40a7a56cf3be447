"""What observers are told of a call with a shield: what is masked, and nothing before it is masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.core.call import Call
from edgeagent.shield.walk import LEAST_NUMBER
from edgeagent.telemetry.base import CallStarted
from edgeagent.types import ChatCompletion
from edgeagent.types.completion import ChatCompletionMessage, Choice

__all__ = ["ShieldedStart", "bare_request", "told", "withheld"]


class ShieldedStart(CallStarted):
    """The beginning of a call with a shield: its request is told without any text until it is masked."""

    __slots__ = ()

    @classmethod
    def of(cls, call: Call[Any], operation: str, *, stream: bool) -> ShieldedStart:
        """The event of a call that begins; the call stands in the place of the request."""
        hidden: Any = call
        return cls(operation, hidden, stream, call.options.tags)

    @property
    def request(self) -> Any:
        """The masked request; before it is masked, one without texts."""
        call: Any = self[1]
        shielding = call.shielding
        raw = shielding is None or call.request is shielding.asked
        return bare_request(call.request) if raw else _without_fields(call.request)


_TOLD: Final = frozenset({"model", "service_tier", "reasoning_effort", "verbosity", "encoding_format", "input_type"})
_REQUIRED: Final[Mapping[str, Any]] = {"messages": [], "input": "", "query": "", "documents": []}


def _without_fields(request: Any) -> Any:
    """A masked request without header fields and query parameters, which are sent as the caller wrote them."""
    beside = [name for name in ("extra_headers", "extra_query") if getattr(request, name, None)]
    return request.model_copy(update=dict.fromkeys(beside)) if beside else request


def _is_setting(value: Any, known: bool) -> bool:
    """Whether it is a number that is sent as it is: in a field that only a vendor knows, a large one may be masked."""
    return isinstance(value, bool | int | float) and (known or abs(value) < LEAST_NUMBER)


def bare_request(request: Any) -> Any:
    """A request with its numbers and without its texts."""
    values = {
        name: value
        for name, value in {**request.__dict__, **(request.model_extra or {})}.items()
        if name in _TOLD or _is_setting(value, name in request.__dict__)
    }
    kind = type(request)
    required = {name: value for name, value in _REQUIRED.items() if name in kind.model_fields}
    return kind.model_construct(**required, **values)


def told(call: Call[Any], completion: Any) -> Any:
    """The answer as observers may see it."""
    if completion is None:
        return None
    shielding = call.shielding
    if shielding is None:
        return withheld(completion)
    if shielding.answer is not None:
        return shielding.answer
    return withheld(completion) if shielding.restorer else completion


def withheld(completion: Any) -> Any:
    """An answer without its texts: from memory, it comes restored."""
    if not isinstance(completion, ChatCompletion):
        return completion
    choices = [
        Choice(
            index=choice.index,
            message=ChatCompletionMessage(role=choice.message.role),
            finish_reason=choice.finish_reason,
            native_finish_reason=choice.native_finish_reason,
        )
        for choice in completion.choices
    ]
    names = ("id", "created", "model", "service_tier", "system_fingerprint", "usage")
    return ChatCompletion(choices=choices, **{name: getattr(completion, name) for name in names})
