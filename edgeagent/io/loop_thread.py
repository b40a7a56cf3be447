"""An event loop in a thread of its own, which ends before the interpreter does."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from typing import Final

from edgeagent.errors import APIConnectionError
from edgeagent.io.ending import in_exit_handlers

__all__ = ["LoopThread"]

STOP_SECONDS: Final = 5.0
"""How long what runs is given to be cancelled."""


class LoopThread:
    """A running loop. Its thread is a daemon, so that it never keeps a program alive.

    A daemon that outlived the interpreter would leave tasks half done, and be told of. So the exit waits for the thread
    as long as it lives, also when whoever started it is gone; what the thread holds is only this.

    Raises:
        APIConnectionError: the interpreter is ending, and starts no thread.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="edgeagent-event-loop", daemon=True)
        self._pid = os.getpid()
        try:
            if in_exit_handlers():  # nobody would end it
                raise RuntimeError
            self.thread.start()
        except RuntimeError:
            self.loop.close()
            raise APIConnectionError(
                message="The interpreter is ending: a blocking client can no longer call an async provider."
            ) from None
        atexit.register(self.at_exit)

    def stop(self) -> None:
        """Have it cancel what runs, and end. Idempotent. Any thread may call it, or the garbage collector."""
        if self._pid == os.getpid():  # in a forked child it is the parent's
            with contextlib.suppress(RuntimeError):  # closed already
                self.loop.call_soon_threadsafe(self.loop.stop)

    def join(self) -> None:
        """Wait until it has ended, unless this is its own thread."""
        if self._pid == os.getpid() and self.thread is not threading.current_thread():
            self.thread.join(STOP_SECONDS)

    def at_exit(self) -> None:
        """Stop and wait."""
        self.stop()
        self.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(_wind_up(self.loop))
        finally:
            self.loop.close()
            atexit.unregister(self.at_exit)


async def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:  # one may begin another
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
