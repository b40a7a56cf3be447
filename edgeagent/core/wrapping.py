"""A wanted form that is no object, asked for inside of one.

Google's API takes any JSON Schema for an answer, a list of things above all; others demand an object at the root. So
such a schema is asked for as the only field of an object, and what comes is taken out of it again, as it comes. One of
some words is to come without quotes, if `PLAIN` says so: it is told once it is whole.

https://platform.openai.com/docs/guides/structured-outputs ("Root objects must not be `anyOf` and must be an object").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import from_json

from edgeagent.core.wrapped_tokens import Tokens
from edgeagent.providers.base import PLAIN, Promise
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.chunk import ChunkChoice
from edgeagent.types.completion import ChatCompletionTokenLogprob, ChoiceLogprobs

__all__ = ["EDIT", "Unwrapper", "Wrapped", "unmarked", "unwrap", "wrap"]

EDIT: Final = "The answer's schema is sent inside an object: others take no list or plain value."

_FIELD: Final = "answer"
_OPENING: Final = re.compile(rf'\s*\{{\s*"{_FIELD}"\s*:\s*')
_BARE_OPENING: Final = f'{{"{_FIELD}":'
_MOVES: Final = re.compile(r'["\\{}\[\],]')
_SPACES: Final = " \t\r\n"
_SHARED: Final = ("$defs", "definitions")


class Wrapped(NamedTuple):
    """A request whose answer is wanted in an object, the schema as it was, and whether its text is wanted plain."""

    request: ChatRequest
    schema: Mapping[str, Any]
    plain: bool = False

    def promises(self, promises: tuple[Promise, ...]) -> tuple[Promise, ...]:
        """What the answer is checked for, once it has been taken out."""
        promised = Promise(self.schema, plain=self.plain)
        return tuple(one if one.tool is not None else promised for one in promises)


def wrap(request: ChatRequest) -> Wrapped | None:
    """The request for a vendor that wants an object at the root; None: it asks for one, or for no form."""
    wanted = request.response_format
    named = wanted.get("json_schema") if isinstance(wanted, Mapping) else None
    schema = named.get("schema") if isinstance(named, Mapping) else None
    if wanted is None or named is None or not isinstance(schema, Mapping) or schema.get("type") == "object":
        return None
    inner = {name: value for name, value in schema.items() if name not in _SHARED}
    outer: dict[str, Any] = {name: _moved(schema[name]) for name in _SHARED if name in schema}
    outer |= {"type": "object", "properties": {_FIELD: _moved(inner)}, "required": [_FIELD]}
    outer["additionalProperties"] = False
    form = {**wanted, "json_schema": {**named, "schema": outer}}
    return Wrapped(unmarked(request.model_copy(update={"response_format": form})), schema, PLAIN in named)


def unmarked(request: ChatRequest) -> ChatRequest:
    """The request without `PLAIN`."""
    wanted = request.response_format
    named = wanted.get("json_schema") if isinstance(wanted, Mapping) else None
    if wanted is None or not isinstance(named, Mapping) or PLAIN not in named:
        return request
    form = {**wanted, "json_schema": {name: value for name, value in named.items() if name != PLAIN}}
    return request.model_copy(update={"response_format": form})


def _moved(schema: Any) -> Any:
    """References from the root lead to the field now; those to shared definitions are right as they are."""
    if isinstance(schema, Mapping):
        return {name: _led(value) if name == "$ref" else _moved(value) for name, value in schema.items()}
    return [_moved(one) for one in schema] if isinstance(schema, list) else schema


def _led(reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#") or reference[1:2] not in ("", "/"):
        return _moved(reference)  # an anchor, an address, or a property of this name
    if reference.startswith(tuple(f"#/{name}/" for name in _SHARED)):
        return reference
    return f"#/properties/{_FIELD}{reference[1:]}"


def unwrap(completion: ChatCompletion, *, plain: bool = False) -> None:
    """Take the answers of a completion out of their objects, in place; `plain`: they are texts, and come as such."""
    for choice in completion.choices:
        if choice.message.content:
            text = _Word() if plain else _Text()
            choice.message.content = text.feed(choice.message.content) + text.end()
            if choice.logprobs is not None and choice.logprobs.content:
                tokens = Tokens()
                tokens.add(choice.logprobs.content)
                choice.logprobs.content = text.tokens(tokens, last=True)


class Unwrapper:
    """The same for a stream; call it with each chunk. It holds back no more than the object's own few characters.

    Args:
        then: changes each chunk further, in place.
        plain: as of `unwrap`.
    """

    __slots__ = ("_kind", "_texts", "_then", "_tokens")

    def __init__(self, then: Callable[[ChatCompletionChunk], object] | None = None, *, plain: bool = False) -> None:
        self._then = then
        self._kind = _Word if plain else _Text
        self._texts: dict[int, _Text] = {}
        self._tokens: dict[int, Tokens] = {}  # of choices that have any

    def __call__(self, chunk: ChatCompletionChunk) -> None:
        """Change the chunk in place."""
        for choice in chunk.choices:
            text = self._texts.get(choice.index) or self._texts.setdefault(choice.index, self._kind())
            content = choice.delta.content
            shown = text.feed(content) if content else ""
            if choice.finish_reason is not None:
                shown += text.end()
            if content or shown:
                choice.delta.content = shown
            if choice.logprobs is not None or choice.index in self._tokens:
                self._with_tokens(choice, text)
        if self._then is not None:
            self._then(chunk)

    def _with_tokens(self, choice: ChunkChoice, text: _Text) -> None:
        tokens = self._tokens.get(choice.index) or self._tokens.setdefault(choice.index, Tokens())
        told = choice.logprobs
        if told is not None and told.content:
            tokens.add(told.content)
        found = text.tokens(tokens, last=choice.finish_reason is not None)
        if told is not None and (found or told.refusal):
            told.content = found
        else:
            choice.logprobs = ChoiceLogprobs(content=found) if found else None


class _Text:
    """One text: `{"answer": <value>}` becomes `<value>`, anything else stays as it is."""

    __slots__ = ("_depth", "_escaped", "_given", "_held", "_quoted", "_start", "_state")

    def __init__(self) -> None:
        self._state: Literal["before", "within", "after", "plain"] = "before"
        self._held = ""
        self._start = 0  # where the value begins, in bytes
        self._given = 0  # how many of it have been given
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def feed(self, text: str) -> str:
        if self._state == "plain":
            return text
        if self._state == "after":
            return ""
        text, self._held = self._held + text, ""
        if self._state == "before":
            opening = _OPENING.match(text)
            if opening is None and not _may_open(text):
                self._state = "plain"
                return text
            if opening is None or opening.end() == len(text):
                self._held = text
                return ""
            self._start = _size(text[: opening.end()])
            self._state, text = "within", text[opening.end() :]
        shown = self._value(text)
        self._given += _size(shown)
        return shown

    def tokens(self, tokens: Tokens, *, last: bool) -> list[ChatCompletionTokenLogprob]:
        """Those of what has been given, as far as they were not; `last`: nothing more will be."""
        if self._state == "plain":
            return tokens.rest()
        return tokens.between(self._start, self._start + self._given, last=last)

    def end(self) -> str:
        """What was held back because it might have become the object's beginning, and did not."""
        held, self._held = self._held, ""
        if self._state != "before" or _OPENING.fullmatch(held):
            return ""
        self._state = "plain"
        return held

    def _value(self, text: str) -> str:
        """What of the text belongs to the value; it ends before the object's brace, or before a comma."""
        place = 1 if self._escaped else 0
        self._escaped = False
        while (found := _MOVES.search(text, place)) is not None:
            mark, place = found[0], found.end()
            if self._quoted:
                if mark == "\\":
                    self._escaped = place == len(text)
                    place += 1
                self._quoted = mark != '"'
            elif mark == '"':
                self._quoted = True
            elif mark in "{[":
                self._depth += 1
            elif self._depth == 0 and mark in "},":
                self._state = "after"
                return text[: found.start()].rstrip(_SPACES)
            elif mark in "}]":
                self._depth -= 1
        if self._depth or self._quoted:
            return text
        shown = text.rstrip(_SPACES)
        self._held = text[len(shown) :]
        return shown


class _Word(_Text):
    """The same for a value that is a text: it comes whole, as it is, without quotes and escapes."""

    __slots__ = ("_word",)

    def __init__(self) -> None:
        super().__init__()
        self._word = ""

    def feed(self, text: str) -> str:
        shown = super().feed(text)
        if self._state == "plain":
            return shown
        self._word += shown
        return self._told() if self._state == "after" else ""

    def tokens(self, tokens: Tokens, *, last: bool) -> list[ChatCompletionTokenLogprob]:
        return [] if self._word else super().tokens(tokens, last=last)

    def end(self) -> str:
        return super().end() + self._told()

    def _told(self) -> str:
        """What has been gathered, once."""
        written, self._word = self._word, ""
        if not written:
            return ""
        try:
            word = from_json(written)
        except ValueError:  # cut off
            self._start, self._given = self._start + 1, self._given - 1
            return written.removeprefix('"')
        if not isinstance(word, str):
            return written
        self._start, self._given = self._start + 1, self._given - 2
        return word


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _may_open(text: str) -> bool:
    """Whether more of a text could make it begin as the object does."""
    bare = "".join(text.split())
    return bare != _BARE_OPENING and _BARE_OPENING.startswith(bare)
