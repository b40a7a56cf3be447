"""Names of tools that the answering vendor's format refuses, under others, and back again in the answer.

Google's names may have dots and colons (`weather.get`), which OpenAI, Anthropic, Bedrock and Mistral refuse; all differ
in how long a name may be, and Google refuses a digit or a dash at its beginning. A name that is refused is sent in the
nearest form that is none of the request's other names.

https://platform.openai.com/docs/api-reference/chat/create#chat_create-tools,
https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html,
https://ai.google.dev/api/caching#FunctionDeclaration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from edgeagent.providers.base import Promise
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest

__all__ = ["Renamed", "rename"]

_KINDS: Final = ("function", "custom")
_RESULTS: Final = ("tool", "function")
"""The roles of messages that tell what a tool gave."""
_HASHED: Final = 8
"""How many characters of a hash tell names apart."""
_NAMED: Final = 8
"""How many names are told: they go into a header field, too."""


class _Rule(NamedTuple):
    """What a format takes as a name: so long, of these characters, with these before others."""

    longest: int
    others: str = ""
    first: str = r"[a-zA-Z0-9_-]"

    def takes(self, name: str) -> bool:
        return len(name) <= self.longest and re.fullmatch(rf"{self.first}[a-zA-Z0-9_{self.others}-]*", name) is not None

    def fitted(self, name: str) -> str:
        """The name with `_` for what is refused; too long a one is cut off in `apart`."""
        made = re.sub(rf"[^a-zA-Z0-9_{self.others}-]", "_", name)
        return made if re.match(self.first, made) else f"_{made}"

    def apart(self, name: str) -> str:
        """The same, with the name's hash."""
        told = blake2b(name.encode("utf-8", "replace"), digest_size=_HASHED // 2).hexdigest()
        return f"{self.fitted(name)[: self.longest - _HASHED - 1]}_{told}"


_RULES: Final[Mapping[str, _Rule]] = {
    "openai.": _Rule(64),
    "anthropic.": _Rule(128),
    "bedrock.": _Rule(64),
    "mistral.": _Rule(64),
    "google.": _Rule(128, ".:", "[a-zA-Z_]"),
}
"""By the beginning of the format's name."""


class Renamed(NamedTuple):
    """A request under names that are taken, and the caller's names by those."""

    request: ChatRequest
    names: Mapping[str, str]

    def edit(self) -> str:
        """What was changed, in words."""
        told = [f"{name} as {sent}" for sent, name in self.names.items()]
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        return f"Tools whose names the vendor refuses are sent under others: {', '.join(told[:_NAMED])}{more}."

    def promises(self, promises: tuple[Promise, ...]) -> tuple[Promise, ...]:
        """What calls are checked for, under the caller's names."""
        return tuple(replace(one, tool=self.names.get(one.tool, one.tool)) if one.tool else one for one in promises)

    def undo(self, answer: ChatCompletion | ChatCompletionChunk) -> None:
        """Put the caller's names into an answer, or into a piece of one, in place."""
        for choice in answer.choices:
            told: Any = choice.message if hasattr(choice, "message") else choice.delta
            calls = [part for call in told.tool_calls or () for part in (call.function, call.custom)]
            for called in (told.function_call, *calls):
                if called is not None and called.name in self.names:
                    called.name = self.names[called.name]

    def reshape(self, then: Callable[[ChatCompletionChunk], object] | None) -> Callable[[ChatCompletionChunk], object]:
        """The same for each chunk of a stream; `then` changes it further."""
        return self.undo if then is None else partial(self._both, then)

    def _both(self, then: Callable[[ChatCompletionChunk], object], chunk: ChatCompletionChunk) -> None:
        self.undo(chunk)
        then(chunk)


def rename(request: ChatRequest, wire: str) -> Renamed | None:
    """The request for a format that refuses names of its tools; None: it takes all of them."""
    rule = next((rule for beginning, rule in _RULES.items() if wire.startswith(beginning)), None)
    if rule is None:
        return None
    names = dict.fromkeys(_names(request))
    taken = {name for name in names if rule.takes(name)}
    if len(taken) == len(names):
        return None
    changed: dict[str, str] = {}
    for name in [name for name in names if name not in taken]:
        sent = rule.fitted(name)
        if sent in taken or len(sent) > rule.longest:
            sent = rule.apart(name)
        taken.add(sent)
        changed[name] = sent
    made: dict[str, Any] = {"messages": [_message(message, changed) for message in request.messages]}
    if request.tools:
        made["tools"] = [_called(tool, changed) for tool in request.tools]
    if isinstance(request.tool_choice, Mapping):
        made["tool_choice"] = _choice(request.tool_choice, changed)
    if request.functions:
        made["functions"] = [_named(function, changed) for function in request.functions]
    if isinstance(request.function_call, Mapping):
        made["function_call"] = _named(request.function_call, changed)
    return Renamed(request.model_copy(update=made), {sent: name for name, sent in changed.items()})


def _names(request: ChatRequest) -> list[str]:
    """Every name of a tool in the request, those of its tools first; then those of the older form."""
    choice = _mapping(request.tool_choice)
    calls = (call for message in request.messages for call in _list(message.get("tool_calls")))
    named = [*(request.tools or ()), choice, *_list(_mapping(choice.get("allowed_tools")).get("tools")), *calls]
    older = (*(request.functions or ()), request.function_call, *(one.get("function_call") for one in request.messages))
    parts = [_mapping(one).get(kind) for one in named for kind in _KINDS]
    names = (_mapping(part).get("name") for part in (*parts, *older))
    return [name for name in names if isinstance(name, str) and name]


def _message(message: dict[str, Any], changed: Mapping[str, str]) -> dict[str, Any]:
    if message.get("role") in _RESULTS:
        return dict(_named(message, changed))
    made: dict[str, Any] = {}
    if calls := _list(message.get("tool_calls")):
        made["tool_calls"] = [_called(call, changed) for call in calls]
    if message.get("function_call"):
        made["function_call"] = _named(message["function_call"], changed)
    return {**message, **made} if made else message


def _choice(choice: Mapping[str, Any], changed: Mapping[str, str]) -> Any:
    allowed = _mapping(choice.get("allowed_tools"))
    if not allowed:
        return _called(choice, changed)
    tools = [_called(tool, changed) for tool in _list(allowed.get("tools"))]
    return {**choice, "allowed_tools": {**allowed, "tools": tools}}


def _called(tool: Any, changed: Mapping[str, str]) -> Any:
    """A tool, a call or a choice under the name that is sent."""
    for kind in _KINDS:
        if isinstance(tool, Mapping) and isinstance(tool.get(kind), Mapping):
            tool = {**tool, kind: _named(tool[kind], changed)}
    return tool


def _named(value: Any, changed: Mapping[str, str]) -> Any:
    """What has a name, under the one that is sent."""
    name = _mapping(value).get("name")
    return {**value, "name": changed[name]} if isinstance(name, str) and name in changed else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
