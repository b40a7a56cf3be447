"""A completion whose content and tool arguments have been read: openai's classes and field names."""

from __future__ import annotations

import builtins
from typing import Generic, TypeVar

from edgeagent.types.completion import (
    ChatCompletion,
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    Choice,
    Function,
)

__all__ = [
    "ParsedChatCompletion",
    "ParsedChatCompletionMessage",
    "ParsedChoice",
    "ParsedFunction",
    "ParsedFunctionToolCall",
]

T = TypeVar("T")


class ParsedFunction(Function):
    """A called function, its arguments read.

    `parsed_arguments` is an instance of the model where the tool came from `pydantic_function_tool`, the JSON value for
    another strict tool, None for any other.
    """

    parsed_arguments: builtins.object | None = None


class ParsedFunctionToolCall(ChatCompletionMessageToolCall):
    """A tool call, its arguments read. (A call of a custom tool stays a plain one, since its input is no JSON.)"""

    function: ParsedFunction


class ParsedChatCompletionMessage(ChatCompletionMessage, Generic[T]):
    """The assistant's message; `parsed` is its content as an instance of the type that was asked for, or None."""

    parsed: T | None = None
    tool_calls: list[ParsedFunctionToolCall] | None = None  # type: ignore[assignment]  # a narrower list, as openai has it


class ParsedChoice(Choice, Generic[T]):
    """One of the `n` answers."""

    message: ParsedChatCompletionMessage[T]


class ParsedChatCompletion(ChatCompletion, Generic[T]):
    """A complete answer."""

    choices: list[ParsedChoice[T]]  # type: ignore[assignment]  # a narrower list, as openai has it
