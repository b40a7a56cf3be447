"""The arguments of a call of openai<1 → a view of the right client, and ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edgeagent import error, errors
from edgeagent.core.retry import RetryPolicy
from edgeagent.effects import Timeout
from edgeagent.legacy.clients import client_for
from edgeagent.legacy.settings import Settings, settings_of
from edgeagent.openai_object import OpenAIObject

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from edgeagent.client import EdgeClient

__all__ = ["Call", "prepared"]

TIMEOUT: Final = 600.0
"""Seconds for one attempt, where `request_timeout` does not say."""
CONNECTIONS: Final = 2
"""How often connecting is tried again; nothing else is."""
RETRIES: Final = 1_000_000
FIRST_WAIT: Final = 0.5
MAX_WAIT: Final = 8.0


@dataclass(frozen=True)
class Call:
    """One call: through which client, and with what.

    Args:
        client: a view with the call's own time limits.
        params: what goes into the body.
        extra: keyword arguments of ours beside the body's: `extra_headers`, `edge`.
        engine: as the call named it, None where it did not.
        organization: whose account was named.
    """

    client: EdgeClient
    params: dict[str, Any]
    extra: dict[str, Any]
    engine: str | None
    organization: str | None

    def keywords(self, known: AbstractSet[str]) -> dict[str, Any]:
        """The arguments of ours. Whatever the body had at that time, it has now: what is not `known` goes along."""
        params = {name: value for name, value in self.params.items() if name in known}
        more = {name: value for name, value in self.params.items() if name not in known}
        return {**params, **self.extra, **({"extra_body": more} if more else {})}

    def result(self, fields: Mapping[str, Any], edge: Any) -> OpenAIObject:
        """An answer as an object of that time; `edge` is what the gateway did."""
        took = None if edge is None or edge.provider_latency_ms is None else round(edge.provider_latency_ms)
        return OpenAIObject.construct_from(
            fields, organization=self.organization, engine=self.engine, response_ms=took, edge=edge
        )


def prepared(resource: str, arguments: Mapping[str, Any], *, engines: bool = True) -> Call:
    """Take a call's arguments apart.

    Args:
        resource: the class's name, for messages.
        arguments: as the caller wrote them.
        engines: whether it is asked of a model, which `model`, `engine` or `deployment_id` must then name.

    Raises:
        error.OpenAIError: a setting is missing or cannot be honoured, or no model is named.
        ConfigurationError: an option of `edgeagent.edge` is not what it can be.
        ValueError: a time limit is none.
    """
    params = dict(arguments)
    settings = settings_of(params)
    engine = params.pop("engine", None) or params.get("deployment_id")
    params.pop("deployment_id", None)
    if engines:
        params["model"] = _model(resource, settings, params.get("model"), engine)
    extra = {"extra_headers": _headers(params), "edge": params.pop("edge", None)}
    warm_up = params.pop("timeout", None)
    limits = _limits(params.pop("request_timeout", None))
    client = client_for(settings)
    retry = client.options.retry
    if "retry" not in (settings.edge.options or {}):
        retry = _policy(client._engine.runtime.clock, warm_up)
    return Call(
        client=client.with_options(timeout=limits, retry=retry),
        params=params,
        extra={name: value for name, value in extra.items() if value is not None},
        engine=engine,
        organization=settings.organization,
    )


def _model(resource: str, settings: Settings, model: Any, engine: Any) -> Any:
    """An engine (Azure: a deployment) is what a model is today. With other models behind the gateway, one is enough."""
    azure = settings.kind != "open_ai" and settings.edge.options is None
    if engine is None and (azure or model is None):
        wanted = "'engine' or 'deployment_id'" if azure else "'engine' or 'model'"
        raise error.InvalidRequestError(f"Must provide an {wanted} parameter to create a {resource}.", "engine")
    return model if engine is None else engine


def _headers(params: dict[str, Any]) -> dict[str, str] | None:
    headers = params.pop("headers", None)
    if headers is not None and not (
        isinstance(headers, Mapping) and all(isinstance(text, str) for pair in headers.items() for text in pair)
    ):
        raise TypeError("headers must be a dictionary of texts.")
    request_id = params.pop("request_id", None)
    named = {} if request_id is None else {"X-Request-Id": str(request_id)}
    return {**named, **(headers or {})} or None


def _limits(value: Any) -> Timeout:
    """`request_timeout`: seconds, or a pair of seconds for connecting and for each wait."""
    connect, read = value if isinstance(value, tuple) and len(value) == 2 else (value or TIMEOUT, value or TIMEOUT)
    for seconds in (connect, read):
        if isinstance(seconds, bool) or not isinstance(seconds, int | float | None) or not (seconds or 1) > 0:
            raise ValueError(
                "request_timeout must be a number of seconds, or a pair of them for connecting and for reading."
            )
    return Timeout(connect=connect, read=read, write=read, pool=read)


def _policy(clock: Callable[[], float], warm_up: float | None) -> RetryPolicy:
    """What openai<1 tried again: connecting, twice; and a 409 (the model is warming up) until `timeout` has passed."""
    started = clock()

    def again(state: RetryCallState) -> bool:
        fault = state.outcome.exception() if state.outcome is not None else None
        if isinstance(fault, errors.ConflictError):
            return warm_up is None or clock() - started < warm_up
        return isinstance(fault, errors.APIConnectionError) and not fault.sent and state.attempt_number <= CONNECTIONS

    return RetryPolicy(attempts=RETRIES, wait=_wait, retry=again)


def _wait(state: RetryCallState) -> float:
    """Connecting is tried again at once, a 409 after half a second and then ever more."""
    fault = state.outcome.exception() if state.outcome is not None else None
    if not isinstance(fault, errors.ConflictError):
        return 0.0
    wait: float = FIRST_WAIT * 2 ** min(state.attempt_number - 1, 16)
    return min(MAX_WAIT, wait)
