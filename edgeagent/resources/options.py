"""The arguments of a call that are no parameters of the request: openai's `extra_*` and `timeout`, and `edge={…}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from edgeagent.config import edge_options, timeout_of
from edgeagent.core.requests import given
from edgeagent.errors import ConfigurationError, EdgeAgentError, RequestValidationError

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions

__all__ = ["OPTIONS", "call_options", "is_shielded", "parted", "telling"]

P = ParamSpec("P")
T = TypeVar("T")

OPTIONS: Final = frozenset({"extra_headers", "extra_query", "extra_body", "timeout", "edge"})


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
    unknown = params.keys() - known - OPTIONS
    if unknown:
        raise TypeError(
            f"{method}() got an unexpected keyword argument {min(unknown)!r}; "
            "a vendor's own parameters go into extra_body."
        )
    values = dict(params)
    options, extra_body = call_options(client, values)
    extra_body = extra_body if given(extra_body) else None
    return {name: value for name, value in values.items() if given(value)}, options, extra_body


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
    return options, params.pop("extra_body", None)


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
    """Defaults with a call's own values over them; a value that openai's `omit` stands for takes a default away."""
    if own is None or not given(own):
        own = {}
    if not isinstance(own, Mapping):
        raise RequestValidationError(f"{name}: must be a mapping.", param=name)
    left_out = {key for key, value in own.items() if not given(value)}
    merged = {**defaults, **own}
    return {key: value for key, value in merged.items() if key not in left_out} or None
