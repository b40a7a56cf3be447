"""The items of a response: messages, reasoning, and calls of the client's tools."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeagent.types.responses._open import Anything, Open, told
from edgeagent.types.responses.parts import ReasoningText, ResponseOutputContent

__all__ = [
    "Program",
    "ProgramOutput",
    "ResponseCompactionItem",
    "ResponseCustomToolCall",
    "ResponseCustomToolCallOutputItem",
    "ResponseFunctionToolCall",
    "ResponseFunctionToolCallOutputItem",
    "ResponseOutputMessage",
    "ResponseReasoningItem",
]


class ResponseOutputMessage(Open):
    """A message of the model's."""

    type: Literal["message"] = "message"
    id: str = told()
    content: list[ResponseOutputContent] = told()
    role: str = told()
    status: str = told()
    phase: str | None = None


class ResponseFunctionToolCall(Open):
    """A call of one of the client's functions; `arguments` is JSON text as the model wrote it."""

    type: Literal["function_call"] = "function_call"
    arguments: str = told()
    call_id: str = told()
    name: str = told()
    id: str | None = None
    async_: bool | None = Field(default=None, alias="async")
    caller: Anything = None
    namespace: str | None = None
    status: str | None = None


class ResponseFunctionToolCallOutputItem(Open):
    """What a function gave."""

    type: Literal["function_call_output"] = "function_call_output"
    id: str = told()
    output: Anything = None
    status: str = told()
    call_id: str | None = None
    caller: Anything = None
    created_by: str | None = None
    name: str | None = None
    namespace: str | None = None


class ResponseReasoningItem(Open):
    """The model's reasoning: a summary, the text itself (open models), or encrypted."""

    type: Literal["reasoning"] = "reasoning"
    id: str = told()
    summary: list[ReasoningText] = told()
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    status: str | None = None


class Program(Open):
    """A program that the model wrote to call tools."""

    type: Literal["program"] = "program"
    id: str = told()
    call_id: str = told()
    code: str = told()
    fingerprint: str = told()


class ProgramOutput(Open):
    """What such a program gave."""

    type: Literal["program_output"] = "program_output"
    id: str = told()
    call_id: str = told()
    result: str = told()
    status: str = told()


class ResponseCompactionItem(Open):
    """What a conversation was compacted into."""

    type: Literal["compaction"] = "compaction"
    id: str = told()
    encrypted_content: str = told()
    created_by: str | None = None


class ResponseCustomToolCall(Open):
    """A call of one of the client's tools that takes free text."""

    type: Literal["custom_tool_call"] = "custom_tool_call"
    call_id: str = told()
    input: str = told()
    name: str = told()
    id: str | None = None
    async_: bool | None = Field(default=None, alias="async")
    caller: Anything = None
    namespace: str | None = None


class ResponseCustomToolCallOutputItem(Open):
    """What such a tool gave."""

    type: Literal["custom_tool_call_output"] = "custom_tool_call_output"
    call_id: str = told()
    output: Anything = None
    id: str = told()
    caller: Anything = None
    status: str = told()
    created_by: str | None = None
