"""Matches of several detectors → stretches that do not overlap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from edgeagent.shield.policy import Action

__all__ = ["Span", "beside", "merged"]


class Span(NamedTuple):
    """A stretch of a text, and what is to happen to it."""

    start: int
    end: int
    type: str
    action: Action
    score: float = 1.0


def merged(spans: Iterable[Span]) -> list[Span]:
    """Those that overlap become one, which reaches over all of them: nothing that was found is left in part.

    Its type is that of the longest, of equally long ones that of the surest.
    """
    result: list[Span] = []
    best: Span | None = None
    for span in sorted(spans):
        if best is None or span.start >= result[-1].end:
            result.append(span)
            best = span
            continue
        if (span.end - span.start, span.score) > (best.end - best.start, best.score):
            best = span
        result[-1] = best._replace(start=result[-1].start, end=max(result[-1].end, span.end))
    return result


def beside(spans: list[Span], more: Iterable[Span]) -> list[Span]:
    """The spans, in order and apart, and those of `more` (apart, too) that overlap none of them."""
    starts = [span.start for span in spans]
    result = list(spans)
    for span in more:
        at = bisect_left(starts, span.end)  # those before it begin before this ends
        if not at or spans[at - 1].end <= span.start:
            result.append(span)
    return sorted(result)
