"""Whether the interpreter is ending."""

from __future__ import annotations

import threading

__all__ = ["in_exit_handlers"]


def in_exit_handlers() -> bool:
    """Whether this is an exit handler, which the main thread calls when it has ended.

    What is begun now (a thread, a connection that is kept) has nobody left to end it. Other threads may still do the
    program's work after the main thread has come to its end: those are not meant.
    """
    main = threading.main_thread()
    return threading.current_thread() is main and not main.is_alive()
