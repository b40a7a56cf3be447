"""Structured answers: a Python type → what is asked for, and the answer → an instance of it.

`.parse()` and `.stream()` share these. The request that they make is one that `create()` takes too: a type becomes an
ordinary `response_format`, so that both have the same cache entry.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import from_json
from typing_extensions import is_typeddict

from edgeagent.core.requests import given
from edgeagent.errors import ContentFilterFinishReasonError, LengthFinishReasonError, RequestValidationError
from edgeagent.resources.hidden_input import without_input
from edgeagent.resources.strict_schema import strict_schema
from edgeagent.types.completion import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageToolCall, Choice
from edgeagent.types.left_out import Omit, omit
from edgeagent.types.parsed import (
    ParsedChatCompletion,
    ParsedChatCompletionMessage,
    ParsedChoice,
    ParsedFunction,
    ParsedFunctionToolCall,
)

if TYPE_CHECKING:
    from edgeagent.types._model import Model

__all__ = ["FunctionTool", "Structure", "model_of", "pydantic_function_tool", "pydantic_responses_function_tool"]


class FunctionTool(dict[str, Any]):
    """The definition of a function, which remembers the model that its arguments are."""

    def __init__(self, definition: Mapping[str, Any], model: type[BaseModel]) -> None:
        super().__init__(definition)
        self.model = model


def model_of(definition: object) -> type[BaseModel] | None:
    """The model that a function's arguments are, if its definition remembers one: ours, or the openai package's."""
    model = getattr(definition, "model", None)
    return model if inspect.isclass(model) and issubclass(model, BaseModel) else None


def pydantic_function_tool(
    model: type[BaseModel], *, name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """A tool whose arguments are the fields of a pydantic model, for `tools=[…]`.

    Args:
        model: what `.parse()` and `.stream()` make of the arguments of a call.
        name: of the tool; default: the class's.
        description: of the tool; default: the class's docstring.
    """
    definition = {"name": name or model.__name__, "strict": True, "parameters": _schema_of(model)}
    description = model.__doc__ if description is None else description
    if description is not None:
        definition["description"] = description
    return {"type": "function", "function": FunctionTool(definition, model)}


def pydantic_responses_function_tool(
    model: type[BaseModel],
    *,
    name: str | None = None,
    description: str | None = None,
    defer_loading: bool | Omit = omit,
) -> dict[str, Any]:
    """The same in the form that `client.responses` has, which takes the other one, too.

    Args:
        model, name, description: as of `pydantic_function_tool`.
        defer_loading: whether the tool is found by a tool that searches for tools.
    """
    function = pydantic_function_tool(model, name=name, description=description)["function"]
    later = {"defer_loading": defer_loading} if given(defer_loading) else {}
    return FunctionTool({"type": "function", **function, **later}, model)


class Structure:
    """What one call wants to have read: the type of its content, the models of its tools.

    Args:
        response_format: a pydantic model, a dataclass, a TypedDict, or a `response_format` as `create()` takes it, with
            which nothing is read.
        tools: as `create()` takes them.
        strict_tools: whether a tool that cannot be read is an error.
        hides: whether the errors of what is no such answer leave out its values.

    Raises:
        RequestValidationError: a type that is none of these; a tool that is no strict function.
    """

    def __init__(self, response_format: Any, tools: Any, *, strict_tools: bool, hides: bool = False) -> None:
        self.type, self.param = _format(response_format)
        self._hides = hides
        self.tools = _listed(tools)
        if strict_tools:
            for number, tool in enumerate(self.tools or ()):
                _check_tool(tool, f"tools[{number}]")
        self._functions = {function.get("name"): function for function in map(_function, self.tools or ()) if function}

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `create()`."""
        asked = {"response_format": self.param, "tools": self.tools}
        return {**params, **{name: value for name, value in asked.items() if value is not None}}

    @property
    def reads(self) -> bool:
        """Whether there is anything to read, so that an answer that was cut off is an error."""
        return self.type is not None or any(map(_is_read, self._functions.values()))

    def content(self, message: ChatCompletionMessage) -> Any:
        """The content as an instance of the type; None without a type, a content, or after a refusal.

        Raises:
            pydantic.ValidationError: it is none.
        """
        if self.type is None or not message.content or message.refusal:
            return None
        return self._read(self.type, message.content)

    def so_far(self, message: ChatCompletionMessage) -> Any:
        """The JSON value of a content that goes on; None as long as it says nothing."""
        if self.type is None or message.refusal:
            return None
        return _partial(message.content)

    def tool_arguments(self, name: str, arguments: str) -> Any:
        """The arguments of a whole call: an instance of its tool's model, the JSON value, or None for no strict tool.

        Raises:
            pydantic.ValidationError: they are no instance.
            ValueError: they are not JSON.
        """
        function = self._functions.get(name)
        if (model := model_of(function)) is not None:
            return self._read(model, arguments)
        return from_json(arguments) if function is not None and _is_read(function) else None

    def _read(self, kind: Any, text: str) -> Any:
        adapter = _adapter(kind)
        return without_input(adapter, text) if self._hides else adapter.validate_json(text)

    def arguments_so_far(self, name: str, arguments: str) -> Any:
        """The same of a call that goes on, as a JSON value."""
        function = self._functions.get(name)
        return _partial(arguments) if function is not None and _is_read(function) else None

    def parsed(self, completion: ChatCompletion) -> ParsedChatCompletion[Any]:
        """The completion with everything read.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: it was cut off.
            pydantic.ValidationError: it is not what was asked for.
        """
        for choice in completion.choices:
            refuse_cut(choice.finish_reason, completion)
        choices = [self._choice(choice) for choice in completion.choices]
        result: ParsedChatCompletion[Any] = converted(completion, ParsedChatCompletion, choices=choices)
        result._attach(completion._edge)
        return result

    def _choice(self, choice: Choice) -> ParsedChoice[Any]:
        message = choice.message
        calls = [self._call(call) for call in message.tool_calls or ()] or None
        values = {"parsed": self.content(message), "tool_calls": calls}
        read = converted(message, ParsedChatCompletionMessage, **values)
        result: ParsedChoice[Any] = converted(choice, ParsedChoice, message=read)
        return result

    def _call(self, call: ChatCompletionMessageToolCall) -> Any:
        if call.function is None:
            return call
        parsed = self.tool_arguments(call.function.name, call.function.arguments)
        function = converted(call.function, ParsedFunction, parsed_arguments=parsed)
        return converted(call, ParsedFunctionToolCall, function=function)


def refuse_cut(finish_reason: str | None, completion: Any) -> None:
    """An answer that was cut off cannot be read."""
    if finish_reason == "length":
        raise LengthFinishReasonError(completion=completion)
    if finish_reason == "content_filter":
        raise ContentFilterFinishReasonError(completion=completion)


def converted(source: Model, kind: Any, **values: Any) -> Any:
    """The same object as a `kind` (a subclass of its class) with these fields besides."""
    fields = {**source.__dict__, **(source.model_extra or {}), **values}
    return kind.model_construct(source.model_fields_set | values.keys(), **fields)


# what is asked for


def _format(response_format: Any) -> tuple[Any, dict[str, Any] | None]:
    """The type, if it is one, and the `response_format` that asks for it."""
    if response_format is None or not given(response_format):
        return None, None
    if isinstance(response_format, Mapping):
        return None, dict(response_format)
    if not _is_readable(response_format):
        raise RequestValidationError(
            "response_format: must be a pydantic model, a dataclass, a TypedDict or a dict; "
            f"got {response_format if inspect.isclass(response_format) else type(response_format)!r}.",
            param="response_format",
        )
    return response_format, _wanted(response_format)


@lru_cache(maxsize=256)
def _wanted(kind: Any) -> dict[str, Any]:
    """The `response_format` of a type; not to be changed, since every call with the type has it (and copies it)."""
    schema = {"schema": _schema_of(kind), "name": kind.__name__, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _is_readable(kind: Any) -> bool:
    return inspect.isclass(kind) and (
        issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind) or is_typeddict(kind)
    )


def _schema_of(kind: Any) -> dict[str, Any]:
    return strict_schema(_adapter(kind).json_schema())


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _listed(tools: Any) -> list[Any] | None:
    """Once through what may be a one-shot iterable."""
    if tools is None or not given(tools):
        return None
    return list(tools) if isinstance(tools, Iterable) else tools


def _check_tool(tool: Any, where: str) -> None:
    function = _function(tool)
    if function is None:
        raise RequestValidationError(f"{where}.type: only functions can be read.", param=f"{where}.type")
    if function.get("strict") is not True:
        raise RequestValidationError(
            f"{where}.function.strict: must be True, or the arguments cannot be read: edgeagent.pydantic_function_tool "
            "makes such a tool.",
            param=f"{where}.function.strict",
        )


def _function(tool: Any) -> Mapping[str, Any] | None:
    """The definition of a function tool; None for any other."""
    if not isinstance(tool, Mapping) or tool.get("type") != "function":
        return None
    function = tool.get("function")
    return function if isinstance(function, Mapping) else None


def _is_read(function: Mapping[str, Any]) -> bool:
    return model_of(function) is not None or bool(function.get("strict"))


def _partial(text: str | None) -> Any:
    if not text or not text.strip():
        return None
    try:
        return from_json(text, allow_partial=True)
    except ValueError:  # no JSON at all; whoever reads the whole says so
        return None
