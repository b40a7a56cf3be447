"""A Converse answer ↔ a completion.

Nothing is lost: what has no OpenAI-shaped place stands in `message.native_content` (the blocks, exactly), in extra
fields of the usage, and of the completion (`metrics`, `trace`, `performanceConfig`, whatever is new). The vendor tells
neither id, model nor time in the body: the id is that of the request, the model stands in the URL, `created` is 0.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (response syntax)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.bedrock.blocks import (
    InvalidBlockError,
    Reading,
    check_block,
    native_blocks,
    native_content,
    read_blocks,
)
from edgeagent.providers.bedrock.errors import decode_error
from edgeagent.providers.bedrock.usage import decode_usage, encode_usage
from edgeagent.providers.calls import CUSTOM_INPUT, RAW_ARGUMENTS, input_of
from edgeagent.types import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageToolCall, FinishReason
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "FINISH_REASONS",
    "completion_of",
    "converse_of",
    "decode_response",
    "encode_response",
    "finish_of",
    "identity",
    "invalid_answer",
    "parsed_answer",
    "stop_reason_of",
    "tier_of",
]

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "stop",
    "malformed_tool_use": "stop",
}

_STOP_REASONS: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filtered",
}
_TRANSLATED: Final = frozenset({"output", "stopReason", "usage", "serviceTier", *ChatCompletion.model_fields})
"""Fields of an answer that are read, or whose names mean something else with us."""


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion. Raises `ResponseValidationError`, or the error that the 200 hides."""
    answer = parsed_answer(response)
    try:
        return completion_of(answer, *identity(response))
    except InvalidBlockError as error:
        raise invalid_answer(str(error), response) from None


def parsed_answer(response: HTTPResponse) -> dict[str, Any]:
    """The JSON object of an answer. Raises `ResponseValidationError`, or the error that it is."""
    try:
        answer = from_json(response.content, allow_inf_nan=False)
    except ValueError:
        raise invalid_answer("it is not JSON, or only the beginning of it", response) from None
    if not isinstance(answer, dict):
        raise invalid_answer("it is not an object", response)
    if "x-amzn-errortype" in response.headers or "__type" in answer:
        raise decode_error(HTTPResponse(400, response.headers, response.content))
    return answer


def invalid_answer(reason: str, response: HTTPResponse) -> ResponseValidationError:
    """The error for an answer that is not what the vendor documents; `reason` quotes nothing of it."""
    return ResponseValidationError(response, None, message=f"The answer is not one of Bedrock's: {reason}.")


def identity(response: HTTPResponse | None) -> tuple[str, str]:
    """The id and the model of an answer, as far as its headers and its URL tell them."""
    if response is None:
        return "", ""
    before, found, rest = response.request.url.partition("/model/")
    model = unquote(rest.partition("/")[0]) if found and before else ""
    return response.headers.get("x-amzn-requestid", ""), model


def completion_of(answer: Mapping[str, Any], id: str, model: str) -> ChatCompletion:
    """The vendor's answer, parsed from JSON → a completion. Raises `InvalidBlockError`."""
    output = answer.get("output")
    message = output.get("message") if isinstance(output, Mapping) else None
    blocks = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(blocks, list):
        raise InvalidBlockError("output.message.content is not a list")
    for index, block in enumerate(blocks):
        check_block(block, f"output.message.content[{index}]")
    reading = read_blocks(blocks)
    reason = answer.get("stopReason")
    choice = {
        "index": 0,
        "message": _message(reading, blocks),
        "finish_reason": finish_of(reason, calls=bool(reading.calls)),
        "native_finish_reason": reason,
    }
    values = {name: value for name, value in answer.items() if name not in _TRANSLATED and value is not None}
    values.update(id=id, model=model, created=0, choices=[choice], service_tier=tier_of(answer))
    try:
        if answer.get("usage") is not None:
            values["usage"] = decode_usage(answer["usage"])
        return ChatCompletion.model_validate(values)
    except ValidationError as error:
        raise InvalidBlockError(" ".join(first_fault(error))) from None
    except ValueError as error:
        raise InvalidBlockError(str(error)) from None


def finish_of(reason: Any, *, calls: bool) -> FinishReason | None:
    """OpenAI's word for a stop reason; an unknown one is an ordinary end. Without calls it is never "tool_calls"."""
    if reason is None:
        return None
    found = FINISH_REASONS.get(reason, "stop") if isinstance(reason, str) else "stop"
    return "stop" if found == "tool_calls" and not calls else found


def tier_of(answer: Mapping[str, Any]) -> str | None:
    """The tier that served the request."""
    tier = answer.get("serviceTier")
    kind = tier.get("type") if isinstance(tier, Mapping) else None
    return kind if isinstance(kind, str) else None


def _message(reading: Reading, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {"role": "assistant", "content": reading.content}
    if reading.calls:
        values["tool_calls"] = reading.calls
    if reading.annotations:
        values["annotations"] = reading.annotations
    if reading.reasoning:
        values["reasoning_content"] = reading.reasoning
    if not reading.plain:
        values["native_content"] = native_content(blocks)
    return values


# the other direction


def encode_response(completion: ChatCompletion) -> dict[str, Any]:
    """Our completion → the body of a 200 answer. Only the first choice has a place."""
    body = converse_of(completion)
    body.setdefault("metrics", {"latencyMs": 0})
    return body


def converse_of(completion: ChatCompletion) -> dict[str, Any]:
    """The same without what only Converse adds to what the models answer."""
    choice = completion.choices[0] if completion.choices else None
    body = dict(completion.model_extra or {})
    body["output"] = {"message": {"role": "assistant", "content": _blocks(choice.message) if choice else []}}
    body["stopReason"] = stop_reason_of(choice.finish_reason, choice.native_finish_reason) if choice else "end_turn"
    body["usage"] = encode_usage(completion.usage)
    if completion.service_tier is not None:
        body["serviceTier"] = {"type": completion.service_tier}
    return body


def stop_reason_of(finish: str | None, native: str | None) -> str:
    """The vendor's own word where it is one of this vendor's, else the nearest to OpenAI's."""
    if native is not None and native in FINISH_REASONS:
        return native
    return _STOP_REASONS.get(finish or "", "end_turn")


def _blocks(message: ChatCompletionMessage) -> list[dict[str, Any]]:
    native = native_blocks(message.model_dump(exclude_unset=True)) if message.native_content else None
    if native is not None:
        return native
    blocks: list[dict[str, Any]] = []
    if message.reasoning_content:
        blocks.append({"reasoningContent": {"reasoningText": {"text": message.reasoning_content}}})
    spoken = message.audio.transcript if message.audio else None
    blocks += [{"text": text} for text in (message.content or spoken, message.refusal) if text]
    if message.function_call is not None:
        function = message.function_call
        blocks.append(_call("function_1", function.name, function.arguments))
    return [*blocks, *(_call_block(call) for call in message.tool_calls or ())]


def _call_block(call: ChatCompletionMessageToolCall) -> dict[str, Any]:
    if call.custom is not None:
        custom = {"toolUseId": call.id, "name": call.custom.name, "input": {CUSTOM_INPUT: call.custom.input}}
        return {"toolUse": custom}
    name, arguments = (call.function.name, call.function.arguments) if call.function else ("", "")
    return _call(call.id, name, arguments)


def _call(id: str, name: str, arguments: str) -> dict[str, Any]:
    value = input_of(arguments)
    value = {RAW_ARGUMENTS: arguments} if value is None else value
    return {"toolUse": {"toolUseId": id, "name": name, "input": value}}
