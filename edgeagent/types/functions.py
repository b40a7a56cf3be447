"""OpenAI's older `functions`, for vendors that have only tools: a request made modern, its answer made old again.

`functions` and `function_call` came before `tools` and `tool_choice` and say the same with less: one call at a time,
without an id (https://platform.openai.com/docs/api-reference/chat/create#chat_create-functions, deprecated there).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgeagent.types.chunk import ChatCompletionChunk, ChoiceDelta, ChoiceDeltaFunctionCall
from edgeagent.types.completion import ChatCompletion, FunctionCall
from edgeagent.types.request import ChatRequest

__all__ = ["chunk_with_function_call", "modernised", "speaks_of_functions", "with_function_call"]


def speaks_of_functions(request: ChatRequest) -> bool:
    """Whether anything in the request is in the older form."""
    if request.functions:
        return True
    return any(message.get("role") == "function" or message.get("function_call") for message in request.messages)


def modernised(request: ChatRequest) -> ChatRequest:
    """The same request with tools instead of functions; one call at a time, as the older form means it."""
    changes: dict[str, Any] = {"functions": None, "function_call": None, "messages": _messages(request.messages)}
    if request.functions:
        tools = [{"type": "function", "function": function} for function in request.functions]
        changes["tools"] = [*(request.tools or ()), *tools]
        if request.parallel_tool_calls is None:
            changes["parallel_tool_calls"] = False
    choice = request.function_call
    if choice is not None and request.tool_choice is None:
        changes["tool_choice"] = choice if isinstance(choice, str) else {"type": "function", "function": choice}
    return request.model_copy(update=changes)


def _messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each function call gets an id, and the next function message of its name refers to it."""
    result: list[dict[str, Any]] = []
    ids: dict[str, str] = {}
    for number, message in enumerate(messages):
        call = message.get("function_call")
        if isinstance(call, Mapping) and isinstance(call.get("name"), str):
            name: str = call["name"]
            ids[name] = next(_ids(message.get("native_content"), name), f"function_{number}")
            made = {"id": ids[name], "type": "function", "function": dict(call)}
            rest = {field: value for field, value in message.items() if field != "function_call"}
            result.append({**rest, "tool_calls": [made, *(message.get("tool_calls") or ())]})
        elif message.get("role") == "function":
            name = str(message.get("name"))
            rest = {field: value for field, value in message.items() if field not in ("role", "name")}
            result.append({"role": "tool", "tool_call_id": ids.pop(name, name), **rest})
        else:
            result.append(message)
    return result


def _ids(value: Any, name: str) -> Iterator[str]:
    """The ids by which a vendor's own blocks call the function: a codec of their wire sends those, and not ours."""
    if isinstance(value, Mapping):
        if value.get("name") == name:
            yield from (value[key] for key in ("call_id", "toolUseId", "id") if isinstance(value.get(key), str))
        for item in value.values():
            yield from _ids(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item, name)


def with_function_call(completion: ChatCompletion) -> ChatCompletion:
    """The answer to a modernised request, in place: the first tool call of each choice becomes its `function_call`."""
    for choice in completion.choices:
        message = choice.message
        first = message.tool_calls[0] if message.tool_calls else None
        if first is None or first.function is None:
            continue
        message.function_call = FunctionCall(name=first.function.name, arguments=first.function.arguments)
        message.tool_calls = (message.tool_calls or [])[1:] or None
        if choice.finish_reason == "tool_calls":
            choice.finish_reason = "function_call"
    return completion


def chunk_with_function_call(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """The same for one chunk, in place."""
    for choice in chunk.choices:
        _in_delta(choice.delta)
        if choice.finish_reason == "tool_calls":
            choice.finish_reason = "function_call"
    return chunk


def _in_delta(delta: ChoiceDelta) -> None:
    calls = delta.tool_calls or []
    first = next((call for call in calls if call.index == 0 and call.function is not None), None)
    if first is None or first.function is None:
        return
    function = first.function
    delta.function_call = ChoiceDeltaFunctionCall(name=function.name, arguments=function.arguments)
    delta.tool_calls = [call for call in calls if call is not first] or None
