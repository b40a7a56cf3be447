"""What servers of OpenAI's shape say well formed, and otherwise than callers expect."""

from __future__ import annotations

import contextlib
from hashlib import blake2b
from typing import Any, Final

from pydantic import ValidationError

from edgeagent.providers.openai.counting import count
from edgeagent.providers.openai.tags import ThinkTags
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.chunk import ChoiceDelta, ChoiceDeltaToolCall, ChoiceDeltaToolCallFunction, ChunkChoice
from edgeagent.types.completion import (
    Annotation,
    AnnotationURLCitation,
    ChatCompletionMessage,
    ChatCompletionTokenLogprob,
    Choice,
    ChoiceLogprobs,
)

__all__ = ["Tidy"]

MAX_DETAILS: Final = 16
"""Among how many of the last details a piece's own is looked for."""
MAX_CALLS: Final = 4096
"""More than any answer has: an index beyond it is passed on as it is."""


class _Call:
    """What is known of one call of a stream."""

    __slots__ = ("empty", "id")

    def __init__(self) -> None:
        self.id = ""
        self.empty = True  # no arguments yet


class Tidy:
    """Makes the objects of one answer say what callers expect. One for each answer, since a stream is told in parts.

    - tool calls have an id and an index, and arguments that are JSON: `null` and nothing at all mean no arguments;
    - `reasoning` (OpenRouter, Groq, Together, vLLM) is also `reasoning_content`;
    - a finish reason "tool_calls" without any call is "stop", none at all is what the answer shows;
    - usage counts reasoning in `completion_tokens` (xAI counts it apart), and DeepSeek's cache hits as cached tokens;
    - the web pages that Perplexity cites are `annotations`;
    - `think`: text between `<think>` and `</think>` at the beginning is reasoning;
    - pieces of `reasoning_details` have an index of their own for each detail, so that joining them mixes up none.

    What the server said besides is kept beside it.
    """

    __slots__ = ("_calls", "_choices", "_cited", "_details", "_head", "_id", "_tags", "_think")

    def __init__(self, *, think: bool = False) -> None:
        self._id = ""
        self._think = think
        self._tags: dict[int, ThinkTags] = {}  # by choice
        self._details: dict[int, list[tuple[Any, Any, Any]]] = {}  # by choice, in order: their own index, type, id
        self._calls: dict[int, list[_Call]] = {}  # by choice, in order
        self._choices: dict[int, bool] = {}  # whether they have finished
        self._head: dict[str, Any] | None = None  # of the last chunk, which is the caller's
        self._cited = False

    def completion(self, completion: ChatCompletion) -> ChatCompletion:
        """A whole answer, in place."""
        self._id = completion.id
        for choice in completion.choices:
            self._message(choice.message, choice.index)
            if self._think:
                self._take_apart(choice.message, choice.index, ended=True)
            if choice.logprobs is not None:
                _log_probabilities(choice.logprobs)
            self._finish(choice, bool(choice.message.tool_calls), bool(choice.message.function_call))
        if completion.choices:
            self._cite(completion, completion.choices[0].message)
        count(completion.usage)
        return completion

    def chunk(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk:
        """The next piece of a stream, in place."""
        self._id = self._id or chunk.id
        for choice in chunk.choices:
            delta = choice.delta
            if delta.model_extra:
                _reasoning(delta)
                self._number(delta, choice.index)
            if choice.logprobs is not None and choice.logprobs.model_extra:
                _log_probabilities(choice.logprobs)
            if self._think:
                self._take_apart(delta, choice.index, ended=choice.finish_reason is not None)
            if delta.tool_calls:
                self._fragments(delta, choice.index)
            if choice.finish_reason is not None:
                self._choices[choice.index] = True
                self._finish(choice, bool(self._calls.get(choice.index)), bool(delta.function_call))
                self._no_arguments(choice)
            else:
                self._choices.setdefault(choice.index, False)
        self._head = {"id": chunk.id, "created": chunk.created, "model": chunk.model}
        if chunk.choices and not self._cited:
            self._cite(chunk, chunk.choices[0].delta)
        count(chunk.usage)
        return chunk

    def rest(self) -> list[ChatCompletionChunk]:
        """The stream has ended properly: the finish reasons that it left out."""
        unfinished = [index for index, finished in self._choices.items() if not finished]
        if self._head is None or not unfinished:
            return []
        choices = []
        for index in unfinished:
            choice = ChunkChoice(index=index, delta=ChoiceDelta())
            if self._think:
                self._take_apart(choice.delta, index, ended=True)
            self._finish(choice, bool(self._calls.get(index)), called_function=False)
            self._no_arguments(choice)
            choices.append(choice)
        return [ChatCompletionChunk(choices=choices, **self._head)]

    def _no_arguments(self, choice: ChunkChoice) -> None:
        """With its end, a call that was given no arguments is given none in JSON."""
        for position, call in enumerate(self._calls.get(choice.index, ())):
            if call.empty:
                call.empty = False
                delta = ChoiceDeltaToolCall(index=position, function=ChoiceDeltaToolCallFunction(arguments="{}"))
                choice.delta.tool_calls = [*(choice.delta.tool_calls or ()), delta]

    def _message(self, message: ChatCompletionMessage, choice: int) -> None:
        _reasoning(message)
        for position, call in enumerate(message.tool_calls or ()):
            call.id = call.id or self._made(choice, position)
            if call.function is not None and call.function.arguments.strip() in ("", "null"):
                call.function.arguments = "{}"
        function = message.function_call
        if function is not None and not function.name:
            message.function_call = None  # Snowflake's dummy
        if message.audio is not None and not message.audio.id and not message.audio.data:
            message.audio = None
        if message.refusal == "":
            message.refusal = None

    def _take_apart(self, part: ChatCompletionMessage | ChoiceDelta, choice: int, *, ended: bool) -> None:
        tags = self._tags.setdefault(choice, ThinkTags())
        reasoning, content = tags.feed(part.content or "")
        if ended:
            more = tags.rest()
            reasoning, content = reasoning + more[0], content + more[1]
        if content != (part.content or ""):
            part.content = content or None
        if reasoning:
            part.reasoning_content = (part.reasoning_content or "") + reasoning

    def _number(self, delta: ChoiceDelta, choice: int) -> None:
        """OpenRouter gives a summary and its encrypted form the same index; the first keeps it, others get the next."""
        details = (delta.model_extra or {}).get("reasoning_details")
        if not isinstance(details, list):
            return
        known = self._details.setdefault(choice, [])
        for detail in details:
            if isinstance(detail, dict) and isinstance(detail.get("index"), int):
                key = (detail["index"], str(detail.get("type")), detail.get("id"))
                places = range(max(0, len(known) - MAX_DETAILS), len(known))
                place = next((place for place in places if _same_detail(known[place], key)), len(known))
                if place == len(known):
                    known.append(key)
                detail["index"] = place

    def _finish(self, choice: Choice | ChunkChoice, called: bool, called_function: bool) -> None:
        if choice.finish_reason == "tool_calls" and not called:
            choice.native_finish_reason = choice.native_finish_reason or "tool_calls"
            choice.finish_reason = "stop"
        elif choice.finish_reason is None:
            choice.finish_reason = "tool_calls" if called else "function_call" if called_function else "stop"

    def _fragments(self, delta: ChoiceDelta, choice: int) -> None:
        """Fragments without an index belong to the call of their id, else begin one if they name it, else go on."""
        known = self._calls.setdefault(choice, [])
        for call in delta.tool_calls or ():
            if call.index < 0:
                call.index = _place(known, call)
            while len(known) <= call.index < MAX_CALLS:
                known.append(_Call())
            if call.index >= MAX_CALLS:
                continue
            state = known[call.index]
            if not state.id:
                state.id = call.id = call.id or self._made(choice, call.index)
            function = call.function
            if function is None:
                state.empty = state.empty and call.custom is None
            elif function.arguments:
                if state.empty and function.arguments.strip() == "null":
                    function.arguments = "{}"
                state.empty = state.empty and not function.arguments.strip()

    def _made(self, choice: int, position: int) -> str:
        """The same for the same answer, and short enough for those who limit it (OpenAI: 40 characters)."""
        digest = blake2b(self._id.encode("utf-8", "replace"), digest_size=8).hexdigest()
        return f"call_{digest}_{choice}_{position}"

    def _cite(self, holder: ChatCompletion | ChatCompletionChunk, message: ChatCompletionMessage | ChoiceDelta) -> None:
        if message.annotations:
            self._cited = True  # the server says it itself
        extra = holder.model_extra
        if self._cited or not extra:
            return
        results = extra.get("search_results")
        results = [one for one in results if isinstance(one, dict)] if isinstance(results, list) else []
        titles = {one["url"]: one.get("title") for one in results if isinstance(one.get("url"), str)}
        cited = extra.get("citations")
        if not isinstance(cited, list):
            cited = list(titles)
        annotations = [
            Annotation(type="url_citation", url_citation=AnnotationURLCitation(url=url, title=_text(titles.get(url))))
            for url in cited
            if isinstance(url, str)
        ]
        if annotations:
            message.annotations = annotations
            self._cited = True


def _place(known: list[_Call], call: ChoiceDeltaToolCall) -> int:
    """Of which call a fragment without an index is."""
    place = next((place for place, state in enumerate(known) if call.id and state.id == call.id), None)
    if place is not None:
        return place
    begins = call.id or (call.function is not None and call.function.name) or not known
    return len(known) if begins else len(known) - 1


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _reasoning(part: ChatCompletionMessage | ChoiceDelta) -> None:
    extra = part.model_extra or {}
    told = extra.get("reasoning")
    if part.reasoning_content is None and isinstance(told, str) and told:
        part.reasoning_content = told


def _same_detail(known: tuple[Any, Any, Any], piece: tuple[Any, Any, Any]) -> bool:
    return known[:2] == piece[:2] and (known[2] is None or piece[2] is None or known[2] == piece[2])


def _log_probabilities(logprobs: ChoiceLogprobs) -> None:
    """The older completions' form (Together's streams): parallel lists of tokens and of their log probabilities."""
    extra = logprobs.model_extra or {}
    tokens, values, tops = (extra.get(name) for name in ("tokens", "token_logprobs", "top_logprobs"))
    if logprobs.content is not None or not (isinstance(tokens, list) and isinstance(values, list)):
        return
    told = [
        {"token": token, "logprob": value, "top_logprobs": tops[i] if isinstance(tops, list) and i < len(tops) else []}
        for i, (token, value) in enumerate(zip(tokens, values, strict=False))
        if isinstance(value, (int, float))
    ]
    with contextlib.suppress(ValidationError):
        logprobs.content = [ChatCompletionTokenLogprob.model_validate(one) for one in told]
