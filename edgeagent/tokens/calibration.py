"""How one model's true counts lie to the estimates: a line through what was seen, and how far from it they were."""

from __future__ import annotations

from typing import Final

__all__ = ["Calibration"]

DECAY: Final = 0.98
"""What of its weight an observation keeps with each later one: about the last fifty count."""
TRUST: Final = (0.5, 4.0)
"""How many observations the estimate's own offset (none) and slope (1) are worth."""
SLOPES: Final = (0.4, 2.5)
"""Texts are counted right within this; more is what a vendor adds to every request. It bounds how far a line through
small requests can lead astray for a large one."""


class Calibration:
    """`true ≈ offset + slope * estimate`: weighted least squares of the relative error, with decay; O(1).

    The line is drawn towards the estimate itself as if that had been observed a little, so that the first observation
    already corrects, and no number of equal ones leaves the slope undetermined.

    Args:
        error: the relative error (0.2 is a fifth) that is expected before anything was seen.
    """

    __slots__ = ("_c0", "_c1", "_s0", "_s1", "_s2", "error", "offset", "seen", "slope")

    def __init__(self, error: float) -> None:
        self._s0 = self._s1 = self._s2 = self._c0 = self._c1 = 0.0  # decayed sums of weights and products
        self.slope, self.offset = 1.0, 0.0
        self.error = error
        self.seen = 0

    def __call__(self, estimate: float) -> float:
        """The corrected estimate, at least 1."""
        return max(1.0, self.offset + self.slope * estimate)

    def observe(self, estimate: float, true: float) -> None:
        """Learn from one request, whose uncorrected estimate that was. Both are positive."""
        missed = abs(true - self(estimate)) / true
        self.seen += 1
        rate = max(1.0 / (self.seen + 2), 1.0 - DECAY)
        self.error += (min(missed, 2.0) - self.error) * rate
        weight = min(1.0, 2 * self.error / missed if missed else 1.0) / (true * true)  # one odd request bends no line
        self._s0 = self._s0 * DECAY + weight
        self._s1 = self._s1 * DECAY + weight * estimate
        self._s2 = self._s2 * DECAY + weight * estimate * estimate
        self._c0 = self._c0 * DECAY + weight * true
        self._c1 = self._c1 * DECAY + weight * estimate * true
        self._draw(estimate)

    def _draw(self, near: float) -> None:
        """The line of least error; its prior is scaled to an estimate of about this size."""
        a, b, d = self._s0 + TRUST[0] / (near * near), self._s1, self._s2 + TRUST[1]
        e, f = self._c0, self._c1 + TRUST[1]
        least, most = SLOPES
        determinant = a * d - b * b  # positive: the prior sees to it
        self.slope = min(max((a * f - b * e) / determinant, least), most)
        self.offset = (e - self.slope * b) / a
