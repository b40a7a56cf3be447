"""`FirstOf` for the driver that blocks: a thread for each flow.

All flows run in threads of the client's, also the first: who asked waits here, free to hear of the winner, of the next
one's turn, of the deadline and of Ctrl-C. A flow runs with the race's lock held, and lets go of it while it waits. So
no two flows run at once, and who asked can end them where they stand.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from edgeagent.effects import Effect, FirstOf, Flow, Scope
from edgeagent.io.lanes import Lane, LaneEnded, Lanes
from edgeagent.io.race import Race

if TYPE_CHECKING:
    from edgeagent.io.sync_driver import SyncDriver
    from edgeagent.io.threads import Threads

__all__ = ["SyncRace"]

logger = logging.getLogger("edgeagent")

END_SECONDS: Final = 1.0
"""How long those that were woken are waited for. They need a moment; what nobody can wake is not waited for."""


class SyncRace:
    """One `FirstOf` under way.

    Args:
        driver: runs the flows.
        effect: what was asked for.
        scope: of the call.
        threads: where they run.
        lanes: the client's.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        driver: SyncDriver,
        effect: FirstOf,
        scope: Scope,
        threads: Threads,
        lanes: Lanes,
        clock: Callable[[], float],
    ) -> None:
        self.driver = driver
        self.scope = scope
        self.lanes = lanes
        self.race = Race(effect, clock)
        self.changed = threading.Condition()  # on an RLock: the collector of garbage may come back in it
        self._effect = effect
        self._threads = threads
        self._runners: list[_Runner] = []
        self._aborted = False

    def run(self) -> Any:
        """Perform it."""
        try:
            with self.lanes.waiting(self._abort):  # it may itself be in a lane
                self._conduct()
        finally:
            self._end()
        return self.race.outcome()

    def _conduct(self) -> None:
        with self.changed:
            while self.race.open:
                if self._aborted:
                    raise LaneEnded
                if (number := self.race.next()) is not None:
                    self._begin(number)
                elif self.race.open:
                    self.changed.wait(self.race.patience())

    def _begin(self, number: int) -> None:
        runner = _Runner(self, number, self._effect.flows[number])
        self._runners.append(runner)
        try:
            self._threads.start(runner.run)
        except RuntimeError:  # the interpreter is ending and starts no thread: one after the other, then
            runner.run()

    def _abort(self) -> None:
        with self.changed:
            self._aborted = True
            self.changed.notify_all()

    def _end(self) -> None:
        with self.changed:
            self.race.stop()
            for runner in self._runners:
                runner.end()
            self.changed.wait_for(lambda: all(runner.is_gone for runner in self._runners), END_SECONDS)


class _Runner:
    """Runs one flow in a thread. To the driver it is the flow."""

    def __init__(self, race: SyncRace, number: int, make: Callable[[Scope], Flow[Any]]) -> None:
        self._race = race
        self._number = number
        self._make = make
        self._flow: Flow[Any] | None = None
        self._lane = Lane()
        self._scope = Scope()
        self._finished = False

    def send(self, outcome: Any) -> Effect:
        with self._race.changed:
            return self._going().send(outcome)

    def throw(self, error: BaseException) -> Effect:
        with self._race.changed:
            return self._going().throw(error)

    def _going(self) -> Flow[Any]:
        if self._lane.ended:
            raise LaneEnded
        if self._flow is None:
            self._flow = self._make(self._scope)
        return self._flow

    def run(self) -> None:
        race, before, won = self._race, self._race.lanes.current, False
        race.lanes.current = self._lane
        try:
            value = race.driver.step(cast("Flow[Any]", self), self._scope)
            won = self._returned(value)
        except LaneEnded:
            pass
        except BaseException as error:  # raised again where it is waited for
            with race.changed:
                race.race.raised(self._number, error)
                race.changed.notify_all()
        finally:
            race.lanes.current = before  # what is closed now is closed properly
            if not won:
                race.driver.close(self._scope)
            with race.changed:
                self._finished = True
                race.changed.notify_all()

    def _returned(self, value: Any) -> bool:
        with self._race.changed:
            won = self._race.race.returned(self._number, value)
            if won:
                self._race.scope.adopt(self._scope)
            self._race.changed.notify_all()
            return won

    def end(self) -> None:
        """With the race's lock: the flow stands still."""
        if self._finished or self._lane.ended:
            return
        self._lane.end()
        if self._flow is None:
            return
        try:
            self._flow.throw(LaneEnded())
        except (LaneEnded, StopIteration):
            pass
        except Exception:
            logger.debug("a flow that was ended failed", exc_info=True)

    @property
    def is_gone(self) -> bool:
        return self._finished or self._lane.stuck
