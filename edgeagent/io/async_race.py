"""`FirstOf` for the driver that awaits: a task for each flow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from edgeagent.effects import FirstOf, Flow, Scope
from edgeagent.io.race import Race

__all__ = ["first_of"]


async def first_of(
    effect: FirstOf,
    scope: Scope,
    step: Callable[[Flow[Any], Scope], Awaitable[Any]],
    close: Callable[[Scope], Awaitable[None]],
    clock: Callable[[], float],
) -> Any:
    """Perform it.

    Args:
        effect: what was asked for.
        scope: of the call.
        step: runs a flow to its end.
        close: closes a scope.
        clock: monotonic seconds.
    """
    import anyio

    race = Race(effect, clock)
    changed = anyio.Event()
    cancelled = anyio.get_cancelled_exc_class()

    async def run(number: int) -> None:
        child, won = Scope(), False
        try:
            value = await step(effect.flows[number](child), child)
            won = race.returned(number, value)
        except cancelled as error:
            race.raised(number, error)  # unless it comes from here, it is the flow's own
            raise
        except BaseException as error:  # raised again where it is waited for
            race.raised(number, error)
        finally:
            changed.set()
            if won:
                scope.adopt(child)
            else:
                await close(child)

    try:
        async with anyio.create_task_group() as group:
            while race.open:
                if (number := race.next()) is not None:
                    group.start_soon(run, number)
                elif race.open:
                    changed = anyio.Event()
                    with anyio.move_on_after(race.patience()):
                        await changed.wait()
            group.cancel_scope.cancel()
    except BaseException as error:
        alone = _alone(error)
        if alone is error:
            raise
    else:
        return race.outcome()
    try:
        raise alone
    finally:
        del alone  # no cycle through this frame


def _alone(error: BaseException) -> BaseException:
    """What a task group wrapped, an interrupt for example, if it is one thing."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _alone(inner[0]) if len(inner) == 1 else error
