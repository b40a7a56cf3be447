"""Guards: what is looked at before a request goes out and after its answer has come, beside what detectors find.

A guard has any of the methods of `Guard`. Its `fingerprint`, a text, says everything that can change what it lets
through; it is part of the cache keys, so that no answer is taken that another guard let through. One without a
`fingerprint` is taken for like no other: its answers are not shared between processes.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from inspect import iscoroutinefunction
from typing import Any, Final, Protocol, TypeAlias

from edgeagent.errors import ConfigurationError, RequestValidationError, ResponseValidationError, ShieldBlockedError
from edgeagent.shield.json_text import is_json, tokens
from edgeagent.shield.walk import MediaKind, walked
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import canonical_json, dump_json

__all__ = [
    "AllowedModels",
    "AllowedTools",
    "Approval",
    "DeniedTopics",
    "Guard",
    "JSONAnswer",
    "OutputLimit",
    "RequestLimits",
    "texts_of",
]


class Guard(Protocol):
    """What a guard may have beside `fingerprint`; any of it may be missing.

    `before(request)` and `after(request, completion)` raise to refuse; they see what the caller wrote and gets.
    `before` may return another request, which is sent in its place (but for a body in a vendor's own format, which a
    target of that format is sent as it was). `models(names)` is shown a call's fallbacks, and raises to refuse.
    `rehearse(request)` takes the place of `before` in a dry run, where that would ask somebody.
    `approve(request)` is a function that may block, or be async; what is not true refuses.
    `repair(request, completion, error)` gives a request for one more try after `after` refused the answer with `error`,
    or None.
    """


_Findings: TypeAlias = tuple[tuple[str, str, int, int], ...]


def texts_of(request: ChatRequest) -> Iterator[tuple[str, str]]:
    """The texts of the messages, each with its place: arguments of tools and files of text, too."""
    for at, message in enumerate(request.messages):
        yield from _texts(message, f"messages[{at}]")


def _texts(message: Any, where: str) -> list[tuple[str, str]]:
    reader = _Reader()
    walked(message, reader, where)
    return reader.found


class _Reader:
    """Collects texts; of JSON text its strings besides, where they are written with escapes."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def text(self, text: str, where: str, _bare: bool, /) -> str:
        meant = [token.value for token in tokens(text) if not token.is_plain] if is_json(text) else []
        self.found += [(part, where) for part in (text, *meant)]
        return text

    def number(self, number: float, _where: str, /) -> Any:
        return number

    def data(self, value: Mapping[str, Any], where: str, /) -> None: ...

    def media(self, part: dict[str, Any], _kind: MediaKind, _where: str, /) -> dict[str, Any]:
        return part


def _refuse(message: str, findings: _Findings = ()) -> None:
    raise ShieldBlockedError(message, findings=findings)


def _printed(guard: str, /, **values: Any) -> str:
    return f"{guard} {sha256(canonical_json(values)).hexdigest()}"


def _names(guard: str, names: tuple[Any, ...]) -> tuple[str, ...]:
    for name in names:
        if not isinstance(name, str):
            raise ConfigurationError(f"{guard}: takes names, each a text; got {type(name).__name__}.")
    return names


def _size(guard: str, name: str, size: Any, *, needed: bool = False) -> Any:
    """A size as it is given. Raises `ConfigurationError` for what nothing can be compared with."""
    if (size is not None or needed) and (isinstance(size, bool) or not isinstance(size, int | float)):
        raise ConfigurationError(f"{guard}: {name}= is a number; got {type(size).__name__}.")
    return size


class RequestLimits:
    """How large a request may be: `max_messages`, and `max_characters` of all its text, tools included."""

    def __init__(self, *, max_messages: int | None = None, max_characters: int | None = None) -> None:
        self._messages = _size("RequestLimits", "max_messages", max_messages)
        self._characters = _size("RequestLimits", "max_characters", max_characters)
        self.fingerprint = _printed("RequestLimits", messages=max_messages, characters=max_characters)

    def before(self, request: ChatRequest) -> None:
        """Raises `RequestValidationError`."""
        count = len(request.messages)
        if self._messages is not None and count > self._messages:
            raise RequestValidationError(
                f"messages: a guard allows {self._messages}, these are {count}.", param="messages"
            )
        if self._characters is not None:
            size = len(dump_json(request.params()).decode())
            if size > self._characters:
                raise RequestValidationError(
                    f"messages: a guard allows a request of {self._characters} characters, this has {size}.",
                    param="messages",
                )


class AllowedModels:
    """Which models may be named, fallbacks too, OpenRouter's `models` as well; `*` stands for anything:
    `AllowedModels("openai/*", "fast")`.
    """

    def __init__(self, *names: str) -> None:
        self._names = _names("AllowedModels", names)
        self.fingerprint = _printed("AllowedModels", names=list(names))

    def before(self, request: ChatRequest) -> None:
        """Raises `ShieldBlockedError`."""
        self._check(request.model, "model")
        others = (request.model_extra or {}).get("models")
        for at, name in enumerate(others if isinstance(others, list) else ()):
            self._check(str(name), f"models[{at}]")

    def models(self, names: Sequence[str]) -> None:
        """Raises `ShieldBlockedError`."""
        for at, name in enumerate(names):
            self._check(name, f"fallbacks[{at}]")

    def _check(self, model: str, where: str) -> None:
        if not any(fnmatchcase(model, name) for name in self._names):
            _refuse(f"A guard does not allow the model {model!r}.", (("MODEL", where, 0, 0),))


class AllowedTools:
    """Which tools may be offered, and called in the answer; `*` stands for anything.

    Vendors' own go by their type, `web_search_options` by `web_search`, Claude's `mcp_servers` by their names.
    """

    def __init__(self, *names: str) -> None:
        self._names = _names("AllowedTools", names)
        self.fingerprint = _printed("AllowedTools", names=list(names))

    def before(self, request: ChatRequest) -> None:
        """Raises `ShieldBlockedError`."""
        for at, tool in enumerate((*(request.tools or ()), *(request.functions or ()))):
            function = tool.get("function") or tool.get("custom") or tool
            self._check(str(function.get("name") or tool.get("type")), f"tools[{at}]")
        if request.web_search_options is not None:
            self._check("web_search", "web_search_options")
        servers = (request.model_extra or {}).get("mcp_servers")
        for at, server in enumerate(servers if isinstance(servers, list) else ()):
            self._check(str(server.get("name") if isinstance(server, Mapping) else server), f"mcp_servers[{at}]")

    def after(self, _request: ChatRequest, completion: ChatCompletion) -> None:
        """Raises `ShieldBlockedError`."""
        for choice in completion.choices:
            where, message = f"choices[{choice.index}].message", choice.message
            for at, call in enumerate(message.tool_calls or ()):
                called = call.function or call.custom
                if called is not None:
                    self._check(called.name, f"{where}.tool_calls[{at}]")
            if message.function_call is not None:
                self._check(message.function_call.name, f"{where}.function_call")

    def _check(self, name: str, where: str) -> None:
        if not any(fnmatchcase(name, known) for known in self._names):
            _refuse(f"A guard does not allow the tool in {where}.", (("TOOL", where, 0, 0),))


class DeniedTopics:
    """Topics that must not come up, as regular expressions by name; letter case does not matter.

    Args:
        topics: name → pattern, or several.
        answers: whether answers are looked at, too.
    """

    def __init__(self, topics: Mapping[str, str | Sequence[str]], *, answers: bool = True) -> None:
        if not isinstance(topics, Mapping):
            raise ConfigurationError(f"DeniedTopics: maps names to patterns; got {type(topics).__name__}.")
        try:
            patterns = {name: [said] if isinstance(said, str) else list(said) for name, said in topics.items()}
            self._topics = [(name, re.compile(one, re.IGNORECASE)) for name, many in patterns.items() for one in many]
        except (re.error, TypeError) as error:
            raise ConfigurationError(f"DeniedTopics: not a regular expression: {error}.") from None
        self._answers = answers
        self.fingerprint = _printed("DeniedTopics", topics=patterns, answers=answers)

    def before(self, request: ChatRequest) -> None:
        """Raises `ShieldBlockedError`."""
        for text, where in texts_of(request):
            self._check(text, where)

    def after(self, _request: ChatRequest, completion: ChatCompletion) -> None:
        """Raises `ShieldBlockedError`."""
        if self._answers:
            for choice in completion.choices:
                for text, where in _texts(choice.message.to_dict(), f"choices[{choice.index}].message"):
                    self._check(text, where)

    def _check(self, text: str, where: str) -> None:
        for name, pattern in self._topics:
            found = pattern.search(text)
            if found is not None:
                finding = (name, where, found.start(), found.end())
                _refuse(f"A guard does not allow the topic {name!r}: {where} [{finding[2]}:{finding[3]}].", (finding,))


class OutputLimit:
    """How long the text of an answer may be, in characters."""

    def __init__(self, max_characters: int) -> None:
        self._most: int = _size("OutputLimit", "max_characters", max_characters, needed=True)
        self.fingerprint = _printed("OutputLimit", characters=max_characters)

    def after(self, _request: ChatRequest, completion: ChatCompletion) -> None:
        """Raises `ShieldBlockedError`."""
        for choice in completion.choices:
            size = len(choice.message.content or "")
            if size > self._most:
                where = f"choices[{choice.index}].message.content"
                _refuse(
                    f"A guard allows an answer of {self._most} characters, this has {size}.",
                    (("LENGTH", where, self._most, size),),
                )


_REPAIR: Final = (
    "Your last answer cannot be used: {reason} "
    "Answer again with nothing but a JSON value of the form that was asked for."
)


class JSONAnswer:
    """The answer must be JSON of a schema (`pip install 'edgeagent[schema]'`); what is not is asked for once more.

    Args:
        schema: a JSON Schema.
        repair: whether the model is told once what was wrong, and asked again.
    """

    def __init__(self, schema: Mapping[str, Any], *, repair: bool = True) -> None:
        if not isinstance(schema, Mapping):
            raise ConfigurationError(f"JSONAnswer: a JSON Schema is a mapping; got {type(schema).__name__}.")
        self._schema = dict(schema)
        self._repair = repair
        self._validator: Any = None
        self.fingerprint = _printed("JSONAnswer", schema=self._schema, repair=repair)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_validator": None}

    def after(self, _request: ChatRequest, completion: ChatCompletion) -> None:
        """Raises `ResponseValidationError`; an answer that calls tools, was cut or refused is let through."""
        for choice in completion.choices:
            message = choice.message
            if message.tool_calls or message.refusal or choice.finish_reason in ("length", "content_filter"):
                continue
            reason = self._fault(message.content or "")
            if reason:
                where = f"choices[{choice.index}].message.content"
                raise ResponseValidationError(HTTPResponse(200), None, message=f"{where}: {reason}")

    def repair(self, request: ChatRequest, completion: ChatCompletion, error: Exception) -> ChatRequest | None:
        """The request with the answer and what is wrong with it."""
        if not self._repair or not completion.choices or not isinstance(error, ResponseValidationError):
            return None
        said = completion.choices[0].message.content or ""
        more = [
            *([{"role": "assistant", "content": said}] if said else ()),
            {"role": "user", "content": _REPAIR.format(reason=error.message.partition(": ")[2])},
        ]
        return request.model_copy(update={"messages": [*request.messages, *more]})

    def _fault(self, text: str) -> str:
        """What is wrong, without a word of the text."""
        from pydantic_core import from_json

        try:
            value = from_json(text, allow_inf_nan=False)
        except ValueError:
            return "it is not JSON."
        error = next(iter(self._loaded().iter_errors(value)), None)
        if error is None:
            return ""
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.schema_path)
        return f"it breaks the schema at ${path}."

    def _loaded(self) -> Any:
        if self._validator is None:
            try:
                from jsonschema_rs import validator_for
            except ImportError:
                raise ConfigurationError("JSONAnswer needs a validator: pip install 'edgeagent[schema]'.") from None
            try:
                self._validator = validator_for(self._schema)
            except Exception as error:  # noqa: BLE001  # the library's own, and what its regular expressions raise
                raise ConfigurationError(f"JSONAnswer: not a JSON Schema: {type(error).__name__}.") from None
        return self._validator


class Approval:
    """Asks someone before the request goes out.

    Args:
        ask: is given the request as the caller wrote it; may block, or be async; what is not true refuses.
        when: which requests are asked about; default: all.
        name: says in the cache keys which approval this is.
    """

    def __init__(
        self,
        ask: Callable[[ChatRequest], bool | Awaitable[bool]],
        *,
        when: Callable[[ChatRequest], bool] | None = None,
        name: str = "",
    ) -> None:
        for argument, given in (("ask", ask), ("when", when or ask)):
            if not callable(given):
                raise ConfigurationError(f"Approval: {argument}= takes a function; got {type(given).__name__}.")
        if iscoroutinefunction(when):  # what it gives is true, whatever it will say
            raise ConfigurationError("Approval: when= must not be async; ask= may be.")
        self._ask = ask
        self._when = when
        if name:
            self.fingerprint = _printed("Approval", name=name)

    def approve(self, request: ChatRequest) -> Any:
        """The answer, or an awaitable of it."""
        return True if self._when is not None and not self._when(request) else self._ask(request)
