"""A second attempt beside a slow first one: whichever answers first has won, the other is cancelled.

It takes a token of the second target's retry budget, so that hedges amplify an overload no more than retries do. The
loser's attempt is told as `"Hedged"`, and what it is expected to have cost is part of the call's cost: it was sent, and
a vendor bills what it has begun.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edgeagent.core.verdict import judge
from edgeagent.effects import Flow, Scope, first_of
from edgeagent.errors import ConfigurationError
from edgeagent.types import Attempt, ResponseMetadata, Target

if TYPE_CHECKING:
    from edgeagent.core.call import Call

__all__ = ["HedgePolicy", "Hedges", "Outcome", "SparedError", "hedged"]

A = TypeVar("A")


@dataclass(frozen=True)
class HedgePolicy:
    """When a second target is asked beside the first.

    Args:
        after: seconds; None: the time within which so large a share of the first target's answers came (for a stream,
            their first content),
        quantile: that share,
        least: once so many were measured.

    Raises:
        ConfigurationError: a number is not what it can be.
    """

    after: float | None = None
    quantile: float = 0.95
    least: int = 20

    def __post_init__(self) -> None:
        if self.after is not None and not self.after > 0:
            raise ConfigurationError(f"HedgePolicy: after must be more than 0 seconds; got {self.after!r}.")
        if not 0 < self.quantile < 1:
            raise ConfigurationError(f"HedgePolicy: quantile lies between 0 and 1; got {self.quantile!r}.")

    def delay(self, call: Call[Any], target: Target) -> float | None:
        """Seconds after which the second attempt begins; None while nothing is known of the target."""
        if self.after is not None:
            return self.after
        assert call.health is not None
        state = call.health.of(target)
        measured = state.first_token if call.streams else state.whole
        return measured.quantile(self.quantile) if measured.seen >= self.least else None


@dataclass(frozen=True, slots=True)
class Hedges(Generic[A]):
    """What a hedged call needs beside an unhedged one.

    Args:
        attempt: one attempt at a target, for a branch of the call.
        price: the US dollars that a call is expected to cost at a target.
    """

    attempt: Callable[[Target, Call[Any]], Flow[A]]
    price: Callable[[Call[Any], Target], Decimal | None]


@dataclass(slots=True)
class Outcome(Generic[A]):
    """How a race ended: with the `answer` of a `target`, with an error that `ends` the whole call, or with neither.

    `failed` are the targets that failed so that others may be asked, in the order in which they did.
    """

    failed: dict[Target, Exception] = field(default_factory=dict)
    target: Target | None = None
    answer: A | None = None
    ends: Exception | None = None


class SparedError(Exception):
    """The second attempt was not made: its target's breaker or retry budget does not allow it."""


class _Race(Generic[A]):
    """Two branches of one call, each with a scope, metadata and ticket of its own."""

    def __init__(self, call: Call[Any], attempt: Callable[[Call[Any], Target], Flow[A]]) -> None:
        self._call = call
        self._attempt = attempt
        self._under_way: dict[Target, float] = {}
        self.outcome: Outcome[A] = Outcome()

    def branch(self, target: Target, *, second: bool) -> Callable[[Scope], Flow[None]]:
        """What begins one attempt at a target."""
        return lambda scope: self._run(scope, target, second=second)

    def _run(self, scope: Scope, target: Target, *, second: bool) -> Flow[None]:
        call, outcome = self._call, self.outcome
        assert call.health is not None
        if second and not outcome.failed and not call.health.of(target).may_retry(call.clock()):
            raise SparedError
        branch = copy.copy(call)
        branch.scope, branch.edge, branch.ticket, branch.tab = scope, ResponseMetadata(), None, None
        self._under_way[target] = call.clock()
        try:
            outcome.answer = yield from self._attempt(branch, target)
        except SparedError:
            del self._under_way[target]
            raise
        except Exception as error:
            del self._under_way[target]
            following = judge(error).next
            if following == "no" or (following == "if allowed" and not call.options.retry.content_filter_fallback):
                outcome.ends = error
                return
            outcome.failed[target] = error
            if following != "larger":
                raise
        else:
            del self._under_way[target]
            self._take_over(branch)
            outcome.target = target

    def _take_over(self, branch: Call[Any]) -> None:
        """What the winner found out is the call's."""
        call = self._call
        call.ticket, call.tab, call.promises = branch.ticket, branch.tab, branch.promises
        call.edge.dropped_params, call.edge.edits = branch.edge.dropped_params, branch.edge.edits
        call.edge.request_id = branch.edge.request_id

    def account(self, price: Callable[[Call[Any], Target], Decimal | None]) -> None:
        """Tell the attempts that were cancelled, and what they are expected to have cost."""
        call = self._call
        for target, began in self._under_way.items():
            call.attempts.append(Attempt(target, "Hedged", None, (call.clock() - began) * 1e3))
            call.hedged_usd += price(call, target) or 0


def hedged(
    call: Call[Any],
    targets: tuple[Target, Target],
    delay: float,
    attempt: Callable[[Call[Any], Target], Flow[A]],
    price: Callable[[Call[Any], Target], Decimal | None],
) -> Flow[Outcome[A]]:
    """Ask the first target, and the second too when the first has failed or `delay` seconds have passed.

    Args:
        call: whose attempts these are.
        targets: both ready.
        delay: in seconds.
        attempt: one target with its retries, for a branch of the call.
        price: what a call is expected to cost.

    Raises:
        DeadlineExceededError: the call's deadline passed.
    """
    first, second = targets
    race = _Race(call, attempt)
    try:
        yield from first_of((race.branch(first, second=False), race.branch(second, second=True)), delay, call.deadline)
    except Exception:
        race.account(price)
        if not race.outcome.failed:
            raise
    else:
        race.account(price)
    return race.outcome
