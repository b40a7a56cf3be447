"""Validated settings → a pipeline: the one place that composes rooms."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from edgeagent.cache.policy import CacheOptions, parse_cache_options
from edgeagent.core.call import CallOptions
from edgeagent.core.configured import groups_of, providers_of
from edgeagent.core.hedging import HedgePolicy
from edgeagent.core.layers import CacheLayers
from edgeagent.core.pipeline import Pipeline
from edgeagent.core.requests import given
from edgeagent.core.retry import RetryPolicy
from edgeagent.core.targets import Targets, vendor_of
from edgeagent.core.validate import MAX_BODY_BYTES
from edgeagent.effects import Timeout
from edgeagent.errors import ConfigurationError, RequestValidationError
from edgeagent.routing.base import Router
from edgeagent.routing.breaker import BreakerPolicy
from edgeagent.routing.names import Names
from edgeagent.routing.strategies import router_from, router_named

if TYPE_CHECKING:
    from edgeagent.core.admission import Admission
    from edgeagent.io.runtime import Runtime
    from edgeagent.limits import Budget, Limit
    from edgeagent.pricing.base import PriceSource
    from edgeagent.providers.base import Provider
    from edgeagent.shield.shield import Shield

__all__ = ["Settings", "build_pipeline", "call_options", "environment_providers", "timeout_of"]

logger = logging.getLogger("edgeagent")

ENVIRONMENT: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("OpenAI", ("OPENAI_API_KEY",)),
    ("Anthropic", ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")),
    ("AzureOpenAI", ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN")),
    ("Gemini", ("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    ("Mistral", ("MISTRAL_API_KEY",)),
    ("Cohere", ("CO_API_KEY", "COHERE_API_KEY")),
    ("Bedrock", ("AWS_BEARER_TOKEN_BEDROCK",)),
    ("Ollama", ("OLLAMA_API_KEY", "OLLAMA_HOST")),
    ("Watsonx", ("WATSONX_API_KEY", "WATSONX_APIKEY")),
)
"""The providers that `EdgeClient()` configures when one of their variables is set, in this order; after them come the
servers of OpenAI's shape whose key is set, in the order of `edgeagent.providers.rows.ROWS`."""


@dataclass(frozen=True)
class Settings:
    """What a client was asked to be; see `EdgeClient` for the meaning of each."""

    providers: Sequence[Provider] | None = None
    models: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    router: str | Router = "failover"
    breaker: BreakerPolicy | bool = True
    tokens: Any = None
    cache: Any = True
    shield: Any = None
    retry: int | RetryPolicy = 2
    hedge: HedgePolicy | float | bool = False
    timeout: Any = 600.0
    deadline: float | None = None
    http_client: Any = None
    namespace: str | None = None
    pricing: PriceSource | None = None
    observers: Sequence[Any] = ()
    strict_models: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
    errors: str = "edgeagent"
    limits: Sequence[Limit] = ()
    budgets: Sequence[Budget] = ()
    state: Any = None


def build_pipeline(settings: Settings, runtime: Runtime) -> Pipeline:
    """Compose the rooms.

    Raises:
        ConfigurationError: a setting is not what it can be; the message says what to do.
    """
    import random

    from edgeagent.cache.tiers import Cache
    from edgeagent.core.estimates import Estimates
    from edgeagent.pricing import Pricing
    from edgeagent.providers.names import Named
    from edgeagent.routing.health import Health
    from edgeagent.telemetry import ObserverGroup, OpenTelemetryObserver
    from edgeagent.tokens import TokenEstimator

    if settings.errors == "openai":
        if find_spec("openai") is None:
            raise ConfigurationError('errors="openai" needs the openai package: pip install "edgeagent[openai]".')
    elif settings.errors != "edgeagent":
        raise ConfigurationError(f'errors= must be "edgeagent" or "openai"; got {settings.errors!r}.')
    providers = providers_of(environment_providers() if settings.providers is None else settings.providers)
    pricing = settings.pricing if settings.pricing is not None else Pricing.default()
    if not callable(getattr(pricing, "cost", None)):
        raise ConfigurationError(f"pricing= is a Pricing(…) or another object with cost(); got {pricing!r}.")
    if not isinstance(settings.observers, Sequence):
        raise ConfigurationError(f"observers= is a list of Observer objects; got {settings.observers!r}.")
    known = Pricing.default()
    named = [Named(provider, vendor_of(provider), known.knows) for provider in providers.values()]
    names = Names(named, groups_of(settings.models), strict=settings.strict_models)
    policy, estimator = breaker_of(settings.breaker), TokenEstimator(settings.tokens)
    targets = Targets(
        providers,
        names,
        router_of(settings.router),
        known.context_window,
        known.knows,
        health=lambda credential: Health(policy, runtime.clock, random.random, credential),
        estimates=lambda targets: Estimates(pricing, targets.vendor, estimator, targets.service_tier),
    )
    own = any(isinstance(observer, OpenTelemetryObserver) for observer in settings.observers)
    observer = ObserverGroup((*(() if own else (OpenTelemetryObserver(),)), *settings.observers))
    cache = Cache.of(settings.cache)
    clients = (settings.http_client, *(getattr(provider, "http_client", None) for provider in providers.values()))
    background = None if any(map(_is_async, clients)) else runtime.background  # his own is his loop's, not a thread's
    layers = CacheLayers(
        cache.tiers(),
        runtime.submit,
        runtime.wall,
        observer,
        repeat=runtime.repeat,
        semantic=cache.semantic,
        background=background,
        policy=cache.rules,
        ttl=cache.ttl,
    )
    pipeline = Pipeline(
        targets,
        layers,
        pricing,
        observer,
        clock=runtime.clock,
        wall=runtime.wall,
        max_body_bytes=settings.max_body_bytes,
    )
    if settings.limits or settings.budgets or settings.state is not None:
        pipeline.admission = admission_of(settings, runtime, pipeline)
    return pipeline


def _is_async(client: object) -> bool:
    return hasattr(client, "aclose")


def router_of(router: str | Mapping[str, Any] | Router) -> Router:
    """A strategy's name, a table of a file, or a router object."""
    if isinstance(router, str):
        return router_named(router)
    if isinstance(router, Mapping):
        return router_from(router)
    if isinstance(router, type) or not callable(getattr(router, "plan", None)):
        raise ConfigurationError(f"router= needs a strategy's name or an object with plan(); got {router!r}.")
    return router


def breaker_of(breaker: BreakerPolicy | bool | Mapping[str, Any]) -> BreakerPolicy | None:
    """What `breaker=` accepts: a policy, its numbers as a table, True for the usual one, False for none."""
    if isinstance(breaker, BreakerPolicy):
        return breaker
    if isinstance(breaker, bool):
        return BreakerPolicy() if breaker else None
    try:
        return BreakerPolicy(**breaker)
    except TypeError:  # no mapping, or one with a name that is none
        raise ConfigurationError(f"breaker= needs a BreakerPolicy, True or False; got {breaker!r}.") from None


def admission_of(settings: Settings, runtime: Runtime, pipeline: Pipeline) -> Admission:
    """The limits and budgets.

    Raises:
        ConfigurationError: something else than a `Limit` or a `Budget`, two of one name, or no place to keep them.
    """
    from edgeagent.core.admission import Admission
    from edgeagent.core.purses import Purses
    from edgeagent.core.settling import Settling
    from edgeagent.core.sizes import Worst
    from edgeagent.core.turns import Turns
    from edgeagent.limits.state import state_of

    for name in ("limits", "budgets"):
        _check_named(getattr(settings, name), name)
    accounts, meters = state_of(settings.state, runtime.clock, runtime.wall)
    settling = Settling(runtime.submit)
    worst = Worst(pipeline.targets, pipeline.pricing)
    return Admission(
        Turns(settings.limits, meters, settling),
        Purses(settings.budgets, accounts, settling, pipeline.budget_reached),
        worst,
    )


def _check_named(rules: Any, argument: str) -> None:
    from edgeagent.limits.budget import Budget
    from edgeagent.limits.limit import Limit

    kind = Limit if argument == "limits" else Budget
    if not isinstance(rules, Sequence) or not all(isinstance(rule, kind) for rule in rules):
        raise ConfigurationError(f"{argument}= is a list of {kind.__name__} objects; got {type(rules).__name__}.")
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            raise ConfigurationError(f"{argument}=: two are called {rule.name!r}: give one of them a name=….")
        names.add(rule.name)


def environment_providers() -> tuple[Provider, ...]:
    """Every built-in provider whose key is in the environment, in the documented order.

    One that needs more than its key (Azure's endpoint, who pays for watsonx.ai) is left out where that is missing, and
    a log line says what it is: a stray variable must not keep the others from working.
    """
    import edgeagent.providers as builtin
    from edgeagent.providers.rows import set_up

    own = []
    for name, variables in ENVIRONMENT:
        if any(os.environ.get(variable) for variable in variables):
            try:
                own.append(getattr(builtin, name)())
            except ConfigurationError as error:
                logger.warning("%s has a key in the environment, but is left out: %s", name, error)
    return (*own, *(builtin.OpenAICompatible(name=row.name) for row in set_up(os.environ)))


# one call


_EDGE_KEYS: Final = frozenset({"cache", "fallbacks", "router", "tags", "shield", "deadline", "priority", "resume"})


def call_options(settings: Settings, cache: CacheOptions, timeout: Timeout, retry: RetryPolicy) -> CallOptions:
    """The options of a call that says nothing of its own."""
    return CallOptions(
        timeout=timeout,
        deadline=_seconds(settings.deadline, "deadline"),
        retry=retry,
        cache=cache,
        hedge=hedge_of(settings.hedge),
        shield=shield_of(settings.shield),
    )


def hedge_of(hedge: HedgePolicy | float | bool) -> HedgePolicy | None:
    """What `hedge=` accepts: a policy, True for the usual one, the seconds until the second attempt, False for none."""
    if isinstance(hedge, HedgePolicy):
        return hedge
    if isinstance(hedge, bool) or hedge is None:
        return HedgePolicy() if hedge else None
    return HedgePolicy(after=_seconds(hedge, "hedge"))


def shield_of(value: Any) -> Shield | None:
    """What `shield=` accepts: a `Shield`, a preset's name, True, None or False; in a file, a table. Nothing is loaded
    without one.

    Raises:
        ConfigurationError: it is nothing of these.
    """
    if value is None or value is False:
        return None
    from edgeagent.shield.shield import Shield

    return Shield.of(value)


def _call_shield(value: Any, base: Shield | None) -> Shield | None:
    """The shield of one call: another, none, or (a mapping) the client's with other actions for some types."""
    try:
        if isinstance(value, Mapping):
            if base is None:
                raise ConfigurationError("shield: actions change a shield, and this client has none.")
            return base.with_actions(value)
        return shield_of(value)
    except ConfigurationError as error:
        raise RequestValidationError(f"edge.shield: {error}", param="edge.shield") from None


def edge_options(base: CallOptions, edge: object) -> CallOptions:
    """The options of a call with `edge={…}`.

    Raises:
        RequestValidationError: an unknown key or a value of the wrong type; `.param` names it.
    """
    from dataclasses import replace

    if not isinstance(edge, Mapping):
        raise RequestValidationError("edge must be a mapping of options.", param="edge")
    unknown = sorted(map(str, edge.keys() - _EDGE_KEYS))
    if unknown:
        name, known = unknown[0], ", ".join(sorted(_EDGE_KEYS))
        raise RequestValidationError(f"edge: unknown option {name!r}; known: {known}.", param=f"edge.{name}")
    changes: dict[str, Any] = {}
    if edge.get("cache") is not None:
        changes["cache"] = parse_cache_options(edge["cache"], base.cache)
    for name in ("fallbacks", "tags"):
        if edge.get(name) is not None:
            changes[name] = _texts(edge[name], f"edge.{name}")
    if edge.get("router") is not None:
        changes["router"] = _call_router(edge["router"])
    if edge.get("shield") is not None:
        changes["shield"] = _call_shield(edge["shield"], base.shield)
    if (resume := edge.get("resume")) is not None:
        if not isinstance(resume, bool):
            raise RequestValidationError("edge.resume: must be True or False.", param="edge.resume")
        changes["resume"] = resume
    if edge.get("priority") is not None:
        changes["priority"] = _priority(edge["priority"])
    if edge.get("deadline") is not None:
        try:
            changes["deadline"] = _seconds(edge["deadline"], "deadline")
        except ConfigurationError as error:
            raise RequestValidationError(f"edge.{error}", param="edge.deadline") from None
    return replace(base, **changes)


def _call_router(router: Any) -> Router:
    try:
        return router_of(router)
    except ConfigurationError as error:
        raise RequestValidationError(f"edge.router: {error}", param="edge.router") from None


def _priority(value: Any) -> int:
    from edgeagent.limits.limit import PRIORITIES, priority_of

    found = priority_of(value)
    if found is None:
        known = ", ".join(map(repr, PRIORITIES))
        raise RequestValidationError(f"edge.priority: must be one of {known}.", param="edge.priority")
    return found


def _texts(value: Any, param: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise RequestValidationError(f"{param}: must be a list of texts.", param=param)
    return tuple(value)


def _seconds(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"{name}: must be a positive number of seconds; got {value!r}.")
    return float(value)


def timeout_of(value: Any) -> Timeout:
    """What `timeout=` accepts: seconds, None (no limit), or an object with httpx.Timeout's attributes.

    A number bounds the wait for the first chunk and the gap between two; connecting is bounded by 5 s besides, as in
    the `openai` package's default.
    """
    if value is None or not given(value):
        return Timeout(None, None, None, None) if value is None else Timeout()
    if isinstance(value, Timeout):
        return value
    if all(hasattr(value, part) for part in ("connect", "read", "write", "pool")):
        return Timeout(value.connect, value.read, value.write, value.pool)
    seconds = _seconds(value, "timeout")
    assert seconds is not None
    return Timeout(connect=min(5.0, seconds), read=seconds, write=seconds, pool=seconds)
