"""A body of `POST /responses` → our request.

The inverse of `request`: encoding the result for the same model gives an equivalent body. Parameters that chat does not
have are kept as extra ones under their own names (`previous_response_id`, `truncation`, `include`, the rest of
`reasoning` and of `text`). What this API does where nothing is said (it stores the answer, functions are strict) is
said, since chat does otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.responses.conversation import decode_input
from edgeagent.providers.responses.request import ENCRYPTED, LOGPROBS, SAME, STATEFUL
from edgeagent.providers.responses.tools import decode_choice, decode_format, decode_tool
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY

__all__ = ["decode_request"]

_READ: Final = frozenset(
    {
        *("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "max_output_tokens"),
        *("include", "store", "stream", "stream_options"),
        *SAME,
    }
)
_SAME: Final = frozenset(SAME)
_ALSO: Final = frozenset({"frequency_penalty", "logit_bias", "presence_penalty", "seed", "stop"})
"""Parameters of chat's that some servers of this API take too, with the same meaning."""
_OTHERS: Final = (NOT_IN_BODY | ChatRequest.model_fields.keys()) - _READ - _ALSO
"""Fields of our request that are none of this API's."""


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """The vendor's body → our request. Raises `RequestValidationError`, `.param` naming the vendor's field."""
    for name in body:
        if name in _OTHERS:
            _refuse("is no field of the body", name)
    values: dict[str, Any] = {name: value for name, value in body.items() if name not in _READ and value is not None}
    values.update({name: value for name, value in body.items() if value is not None and name in _SAME})
    stateful = any(value and name in STATEFUL for name, value in body.items())
    values["model"] = body.get("model") or ("" if body.get("prompt") else None)
    values["max_completion_tokens"] = body.get("max_output_tokens")
    values["store"] = body.get("store")
    if values["store"] is None and not stateful:
        values["store"] = True
    messages = decode_input(body.get("input"))
    instructions = body.get("instructions")
    if isinstance(instructions, str) and instructions and not stateful:
        messages.insert(0, {"role": "system", "content": instructions})
    elif instructions is not None:
        values["instructions"] = instructions
    values["messages"] = messages
    if body.get("stream") is not None:
        values["stream"] = body["stream"]
    values["stream_options"] = body.get("stream_options")
    if body.get("tools") is not None:
        tools = _list(body["tools"], "tools")
        values["tools"] = [decode_tool(_object(tool, f"tools[{i}]")) for i, tool in enumerate(tools)] or None
    values["tool_choice"] = decode_choice(body.get("tool_choice"))
    _text(body, values)
    _reasoning(body, values)
    _include(body, values)
    try:
        return ChatRequest.model_validate(values)
    except ValidationError as error:
        where, reason = first_fault(error)
        where = where.replace("max_completion_tokens", "max_output_tokens", 1)
        raise RequestValidationError(f"{where}: {reason}.", param=where) from None


def _text(body: Mapping[str, Any], values: dict[str, Any]) -> None:
    if body.get("text") is None:
        return
    text = dict(_object(body["text"], "text"))
    form = text.pop("format", None)
    if form is not None:
        values["response_format"] = decode_format(_object(form, "text.format"))
    values["verbosity"] = text.pop("verbosity", None)
    if text:
        values["text"] = text


def _reasoning(body: Mapping[str, Any], values: dict[str, Any]) -> None:
    if body.get("reasoning") is None:
        return
    reasoning = dict(_object(body["reasoning"], "reasoning"))
    values["reasoning_effort"] = reasoning.pop("effort", None)
    if reasoning := {name: value for name, value in reasoning.items() if value is not None}:
        values["reasoning"] = reasoning


def _include(body: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Log probabilities are a parameter of chat; encrypted reasoning is asked for where nothing is stored."""
    include = [str(name) for name in _list(body.get("include") or [], "include")]
    if LOGPROBS in include:
        values["logprobs"] = True
    implied = {LOGPROBS, ENCRYPTED} if values["store"] is False else {LOGPROBS}
    if rest := [name for name in include if name not in implied]:
        values["include"] = rest


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse("is no list", where)
    return value


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse("is no object", where)
    return value


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
