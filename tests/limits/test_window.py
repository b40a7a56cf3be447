"""The sliding window against a list of everything that was ever let in."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edgeagent.limits.window import Entry, Window

LIMIT, SPAN = 10, 8.0


class Windows(RuleBasedStateMachine):
    """Time passes in eighths, so that sums of it are exact."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(LIMIT, SPAN)
        self.now = 0.0
        self.let_in: list[Entry] = []
        self.expected: list[list[float]] = []

    def sum_at(self, now: float) -> float:
        return sum(amount for at, amount in self.expected if at > now - SPAN)

    @rule(eighths=st.integers(0, 40))
    def time_passes(self, eighths: int) -> None:
        self.now += eighths / 8

    @rule(amount=st.integers(0, 14))
    def ask(self, amount: int) -> None:
        wait = self.window.wait(amount, self.now)
        fits = min(amount, LIMIT) <= LIMIT - self.sum_at(self.now)
        assert (wait == 0) == fits
        if not fits:  # it fits then, and not a moment earlier
            assert min(amount, LIMIT) <= LIMIT - self.sum_at(self.now + wait)
            assert min(amount, LIMIT) > LIMIT - self.sum_at(self.now + wait - 1 / 16)
        else:
            self.let_in.append(self.window.add(amount, self.now))
            self.expected.append([self.now, amount])

    @precondition(lambda self: self.let_in)
    @rule(data=st.data(), amount=st.integers(0, 14))
    def correct(self, data: st.DataObject, amount: int) -> None:
        place = data.draw(st.integers(0, len(self.let_in) - 1))
        self.window.correct(self.let_in[place], amount, self.now)
        if self.expected[place][0] > self.now - SPAN:
            self.expected[place][1] = amount

    @invariant()
    def it_counts_what_is_inside(self) -> None:
        assert self.window.idle(self.now) == (not any(at > self.now - SPAN for at, _ in self.expected))
        assert self.window.total == self.sum_at(self.now)


TestWindows = Windows.TestCase
