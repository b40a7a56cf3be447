"""How late this machine lets a thread go on that has waited: what no deadline can be better than."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Pulse"]

BEAT: Final = 0.01
NOTABLE: Final = 0.02


class Pulse:
    """`with Pulse() as pulse:` a thread that only waits, beside the calls; `late` is its longest delay in seconds."""

    def __init__(self) -> None:
        self.late = 0.0
        self._delays: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse")

    def during(self, began: float, ended: float) -> float:
        """The longest delay of those that fell into this time (of `time.monotonic`)."""
        return max((late for at, late in self._delays if began <= at and at - late - BEAT <= ended), default=NOTABLE)

    def _beat(self) -> None:
        while True:
            began = time.monotonic()
            if self._ended.wait(BEAT):
                return
            now = time.monotonic()
            late = now - began - BEAT
            self.late = max(self.late, late)
            if late > NOTABLE:
                self._delays.append((now, late))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
