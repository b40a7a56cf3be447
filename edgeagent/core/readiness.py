"""All targets are held back by their breakers: wait for the first that is ready, or say until when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from edgeagent.core.call import Call
from edgeagent.core.ticket import blocks_itself
from edgeagent.effects import Flow, join, sleep
from edgeagent.errors import (
    APIStatusError,
    DeadlineExceededError,
    RateLimitError,
    TargetsUnavailableError,
    status_error_class,
)
from edgeagent.routing.health import Health
from edgeagent.types import Target
from edgeagent.wire.http import HTTPResponse

__all__ = ["longest_wait", "until_ready"]


def longest_wait(call: Call[Any]) -> float:
    """How many seconds a call may wait for a target, its deadline aside."""
    policy = None if call.health is None else call.health.policy
    return 0.0 if policy is None else policy.longest_wait


def until_ready(call: Call[Any], targets: Sequence[Target], limit: float) -> Flow[Target | None]:
    """Wait until one of the targets may be asked, but not beyond `limit` (of the clock) nor the call's deadline.

    Returns:
        The target whose time has come; None when another call's probe has ended, which may have closed its breaker.

    Raises:
        TargetsUnavailableError: none is ready in time; `RateLimitError` where rate limits are all they wait for,
            `AuthenticationError` or `PermissionDeniedError` where it is another credential.
    """
    health = call.health
    assert health is not None
    now = call.clock()
    ready = {target: _ready_at(health, target) for target in targets}
    first = min(ready, key=ready.__getitem__)
    probe = health.of(first).probe
    until = limit if call.deadline is None else min(limit, call.deadline)
    if ready[first] <= now and probe is not None:
        if blocks_itself(call, probe):
            return first  # to wait would be to block the one that is waited for
        if not (yield from join(probe, until)):
            raise DeadlineExceededError if until == call.deadline else _unavailable(health, ready, now)
        return None
    if ready[first] > until:
        raise _unavailable(health, ready, now)
    yield from sleep(max(0.0, ready[first] - now))
    return first


def _ready_at(health: Health, target: Target) -> float:
    return health.of(target).breaker.ready_at(health.credential(target))


def _unavailable(health: Health, ready: dict[Target, float], now: float) -> APIStatusError:
    """The error, whose message tells why each is held back: the class and status of its last error, never a text."""
    reasons = "; ".join(_reason(health, target, at - now) for target, at in ready.items())
    first = min(ready.values()) - now
    if math.isinf(first):
        status = next((error[1] for error in (health.of(target).error for target in ready) if error), None) or 401
        refusal = status_error_class(status if status in (401, 403) else 401)
        message = (
            f"Nothing was asked, since every target refused its credential before: {reasons}. Set another api_key "
            "of the provider, or call client.reset_health() if the same one is good now."
        )
        return refusal(message, response=HTTPResponse(refusal.default_status))
    kind = RateLimitError if _limited(health, ready) else TargetsUnavailableError
    error = kind(f"Nothing was asked, since every target is held back by its breaker: {reasons}.")
    error.retry_after = max(0.0, first)
    return error


def _limited(health: Health, targets: Iterable[Target]) -> bool:
    """Whether it was a rate limit everywhere: the caller's to keep, and no outage."""
    errors = [health.of(target).error for target in targets]
    return all(error is not None and error[1] == RateLimitError.default_status for error in errors)


def _reason(health: Health, target: Target, seconds: float) -> str:
    last = health.of(target).error
    after = "" if last is None else f" after {last[0]}" + ("" if last[1] is None else f" {last[1]}")
    if math.isinf(seconds):
        return f"{target} until its credential changes{after}"
    return f"{target} for {max(0.0, seconds):.1f} s more{after}"
