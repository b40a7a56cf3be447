"""What an error means for the attempts: this target again, the next one, or neither.

The table of the public contract, and nothing else, stands here:

| what happened | this target again | next target |
|---|---|---|
| connection error, timeout, 408, 409, 5xx, 529, invalid response | with backoff | then yes |
| 429 | after Retry-After if it is short enough and fits the deadline | otherwise at once |
| 401, 402, 403, 404, `insufficient_quota` | no | yes |
| context window exceeded, 413 | no | a larger one only |
| content filter | no | only if allowed |
| the target's vendor cannot be asked this (found when the request is put into its form) | no | yes |
| a limit of that target alone is full, and the call may not wait | no | yes |
| other 400, 422; every other local error | no | no |
| an error that a caller's own guard raised, but for an invalid response | no | no |
| an exception of another kind from a caller's own provider | no | yes |

A server's `x-should-retry` header decides about the same target where it is present.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from edgeagent.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    BudgetExceededError,
    ContentFilterError,
    ContextWindowExceededError,
    DeadlineExceededError,
    EdgeAgentError,
    LimitExceededError,
    RequestValidationError,
    ShieldBlockedError,
)
from edgeagent.routing.breaker import Failure
from edgeagent.wire.retry_after import retry_after, should_retry

__all__ = ["Next", "Verdict", "forbid", "forbidden", "judge", "tells", "told_wait"]

Next = Literal["yes", "no", "larger", "if allowed"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the same target may be asked again, and whether the next one may be asked after it."""

    again: bool
    next: Next


_RETRY: Final = Verdict(again=True, next="yes")
_ELSEWHERE: Final = Verdict(again=False, next="yes")
_LARGER: Final = Verdict(again=False, next="larger")
_IF_ALLOWED: Final = Verdict(again=False, next="if allowed")
_STOP: Final = Verdict(again=False, next="no")

_LOCAL: Final = (
    RequestValidationError,
    ShieldBlockedError,
    BudgetExceededError,
    LimitExceededError,
    DeadlineExceededError,
)
_ELSEWHERE_STATUS: Final = frozenset({401, 402, 403, 404})
_RETRY_STATUS: Final = frozenset({408, 409, 429})


_FORBIDDEN: Final = "_forbidden"


def forbid(error: Exception) -> None:
    """From now on, an error is one of a guard: it says nothing of the target, and no other is asked."""
    with suppress(Exception):  # a class that takes no attributes: it stays what it is
        setattr(error, _FORBIDDEN, True)


def forbidden(error: Exception) -> bool:
    """Whether it is."""
    return getattr(error, _FORBIDDEN, False) is True


def judge(error: Exception) -> Verdict:
    """Read the table for one error."""
    if forbidden(error):
        return _STOP
    if isinstance(error, _LOCAL):
        unfit = isinstance(error, (RequestValidationError, LimitExceededError)) and error.target is not None
        return _ELSEWHERE if unfit else _STOP
    if isinstance(error, (APIConnectionError, APIResponseValidationError)):
        return _RETRY
    if isinstance(error, APIStatusError):
        verdict = _by_status(error)
        told = should_retry(error.response.headers)
        return verdict if told is None or verdict.next != "yes" else Verdict(again=told, next="yes")
    return _STOP if isinstance(error, EdgeAgentError) else _ELSEWHERE


def _by_status(error: APIStatusError) -> Verdict:
    status = error.status_code
    if isinstance(error, ContextWindowExceededError) or status == 413:
        return _LARGER
    if isinstance(error, ContentFilterError):
        return _IF_ALLOWED
    if status in _ELSEWHERE_STATUS or error.code == "insufficient_quota":
        return _ELSEWHERE
    if status in _RETRY_STATUS or status >= 500:
        return _RETRY
    return _STOP


def told_wait(error: Exception) -> float | None:
    """The seconds after which the server says that it may be asked again; None if it does not say."""
    told = retry_after(error.response.headers) if isinstance(error, APIStatusError) else None
    return told if told is not None else getattr(error, "retry_after", None)


def tells(error: Exception) -> Failure | None:
    """What an error tells about the health of its target; None: it is about this request alone.

    What may pass by itself counts, and so does an exhausted account; a refused credential is known at once.
    """
    if isinstance(error, _LOCAL) or forbidden(error) or getattr(error, "local", False):
        return None
    if isinstance(error, APIStatusError):
        if error.status_code in (401, 403):
            return "credential"
        counts = _by_status(error) is _RETRY or error.status_code == 402 or error.code == "insufficient_quota"
        return "counts" if counts else None
    return None if isinstance(error, EdgeAgentError) and not judge(error).again else "counts"
