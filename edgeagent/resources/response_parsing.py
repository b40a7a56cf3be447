"""Structured responses: a Python type → what is asked for; a response → one whose texts and arguments are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edgeagent.core.requests import given
from edgeagent.providers.responses import decode_tool, encode_format
from edgeagent.resources.structured import FunctionTool, Structure, converted, model_of, refuse_cut
from edgeagent.types.completion import ChatCompletionMessage
from edgeagent.types.left_out import omit
from edgeagent.types.responses import (
    ParsedResponse,
    ParsedResponseFunctionToolCall,
    ParsedResponseOutputMessage,
    ParsedResponseOutputText,
    Response,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

__all__ = ["ResponseStructure"]

_CUT = {"max_output_tokens": "length", "content_filter": "content_filter"}


class ResponseStructure:
    """What one call wants to have read: the type of its texts, the models of its tools.

    Args:
        text_format: a pydantic model, a dataclass or a TypedDict; None or left out: texts stay texts.
        params: the other arguments of `create()`. A tool may be one of `pydantic_function_tool`.
        parse_as: the type that the texts are read as, if that is not `text_format`; None: texts stay texts.
        hides: as for `Structure`.

    Raises:
        RequestValidationError: a type that is none of these.
        TypeError: a format was given in two ways.
    """

    def __init__(
        self, text_format: Any, params: Mapping[str, Any], *, parse_as: Any = omit, hides: bool = False
    ) -> None:
        self._params = dict(params)
        tools = params.get("tools")
        self._tools = [_listed(tool) for tool in tools] if tools is not None and given(tools) else None
        self._asked = Structure(text_format, None, strict_tools=False).param
        reads = parse_as if given(parse_as) else text_format
        self._structure = Structure(reads, _nested(self._tools or ()), strict_tools=False, hides=hides)
        self._spaces = {
            tool["name"]: Structure(None, _nested(tool["tools"]), strict_tools=False, hides=hides)
            for tool in self._tools or ()
            if _is_space(tool) and isinstance(tool.get("name"), str)
        }
        text = params.get("text")
        self._text = dict(text) if isinstance(text, Mapping) else {}
        if self._asked is not None and self._text.get("format") is not None:
            raise TypeError("Give text_format or text.format, not both.")

    def arguments(self) -> dict[str, Any]:
        """The arguments of `create()`."""
        made = dict(self._params)
        if self._tools is not None:
            made["tools"] = _flat(self._tools)
        if self._asked is not None:
            made["text"] = {**self._text, "format": encode_format(self._asked)}
        return made

    def parsed(self, response: Response) -> ParsedResponse[Any]:
        """The response with everything read.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: it was cut off, and something was to be read.
            pydantic.ValidationError: it is not what was asked for.
        """
        reads = self._structure.reads or any(space.reads for space in self._spaces.values())
        if response.status == "incomplete" and reads:
            details = response.incomplete_details
            refuse_cut(_CUT.get((details and details.reason) or "", "length"), response)
        output = [self._item(item) for item in response.output or ()]
        result: ParsedResponse[Any] = converted(response, ParsedResponse, output=output)
        result._attach(response._edge)
        return result

    def text(self, text: str, phase: str | None) -> Any:
        """A whole text as an instance of the type. Only a final answer is one; what comes before it is commentary.

        Raises:
            pydantic.ValidationError: it is none.
        """
        if phase not in (None, "final_answer"):
            return None
        return self._structure.content(ChatCompletionMessage.model_construct(content=text, refusal=None))

    def _item(self, item: Any) -> Any:
        if isinstance(item, ResponseOutputMessage) and isinstance(item.content, list):
            parts = [self._part(part, item.phase) for part in item.content]
            return converted(item, ParsedResponseOutputMessage, content=parts)
        if isinstance(item, ResponseFunctionToolCall):
            space = self._space(item)
            arguments = None if space is None else space.tool_arguments(item.name, item.arguments)
            return converted(item, ParsedResponseFunctionToolCall, parsed_arguments=arguments)
        return item

    def _space(self, call: ResponseFunctionToolCall) -> Structure | None:
        """Whose tool was called: tools of two namespaces may have one name. One that was loaded later has its own."""
        if call.namespace is None:
            return self._structure
        return self._spaces.get(call.namespace, self._structure if call.namespace == call.name else None)

    def _part(self, part: Any, phase: str | None) -> Any:
        if not isinstance(part, ResponseOutputText):
            return part
        return converted(part, ParsedResponseOutputText, parsed=self.text(part.text, phase))


def _is_space(tool: Any) -> bool:
    """Whether this is a namespace with tools of its own."""
    return isinstance(tool, Mapping) and tool.get("type") == "namespace" and isinstance(tool.get("tools"), list)


def _listed(tool: Any) -> Any:
    """A tool whose own tools, which may be a one-shot iterable, are a list."""
    if isinstance(tool, Mapping) and tool.get("type") == "namespace" and isinstance(tool.get("tools"), Iterable):
        return {**tool, "tools": [*tool["tools"]]}
    return tool


def _nested(tools: Iterable[Any]) -> list[Any]:
    """As chat has them; those of `pydantic_function_tool` are so already. The openai package has flat ones, too."""
    return [_as_chat(tool) for tool in tools]


def _as_chat(tool: Any) -> Any:
    if not isinstance(tool, Mapping) or "function" in tool:
        return tool
    nested, model = decode_tool(tool), model_of(tool)
    if model is not None and "function" in nested:
        nested["function"] = FunctionTool(nested["function"], model)
    return nested


def _flat(tools: Iterable[Any]) -> list[Any]:
    return [_as_response(tool) for tool in tools]


def _as_response(tool: Any) -> Any:
    if _is_space(tool):
        return {**tool, "tools": _flat(tool["tools"])}
    function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
    return {"type": "function", **function} if isinstance(function, Mapping) else tool
