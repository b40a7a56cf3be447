"""What may be looked up and stored: the controls of one call, and the rules for requests and answers.

Requests that are neither cached nor shared unless forced (`uncacheable_reason`): those whose point is a side effect or
state at the vendor (`store`, `previous_response_id`, `conversation`, `background`, `prompt`, a container, a thread),
those whose answer depends on the world outside the request (web search, tools and servers that the vendor runs), and
spoken answers, whose audio has an id that expires.

Answers that are stored (`storable`): those in which every choice ended on its own account (`stop`, `tool_calls`,
`function_call`). An answer cut by a limit or withheld by a filter is returned but not kept: another try may well give
the whole answer, and `length` often means that the caller will ask again with a higher limit. `truncated` and
`filtered` keep those too.

When an answer is fresh (`CacheOptions.fresh_until`): until its `ttl` is over, and while it is no older than the call's
`max_age`. From then on it is stale, and is given only for the seconds that `stale_while_revalidate` (at once, while it
is asked for again in the background) and `stale_if_error` (where the provider fails) allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn, get_args

from typing_extensions import TypeIs

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.types.completion import BROKEN_OFF
from edgeagent.types.options import CacheMode, CachePace
from edgeagent.wire.json import canonical_json

__all__ = ["CacheOptions", "cache_controls", "parse_cache_options", "storable", "uncacheable_reason"]

_MODES: Final = get_args(CacheMode)
_PACES: Final = get_args(CachePace)
_COMPLETE: Final = frozenset({"stop", "tool_calls", "function_call"})
_CLIENT_TOOLS: Final = ("function", "custom")
_FOREVER: Final = 1e12
"""Seconds that no clock can be asked for; also keeps NaN and infinity out."""


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """How one call uses the cache.

    Attributes:
        mode: `on` looks up and stores; `off` does neither; `read` looks up and stores nothing; `write` and `refresh`
            ask the provider and store its answer, which replaces the one that is there.
        ttl: seconds that the stored answer lives; None: as the tier has it.
        max_age: seconds that a stored answer may be old to be taken; None: any age.
        namespace: keeps entries apart, and lets callers with different credentials share within it.
        sample: asks for another answer to the same request: each number (or name) has its own entry.
        force: caches also what `uncacheable_reason` names, or a policy's `cacheable` refuses.
        stale_while_revalidate: seconds for which a stale answer is given at once, while it is asked for again in the
            background (mode `on` only); None: not at all.
        stale_if_error: seconds for which a stale answer is given where the provider fails; None: not at all.
        truncated: stores also an answer that was cut by a limit (`length`).
        filtered: stores also an answer that a filter withheld (`content_filter`).
        pace: how a stored stream is given again: `full` speed, or with the pauses of the `original`.
        given: which of these the call or its view said itself; a client's `CachePolicy` does not change them.
    """

    mode: CacheMode = "on"
    ttl: float | None = None
    max_age: float | None = None
    namespace: str | None = None
    sample: int | str | None = None
    force: bool = False
    stale_while_revalidate: float | None = None
    stale_if_error: float | None = None
    truncated: bool = False
    filtered: bool = False
    pace: CachePace = "full"
    given: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def keep(self) -> float:
        """Seconds that an answer is kept after it has become stale."""
        return max(self.stale_while_revalidate or 0.0, self.stale_if_error or 0.0)

    def fresh_until(self, created: float, expires: float | None) -> float:
        """The point in time (epoch seconds) from which on an answer is stale for this call; infinite: never."""
        ends = float("inf") if expires is None else expires
        return ends if self.max_age is None else min(ends, created + self.max_age)

    @property
    def reads(self) -> bool:
        """Whether stored answers may be taken."""
        return self.mode in {"on", "read"}

    @property
    def writes(self) -> bool:
        """Whether the answer may be stored."""
        return self.mode in {"on", "write", "refresh"}

    @property
    def replaces(self) -> bool:
        """Whether an answer may be stored where another is that other calls take."""
        return not self.reads or self.max_age is not None

    @property
    def fingerprint(self) -> bytes:
        """What of these options is part of the key, to be given to it as policy; empty when nothing is."""
        return b"" if self.sample is None else canonical_json({"sample": self.sample})

    def allows(self, request: ChatRequest) -> bool:
        """Whether this request may have to do with the cache and with other calls at all."""
        return self.mode != "off" and (self.force or uncacheable_reason(request) is None)

    def allows_native(self, body: Mapping[str, Any]) -> bool:
        """The same for a body in a vendor's own format, as far as its parameters have the same names."""
        return self.force or not any(body.get(name) for name in ("store", *_VENDOR_STATE))


_DEFAULT: Final = CacheOptions()


def parse_cache_options(value: object, base: CacheOptions = _DEFAULT) -> CacheOptions:
    """`edge={"cache": …}`: a mode, a bool (on, off), or a dict of `CacheOptions` fields; the others stay as in `base`.

    Raises:
        RequestValidationError: see `cache_controls`.
    """
    controls = cache_controls(value)
    return replace(base, **controls, given=base.given.union(controls))


def cache_controls(value: object) -> Mapping[str, Any]:
    """What such a value says: fields of `CacheOptions`.

    Raises:
        RequestValidationError: an unknown key, or a value of the wrong type or range; `.param` is `edge.cache` or
            `edge.cache.<key>`.
    """
    if isinstance(value, bool):
        value = "on" if value else "off"
    if isinstance(value, str):
        value = {"mode": value}
    if not isinstance(value, Mapping):
        _refuse(f"must be {_one_of(_MODES)}, a bool or a dict, not {type(value).__name__}")
    for key, item in value.items():
        check = _CHECKS.get(key)
        if check is None:
            param = f"edge.cache.{key}" if isinstance(key, str) else "edge.cache"
            told = f"edge.cache has no option {key!r}; it has {', '.join(_CHECKS)}."
            raise RequestValidationError(told, param=param)
        wanted = check(item)
        if wanted is not None:
            _refuse(f"must be {wanted}", key)
    return value


def uncacheable_reason(request: ChatRequest) -> str | None:
    """Why this request is neither cached nor shared unless forced, in words; None if it may be."""
    extra = request.__pydantic_extra__  # as `model_extra`, without a call
    if extra:
        for name, reason in _VENDOR_STATE.items():
            if extra.get(name):
                return reason
    if request.model.endswith(":online"):  # OpenRouter's
        return "an :online model reads the web"
    if request.store:
        return "store=True keeps the answer at the vendor"
    if request.web_search_options is not None:
        return "web_search_options lets the model read the web"
    if request.audio is not None or (request.modalities is not None and "audio" in request.modalities):
        return "spoken answers have an id that expires"
    if request.tools is not None and not all(_is_client_tool(tool) for tool in request.tools):
        return "a tool that the vendor runs depends on more than the request"
    return None


_VENDOR_STATE: Final[Mapping[str, str]] = {
    "previous_response_id": "previous_response_id continues what the vendor keeps",
    "conversation": "conversation continues what the vendor keeps",
    "background": "a background answer is fetched later",
    "prompt": "prompt names a text that the vendor keeps and may change",
    "container": "container continues what the vendor keeps",
    "thread": "thread begins or continues what the vendor keeps",  # Anthropic's
    "mcp_servers": "servers that the vendor calls depend on more than the request",
    "search_parameters": "search_parameters lets the model read the web",
    "plugins": "plugins that the vendor runs depend on more than the request",  # OpenRouter's, as for the web
    "enable_search": "enable_search lets the model read the web",  # Alibaba's
}
"""Unknown parameters of `ChatRequest` that mean state at the vendor or a look at the world, when they are truthy."""


def _is_client_tool(tool: Mapping[str, Any]) -> bool:
    """Whether the caller runs the tool; forms without `type` are Anthropic's (`input_schema`) and an older OpenAI's."""
    kind = tool.get("type")
    if kind is None:
        return "function" in tool or "input_schema" in tool
    return kind in _CLIENT_TOOLS


def storable(completion: ChatCompletion, options: CacheOptions = _DEFAULT) -> bool:
    """Whether this finished answer may be stored: it has choices, and each of them is complete, or may be otherwise."""
    choices = completion.choices
    return bool(choices) and all(
        choice.native_finish_reason not in BROKEN_OFF
        and (
            choice.finish_reason in _COMPLETE
            or (choice.finish_reason == "length" and options.truncated)
            or (choice.finish_reason == "content_filter" and options.filtered)
        )
        for choice in choices
    )


def _refuse(what: str, key: str | None = None) -> NoReturn:
    param = "edge.cache" if key is None else f"edge.cache.{key}"
    raise RequestValidationError(f"{param} {what}.", param=param)


def _one_of(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)


# Each check gives what it wants instead of the value, or None if the value is right.


def _mode(value: object) -> str | None:
    return None if isinstance(value, str) and value in _MODES else f"one of {_one_of(_MODES)}"


def _ttl(value: object) -> str | None:
    return None if value is None or (_is_number(value) and 0 < value < _FOREVER) else "a positive number of seconds"


def _seconds(value: object) -> str | None:
    return None if value is None or (_is_number(value) and 0 <= value < _FOREVER) else "a number of seconds, 0 or more"


def _namespace(value: object) -> str | None:
    return None if value is None or (isinstance(value, str) and _is_text(value)) else "a non-empty printable text"


def _sample(value: object) -> str | None:
    right = (isinstance(value, str) and _is_text(value)) or (isinstance(value, int) and not isinstance(value, bool))
    return None if value is None or right else "an integer or a non-empty printable text"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "True or False"


def _pace(value: object) -> str | None:
    return None if isinstance(value, str) and value in _PACES else f"one of {_one_of(_PACES)}"


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: str) -> bool:
    return bool(value) and value.isprintable()


_CHECKS: Final[Mapping[str, Callable[[object], str | None]]] = {
    "mode": _mode,
    "ttl": _ttl,
    "max_age": _seconds,
    "namespace": _namespace,
    "sample": _sample,
    "force": _flag,
    "stale_while_revalidate": _seconds,
    "stale_if_error": _seconds,
    "truncated": _flag,
    "filtered": _flag,
    "pace": _pace,
}
"""The keys of `edge={"cache": {…}}`; a new option is a field of `CacheOptions` and a line here."""
