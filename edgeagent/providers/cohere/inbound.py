"""A body of `POST /v2/chat` → our request: the inverse of `request`.

What has no OpenAI-shaped place is kept: parameters as extra ones under their own names, an assistant's blocks, plan and
citations in `native_content`, documents of a tool's result as parts of their own type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.cohere.blocks import message_of
from edgeagent.providers.cohere.request import BUDGETS
from edgeagent.providers.events import UnexpectedFormError
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY

__all__ = ["decode_request"]

_RENAMED: Final[Mapping[str, str]] = {"p": "top_p", "stop_sequences": "stop"}
_NAMES: Final[Mapping[str, str]] = {ours: theirs for theirs, ours in _RENAMED.items()}


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """The vendor's body → our request. Raises `RequestValidationError`, `.param` naming the vendor's field."""
    for name in NOT_IN_BODY & body.keys():
        _refuse("is no field of the body", name)
    values = {_RENAMED.get(name, name): value for name, value in body.items() if value is not None}
    messages = _list(body.get("messages"), "messages")
    values["messages"] = [_message(message, f"messages.{i}") for i, message in enumerate(messages)]
    if not values.get("stop"):
        values.pop("stop", None)
    strict = values.pop("strict_tools", None)
    if tools := _list(values.pop("tools", None) or [], "tools"):
        values["tools"] = [_tool(tool, strict is True, f"tools.{i}") for i, tool in enumerate(tools)]
    choice = values.get("tool_choice")
    if isinstance(choice, str):
        values["tool_choice"] = choice.lower()
    if "response_format" in values:
        values["response_format"] = _format(_object(values["response_format"], "response_format"))
    thinking = values.get("thinking")
    if isinstance(thinking, Mapping):
        values["reasoning_effort"] = _effort(thinking)
    try:
        return ChatRequest.model_validate(values)
    except ValidationError as error:
        where, reason = first_fault(error)
        head = where.partition("[")[0]
        where = where.replace(head, _NAMES.get(head, head), 1)
        raise RequestValidationError(f"{where}: {reason}.", param=where) from None


def _tool(tool: Any, strict: bool, where: str) -> dict[str, Any]:
    fields = dict(_object(tool, where))
    function = fields.get("function")
    if strict and isinstance(function, Mapping):
        fields["function"] = {**function, "strict": True}
    return {"type": "function", **fields}


def _format(form: Mapping[str, Any]) -> dict[str, Any]:
    schema = form.get("json_schema", form.get("schema"))
    if form.get("type") in ("json_object", "json_schema") and isinstance(schema, Mapping):
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema)}}
    return dict(form)


def _effort(thinking: Mapping[str, Any]) -> str:
    """For other vendors: the least effort whose budget this is."""
    if thinking.get("type") == "disabled":
        return "none"
    budget = thinking.get("token_budget")
    if not isinstance(budget, int):
        return "high"
    return next((name for name, tokens in BUDGETS.items() if tokens is not None and budget <= tokens), "high")


def _message(value: Any, where: str) -> dict[str, Any]:
    message = {name: item for name, item in _object(value, where).items() if item is not None}
    role = message.get("role")
    if role not in ("system", "user", "assistant", "tool"):
        _refuse("is none of system, user, assistant, tool", f"{where}.role")
    content = message.get("content")
    if role == "assistant":
        return _assistant(message, where)
    if isinstance(content, list):
        message["content"] = [_part(part, f"{where}.content.{i}") for i, part in enumerate(content)]
    elif content is not None and not isinstance(content, str):
        _refuse("is neither text nor a list", f"{where}.content")
    return message


def _assistant(message: dict[str, Any], where: str) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, str):
        message["content"] = [{"type": "text", "text": content}] if content else []
    try:
        return message_of(message)
    except (UnexpectedFormError, ValueError) as error:
        raise RequestValidationError(f"{where}: {error}.", param=where) from None


def _part(part: Any, where: str) -> dict[str, Any]:
    fields = dict(_object(part, where))
    if not isinstance(fields.get("type"), str):
        _refuse("is missing", f"{where}.type")
    return fields


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse("is not an object", where)
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse("is not a list", where)
    return value


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
