"""How often and how long to wait before the same target is asked again.

tenacity's `wait` and `retry` objects are the vocabulary; they are consulted on failure only. The attempts, the sleeps
and the deadlines are the pipeline's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["RetryPolicy"]


@dataclass(frozen=True)
class RetryPolicy:
    """Retries on one target.

    Args:
        attempts: extra attempts after the first, per target.
        wait: a tenacity wait object (or any function of a `RetryCallState` to seconds); default: exponential backoff
            from 0.5 s to 8 s with full jitter (a wait drawn evenly from zero to the bound).
        retry: a tenacity retry object (or any function of a `RetryCallState` to bool) that decides instead of the
            documented table whether the same target is asked again.
        max_retry_after: the longest Retry-After, in seconds, that is waited for; beyond it the next target is asked.
        content_filter_fallback: whether another target may be asked after a provider's content filter refused.
        budget: whether each target's retry budget has to allow a retry, so that retries do not amplify an outage.
    """

    attempts: int = 2
    wait: Callable[[RetryCallState], float] | None = None
    retry: Callable[[RetryCallState], bool] | None = None
    max_retry_after: float = 60.0
    content_filter_fallback: bool = False
    budget: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 0:
            raise ConfigurationError(f"retry needs a number of extra attempts of 0 or more; got {self.attempts!r}.")

    @classmethod
    def of(cls, value: RetryPolicy | int) -> RetryPolicy:
        """What a client's `retry=` accepts."""
        return value if isinstance(value, RetryPolicy) else cls(attempts=value)

    def again(self, error: Exception, attempt: int, *, default: bool) -> bool:
        """Whether to ask the same target again after its `attempt`-th try (from 1) failed."""
        if attempt > self.attempts:
            return False
        return default if self.retry is None else bool(self.retry(_state(error, attempt)))

    def backoff(self, error: Exception, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th try, where the server named none."""
        if self.wait is not None:
            return max(0.0, float(self.wait(_state(error, attempt))))
        from tenacity import wait_random_exponential

        return float(wait_random_exponential(multiplier=0.5, max=8.0)(_state(error, attempt)))


def _state(error: Exception, attempt: int) -> RetryCallState:
    """A failed attempt in the form that tenacity's objects read."""
    from tenacity import Future, RetryCallState, Retrying

    state = RetryCallState(retry_object=_retrying(Retrying), fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    state.outcome = Future(attempt)
    state.outcome.set_exception(error)
    return state


def _retrying(kind: Callable[[], Any]) -> Any:
    return kind()
