"""The items of a response that tools of the vendor's own left, and every kind of item by its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import PlainValidator

from edgeagent.types.responses import items as own
from edgeagent.types.responses._open import Anything, Open, one_of, told

__all__ = [
    "AdditionalTools",
    "FileSearchResult",
    "ImageGenerationCall",
    "LocalShellCall",
    "LocalShellCallOutput",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpListTools",
    "McpListToolsTool",
    "ResponseApplyPatchToolCall",
    "ResponseApplyPatchToolCallOutput",
    "ResponseCodeInterpreterToolCall",
    "ResponseComputerToolCall",
    "ResponseComputerToolCallOutputItem",
    "ResponseFileSearchToolCall",
    "ResponseFunctionShellToolCall",
    "ResponseFunctionShellToolCallOutput",
    "ResponseFunctionWebSearch",
    "ResponseOutputItem",
    "ResponseToolSearchCall",
    "ResponseToolSearchOutputItem",
    "WebSearchAction",
]


class FileSearchResult(Open):
    """A piece of a file that a search found."""

    attributes: dict[str, Any] | None = None
    file_id: str | None = None
    filename: str | None = None
    score: float | None = None
    text: str | None = None


class WebSearchAction(Open):
    """What was done: a search, opening a page, or finding a text in one."""

    type: str = told()
    query: str | None = None
    queries: list[str] | None = None
    sources: Anything = None
    url: str | None = None
    pattern: str | None = None


class McpListToolsTool(Open):
    """A tool of an MCP server."""

    input_schema: Any = None
    name: str = told()
    annotations: Any = None
    description: str | None = None


class ResponseFileSearchToolCall(Open):
    """A search of uploaded files that the vendor did."""

    type: Literal["file_search_call"] = "file_search_call"
    id: str = told()
    queries: list[str] = told()
    status: str = told()
    results: list[FileSearchResult] | None = None


class ResponseFunctionWebSearch(Open):
    """A web search that the vendor did."""

    type: Literal["web_search_call"] = "web_search_call"
    id: str = told()
    action: WebSearchAction = told()
    status: str = told()


class ResponseComputerToolCall(Open):
    """Something that the model wants done on a computer."""

    type: Literal["computer_call"] = "computer_call"
    id: str = told()
    call_id: str = told()
    pending_safety_checks: Anything = None
    status: str = told()
    action: Anything = None
    actions: Anything = None


class ResponseComputerToolCallOutputItem(Open):
    """What the computer showed."""

    type: Literal["computer_call_output"] = "computer_call_output"
    id: str = told()
    call_id: str = told()
    output: Anything = None
    status: str = told()
    acknowledged_safety_checks: Anything = None
    created_by: str | None = None


class ResponseToolSearchCall(Open):
    """A search among tools that were not loaded."""

    type: Literal["tool_search_call"] = "tool_search_call"
    id: str = told()
    arguments: Anything = None
    call_id: str | None = None
    execution: str = told()
    status: str = told()
    created_by: str | None = None


class ResponseToolSearchOutputItem(Open):
    """The tools that such a search found."""

    type: Literal["tool_search_output"] = "tool_search_output"
    id: str = told()
    call_id: str | None = None
    execution: str = told()
    status: str = told()
    tools: Anything = None
    created_by: str | None = None


class AdditionalTools(Open):
    """Tools that were added while the answer was made."""

    type: Literal["additional_tools"] = "additional_tools"
    id: str = told()
    role: str = told()
    tools: Anything = None


class ImageGenerationCall(Open):
    """An image that the vendor made; `result` is base64."""

    type: Literal["image_generation_call"] = "image_generation_call"
    id: str = told()
    result: str | None = None
    status: str = told()
    action: str | None = None
    background: str | None = None
    error: Anything = None
    output_format: str | None = None
    quality: str | None = None
    revised_prompt: str | None = None
    size: str | None = None
    svg_usage: Anything = None


class ResponseCodeInterpreterToolCall(Open):
    """Code that the vendor ran."""

    type: Literal["code_interpreter_call"] = "code_interpreter_call"
    id: str = told()
    code: str | None = None
    container_id: str = told()
    outputs: Anything = None
    status: str = told()


class LocalShellCall(Open):
    """A command for the client's shell."""

    type: Literal["local_shell_call"] = "local_shell_call"
    id: str = told()
    action: Anything = None
    call_id: str = told()
    status: str = told()


class LocalShellCallOutput(Open):
    """What the client's shell printed."""

    type: Literal["local_shell_call_output"] = "local_shell_call_output"
    id: str = told()
    output: str = told()
    status: str | None = None


class ResponseFunctionShellToolCall(Open):
    """Commands for a shell."""

    type: Literal["shell_call"] = "shell_call"
    id: str = told()
    action: Anything = None
    call_id: str = told()
    environment: Anything = None
    status: str = told()
    caller: Anything = None
    created_by: str | None = None


class ResponseFunctionShellToolCallOutput(Open):
    """What a shell printed."""

    type: Literal["shell_call_output"] = "shell_call_output"
    id: str = told()
    call_id: str = told()
    max_output_length: int | None = None
    output: Anything = None
    status: str = told()
    caller: Anything = None
    created_by: str | None = None


class ResponseApplyPatchToolCall(Open):
    """A change of a file."""

    type: Literal["apply_patch_call"] = "apply_patch_call"
    id: str = told()
    call_id: str = told()
    operation: Anything = None
    status: str = told()
    caller: Anything = None
    created_by: str | None = None


class ResponseApplyPatchToolCallOutput(Open):
    """What became of a change."""

    type: Literal["apply_patch_call_output"] = "apply_patch_call_output"
    id: str = told()
    call_id: str = told()
    status: str = told()
    caller: Anything = None
    created_by: str | None = None
    output: str | None = None


class McpCall(Open):
    """A call of a tool on an MCP server that the vendor made."""

    type: Literal["mcp_call"] = "mcp_call"
    id: str = told()
    arguments: str = told()
    name: str = told()
    server_label: str = told()
    approval_request_id: str | None = None
    error: Anything = None
    output: str | None = None
    status: str | None = None


class McpListTools(Open):
    """The tools of an MCP server."""

    type: Literal["mcp_list_tools"] = "mcp_list_tools"
    id: str = told()
    server_label: str = told()
    tools: list[McpListToolsTool] = told()
    error: str | None = None


class McpApprovalRequest(Open):
    """The vendor asks whether a tool of an MCP server may be called."""

    type: Literal["mcp_approval_request"] = "mcp_approval_request"
    id: str = told()
    arguments: str = told()
    name: str = told()
    server_label: str = told()


class McpApprovalResponse(Open):
    """Whether it may."""

    type: Literal["mcp_approval_response"] = "mcp_approval_response"
    id: str = told()
    approval_request_id: str = told()
    approve: bool = told()
    reason: str | None = None


_KINDS: Final = (
    own.Program,
    own.ProgramOutput,
    own.ResponseCompactionItem,
    own.ResponseCustomToolCall,
    own.ResponseCustomToolCallOutputItem,
    own.ResponseFunctionToolCall,
    own.ResponseFunctionToolCallOutputItem,
    own.ResponseOutputMessage,
    own.ResponseReasoningItem,
    AdditionalTools,
    ImageGenerationCall,
    LocalShellCall,
    LocalShellCallOutput,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    ResponseApplyPatchToolCall,
    ResponseApplyPatchToolCallOutput,
    ResponseCodeInterpreterToolCall,
    ResponseComputerToolCall,
    ResponseComputerToolCallOutputItem,
    ResponseFileSearchToolCall,
    ResponseFunctionShellToolCall,
    ResponseFunctionShellToolCallOutput,
    ResponseFunctionWebSearch,
    ResponseToolSearchCall,
    ResponseToolSearchOutputItem,
)

if TYPE_CHECKING:
    ResponseOutputItem: TypeAlias = (
        own.Program
        | own.ProgramOutput
        | own.ResponseCompactionItem
        | own.ResponseCustomToolCall
        | own.ResponseCustomToolCallOutputItem
        | own.ResponseFunctionToolCall
        | own.ResponseFunctionToolCallOutputItem
        | own.ResponseOutputMessage
        | own.ResponseReasoningItem
        | AdditionalTools
        | ImageGenerationCall
        | LocalShellCall
        | LocalShellCallOutput
        | McpApprovalRequest
        | McpApprovalResponse
        | McpCall
        | McpListTools
        | ResponseApplyPatchToolCall
        | ResponseApplyPatchToolCallOutput
        | ResponseCodeInterpreterToolCall
        | ResponseComputerToolCall
        | ResponseComputerToolCallOutputItem
        | ResponseFileSearchToolCall
        | ResponseFunctionShellToolCall
        | ResponseFunctionShellToolCallOutput
        | ResponseFunctionWebSearch
        | ResponseToolSearchCall
        | ResponseToolSearchOutputItem
    )
else:
    ResponseOutputItem = Annotated[
        Any, PlainValidator(one_of({kind.model_fields["type"].default: kind for kind in _KINDS}))
    ]
