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


class Pulse:
    """`with Pulse() as pulse:` a thread that only waits, beside the calls; `late` is its longest delay in seconds."""

    def __init__(self) -> None:
        self.late = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse")

    def _beat(self) -> None:
        while True:
            began = time.monotonic()
            if self._ended.wait(BEAT):
                return
            self.late = max(self.late, time.monotonic() - began - BEAT)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
