"""What a call would do, without doing it: the candidates of its name, what each lacks, and the router's order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from edgeagent.core.call import Call, CallOptions
from edgeagent.core.calls import Calls
from edgeagent.effects import Scope
from edgeagent.errors import NoTargetError
from edgeagent.routing.breaker import BreakerState
from edgeagent.types import ChatRequest, Target

__all__ = ["Considered", "Plan", "explain"]


@dataclass(frozen=True, slots=True)
class Considered:
    """One candidate.

    `place` is its place in the order in which targets would be asked, from 0; None if it would not be. `reason` says
    why in words. Prices are US dollars, times seconds; None where nothing is known.
    """

    target: Target
    place: int | None
    reason: str
    lacks: tuple[str, ...]
    breaker: BreakerState
    ready_in: float | None
    input_tokens: int
    output_tokens: int
    price_usd: Decimal | None
    latency: float | None
    context_window: int | None

    def __str__(self) -> str:
        return f"{'-' if self.place is None else self.place + 1} {self.target}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a call would be routed: `targets` in the order in which they would be asked, then those that would not."""

    model: str
    router: str
    targets: tuple[Considered, ...]

    @property
    def order(self) -> tuple[Target, ...]:
        """The targets that would be asked, first choice first."""
        return tuple(one.target for one in self.targets if one.place is not None)

    def __str__(self) -> str:
        return "\n".join([f"{self.model} by {self.router}", *map(str, self.targets)])


def explain(calls: Calls, request: ChatRequest, options: CallOptions, scope: Scope, *, streams: bool) -> Plan:
    """The plan of one chat call. Raises `NoTargetError` if the name means nothing."""
    targets = calls.targets
    call = Call(request, options, scope, calls._clock, calls._wall, streams=streams, health=targets.health)
    candidates = targets.candidates(request.model, options.fallbacks, options.cache.namespace)
    lacks = targets.lacks(call, stream=streams)
    missing = {target: tuple(sorted(lacks(target))) for target in targets.possible(call, candidates)}
    fit = [target for target, lacked in missing.items() if not lacked]
    try:
        planned = list(targets.ordered(call, fit, looking=True)) if fit else []
    except NoTargetError:
        planned = []
    held = [target for target in planned if not targets.outlook(call).available(target)]
    order = [target for target in planned if target not in held] or planned
    rest = [target for target in missing if target not in order]
    return Plan(
        model=request.model,
        router=type(targets.router(call)).__name__,
        targets=tuple(_considered(calls, call, target, missing[target], order, planned) for target in (*order, *rest)),
    )


def _considered(
    calls: Calls, call: Call[Any], target: Target, lacks: tuple[str, ...], order: list[Target], planned: list[Target]
) -> Considered:
    targets, health = calls.targets, calls.targets.health
    report = health.of(target).report(target, calls._clock(), health.credential(target))
    place = order.index(target) if target in order else None
    return Considered(
        target=target,
        place=place,
        reason=_reason(place, lacks, report.breaker, report.ready_in, is_planned=target in planned),
        lacks=lacks,
        breaker=report.breaker,
        ready_in=report.ready_in,
        input_tokens=targets.estimates.tokens(call, target).tokens,
        output_tokens=targets.estimates.output(call, target),
        price_usd=targets.estimates.price(call, target),
        latency=targets.outlook(call).latency(target),
        context_window=targets.window(target),
    )


def _reason(
    place: int | None, lacks: tuple[str, ...], breaker: BreakerState, ready_in: float | None, *, is_planned: bool
) -> str:
    if lacks:
        return f"cannot do {', '.join(lacks)}"
    if not is_planned:
        return "left out by the router"
    if breaker == "open":
        when = "until its credential changes" if ready_in is None else f"for {ready_in:.1f} s more"
        return f"held back by its breaker {when}"
    if place is None:
        return "held back by its breaker, whose probe is under way"
    return "first choice" if place == 0 else "fallback"
