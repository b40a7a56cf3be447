"""The answers of the model families that InvokeModel serves in forms of their own, read into one form.

Only what older text models answer stands here; Claude, Nova and OpenAI-shaped families have whole codecs. A family is
known by the fields of its answer, since neither the body nor an inference profile's ARN names it. What is not read is
kept as it is.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html and its pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from edgeagent.providers.bedrock.blocks import InvalidBlockError
from edgeagent.providers.bedrock.usage import token_count
from edgeagent.types import FinishReason

__all__ = ["Piece", "finish_of_text", "read_text"]

_REASONS: Final[Mapping[str, FinishReason]] = {
    "length": "length",
    "max_tokens": "length",
    "max_token": "length",
    "content_filtered": "content_filter",
    "error_toxic": "content_filter",
    "filtered": "content_filter",
}
"""The families' words in lower case; every other one is an ordinary end."""


@dataclass(slots=True)
class Piece:
    """What one answer, or one event of a stream, says: each choice's text and (when it has ended) its reason."""

    texts: list[tuple[str, str | None]]
    prompt: int | None = None
    output: int | None = None
    rest: dict[str, Any] = field(default_factory=dict)
    id: str = ""


def finish_of_text(reason: str | None) -> FinishReason | None:
    """OpenAI's word for a family's."""
    return None if reason is None else _REASONS.get(reason.lower(), "stop")


def read_text(answer: Mapping[str, Any]) -> Piece | None:
    """What a text model says; None if this is no answer of such a model. Raises `InvalidBlockError`."""
    for mark, reader in _READERS:
        if mark in answer:
            try:
                piece = reader(answer)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise InvalidBlockError(f"{mark} has not the documented form") from error
            if any(not isinstance(text, str) or not isinstance(reason, str | None) for text, reason in piece.texts):
                raise InvalidBlockError(f"{mark} holds no text")
            told = piece.rest
            if not (isinstance(told.get("created", 0), int) and isinstance(told.get("system_fingerprint"), str | None)):
                raise InvalidBlockError("created or system_fingerprint has not the documented form")
            return piece
    return None


def _rest(answer: Mapping[str, Any], *read: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in read and value is not None}


def _objects(answer: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    values = answer[name]
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise TypeError(name)
    return values


def _titan(answer: Mapping[str, Any]) -> Piece:
    results = _objects(answer, "results")
    outputs = [token_count(result, "tokenCount") for result in results]
    output = sum(count or 0 for count in outputs) if any(count is not None for count in outputs) else None
    texts = [(result["outputText"], result.get("completionReason")) for result in results]
    rest = _rest(answer, "results", "inputTextTokenCount")
    return Piece(texts, token_count(answer, "inputTextTokenCount"), output, rest)


def _titan_event(answer: Mapping[str, Any]) -> Piece:
    names = ("outputText", "completionReason", "inputTextTokenCount", "totalOutputTextTokenCount", "index")
    prompt, output = token_count(answer, "inputTextTokenCount"), token_count(answer, "totalOutputTextTokenCount")
    texts = [(answer["outputText"], answer.get("completionReason"))]
    return Piece(texts, prompt, output, _rest(answer, *names))


def _llama(answer: Mapping[str, Any]) -> Piece:
    names = ("generation", "stop_reason", "prompt_token_count", "generation_token_count")
    prompt, output = token_count(answer, "prompt_token_count"), token_count(answer, "generation_token_count")
    return Piece([(answer["generation"], answer.get("stop_reason"))], prompt, output, _rest(answer, *names))


def _mistral(answer: Mapping[str, Any]) -> Piece:
    texts = [(output["text"], output.get("stop_reason")) for output in _objects(answer, "outputs")]
    return Piece(texts, rest=_rest(answer, "outputs"))


def _old_claude(answer: Mapping[str, Any]) -> Piece:
    rest = _rest(answer, "completion", "stop_reason", "type")
    return Piece([(answer["completion"], answer.get("stop_reason"))], rest=rest)


def _ai21(answer: Mapping[str, Any]) -> Piece:
    texts = []
    for completion in _objects(answer, "completions"):
        reason = completion.get("finishReason") or {}
        texts.append((completion["data"]["text"], reason.get("reason")))
    prompt = answer.get("prompt") or {}
    outputs = [completion["data"].get("tokens") for completion in _objects(answer, "completions")]
    counts = [len(tokens) for tokens in outputs if isinstance(tokens, list)]
    tokens = prompt.get("tokens")
    rest = {**_rest(answer, "id", "completions"), "completions": answer["completions"]}
    read = len(tokens) if isinstance(tokens, list) else None
    return Piece(texts, read, sum(counts) if counts else None, rest, _id(answer))


def _cohere(answer: Mapping[str, Any]) -> Piece:
    texts = [(made["text"], made.get("finish_reason")) for made in _objects(answer, "generations")]
    return Piece(texts, rest=_rest(answer, "generations", "id"), id=_id(answer))


def _command_r(answer: Mapping[str, Any]) -> Piece:
    if not isinstance(answer.get("generation_id"), str | None):
        raise TypeError("generation_id")
    rest = _rest(answer, "text", "finish_reason", "generation_id")
    made = answer.get("generation_id") or ""
    return Piece([(answer["text"], answer.get("finish_reason"))], rest=rest, id=made)


def _completions(answer: Mapping[str, Any]) -> Piece:
    texts = [(choice["text"], choice.get("finish_reason")) for choice in _objects(answer, "choices")]
    usage = answer.get("usage") or {}
    prompt, output = token_count(usage, "prompt_tokens"), token_count(usage, "completion_tokens")
    names = ("id", "choices", "usage", "object", "model")
    return Piece(texts, prompt, output, _rest(answer, *names), _id(answer))


def _id(answer: Mapping[str, Any]) -> str:
    value = answer.get("id")
    return "" if value is None else str(value)


_READERS: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], Piece]], ...]] = (
    ("results", _titan),
    ("outputText", _titan_event),
    ("generation", _llama),
    ("outputs", _mistral),
    ("completion", _old_claude),
    ("completions", _ai21),
    ("generations", _cohere),
    ("choices", _completions),
    ("text", _command_r),
)
"""By the field that only this family's answers have, in this order."""
