"""Where matches overlap: one value, one match."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable

from edgeagent.shield.base import Match

__all__ = ["Taken", "resolve"]


class Taken:
    """The parts of a text that something was found in."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> None:
        """`start` to `end` is taken."""
        insort(self._spans, (start, end))

    def covers(self, place: int) -> bool:
        """Whether `place` is in a taken part."""
        i = bisect_right(self._spans, (place, 1 << 62)) - 1 if self._spans else -1
        return i >= 0 and place < self._spans[i][1]


def resolve(matches: Iterable[Match]) -> list[Match]:
    """The matches in order of place, without those that overlap a better one: a longer one, then a surer one."""
    best = sorted(matches, key=lambda m: (m.start - m.end, -m.score, m.start, m.type))
    if len(best) < 2:
        return best
    spans: list[tuple[int, int]] = []
    kept: list[Match] = []
    for match in best:
        i = bisect_right(spans, (match.start, 1 << 62))
        if (i and spans[i - 1][1] > match.start) or (i < len(spans) and spans[i][0] < match.end):
            continue
        spans.insert(i, (match.start, match.end))
        kept.append(match)
    kept.sort(key=lambda m: m.start)
    return kept
