"""The one owner of attempts: which target next, how often, after how long.

Nothing below retries again. Errors are judged by the table in `verdict`; when several targets failed, the first
target's final error is raised, and its `attempts` tell the whole story.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from edgeagent.core.call import Call
from edgeagent.core.verdict import Verdict, judge
from edgeagent.effects import Flow, sleep
from edgeagent.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    EdgeAgentError,
    RequestValidationError,
)
from edgeagent.types import Target
from edgeagent.wire.retry_after import retry_after

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
) -> Flow[Answered[A]]:
    """Ask the targets in their order until one answers.

    Args:
        call: its deadline, retry policy and story.
        targets: in the router's order; at least one.
        ask: one attempt.
        window: a target's context window in tokens, None when not known.

    Raises:
        Exception: the first target's final error.
    """
    first_error: Exception | None = None
    failed: Target | None = None
    rank = 0
    smallest = 0  # targets must have a larger context window than this
    for target in targets:
        if smallest and (window(target) or 0) <= smallest:
            continue
        if failed is not None and call.observation is not None:
            call.observation.fallback(failed, target)
        try:
            answer = yield from _attempt_one(call, target, ask)
        except Exception as error:
            first_error = first_error or error
            failed = target
            rank += not _unfit(error)
            following = judge(error).next
            if following == "larger":
                smallest = max(smallest, window(target) or _UNKNOWN)
            elif following == "no" or (following == "if allowed" and not call.options.retry.content_filter_fallback):
                break
            left = call.remaining()
            if left is not None and left <= 0:
                break
        else:
            return Answered(answer, target, rank)
    assert first_error is not None
    raise first_error


def _unfit(error: Exception) -> bool:
    """Whether the target was not asked at all, because its vendor cannot do what the request wants."""
    return isinstance(error, RequestValidationError) and error.target is not None


_UNKNOWN = 1 << 62  # a target of unknown size is not known to be smaller than any other


def _attempt_one(call: Call[Any], target: Target, ask: Callable[[Target], Flow[A]]) -> Flow[A]:
    """One target, with its retries."""
    attempt = 0
    while True:
        attempt += 1
        call.check_deadline()
        started = call.clock()
        try:
            answer = yield from ask(target)
        except Exception as raised:
            error = _typed(raised)
            call.attempted(target, started, error)
            delay = _delay(call, error, judge(error), attempt)
            if delay is None:
                if error is raised:
                    raise
                raise error from raised
        else:
            call.attempted(target, started, None)
            return answer
        if call.observation is not None:
            call.observation.retry(target, delay)
        yield from sleep(delay)


def _delay(call: Call[Any], error: Exception, verdict: Verdict, attempt: int) -> float | None:
    """Seconds until the same target is asked again; None if it is not."""
    policy = call.options.retry
    if not policy.again(error, attempt, default=verdict.again):
        return None
    told = retry_after(error.response.headers) if isinstance(error, APIStatusError) else None
    if told is None:
        told = getattr(error, "retry_after", None)
    if told is not None and told > policy.max_retry_after:
        return None
    delay = policy.backoff(error, attempt) if told is None else told
    left = call.remaining()
    return None if left is not None and delay >= left else delay


def _typed(error: Exception) -> Exception:
    """Builtin connection errors as ours; everything else stays what it is."""
    if isinstance(error, EdgeAgentError):
        return error
    if isinstance(error, TimeoutError):
        return APITimeoutError()
    if isinstance(error, ConnectionError):
        return APIConnectionError(message=f"Connection error: {type(error).__name__}.")
    return error
