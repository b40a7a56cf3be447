"""What both drivers do the same way: deadlines of what is awaited, the end of a source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from edgeagent.effects import Scope
from edgeagent.errors import APITimeoutError
from edgeagent.io.faults import deadline_fault

__all__ = ["Late", "forget", "gap_or_deadline", "too_late", "until"]

T = TypeVar("T")


Late: TypeAlias = Callable[[bool], Exception]
"""Makes what is raised when a limit has passed; told whether the step it limits had begun."""


def too_late(begun: bool) -> Exception:
    """The call's deadline passed."""
    return deadline_fault(sent=begun)


def gap_or_deadline(gap: float | None, deadline: float | None, clock: Callable[[], float]) -> tuple[float | None, Late]:
    """Which limit comes first for one item of a provider's iterator, and what is raised at it."""
    gap_ends = None if gap is None else clock() + gap
    if gap_ends is not None and (deadline is None or gap_ends < deadline):
        return gap_ends, lambda _: APITimeoutError()
    return deadline, lambda _: deadline_fault(sent=True)


async def until(
    deadline: float | None,
    clock: Callable[[], float],
    step: Callable[[], Awaitable[T]],
    late: Late = too_late,
) -> T:
    """Await `step()`, no longer than until `deadline`; then what `late` makes is raised. It is told if `step` began."""
    if deadline is None:
        return await step()
    import anyio

    left = deadline - clock()
    if left <= 0:
        raise late(False)
    with anyio.move_on_after(left):
        return await step()
    raise late(True)


def forget(source: object, scope: Scope) -> None:
    """Take a source that has ended out of its call's scope."""
    scope.sources[:] = [other for other in scope.sources if other is not source]
