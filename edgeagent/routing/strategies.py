"""The built-in strategies by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from edgeagent.errors import ConfigurationError
from edgeagent.routing.base import Router
from edgeagent.routing.conditional import ConditionalRouter
from edgeagent.routing.cost import CostRouter
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.hybrid import HybridRouter
from edgeagent.routing.latency import LatencyRouter
from edgeagent.routing.least_busy import LeastBusyRouter
from edgeagent.routing.model import ModelRouter
from edgeagent.routing.quality import QualityRouter
from edgeagent.routing.round_robin import RoundRobinRouter
from edgeagent.routing.split import SplitRouter
from edgeagent.routing.sticky import StickyRouter
from edgeagent.routing.weighted import WeightedRouter

__all__ = ["STRATEGIES", "router_from", "router_named"]

STRATEGIES: Final[Mapping[str, Callable[..., Router]]] = {
    "failover": FailoverRouter,
    "model": ModelRouter,
    "round-robin": RoundRobinRouter,
    "weighted": WeightedRouter,
    "cost": CostRouter,
    "latency": LatencyRouter,
    "least-busy": LeastBusyRouter,
    "hybrid": HybridRouter,
    "sticky": StickyRouter,
    "conditional": ConditionalRouter,
    "split": SplitRouter,
    "quality": QualityRouter,
}
_NEEDS: Final = {"conditional": "rules", "split": "arms"}


def router_named(name: str) -> Router:
    """A strategy that needs no more than its name.

    Raises:
        ConfigurationError: there is none of that name, or it needs arguments.
    """
    return router_from({"strategy": name})


def router_from(table: Mapping[str, Any]) -> Router:
    """A strategy and its arguments, as a configuration file has them: `{strategy = "weighted", weights = {…}}`.

    `then`, `otherwise`, `strong` and `weak` may be such tables too.

    Raises:
        ConfigurationError: there is no such strategy or argument.
    """
    arguments = {name: _nested(name, value) for name, value in table.items() if name != "strategy"}
    name = str(table.get("strategy")).replace("_", "-")
    kind = STRATEGIES.get(name)
    if kind is None:
        raise ConfigurationError(
            f"There is no router {table.get('strategy')!r}; built in: {', '.join(map(repr, STRATEGIES))}."
        )
    if name in _NEEDS and _NEEDS[name] not in arguments:
        raise ConfigurationError(
            f"The router {name!r} needs {_NEEDS[name]}: pass edgeagent.routing.{getattr(kind, '__name__', name)}(…)."
        )
    try:
        return kind(**arguments)
    except TypeError as error:
        raise ConfigurationError(f"The router {name!r}: {error}.") from None


def _nested(name: str, value: Any) -> Any:
    if name == "then" and isinstance(value, str):
        return router_named(value)
    if name in ("then", "otherwise", "strong", "weak") and isinstance(value, Mapping):
        return router_from(value)
    return value
