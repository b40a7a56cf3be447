"""`GenerateContentResponse` documents → chunks: one reader for whole answers and for streams.

The finish of each candidate is told at the very end, since Gemini says STOP in mid-stream and goes on, and since the
vendor's own parts (with their thought signatures) are known only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NoReturn, cast

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.gemini.citations import annotations_of
from edgeagent.providers.gemini.logprobs import logprobs_of
from edgeagent.providers.gemini.usage import usage_of
from edgeagent.providers.gemini.words import WIRE, finish_reason, native_of
from edgeagent.types import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    CompletionUsage,
    FinishReason,
)
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["ResponseReader", "invalid"]

_TOP: Final = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "createTime"})
_CANDIDATE: Final = frozenset({"content", "finishReason", "index"})
_PLAIN: Final = frozenset({"text", "thought"})


class _Candidate:
    """What is known of one candidate."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.calls = 0
        self.native: str | None = None
        self.extra: dict[str, Any] = {}
        self.texts: list[str] = []

    def keep(self, part: dict[str, Any]) -> None:
        """The vendor's part; texts that say nothing but text are joined."""
        last = self.parts[-1] if self.parts else None
        if (
            last is not None
            and part.keys() <= _PLAIN
            and last.keys() == part.keys()
            and last.get("thought") == part.get("thought")
        ):
            last["text"] += part["text"]
        else:
            self.parts.append(dict(part))

    def special(self) -> bool:
        """Whether the plain fields do not hold everything."""
        return any(part.keys() - {"text"} for part in self.parts)


class ResponseReader:
    """Documents in, chunks out; `end` gives what was held back. One object per answer."""

    def __init__(self) -> None:
        self._id = ""
        self._model = ""
        self._created = 0
        self._candidates: dict[int, _Candidate] = {}
        self._usage: CompletionUsage | None = None
        self._extra: dict[str, Any] = {}

    @property
    def complete(self) -> bool:
        """Whether every candidate that began has said why it ended, or the prompt was refused."""
        begun = self._candidates.values()
        return (bool(begun) and all(candidate.native is not None for candidate in begun)) or self._blocked() is not None

    def feed(self, document: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        """The next document. Raises `ResponseValidationError`."""
        self._note(document)
        candidates = document.get("candidates")
        if candidates is None:
            return []
        if not isinstance(candidates, list):
            invalid("candidates is no list")
        choices = [choice for place, candidate in enumerate(candidates) for choice in self._choices(place, candidate)]
        return [self._chunk([choice]) for choice in choices]

    def end(self) -> list[ChatCompletionChunk]:
        """How each candidate ended, and the usage."""
        blocked = self._blocked()
        if blocked is not None and not self._candidates:
            self._candidates[0] = candidate = _Candidate()
            candidate.native = blocked
        chunks = [self._chunk([self._last(index, self._candidates[index])]) for index in sorted(self._candidates)]
        if self._usage is not None or self._extra:
            last = self._chunk([])
            last.usage = self._usage
            assert last.model_extra is not None
            last.model_extra.update(self._extra)
            chunks.append(last)
        return chunks

    def _note(self, document: Mapping[str, Any]) -> None:
        self._id = self._id or _text(document.get("responseId"))
        self._model = self._model or _text(document.get("modelVersion"))
        self._created = self._created or _seconds(document.get("createTime"))
        self._usage = usage_of(document.get("usageMetadata")) or self._usage
        self._extra.update({name: value for name, value in document.items() if name not in _TOP})

    def _blocked(self) -> str | None:
        feedback = self._extra.get("promptFeedback")
        return native_of(feedback.get("blockReason")) if isinstance(feedback, Mapping) else None

    def _choices(self, place: int, value: object) -> Iterator[ChunkChoice]:
        if not isinstance(value, Mapping):
            invalid("a candidate is no object")
        index = value.get("index", place)
        if not isinstance(index, int) or isinstance(index, bool):
            invalid("a candidate's index is no number")
        candidate = self._candidates.setdefault(index, _Candidate())
        candidate.native = native_of(value.get("finishReason")) or candidate.native
        candidate.extra.update({name: item for name, item in value.items() if name not in _CANDIDATE})
        content = value.get("content")
        if content is None:
            return
        parts = content.get("parts") if isinstance(content, Mapping) else None
        if not isinstance(content, Mapping) or not isinstance(parts, list | None):
            invalid("a candidate's content is none")
        for part in parts or ():
            if not isinstance(part, dict):
                invalid("a part is no object")
            delta = self._delta(index, candidate, part)
            candidate.keep(part)
            if delta is not None:
                yield ChunkChoice(index=index, delta=delta)

    def _delta(self, index: int, candidate: _Candidate, part: dict[str, Any]) -> ChoiceDelta | None:
        text = part.get("text")
        if text is not None:
            if not isinstance(text, str):
                invalid("a part's text is none")
            if part.get("thought") is True:
                return ChoiceDelta(reasoning_content=text) if text else None
            candidate.texts.append(text)
            return ChoiceDelta(content=text) if text else None
        call = part.get("functionCall")
        if call is not None:
            return ChoiceDelta(tool_calls=[self._call(index, candidate, call)])
        data = part.get("inlineData")
        return _media(data) if isinstance(data, Mapping) and not part.get("thought") else None

    def _call(self, index: int, candidate: _Candidate, call: object) -> ChoiceDeltaToolCall:
        if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
            invalid("a function call has no name")
        place, candidate.calls = candidate.calls, candidate.calls + 1
        told = call.get("id")
        made = told if isinstance(told, str) and told else f"call_{self._id or 'local'}_{index}_{place}"
        arguments = call.get("args")
        return ChoiceDeltaToolCall(
            index=place,
            id=made,
            type="function",
            function=ChoiceDeltaToolCallFunction(
                name=call["name"], arguments=dump_json({} if arguments is None else arguments).decode()
            ),
        )

    def _last(self, index: int, candidate: _Candidate) -> ChunkChoice:
        delta = ChoiceDelta()
        if candidate.special():
            delta.native_content = {"wire": WIRE, "content": candidate.parts}
        annotations = annotations_of(candidate.extra.get("groundingMetadata"), "".join(candidate.texts))
        if annotations:
            delta.annotations = annotations
        choice = ChunkChoice(index=index, delta=delta, **candidate.extra)
        logprobs = logprobs_of(candidate.extra.get("logprobsResult"))
        if logprobs is not None:
            choice.logprobs = logprobs
        if candidate.native is not None:
            reason = finish_reason(candidate.native, called=candidate.calls > 0)
            choice.finish_reason, choice.native_finish_reason = cast("FinishReason", reason), candidate.native
        return choice

    def _chunk(self, choices: list[ChunkChoice]) -> ChatCompletionChunk:
        return ChatCompletionChunk(id=self._id, created=self._created, model=self._model, choices=choices)


def _media(data: Mapping[str, Any]) -> ChoiceDelta | None:
    """A picture or speech that the model made; the picture in the form in which other gateways have it."""
    kind, content = data.get("mimeType"), data.get("data")
    if not isinstance(kind, str) or not isinstance(content, str):
        return None
    if kind.startswith("image/"):
        image = {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{content}"}}
        return ChoiceDelta(images=[image])  # type: ignore[call-arg]  # an extra field
    if kind.startswith("audio/"):
        return ChoiceDelta.model_validate({"audio": {"id": "", "data": content, "mime_type": kind}})
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> int:
    """An RFC 3339 time as epoch seconds; 0 if it is none."""
    if not isinstance(value, str):
        return 0
    try:
        return int(datetime.fromisoformat(value[:19] + "+00:00").timestamp())
    except (ValueError, OverflowError):
        return 0


def invalid(reason: str, content: bytes = b"") -> NoReturn:
    """Raise the error for an answer that is not what Google documents; `reason` quotes nothing of it."""
    response = HTTPResponse(200, content=content)
    raise ResponseValidationError(response, None, message=f"The answer is not Gemini's: {reason}.")
