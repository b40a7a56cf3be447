"""A request that was made for another model, as this one takes it: without what it would refuse, or said otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from edgeagent.providers.base import Capabilities, ChatCodec
from edgeagent.providers.texts import text_of
from edgeagent.types import ChatRequest

__all__ = ["Fitted", "begun", "fitted", "is_sure", "without_failures"]


class Fitted(NamedTuple):
    """The request, the names of what was left out, and what was changed, in words."""

    request: ChatRequest
    dropped: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()


_OPENAI: Final = "openai."
"""How the names of OpenAI's formats begin."""

_SURE: Final = ("anthropic.", "google.")
"""The same of those in which an answer is always of the schema that it was wanted in."""

_BEGUN: Final = "anthropic."
"""The same of those in which a conversation that ends with the assistant's words is one whose answer goes on there."""

_TOLD_OF_FAILURES: Final = ("anthropic.", "bedrock.", "google.")
"""The same of the formats that can mark the result of a tool as failed."""


def without_failures(request: ChatRequest, wire: str) -> tuple[ChatRequest, tuple[str, ...]]:
    """Results of tools without the mark that they are failures, where the format has none.

    It is named as left out unless the text says it too.
    """
    marked = [message for message in request.messages if "is_error" in message]
    if not marked or wire.startswith(_TOLD_OF_FAILURES):
        return request, ()
    messages = [{name: value for name, value in one.items() if name != "is_error"} for one in request.messages]
    said = all(not one["is_error"] or text_of(one.get("content")).startswith('{"error":') for one in marked)
    return request.model_copy(update={"messages": messages}), () if said else ("is_error",)


def is_sure(asked: str, codec: ChatCodec) -> bool:
    """Whether an answer is always kept to its schema in the format that was `asked`, and has to be asked for it now.

    So it is with OpenAI; who else has its format may not compile schemas.
    """
    is_openais = codec.wire.startswith(_OPENAI) and not getattr(codec, "is_dialect", False)
    return is_openais and asked.startswith(_SURE)


def begun(request: ChatRequest, asked: str, codec: ChatCodec, model: str) -> tuple[str, ...]:
    """What is to be told where the beginning of the answer was `asked` for with it, and the model does not go on."""
    last = request.messages[-1]
    if not asked.startswith(_BEGUN) or last["role"] != "assistant" or last.get("tool_calls"):
        return ()
    goes_on = getattr(codec, "continues", None)
    if goes_on is not None and goes_on(model):
        return ()
    return ("The beginning of the answer is sent as an answer of its own: this model does not go on with it.",)


def fitted(request: ChatRequest, wire: str, able: Capabilities, most: int | None, *, sure: bool = False) -> Fitted:
    """The request as a model takes it that it was not made for.

    Args:
        request: what was said to another, or to none in particular.
        wire: the name of the format in which it is going to be sent.
        able: what the model can do.
        most: the output tokens that it gives at most, if that is known.
        sure: what `is_sure` says.
    """
    made = Fitted(request)
    if sure:
        made = _with_strict(made)
    if wire.startswith(_OPENAI):
        made = _with_short_user(_with_properties(made))
    for step in (_with_effort, _with_sampling, _with_advice):
        made = step(made, able)
    return _with_limit(made, most)


def _with_strict(made: Fitted) -> Fitted:
    """Where OpenAI compiles the schema: elsewhere a schema is always kept to."""
    form = made.request.response_format
    named = form.get("json_schema") if isinstance(form, Mapping) else None
    if form is None or not isinstance(named, Mapping) or "strict" in named:
        return made
    from edgeagent.providers.openai.strict import closed

    schema = closed(named.get("schema"))
    if schema is None:
        return made
    form = {**form, "json_schema": {**named, "schema": schema, "strict": True}}
    edits = (*made.edits, "The answer's schema is asked for with strict, so that the answer is sure to be of it.")
    return made._replace(request=made.request.model_copy(update={"response_format": form}), edits=edits)


def _with_properties(made: Fitted) -> Fitted:
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


def _with_short_user(made: Fitted) -> Fitted:
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


def _with_effort(made: Fitted, able: Capabilities) -> Fitted:
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


def _with_sampling(made: Fitted, able: Capabilities) -> Fitted:
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


def _no_hotter(made: Fitted, most: float | None) -> Fitted:
    temperature = made.request.temperature
    if most is None or temperature is None or temperature <= most:
        return made
    edit = f"temperature {temperature:g} is asked for as {most:g}, the highest that this model takes."
    return made._replace(request=made.request.model_copy(update={"temperature": most}), edits=(*made.edits, edit))


def _with_advice(made: Fitted, able: Capabilities) -> Fitted:
    """Without what is mere advice, and would be refused."""
    given = [name for name in sorted(able.refused) if getattr(made.request, name) is not None]
    if not given:
        return made
    request = made.request.model_copy(update=dict.fromkeys(given))
    return made._replace(request=request, dropped=(*made.dropped, *given))


def _with_limit(made: Fitted, most: int | None) -> Fitted:
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
