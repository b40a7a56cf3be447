"""The driver that blocks: performs what a flow asks for, in the caller's own thread."""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from edgeagent.effects import (
    Close,
    Effect,
    FirstOf,
    Flow,
    Here,
    Invoke,
    Join,
    Offload,
    Open,
    OpenIterator,
    Read,
    Scope,
    Send,
    Sleep,
    Spawn,
)
from edgeagent.io.faults import deadline_fault
from edgeagent.io.lanes import Lane, Lanes
from edgeagent.io.limits import forget
from edgeagent.io.sources import IteratorSource

if TYPE_CHECKING:
    from edgeagent.io.bridge import Bridge
    from edgeagent.io.sync_engine import SyncEngine
    from edgeagent.io.threads import Threads

__all__ = ["SyncDriver"]

T = TypeVar("T")

logger = logging.getLogger("edgeagent")


class SyncDriver:
    """Runs flows; decides nothing.

    A sync function of a provider runs in the caller's thread and cannot be interrupted; its deadline is looked at
    before and after it. An async one runs on the bridge's loop and is cancelled at its deadline.

    Args:
        engine: the HTTP engine for a provider's client (None: the default one).
        bridge: runs awaitables.
        threads: where flows run that are in a race.
        lanes: of those threads.
        clock: monotonic seconds.
        sleep: how to wait.
    """

    def __init__(
        self,
        engine: Callable[[Any], SyncEngine],
        bridge: Callable[[], Bridge],
        threads: Callable[[], Threads],
        lanes: Lanes,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._engine = engine
        self._bridge = bridge
        self._threads = threads
        self._lanes = lanes
        self._clock = clock
        self._sleep = sleep

    def run(self, flow: Flow[T], scope: Scope) -> T:
        """Run a whole call; its scope is closed however it ends."""
        try:
            return self.step(flow, scope)
        finally:
            self.close(scope)

    def step(self, flow: Flow[T], scope: Scope) -> T:
        """Run a flow to its end and leave the scope open: a stream goes on."""
        try:
            effect = flow.send(None)
            while True:
                try:
                    if scope.activate is None:
                        outcome = self._perform(effect, scope)
                    else:
                        with scope.activate():
                            outcome = self._perform(effect, scope)
                except BaseException as raised:  # thrown into the flow
                    error = raised
                else:
                    effect = flow.send(outcome)
                    continue
                try:  # outside of the clause above, so that what the flow raises later is not told as its consequence
                    effect = flow.throw(error)
                finally:
                    del error
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the flow returned

    def close(self, scope: Scope) -> None:
        """Close the sources that are left, then run the releases. Idempotent. A close that fails is logged."""
        try:
            while scope.sources:
                try:
                    scope.sources.pop().close()
                except Exception:
                    logger.exception("closing a stream failed")
        finally:
            scope.release()

    def _perform(self, effect: Effect, scope: Scope) -> Any:
        match effect:
            case Read():
                return self._read(effect, scope)
            case Send():
                self._check(effect.deadline, sent=False)
                return self._engine(effect.client).send(effect)
            case Open():
                self._check(effect.deadline, sent=False)
                return self._opened(self._engine(effect.client).open(effect), scope)
            case Sleep():
                return self._sleep_for(effect.seconds)
            case Offload():
                if not effect.prompt:
                    return self._threads().call(effect.call, effect.bound)
                if self._lanes.current is None:
                    return effect.call()
                with self._lanes.in_foreign_code():
                    return effect.call()
            case Invoke():
                return self._invoke(effect)
            case OpenIterator():
                return self._opened(self._open_iterator(effect), scope)
            case Join():
                return self._join(effect)
            case Close():
                return self._close(effect, scope)
            case FirstOf():
                return self._first_of(effect, scope)
            case Here():
                return None
            case Spawn():
                return self._spawn(effect)

    def _check(self, deadline: float | None, *, sent: bool = True) -> None:
        if deadline is not None and self._clock() >= deadline:
            raise deadline_fault(sent=sent)

    def _opened(self, source: Any, scope: Scope) -> Any:
        scope.sources.append(source)
        return source

    def _read(self, effect: Read, scope: Scope) -> Any:
        piece = None
        try:
            if isinstance(effect.source, IteratorSource) and self._lanes.current is not None:
                with self._lanes.in_foreign_code():
                    piece = effect.source.read(effect.deadline)
            else:
                piece = effect.source.read(effect.deadline)  # type: ignore[attr-defined]  # one of ours
        finally:
            if piece is None:  # it has ended, or broken, and is closed
                forget(effect.source, scope)
        return piece

    def _close(self, effect: Close, scope: Scope) -> None:
        forget(effect.source, scope)
        effect.source.close()  # type: ignore[attr-defined]  # one of ours

    def _invoke(self, effect: Invoke) -> Any:
        self._check(effect.deadline, sent=False)
        with self._lanes.in_foreign_code():
            result = effect.call()
        if inspect.isawaitable(result):
            return self._bridge().run(result, effect.deadline)
        self._check(effect.deadline)
        return result

    def _open_iterator(self, effect: OpenIterator) -> Any:
        self._check(effect.deadline, sent=False)
        with self._lanes.in_foreign_code():
            items = effect.call()
        if inspect.isawaitable(items) or hasattr(items, "__aiter__"):
            return self._bridge().iterate(items, effect.timeout.read, effect.deadline)
        return IteratorSource(items, self._clock)

    def _join(self, effect: Join) -> bool:
        ended = threading.Event()
        take_back = effect.waitable.add_done_callback(ended.set)
        try:
            left = None if effect.deadline is None else max(0.0, effect.deadline - self._clock())
            with self._lanes.waiting(ended.set):
                return ended.wait(left)
        finally:
            take_back()

    def _sleep_for(self, seconds: float) -> None:
        if self._lanes.current is None or self._sleep is not time.sleep:
            self._sleep(seconds)
            return
        woken = threading.Event()
        with self._lanes.waiting(woken.set):
            woken.wait(seconds)

    def _spawn(self, effect: Spawn) -> Callable[[], None]:
        lane = Lane()

        def run() -> None:
            self._lanes.current = lane
            scope = Scope()
            try:
                self.run(effect.flow(scope), scope)
            finally:
                self._lanes.current = None

        self._threads().start(run)
        return lane.end

    def _first_of(self, effect: FirstOf, scope: Scope) -> Any:
        from edgeagent.io.sync_race import SyncRace

        return SyncRace(self, effect, scope, self._threads(), self._lanes, self._clock).run()
