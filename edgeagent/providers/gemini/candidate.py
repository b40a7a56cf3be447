"""One candidate of a streamed answer: what its parts add to a choice, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.gemini.grounding import annotations_of
from edgeagent.providers.gemini.partial import PartialCall, is_fragment
from edgeagent.providers.gemini.parts import (
    AudioJoin,
    call_of,
    check_part,
    is_plain,
    made_id,
    media_of,
    native_content,
    read_parts,
)
from edgeagent.providers.gemini.response import candidate_fields, finish_of, logprobs_of, parts_of, word_of

__all__ = ["StreamedCandidate"]

Delta = dict[str, Any]

_RUN: Final = frozenset({"text", "thought"})
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "logprobsResult": ("chosenCandidates", "topCandidates"),
    "citationMetadata": ("citations",),
}
"""Fields that each piece of the stream continues; of others the last that says something counts."""


class StreamedCandidate:
    """A candidate as far as it has come.

    Text that arrives in pieces is one part, as the vendor's unstreamed answer has it; a piece with a signature is a
    part of its own, since parts with signatures must not be joined with others
    (https://ai.google.dev/gemini-api/docs/thought-signatures).
    """

    __slots__ = (
        "_audio",
        "_calls",
        "_closed",
        "_fields",
        "_index",
        "_is_native",
        "_is_silent",
        "_numbers",
        "_open",
        "_parts",
        "_pieces",
        "_run",
        "_spoke",
        "_texts",
        "_word",
    )

    def __init__(self, index: int, numbers: Mapping[int, str]) -> None:
        self._index = index
        self._open: PartialCall | None = None
        self._numbers = numbers
        self._closed: list[dict[str, Any]] = []  # whole parts that were not yet sent as native content
        self._run: dict[str, Any] | None = None  # the text part that may go on
        self._pieces: list[str] = []  # of its text
        self._parts = 0  # that were closed
        self._is_native = False
        self._calls = 0
        self._texts: list[str] = []
        self._is_silent = False  # it has something else than text
        self._audio = AudioJoin()
        self._spoke = False
        self._fields: dict[str, Any] = {}
        self._word: str | None = None

    @property
    def has_finished(self) -> bool:
        """Whether the vendor said why it ended; more parts may come all the same."""
        return self._word is not None

    def add(self, candidate: Mapping[str, Any], id: str) -> list[dict[str, Any]]:
        """What a piece of the stream adds, as the fields of chunks' choices. Raises `InvalidAnswerError`."""
        deltas: list[Delta] = []
        for part in parts_of(candidate, f"candidates[{self._index}]", fragments=True):
            for whole in self._joined(part) if self._open is not None or is_fragment(part) else (part,):
                deltas += self._part(whole, id)
        self._keep(candidate_fields(candidate))
        word = word_of(candidate.get("finishReason"), self._numbers)
        self._word = word or self._word
        choices = [{"index": self._index, "delta": delta} for delta in deltas]
        if tokens := logprobs_of(candidate.get("logprobsResult")):
            choices = choices or [{"index": self._index, "delta": {}}]
            choices[-1]["logprobs"] = tokens
        return choices

    def end(self, id: str) -> list[dict[str, Any]]:
        """What is left when the stream has ended: held parts, annotations, the finish reason."""
        deltas = self._part(self._ended_call(), id) if self._open is not None else []
        deltas += self._close()
        if self._spoke and (rest := self._audio.end()):
            deltas.append({"audio": {"id": made_id(id, self._index, 0, "audio"), "data": rest}})
        text = "".join(self._texts)
        if annotations := annotations_of(self._fields, text):
            deltas.append({"annotations": annotations})
        last: Delta = {} if text or self._is_silent else {"content": ""}
        choices = [{"index": self._index, "delta": delta} for delta in deltas]
        finish = finish_of(self._word, calls=self._calls > 0)
        end = {"finish_reason": finish, "native_finish_reason": self._word}
        return [*choices, {**self._fields, "index": self._index, "delta": last, **end}]

    def _joined(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        """The whole parts that a part completes, while the arguments of a call come in pieces."""
        if "functionCall" not in part:
            return [part]
        call, done = part["functionCall"], list[dict[str, Any]]()
        if self._open is not None and not self._open.goes_on(call):
            done.append(self._ended_call())
        if self._open is None:
            if not is_fragment(part):
                return [*done, part]
            if not call:  # the end of nothing
                return done
            self._open = PartialCall(part)
        self._open.add(part)
        return done if call.get("willContinue") else [*done, self._ended_call()]

    def _ended_call(self) -> dict[str, Any]:
        assert self._open is not None
        part, self._open = self._open.whole(), None
        check_part(part, "functionCall")
        return part

    def _keep(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            before = self._fields.get(name)
            if isinstance(value, dict) and isinstance(before, dict):
                joined = {
                    key: [*before[key], *value[key]]
                    for key in _LISTS.get(name, ())
                    if isinstance(before.get(key), list) and isinstance(value.get(key), list)
                }
                self._fields[name] = {**before, **value, **joined}
            elif before is None or value not in ([], "", {}):
                self._fields[name] = value

    def _part(self, part: dict[str, Any], id: str) -> list[Delta]:
        deltas: list[Delta] = []
        if "text" in part:
            is_thought = part.get("thought") is True
            if not is_thought:
                self._texts.append(part["text"])
            if part["text"]:
                deltas.append({"reasoning_content" if is_thought else "content": part["text"]})
            if part.keys() <= _RUN:
                return self._continue(part) + deltas  # what is over is told before what follows it
        if "functionCall" in part:
            call = call_of(part["functionCall"], id, self._index, self._calls)
            deltas.append({"tool_calls": [{"index": self._calls, **call}]})
            self._calls += 1
            self._is_silent = True
        deltas += self._media(part, id)
        return deltas + self._close(part)

    def _media(self, part: dict[str, Any], id: str) -> list[Delta]:
        kind, data = media_of(part)
        if kind.startswith("image/"):
            self._is_silent = True
            return [{"images": read_parts([part]).images}]
        if kind.startswith("audio/"):
            self._is_silent = self._spoke = True
            audio = {"id": made_id(id, self._index, 0, "audio"), "format": kind, "data": self._audio.add(data)}
            return [{"audio": audio}]
        return []

    def _continue(self, part: dict[str, Any]) -> list[Delta]:
        """Another piece of the text part that is open, or the first of a new one."""
        deltas: list[Delta] = []
        if self._run is None or self._run.get("thought") != part.get("thought"):
            deltas = self._close()
            self._run = part
        self._pieces.append(part["text"])
        return deltas

    def _close(self, *parts: dict[str, Any]) -> list[Delta]:
        """The open text part has ended, and then come these whole ones."""
        if self._run is not None:
            self._run["text"] = "".join(self._pieces)
            parts = (self._run, *parts)
            self._run, self._pieces = None, []
        for part in parts:
            self._is_native = self._is_native or not is_plain(part, self._parts)
            self._parts += 1
            self._closed.append(part)
        if not self._is_native or not self._closed:
            return []
        closed, self._closed = self._closed, []
        return [{"native_content": native_content(closed)}]
