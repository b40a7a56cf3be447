"""What has to be told to a shared store after a call: in the background, in order, and not lost while it is away.

The background may drop a job when it has too many. So the jobs wait in a line of their own, and whoever works on it
(the background, or the next call that asks the store anything) works off all of it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Settling"]

logger = logging.getLogger("edgeagent.limits")

LONGEST: Final = 100_000
"""Jobs that are kept while a store is away; then the oldest go."""


class Settling:
    """A line of jobs. Thread-safe.

    Args:
        submit: has a job run in the background, never blocks.
    """

    def __init__(self, submit: Callable[[Callable[[], None]], None]) -> None:
        self._submit = submit
        self._jobs: deque[Callable[[], object]] = deque(maxlen=LONGEST)
        self._failing = False

    def __len__(self) -> int:
        return len(self._jobs)

    def later(self, job: Callable[[], object]) -> None:
        """Have it done soon. Never blocks."""
        self._jobs.append(job)
        self._submit(self._try)

    def work(self) -> None:
        """Do what waits, in this thread. Raises what the first job that fails raises; it stays the first."""
        while True:
            try:
                job = self._jobs.popleft()
            except IndexError:
                self._failing = False
                return
            done = False
            try:
                job()
                done = True
            finally:
                if not done:
                    self._jobs.appendleft(job)

    def after_fork(self) -> None:
        """In the child: they are the parent's."""
        self._jobs.clear()

    def _try(self) -> None:
        try:
            self.work()
        except Exception as error:
            if not self._failing:
                self._failing = True
                logger.warning("a store of limits or budgets fails (%s); what is due is kept", type(error).__name__)
