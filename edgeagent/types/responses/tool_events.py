"""The events of a streamed response that tools of the vendor's own cause, and the bases of all events."""

from __future__ import annotations

from typing import Literal

from edgeagent.types.responses._open import Anything, Open, told

__all__ = [
    "ItemEvent",
    "ResponseAudioDeltaEvent",
    "ResponseAudioDoneEvent",
    "ResponseAudioTranscriptDeltaEvent",
    "ResponseAudioTranscriptDoneEvent",
    "ResponseCodeInterpreterCallCodeDeltaEvent",
    "ResponseCodeInterpreterCallCodeDoneEvent",
    "ResponseCodeInterpreterCallCompletedEvent",
    "ResponseCodeInterpreterCallInProgressEvent",
    "ResponseCodeInterpreterCallInterpretingEvent",
    "ResponseEvent",
    "ResponseFileSearchCallCompletedEvent",
    "ResponseFileSearchCallInProgressEvent",
    "ResponseFileSearchCallSearchingEvent",
    "ResponseImageGenCallCompletedEvent",
    "ResponseImageGenCallGeneratingEvent",
    "ResponseImageGenCallInProgressEvent",
    "ResponseImageGenCallPartialImageEvent",
    "ResponseMcpCallArgumentsDeltaEvent",
    "ResponseMcpCallArgumentsDoneEvent",
    "ResponseMcpCallCompletedEvent",
    "ResponseMcpCallFailedEvent",
    "ResponseMcpCallInProgressEvent",
    "ResponseMcpListToolsCompletedEvent",
    "ResponseMcpListToolsFailedEvent",
    "ResponseMcpListToolsInProgressEvent",
    "ResponseShellCallCommandAddedEvent",
    "ResponseShellCallCommandDeltaEvent",
    "ResponseShellCallCommandDoneEvent",
    "ResponseShellCallOutputContentDeltaEvent",
    "ResponseShellCallOutputContentDoneEvent",
    "ResponseWebSearchCallCompletedEvent",
    "ResponseWebSearchCallInProgressEvent",
    "ResponseWebSearchCallSearchingEvent",
]


class ResponseEvent(Open):
    """One event of a streamed response; the class of those that are not known here."""

    type: str = told()
    sequence_number: int = told()


class ItemEvent(ResponseEvent):
    """An event about one item of the output."""

    item_id: str = told()
    output_index: int = told()


class ResponseAudioDeltaEvent(ResponseEvent):
    """The next piece of speech, base64."""

    type: Literal["response.audio.delta"] = "response.audio.delta"
    delta: str = told()


class ResponseAudioDoneEvent(ResponseEvent):
    """The speech is complete."""

    type: Literal["response.audio.done"] = "response.audio.done"


class ResponseAudioTranscriptDeltaEvent(ResponseEvent):
    """The next piece of the speech's words."""

    type: Literal["response.audio.transcript.delta"] = "response.audio.transcript.delta"
    delta: str = told()


class ResponseAudioTranscriptDoneEvent(ResponseEvent):
    """The speech's words are complete."""

    type: Literal["response.audio.transcript.done"] = "response.audio.transcript.done"


class ResponseCodeInterpreterCallCodeDeltaEvent(ItemEvent):
    """The next piece of code."""

    type: Literal["response.code_interpreter_call_code.delta"] = "response.code_interpreter_call_code.delta"
    delta: str = told()


class ResponseCodeInterpreterCallCodeDoneEvent(ItemEvent):
    """The whole code."""

    type: Literal["response.code_interpreter_call_code.done"] = "response.code_interpreter_call_code.done"
    code: str = told()


class ResponseCodeInterpreterCallCompletedEvent(ItemEvent):
    """The code has run."""

    type: Literal["response.code_interpreter_call.completed"] = "response.code_interpreter_call.completed"


class ResponseCodeInterpreterCallInProgressEvent(ItemEvent):
    """Code is to be run."""

    type: Literal["response.code_interpreter_call.in_progress"] = "response.code_interpreter_call.in_progress"


class ResponseCodeInterpreterCallInterpretingEvent(ItemEvent):
    """The code runs."""

    type: Literal["response.code_interpreter_call.interpreting"] = "response.code_interpreter_call.interpreting"


class ResponseFileSearchCallCompletedEvent(ItemEvent):
    """The search of files has ended."""

    type: Literal["response.file_search_call.completed"] = "response.file_search_call.completed"


class ResponseFileSearchCallInProgressEvent(ItemEvent):
    """Files are to be searched."""

    type: Literal["response.file_search_call.in_progress"] = "response.file_search_call.in_progress"


class ResponseFileSearchCallSearchingEvent(ItemEvent):
    """Files are being searched."""

    type: Literal["response.file_search_call.searching"] = "response.file_search_call.searching"


class ResponseShellCallCommandAddedEvent(ResponseEvent):
    """A command for a shell begins."""

    type: Literal["response.shell_call_command.added"] = "response.shell_call_command.added"
    command: str = told()
    command_index: int = told()
    output_index: int = told()


class ResponseShellCallCommandDeltaEvent(ResponseEvent):
    """The next piece of a command."""

    type: Literal["response.shell_call_command.delta"] = "response.shell_call_command.delta"
    command_index: int = told()
    delta: str = told()
    output_index: int = told()
    obfuscation: str | None = None


class ResponseShellCallCommandDoneEvent(ResponseEvent):
    """A whole command."""

    type: Literal["response.shell_call_command.done"] = "response.shell_call_command.done"
    command: str = told()
    command_index: int = told()
    output_index: int = told()


class ResponseShellCallOutputContentDeltaEvent(ItemEvent):
    """The next piece of what a shell printed."""

    type: Literal["response.shell_call_output_content.delta"] = "response.shell_call_output_content.delta"
    command_index: int = told()
    delta: Anything = None


class ResponseShellCallOutputContentDoneEvent(ItemEvent):
    """All that a command printed."""

    type: Literal["response.shell_call_output_content.done"] = "response.shell_call_output_content.done"
    command_index: int = told()
    output: Anything = None


class ResponseWebSearchCallCompletedEvent(ItemEvent):
    """The web search has ended."""

    type: Literal["response.web_search_call.completed"] = "response.web_search_call.completed"


class ResponseWebSearchCallInProgressEvent(ItemEvent):
    """The web is to be searched."""

    type: Literal["response.web_search_call.in_progress"] = "response.web_search_call.in_progress"


class ResponseWebSearchCallSearchingEvent(ItemEvent):
    """The web is being searched."""

    type: Literal["response.web_search_call.searching"] = "response.web_search_call.searching"


class ResponseImageGenCallCompletedEvent(ItemEvent):
    """The image is there."""

    type: Literal["response.image_generation_call.completed"] = "response.image_generation_call.completed"


class ResponseImageGenCallGeneratingEvent(ItemEvent):
    """An image is being made."""

    type: Literal["response.image_generation_call.generating"] = "response.image_generation_call.generating"


class ResponseImageGenCallInProgressEvent(ItemEvent):
    """An image is to be made."""

    type: Literal["response.image_generation_call.in_progress"] = "response.image_generation_call.in_progress"


class ResponseImageGenCallPartialImageEvent(ItemEvent):
    """The image so far, base64."""

    type: Literal["response.image_generation_call.partial_image"] = "response.image_generation_call.partial_image"
    partial_image_b64: str = told()
    partial_image_index: int = told()
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None


class ResponseMcpCallArgumentsDeltaEvent(ItemEvent):
    """The next piece of the arguments of a call to an MCP server."""

    type: Literal["response.mcp_call_arguments.delta"] = "response.mcp_call_arguments.delta"
    delta: str = told()


class ResponseMcpCallArgumentsDoneEvent(ItemEvent):
    """The whole arguments of a call to an MCP server."""

    type: Literal["response.mcp_call_arguments.done"] = "response.mcp_call_arguments.done"
    arguments: str = told()


class ResponseMcpCallCompletedEvent(ItemEvent):
    """The call to an MCP server has ended."""

    type: Literal["response.mcp_call.completed"] = "response.mcp_call.completed"


class ResponseMcpCallFailedEvent(ItemEvent):
    """The call to an MCP server has failed."""

    type: Literal["response.mcp_call.failed"] = "response.mcp_call.failed"


class ResponseMcpCallInProgressEvent(ItemEvent):
    """An MCP server is being called."""

    type: Literal["response.mcp_call.in_progress"] = "response.mcp_call.in_progress"


class ResponseMcpListToolsCompletedEvent(ItemEvent):
    """The tools of an MCP server are known."""

    type: Literal["response.mcp_list_tools.completed"] = "response.mcp_list_tools.completed"


class ResponseMcpListToolsFailedEvent(ItemEvent):
    """The tools of an MCP server could not be learnt."""

    type: Literal["response.mcp_list_tools.failed"] = "response.mcp_list_tools.failed"


class ResponseMcpListToolsInProgressEvent(ItemEvent):
    """An MCP server is being asked for its tools."""

    type: Literal["response.mcp_list_tools.in_progress"] = "response.mcp_list_tools.in_progress"
