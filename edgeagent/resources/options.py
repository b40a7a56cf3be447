"""The arguments of a call that are no parameters of the request: openai's `extra_*` and `timeout`, and `edge={…}`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from edgeagent.config import Settings, edge_options, timeout_of
from edgeagent.core.requests import given
from edgeagent.errors import ConfigurationError, EdgeAgentError, RequestValidationError
from edgeagent.types.places import place_in

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions

__all__ = [
    "OPTIONS",
    "call_options",
    "is_shielded",
    "parted",
    "streams",
    "telling",
    "unknown_argument",
    "unknown_setting",
]

P = ParamSpec("P")
T = TypeVar("T")

OPTIONS: Final = frozenset({"extra_headers", "extra_query", "extra_body", "timeout", "edge"})

_OWN: Final = ("cache", "deadline", "fallbacks", "priority", "router", "shield", "tags")
_CALLS: Final = ("fallbacks", "priority", "tags")
_DEFAULTS: Final = ("default_headers", "default_query")
_PROVIDERS: Final = "it belongs to a provider: EdgeClient(providers=[OpenAI(api_key=…, base_url=…)])"
_RETRY: Final = "retries belong to the client: EdgeClient(retry=2), or client.with_options(retry=2)"
_STORED: Final = "what a vendor keeps is had by responses.retrieve(…) and responses.stream(response_id=…)"
_ELSEWHERE: Final[Mapping[str, str]] = {
    **{name: f"it is an option of edge={{{name!r}: …}}" for name in _OWN},
    **dict.fromkeys(("api_base", "api_key", "api_version", "base_url"), _PROVIDERS),
    **dict.fromkeys(("max_retries", "num_retries", "retries", "retry"), _RETRY),
    **dict.fromkeys(("response_id", "starting_after"), _STORED),
}
"""Where arguments belong that are options elsewhere: of this package, or of another that calls many vendors."""

_ACCOUNT: Final = (
    *("api_base", "api_key", "api_version", "azure_endpoint", "base_url", "data_residency", "organization", "project"),
)
_OPENAI: Final = "; edgeagent.OpenAI takes what openai's own client does"
_KEPT: Final = "what it is for is no part of the gateway; edgeagent.OpenAI takes it and keeps it"
_SETTINGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_ACCOUNT, _PROVIDERS + _OPENAI),
    **dict.fromkeys(("max_retries", "num_retries", "retries"), "here it is retry="),
    **{name: f"it belongs to a provider, or to a view: client.with_options({name}=…)" for name in _DEFAULTS},
    **{name: f"it is an option of a call, or of a view: client.with_options({name}=…)" for name in _CALLS},
    **dict.fromkeys(("admin_api_key", "webhook_secret", "websocket_base_url"), _KEPT),
    "workload_identity": "api_key= may be a function that gives the current token",
    "_enforce_credentials": "a server without keys is OpenAICompatible(base_url=…) among the providers",
    "_strict_response_validation": "every answer is checked here: leave it out",
    "edge": "what goes into edge={…} there is an argument of its own here",
}
"""Where arguments of a client belong that `EdgeClient` does not take."""


def telling(
    read: Callable[Concatenate[EdgeClient | AsyncEdgeClient, P], T],
) -> Callable[Concatenate[EdgeClient | AsyncEdgeClient, P], T]:
    """For what reads a call's arguments before any driver runs: its errors are raised as `errors=` says."""

    @wraps(read)
    def reading(client: EdgeClient | AsyncEdgeClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(client, *args, **kwargs)
        except EdgeAgentError as error:
            raise client._told(error)  # noqa: B904  # has its cause

    return reading


def parted(
    client: EdgeClient | AsyncEdgeClient, params: Mapping[str, Any], known: frozenset[str], method: str = "create"
) -> tuple[dict[str, Any], CallOptions, Any]:
    """A call's arguments → its parameters, its options, its `extra_body`; what was left out is left out.

    Raises:
        TypeError: an unknown argument.
        RequestValidationError: an ill-typed option.
    """
    if not (known | OPTIONS).issuperset(params):
        raise unknown_argument(params, known | OPTIONS, method)
    values = dict(params)
    options, extra_body = call_options(client, values)
    extra_body = extra_body if given(extra_body) else None
    return {name: value for name, value in values.items() if given(value)}, options, extra_body


def streams(client: EdgeClient | AsyncEdgeClient, stream: object) -> bool:
    """What `stream=` says. Raises `RequestValidationError`: the text "false" would be as true as any other."""
    if stream is None or isinstance(stream, bool):
        return bool(stream)
    if not given(stream):
        return False
    raise client._told(RequestValidationError(f"stream: must be True or False; got {stream!r}.", param="stream"))


def unknown_argument(params: Iterable[str], known: Collection[str], method: str = "create") -> TypeError:
    """The error for an argument that is none: what was meant, or where it belongs."""
    from difflib import get_close_matches

    name = min(set(params).difference(known))
    hint = _ELSEWHERE.get(name)
    if hint is None:
        near = get_close_matches(name, known, 1)
        meant = f"did you mean {near[0]!r}? A" if near else "a"
        hint = f"{meant} vendor's own parameters go into extra_body"
    return TypeError(f"{method}() got an unexpected keyword argument {name!r}; {hint}.")


def unknown_setting(call: str, params: Iterable[str], known: Collection[str]) -> TypeError:
    """The error for an argument that a constructor, or a view, does not take: what was meant, or where it belongs."""
    from difflib import get_close_matches

    name = min(set(params).difference(known))
    near = get_close_matches(name, known, 1)
    if name == "retry":
        hint = "; here it is max_retries=."
    elif name == "provider" and "edge" in known:
        hint = "; other vendors are asked through edge={'providers': […]}."
    elif "edge" in known and name in Settings.__dataclass_fields__:
        hint = f"; it is an option of edge={{{name!r}: …}}."
    elif name in _SETTINGS:
        hint = f"; {_SETTINGS[name]}."
    else:
        hint = f"; did you mean {near[0]!r}?" if near else "."
    return TypeError(f"{call}() got an unexpected keyword argument {name!r}{hint}")


def call_options(client: EdgeClient | AsyncEdgeClient, params: dict[str, Any]) -> tuple[CallOptions, Any]:
    """Take the arguments that are no parameters out of `params`, and merge the client's headers and query into it."""
    options = client.options
    edge = params.pop("edge", None)
    if edge is not None:
        options = edge_options(options, edge)
    timeout = params.pop("timeout", None)
    if timeout is not None and given(timeout):
        options = _timed(options, timeout)
    for name, defaults in (("extra_headers", client.default_headers), ("extra_query", client.default_query)):
        if defaults or name in params:
            params[name] = _merged(name, defaults, params.get(name))
    extra_body = params.pop("extra_body", None)
    if isinstance(extra_body, Mapping):
        extra_body = {key: value for key, value in extra_body.items() if given(value)}
    return options, extra_body


def is_shielded(client: EdgeClient | AsyncEdgeClient, params: Mapping[str, Any]) -> bool:
    """Whether a call with these arguments may have something put back into its answer."""
    edge = params.get("edge")
    own = edge.get("shield") if isinstance(edge, Mapping) else None
    return client.options.shield is not None or bool(own)


def _timed(options: CallOptions, timeout: Any) -> CallOptions:
    from dataclasses import replace

    try:
        return replace(options, timeout=timeout_of(timeout))
    except ConfigurationError as error:
        raise RequestValidationError(str(error), param="timeout") from None


def _merged(name: str, defaults: Mapping[str, Any], own: Any) -> dict[str, Any] | None:
    """Defaults with a call's own values over them; None for what openai's `omit` takes away, of the provider's too."""
    if own is None or not given(own):
        own = {}
    if not isinstance(own, Mapping):
        raise RequestValidationError(f"{name}: must be a mapping.", param=name)
    for key, value in own.items():
        if value is None and name == "extra_headers":
            place = place_in(name, key)
            raise RequestValidationError(f"{place}: input should be a valid string.", param=place)
    return {key: value if given(value) else None for key, value in {**defaults, **own}.items()} or None
