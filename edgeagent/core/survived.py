"""Errors that a call outlives: one attempt failed, another one answered.

The traceback of an exception holds the frames that it came through, with all their variables, and behind them those of
the caller. Where such a frame, or a decoder, holds the exception in turn, all of that would stay until the collector of
garbage comes by: streams that a caller has dropped, connections, the caller's own objects.
"""

from __future__ import annotations

__all__ = ["let_go"]


def let_go(error: BaseException | None) -> None:
    """Cut the tracebacks of an error that nobody will see any more, and of all that it came from."""
    seen: set[int] = set()
    left = [error]
    while left:
        told = left.pop()
        if told is not None and id(told) not in seen:
            seen.add(id(told))
            told.__traceback__ = None
            left += (told.__cause__, told.__context__)
