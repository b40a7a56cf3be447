"""Chunks → Google's streamed answer (server-sent events), for clients that speak its API.

Text and thoughts are sent as they come; tool calls when they are complete, at the end, unless native content tells them
sooner. A part of native content that tells text which was sent already adds what that text lacks (its signature) in an
empty text part, as the vendor does itself; text that a part told ahead is not sent twice. What another vendor signed
comes at the end, as a signature.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Final

from edgeagent.errors import APIStatusError
from edgeagent.providers.gemini.errors import encode_error
from edgeagent.providers.gemini.grounding import grounding_of
from edgeagent.providers.gemini.outbound import call_part, finish_word, logprobs_result
from edgeagent.providers.gemini.parts import WIRE
from edgeagent.providers.gemini.signing import with_seal
from edgeagent.providers.gemini.usage import encode_usage
from edgeagent.types import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from edgeagent.types.assembly import assemble, joined_native
from edgeagent.types.completion import Annotation
from edgeagent.wire.json import dump_json

__all__ = ["GenerateStreamEncoder"]

_TEXTS: Final = (("reasoning_content", True), ("content", False), ("refusal", False))


class _Sent:
    """What was sent of one choice."""

    __slots__ = ("calls", "cited", "end", "foreign", "lead", "text", "told")

    def __init__(self) -> None:
        self.lead = {True: 0, False: 0}  # characters (of thoughts, of text) sent, and not yet told by native parts
        self.told = 0  # tool calls that native parts have told
        self.calls: list[ChunkChoice] = []
        self.text: list[str] = []
        self.cited: list[Annotation] = []
        self.foreign: list[dict[str, Any]] = []  # native content of another format
        self.end: ChunkChoice | None = None


class GenerateStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`."""

    __slots__ = ("_choices", "_extra", "_top", "_usage")

    def __init__(self) -> None:
        self._choices: dict[int, _Sent] = {}
        self._top: dict[str, Any] = {}
        self._usage: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        if not self._top:
            self._top = {"modelVersion": chunk.model, "responseId": chunk.id}
            if chunk.created:
                self._top["createTime"] = f"{datetime.fromtimestamp(chunk.created, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
        if chunk.usage is not None:
            self._usage = encode_usage(chunk.usage)
        if not chunk.choices:
            self._extra.update(chunk.model_extra or {})
        return b"".join(self._take(choice) for choice in chunk.choices)

    def fault(self, error: APIStatusError, /) -> bytes:
        """`{"error": {…}}`, after which nothing comes."""
        return b"data: " + encode_error(error).content + b"\r\n\r\n"

    def end(self) -> bytes:
        """The tool calls, the finish reasons and the usage."""
        candidates = []
        for index in sorted(self._choices):
            sent = self._choices[index]
            native = joined_native(sent.foreign) if sent.foreign else None
            parts = with_seal(self._calls(sent), native, "".join(sent.text))
            candidate = _candidate(parts, index)
            word, own = finish_word("stop", None), {}
            if sent.end is not None:
                word = finish_word(sent.end.finish_reason, sent.end.native_finish_reason)
                own = sent.end.model_extra or {}
            told = grounding_of(sent.cited, "".join(sent.text), own)
            candidates.append({**candidate, **told, **own, "finishReason": word})
        body: dict[str, Any] = {"candidates": candidates, **self._top, **self._extra}
        if self._usage is not None:
            body["usageMetadata"] = self._usage
        return _event(body)

    def _take(self, choice: ChunkChoice) -> bytes:
        sent = self._choices.setdefault(choice.index, _Sent())
        parts = [*_native(sent, choice.delta), *_texts(sent, choice.delta)]
        sent.text.append(choice.delta.content or "")
        sent.cited += choice.delta.annotations or ()
        if choice.delta.tool_calls or choice.delta.function_call:
            sent.calls.append(choice)
        if choice.finish_reason is not None or choice.native_finish_reason is not None:
            sent.end = choice
        tokens = logprobs_result(choice.logprobs)
        if not parts and tokens is None:
            return b""
        candidate = _candidate(parts, choice.index)
        if tokens is not None:
            candidate["logprobsResult"] = tokens
        return _event({"candidates": [candidate], **self._top})

    def _calls(self, sent: _Sent) -> list[dict[str, Any]]:
        chunks = [ChatCompletionChunk(id="", choices=[choice], created=0, model="") for choice in sent.calls]
        if not chunks:
            return []
        message = assemble(chunks).choices[0].message
        parts = [call_part(call) for call in message.tool_calls or ()]
        if message.function_call is not None:
            function = {"index": 0, "id": "call_gemini_function", "function": message.function_call.model_dump()}
            delta = ChoiceDelta.model_validate({"tool_calls": [function]})
            made = ChunkChoice(index=0, delta=delta)
            whole = assemble([ChatCompletionChunk(id="", choices=[made], created=0, model="")])
            parts += [call_part(call) for call in whole.choices[0].message.tool_calls or ()]
        return parts[sent.told :]


def _native(sent: _Sent, delta: ChoiceDelta) -> list[dict[str, Any]]:
    native = delta.native_content
    if native is None:
        return []
    if native.get("wire") != WIRE:
        sent.foreign.append(native)
        return []
    parts: list[dict[str, Any]] = []
    for part in native.get("content") or ():
        if "functionCall" in part:
            sent.told += 1
        if not isinstance(part.get("text"), str):
            parts.append(part)
            continue
        kind, length = part.get("thought") is True, len(part["text"])
        before = min(length, max(0, sent.lead[kind]))  # what was sent of it already
        sent.lead[kind] -= length
        if before < length or part.keys() - {"text", "thought"}:
            parts.append({**part, "text": part["text"][before:]})
    return parts


def _texts(sent: _Sent, delta: ChoiceDelta) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for name, is_thought in _TEXTS:
        text = getattr(delta, name)
        if not text:
            continue
        ahead = max(0, -sent.lead[is_thought])  # characters that a native part has told already
        sent.lead[is_thought] += len(text)
        if rest := text[ahead:]:
            parts.append({"text": rest, "thought": True} if is_thought else {"text": rest})
    return parts


def _candidate(parts: list[dict[str, Any]], index: int) -> dict[str, Any]:
    """A content is never without a part: Google's SDK would take the answer for invalid, and its chats forget it."""
    return {"content": {"parts": parts or [{"text": ""}], "role": "model"}, "index": index}


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + dump_json(body) + b"\r\n\r\n"
