"""The one owner of attempts: which target next, how often, after how long.

Nothing below retries again. Errors are judged by the table in `verdict`; when several targets failed, the first
target's final error is raised, and its `attempts` tell the whole story. A target that its breaker holds back is passed
over; when all are, the call waits for the first that is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from edgeagent.core.call import Call
from edgeagent.core.hedging import Hedges, SparedError, hedged
from edgeagent.core.quotes import unquote
from edgeagent.core.readiness import longest_wait, until_ready
from edgeagent.core.survived import let_go
from edgeagent.core.ticket import Ticket
from edgeagent.core.verdict import Verdict, forbidden, judge, told_wait
from edgeagent.effects import Flow, sleep
from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    EdgeAgentError,
    RequestValidationError,
)
from edgeagent.types import Target

__all__ = ["Answered", "attempt_targets"]

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """What was answered, by which target, and how many before it were asked and failed (`rank` 0: first choice)."""

    answer: A
    target: Target
    rank: int


def attempt_targets(
    call: Call[Any],
    targets: Sequence[Target],
    ask: Callable[[Target], Flow[A]],
    window: Callable[[Target], int | None],
    hedges: Hedges[A] | None = None,
) -> Flow[Answered[A]]:
    """Ask the targets in their order until one answers.

    Args:
        call: its deadline, retry policy and story.
        targets: in the router's order; at least one.
        ask: one attempt.
        window: a target's context window in tokens, None when not known.
        hedges: what a call with a `hedge` among its options needs.

    Raises:
        Exception: the first target's final error.
    """
    failures = _Failures()
    if hedges is not None and len(targets) > 1:
        answered = yield from _hedged(call, targets, hedges, failures, window)
        if answered is not None:
            return answered
        targets = [target for target in targets if target not in failures.targets]
        if not targets and failures.first is not None:
            raise failures.taken()
    ready: Target | None = None
    limit: float | None = None
    while True:
        held = 0
        for target in targets if ready is None else (ready, *(other for other in targets if other != ready)):
            if not failures.suits(target, window):
                continue
            ticket = Ticket.begin(call, target, waited=target is ready)
            if ticket is None:
                held += 1
                continue
            if failures.last is not None and call.observation is not None:
                call.observation.fallback(failures.last, target)
            try:
                answer = yield from _attempt_one(call, target, ask, ticket)
            except Exception as error:
                if failures.end(call, target, error, window):
                    break
            else:
                failures.let_go()
                return Answered(answer, target, failures.rank + held)
        if failures.first is not None:
            raise failures.taken()
        limit = call.clock() + longest_wait(call) if limit is None else limit
        ready = yield from until_ready(call, targets, limit)


class _Failures:
    """What failed so far, and what that means for the next target."""

    def __init__(self) -> None:
        self.first: Exception | None = None
        self.last: Target | None = None
        self.targets: set[Target] = set()
        self.rank = 0
        self._smallest = 0  # targets must have a larger context window than this

    def taken(self) -> Exception:
        """The error that the call ends with; not kept here, since its traceback keeps who raises it."""
        first, self.first = self.first, None
        assert first is not None
        return first

    def let_go(self) -> None:
        """The call has an answer."""
        let_go(self.first)

    def suits(self, target: Target, window: Callable[[Target], int | None]) -> bool:
        """Whether a target may be larger than those that were too small."""
        return not self._smallest or (window(target) or 0) > self._smallest

    def end(self, call: Call[Any], target: Target, error: Exception, window: Callable[[Target], int | None]) -> bool:
        """Write down a target's final error: whether the whole call ends with it."""
        if self.first is None:
            self.first = error
        else:
            let_go(error)  # the first one's is raised
        self.last = target
        self.targets.add(target)
        self.rank += not _unfit(error)
        following = judge(error).next
        if following == "larger":
            self._smallest = max(self._smallest, window(target) or _UNKNOWN)
        elif following == "no" or (following == "if allowed" and not call.options.retry.content_filter_fallback):
            return True
        left = call.remaining()
        return left is not None and left <= 0


def _hedged(
    call: Call[Any],
    targets: Sequence[Target],
    hedges: Hedges[A],
    failures: _Failures,
    window: Callable[[Target], int | None],
) -> Flow[Answered[A] | None]:
    """The first two targets side by side; None if nobody answered or nothing was asked, and others may be asked."""
    assert call.options.hedge is not None
    assert call.health is not None
    first, second = targets[:2]
    delay = call.options.hedge.delay(call, first)
    if delay is None or not all(call.health.of(target).breaker.closed for target in (first, second)):
        return None

    def attempt(branch: Call[Any], target: Target) -> Flow[A]:
        ticket = Ticket.begin(branch, target)
        if ticket is None:
            raise SparedError
        return (yield from _attempt_one(branch, target, lambda _: hedges.attempt(target, branch), ticket))

    outcome = yield from hedged(call, (first, second), delay, attempt, hedges.price)
    ended = False
    for target, error in outcome.failed.items():
        ended = failures.end(call, target, error, window)
    if outcome.ends is not None:
        raise failures.first or outcome.ends
    if outcome.target is not None:
        failures.let_go()
        return Answered(outcome.answer, outcome.target, targets.index(outcome.target))  # type: ignore[arg-type]  # an A
    if ended and failures.first is not None:
        raise failures.taken()
    return None


def _unfit(error: Exception) -> bool:
    """Whether the target was not asked at all, because its vendor cannot do what the request wants."""
    return isinstance(error, RequestValidationError) and error.target is not None


_UNKNOWN = 1 << 62  # a target of unknown size is not known to be smaller than any other


def _attempt_one(call: Call[Any], target: Target, ask: Callable[[Target], Flow[A]], ticket: Ticket) -> Flow[A]:
    """One target, with its retries."""
    attempt = 0
    while True:
        attempt += 1
        call.check_deadline()
        started = call.clock()
        try:
            answer = yield from ask(target) if call.admission is None else call.admission.attempt(call, target, ask)
        except Exception as raised:
            error = _typed(raised)
            if call.asked is not None and isinstance(error, APIError):
                unquote(error, call.asked)
            ticket.failed(error)
            call.attempted(target, started, error)
            delay = _delay(call, error, judge(error), attempt)
            if delay is None or (call.options.retry.budget and not ticket.may_retry()):
                try:
                    if error is raised:
                        raise
                    raise error from raised
                finally:
                    del error  # no cycle through this frame
            let_go(error)
            del error
        else:
            ticket.answered(streams=call.streams)
            call.attempted(target, started, None)
            return answer
        if call.observation is not None:
            call.observation.retry(target, delay)
        yield from sleep(delay)
        ticket = ticket.next()


def _delay(call: Call[Any], error: Exception, verdict: Verdict, attempt: int) -> float | None:
    """Seconds until the same target is asked again; None if it is not."""
    policy = call.options.retry
    if not policy.again(error, attempt, default=verdict.again):
        return None
    told = told_wait(error)
    if told is not None and told > policy.max_retry_after:
        return None
    delay = policy.backoff(error, attempt) if told is None else told
    left = call.remaining()
    return None if left is not None and delay >= left else delay


def _typed(error: Exception) -> Exception:
    """Builtin connection errors as ours; everything else stays what it is."""
    if isinstance(error, EdgeAgentError) or forbidden(error):
        return error
    if isinstance(error, TimeoutError):
        return APITimeoutError()
    if isinstance(error, ConnectionError):
        return APIConnectionError(message=f"Connection error: {type(error).__name__}.")
    return error
