"""The request for a target that is not sent what the caller wrote: of another format, or in another model's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from edgeagent.core.call import Call
from edgeagent.core.renaming import Renamed, rename
from edgeagent.core.wrapping import EDIT, Unwrapper, Wrapped, unwrap, wrap
from edgeagent.errors import RequestValidationError
from edgeagent.limits.outputs import output_of
from edgeagent.providers.base import Capabilities, HTTPProvider, Promise
from edgeagent.providers.texts import text_of
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest, Target

__all__ = ["ForTarget", "for_target"]


Reshape: TypeAlias = Callable[[ChatCompletionChunk], object]


class ForTarget(NamedTuple):
    """A request as a target is to see it, the names of what was left out, and what was changed, in words.

    `wrapped` says what its answer has to be taken out of, `renamed` what its calls are called.
    """

    request: ChatRequest
    dropped: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    wrapped: Wrapped | None = None
    renamed: Renamed | None = None

    def promises(self, promises: tuple[Promise, ...]) -> tuple[Promise, ...]:
        """What the answer is checked for, once it is in the caller's terms."""
        for changed in (self.wrapped, self.renamed):
            promises = promises if changed is None else changed.promises(promises)
        return promises

    def undo(self, completion: ChatCompletion) -> None:
        """Put an answer into the caller's terms, in place."""
        if self.wrapped is not None:
            unwrap(completion)
        if self.renamed is not None:
            self.renamed.undo(completion)

    def reshape(self, then: Reshape | None) -> Reshape | None:
        """What does the same to each chunk of a stream, before `then` changes it further."""
        then = then if self.renamed is None else self.renamed.reshape(then)
        return then if self.wrapped is None else Unwrapper(then)


def for_target(call: Call, target: Target, provider: HTTPProvider | None = None) -> ForTarget:
    """The request for a target that is not sent the caller's own body."""
    request: ChatRequest = call.request
    dropped: tuple[str, ...] = ()
    if call.native is not None:
        try:
            request, dropped = call.native.for_others(request)
        except RequestValidationError as error:
            error.target = str(target)
            raise
    elif not _stands_in(call, target):
        return ForTarget(request)
    wire = "" if provider is None else provider.codec_for(target.model).wire
    if call.native is not None and not wire.startswith(_TOLD_OF_FAILURES):
        request, dropped = _without_failures(request, dropped)
    if provider is None:
        return ForTarget(request, dropped)
    wrapped = wrap(request) if call.native is not None else None
    made = ForTarget(request, dropped) if wrapped is None else ForTarget(wrapped.request, dropped, (EDIT,), wrapped)
    if _stands_in(call, target) or (call.native is not None and call.native.asked.codec.wire != wire):
        made = _with_names(made, wire)
    if wire.startswith(_OPENAI):
        made = _with_short_user(_with_properties(made))
    able = provider.capabilities(target.model)
    for fitted in (_with_effort, _with_sampling, _with_advice):
        made = fitted(made, able)
    return _with_limit(made, able.max_output or output_of(target.model))


_OPENAI: Final = "openai."
"""How the names of OpenAI's formats begin."""

_TOLD_OF_FAILURES: Final = ("anthropic.", "bedrock.", "google.")
"""The same of the formats that can mark the result of a tool as failed."""


def _without_failures(request: ChatRequest, dropped: tuple[str, ...]) -> tuple[ChatRequest, tuple[str, ...]]:
    """Results of tools without the mark that they are failures; it is named where the text does not say it."""
    marked = [message for message in request.messages if "is_error" in message]
    if not marked:
        return request, dropped
    messages = [{name: value for name, value in one.items() if name != "is_error"} for one in request.messages]
    if any(message["is_error"] and not text_of(message.get("content")).startswith('{"error":') for message in marked):
        dropped = (*dropped, "is_error")
    return request.model_copy(update={"messages": messages}), dropped


def _with_names(made: ForTarget, wire: str) -> ForTarget:
    """Tools under names that the target's format takes."""
    renamed = rename(made.request, wire)
    if renamed is None:
        return made
    return made._replace(request=renamed.request, edits=(*made.edits, renamed.edit()), renamed=renamed)


def _with_properties(made: ForTarget) -> ForTarget:
    """Tools without parameters say so: OpenAI refuses an object without `properties`, which others take."""
    tools = made.request.tools or []
    changed = [_with_parameters(tool) for tool in tools]
    if all(one is other for one, other in zip(changed, tools, strict=True)):
        return made
    return made._replace(request=made.request.model_copy(update={"tools": changed}))


def _with_parameters(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return tool
    schema = function.get("parameters")
    if not isinstance(schema, Mapping) or "properties" in schema or schema.get("type", "object") != "object":
        return tool
    return {**tool, "function": {**function, "parameters": {"type": "object", **schema, "properties": {}}}}


def _with_short_user(made: ForTarget) -> ForTarget:
    """Whoever asks, by a hash where the name is too long: it tells one from the other, and is always the same."""
    names = ("safety_identifier", "user")
    long = {n: told for n in names if (told := getattr(made.request, n)) is not None and len(told) > _LONGEST_USER}
    if not long:
        return made
    hashed = {name: sha256(told.encode("utf-8", "replace")).hexdigest() for name, told in long.items()}
    edits = tuple(f"{name} is sent as its SHA-256: it is longer than {_LONGEST_USER} characters." for name in hashed)
    return made._replace(request=made.request.model_copy(update=hashed), edits=(*made.edits, *edits))


_LONGEST_USER: Final = 64
"""Refused: "Expected a string with maximum length 64"; Anthropic takes 256. https://github.com/maximhq/bifrost/pull/1000"""


def _with_effort(made: ForTarget, able: Capabilities) -> ForTarget:
    """What was said of another's reasoning, as this one can be told it."""
    effort = made.request.reasoning_effort
    if effort is None:
        return made
    if "reasoning" not in able.features:  # it would be refused
        request = made.request.model_copy(update={"reasoning_effort": None})
        return made._replace(request=request, dropped=(*made.dropped, "reasoning_effort"))
    if able.efforts is None or effort in able.efforts or (taken := _nearest(effort, able.efforts)) == effort:
        return made
    edit = f"reasoning_effort {effort} is asked for as {taken}."
    request = made.request.model_copy(update={"reasoning_effort": taken})
    return made._replace(request=request, edits=(*made.edits, edit))


def _with_sampling(made: ForTarget, able: Capabilities) -> ForTarget:
    """Without the temperature and its like, or with a lower one, where this model refuses what was said of another."""
    request = made.request
    if able.sampled is None or request.reasoning_effort in able.sampled:
        return _no_hotter(made, able.hottest)
    given = {name: value for name in _SAMPLING if (value := getattr(request, name)) is not None}
    if not given:
        return made
    told = tuple(name for name, value in given.items() if value != _SAMPLING[name])
    left = request.model_copy(update=dict.fromkeys(given))
    return made._replace(request=left, dropped=(*made.dropped, *told))


def _no_hotter(made: ForTarget, most: float | None) -> ForTarget:
    temperature = made.request.temperature
    if most is None or temperature is None or temperature <= most:
        return made
    edit = f"temperature {temperature:g} is asked for as {most:g}, the highest that this model takes."
    return made._replace(request=made.request.model_copy(update={"temperature": most}), edits=(*made.edits, edit))


def _with_advice(made: ForTarget, able: Capabilities) -> ForTarget:
    """Without what is mere advice, and would be refused."""
    given = [name for name in sorted(able.refused) if getattr(made.request, name) is not None]
    if not given:
        return made
    request = made.request.model_copy(update=dict.fromkeys(given))
    return made._replace(request=request, dropped=(*made.dropped, *given))


def _with_limit(made: ForTarget, most: int | None) -> ForTarget:
    """With no more output asked for than the model gives: a larger limit, which means no less, would be refused."""
    names = ("max_completion_tokens", "max_tokens")
    asked = {n: told for n in names if (told := getattr(made.request, n)) is not None}
    over = {name: told for name, told in asked.items() if most is not None and told > most}
    if not over:
        return made
    edits = tuple(
        f"{name} {told} is asked for as {most}, the most that this model gives." for name, told in over.items()
    )
    return made._replace(request=made.request.model_copy(update=dict.fromkeys(over, most)), edits=(*made.edits, *edits))


_SAMPLING: Final = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""What is refused, and the value of each that asks for nothing."""

_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def _nearest(effort: str, able: Sequence[str]) -> str:
    """The next lower effort that a model has, else its lowest; who wants it to reason does not have it switched off.

    What nobody knows is left for the vendor to refuse.
    """
    if effort not in _EFFORTS:
        return effort
    possible = [one for one in able if one != "none"]
    lower = [one for one in possible if _EFFORTS.index(one) <= _EFFORTS.index(effort)]
    return lower[-1] if lower else possible[0]


def _stands_in(call: Call, target: Target) -> bool:
    """Whether it is asked in another's place: as a fallback, as one of a group, or to go on with what another began."""
    return call.instead or target != call.named
