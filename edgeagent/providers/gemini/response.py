"""An answer of generateContent ↔ a completion.

Nothing is lost: parts that have no OpenAI-shaped place stand in `message.native_content`, exactly; images also in
`message.images` (as `image_url` parts); the other fields of a candidate (`safetyRatings`, `groundingMetadata`,
`avgLogprobs`, `finishMessage`, …) on the choice under their own names, those of the answer on the completion.

An answer that a safety filter cut is a choice with `content_filter`. One without candidates, since the *prompt* was
blocked, raises `ContentFilterError`, which is what OpenAI-shaped callers and the table of errors know for it.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.gemini.errors import blocked_prompt, error_in_answer
from edgeagent.providers.gemini.grounding import annotations_of
from edgeagent.providers.gemini.names import FINISH_NUMBERS
from edgeagent.providers.gemini.partial import is_fragment
from edgeagent.providers.gemini.parts import InvalidAnswerError, Reading, check_part, native_content, read_parts
from edgeagent.providers.gemini.usage import decode_usage, service_tier_of
from edgeagent.types import ChatCompletion, ChatCompletionChunk, FinishReason
from edgeagent.types.completion import Choice
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "FINISH_REASONS",
    "candidate_fields",
    "check_document",
    "completion_of",
    "decode_response",
    "finish_of",
    "invalid_answer",
    "logprobs_of",
    "parts_of",
    "top_of",
    "whole_fields",
    "word_of",
]

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
"""What is not named here is an ordinary end; the vendor's word is beside it."""

_CANDIDATE: Final = frozenset({"content", "finishReason", "index"}) | frozenset(Choice.model_fields)
_WHOLE: Final = (
    frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "delta"})
    | frozenset(ChatCompletionChunk.model_fields)
    | frozenset(ChatCompletion.model_fields)
)
"""Fields that are read, or whose names mean something else with us."""


def decode_response(response: HTTPResponse, numbers: Mapping[int, str] = FINISH_NUMBERS) -> ChatCompletion:
    """A 200 answer → the completion. Raises `ResponseValidationError`, or the error that the 200 hides."""
    try:
        document = from_json(response.content, allow_inf_nan=False)
    except ValueError:
        raise invalid_answer("it is not JSON, or only the beginning of it", response) from None
    try:
        return completion_of(document, numbers)
    except InvalidAnswerError as error:
        raise invalid_answer(str(error), response) from None


def invalid_answer(reason: str, response: HTTPResponse) -> ResponseValidationError:
    """The error for an answer that is not what the vendor documents; `reason` quotes nothing of it."""
    return ResponseValidationError(response, None, message=f"The answer is not one of generateContent: {reason}.")


def check_document(document: Any) -> Mapping[str, Any]:
    """One answer, or one of a stream. Raises the error that it is, and `InvalidAnswerError` for what it is not."""
    if not isinstance(document, dict):
        raise InvalidAnswerError("it is not an object")
    if document.get("error"):
        raise error_in_answer(document)
    feedback = document.get("promptFeedback")
    if not document.get("candidates") and isinstance(feedback, Mapping) and feedback.get("blockReason"):
        raise blocked_prompt(document)
    candidates = document.get("candidates")
    if candidates is not None and not isinstance(candidates, list):
        raise InvalidAnswerError("candidates is not a list")
    for i, candidate in enumerate(candidates or ()):
        if not isinstance(candidate, dict):
            raise InvalidAnswerError(f"candidates[{i}] is not an object")
        if not isinstance(candidate.get("index") or 0, int) or isinstance(candidate.get("index"), bool):
            raise InvalidAnswerError(f"candidates[{i}].index is not a number")
    if not isinstance(document.get("usageMetadata") or {}, dict):
        raise InvalidAnswerError("usageMetadata is not an object")
    return document


def completion_of(document: Any, numbers: Mapping[int, str] = FINISH_NUMBERS) -> ChatCompletion:
    """The vendor's answer, parsed from JSON → a completion. Raises `InvalidAnswerError`, or the error that it is."""
    answer = check_document(document)
    if not answer.get("candidates"):
        raise InvalidAnswerError("it has no candidates")
    top = top_of(answer)
    values: dict[str, Any] = {**whole_fields(answer), **top}
    usage = answer.get("usageMetadata")
    values["choices"] = [
        _choice(candidate, candidate.get("index") or i, top["id"], numbers)
        for i, candidate in enumerate(answer["candidates"])
    ]
    try:
        if usage:
            values["usage"] = decode_usage(usage)
            values["service_tier"] = service_tier_of(usage)
        return ChatCompletion.model_validate(values)
    except ValidationError as error:
        raise InvalidAnswerError(" ".join(first_fault(error))) from None
    except InvalidAnswerError:
        raise
    except ValueError as error:
        raise InvalidAnswerError(str(error)) from None


def top_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """`id`, `model` and `created` (0 where the vendor tells no time) of an answer."""
    answer_id, model = answer.get("responseId") or "", answer.get("modelVersion") or ""
    if not isinstance(answer_id, str) or not isinstance(model, str):
        raise InvalidAnswerError("responseId or modelVersion is not a string")
    return {"id": answer_id, "model": model, "created": _seconds(answer.get("createTime"))}


def whole_fields(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an answer that have no place of their own, and say something."""
    return {name: value for name, value in answer.items() if name not in _WHOLE and value is not None}


def candidate_fields(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a candidate."""
    return {name: value for name, value in candidate.items() if name not in _CANDIDATE and value is not None}


def parts_of(candidate: Mapping[str, Any], where: str, *, fragments: bool = False) -> list[dict[str, Any]]:
    """The checked parts of a candidate; none where there is no content. `fragments` of calls may be there."""
    content = candidate.get("content") or {}
    parts = content.get("parts") or [] if isinstance(content, dict) else None
    if not isinstance(parts, list):
        raise InvalidAnswerError(f"{where}.content is wrong")
    if any(isinstance(part, dict) and None in part.values() for part in parts):  # null is the same as absent
        parts = [{k: v for k, v in part.items() if v is not None} if isinstance(part, dict) else part for part in parts]
    for i, part in enumerate(parts):
        if fragments and is_fragment(part):
            continue
        check_part(part, f"{where}.content.parts[{i}]")
    return parts


def word_of(reason: Any, numbers: Mapping[int, str]) -> str | None:
    """The vendor's word for why it ended, also where it came as a number."""
    if isinstance(reason, int) and not isinstance(reason, bool):
        reason = numbers.get(reason, str(reason))
    if reason is not None and not isinstance(reason, str):
        raise InvalidAnswerError("finishReason is not a word")
    return None if reason == "FINISH_REASON_UNSPECIFIED" else reason or None


def finish_of(word: str | None, *, calls: bool) -> FinishReason | None:
    """OpenAI's word. The vendor's STOP, or a complaint about a call, is `tool_calls` where there are calls."""
    if word is None:
        return None
    reason = FINISH_REASONS.get(word, "stop")
    return "tool_calls" if reason == "stop" and calls else reason


def logprobs_of(result: Any) -> dict[str, Any] | None:
    """`logprobsResult` as OpenAI's log probabilities. Raises `InvalidAnswerError`."""
    if not isinstance(result, Mapping) or not isinstance(result.get("chosenCandidates"), list):
        return None
    tops = result.get("topCandidates")
    tops = tops if isinstance(tops, list) else []
    tokens = []
    for i, chosen in enumerate(result["chosenCandidates"]):
        token = _token(chosen)
        beside = tops[i].get("candidates") if i < len(tops) and isinstance(tops[i], Mapping) else None
        token["top_logprobs"] = [_token(other) for other in beside] if isinstance(beside, list) else []
        tokens.append(token)
    return {"content": tokens, "refusal": None}


def _token(candidate: Any) -> dict[str, Any]:
    if not isinstance(candidate, Mapping):
        raise InvalidAnswerError("logprobsResult is wrong")
    text, logprob = candidate.get("token") or "", candidate.get("logProbability") or 0.0
    if not isinstance(text, str) or not isinstance(logprob, int | float):
        raise InvalidAnswerError("logprobsResult is wrong")
    return {"token": text, "logprob": logprob, "bytes": list(text.encode("utf-8", "surrogatepass"))}


def _choice(candidate: Mapping[str, Any], index: int, id: str, numbers: Mapping[int, str]) -> dict[str, Any]:
    parts = parts_of(candidate, f"candidates[{index}]")
    reading = read_parts(parts, id, index)
    word = word_of(candidate.get("finishReason"), numbers)
    choice = {
        **candidate_fields(candidate),
        "index": index,
        "message": _message(reading, parts, candidate),
        "finish_reason": finish_of(word, calls=bool(reading.calls)),
        "native_finish_reason": word,
    }
    if logprobs := logprobs_of(candidate.get("logprobsResult")):
        choice["logprobs"] = logprobs
    return choice


def _message(reading: Reading, parts: list[dict[str, Any]], candidate: Mapping[str, Any]) -> dict[str, Any]:
    is_silent = bool(reading.calls or reading.images or reading.audio)
    values: dict[str, Any] = {"role": "assistant", "content": reading.text if reading.text or not is_silent else None}
    if reading.calls:
        values["tool_calls"] = reading.calls
    if reading.images:
        values["images"] = reading.images
    if reading.audio is not None:
        values["audio"] = reading.audio
    if reading.reasoning:
        values["reasoning_content"] = reading.reasoning
    if annotations := annotations_of(candidate, reading.text):
        values["annotations"] = annotations
    if not reading.plain:
        values["native_content"] = native_content(parts)
    return values


def _seconds(time: Any) -> int:
    """Seconds since the epoch of `2026-02-17T04:28:18.088960Z`."""
    if not isinstance(time, str) or not time.endswith("Z"):
        return 0
    try:
        return int(datetime.fromisoformat(time[:19]).replace(tzinfo=timezone.utc).timestamp())
    except (ValueError, OverflowError):
        return 0
