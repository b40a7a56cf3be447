"""The breaker, alone on a clock of its own and beside a simple model."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edgeagent.errors import ConfigurationError
from edgeagent.routing.breaker import Breaker, BreakerPolicy
from edgeagent.routing.window import SLOTS, Window

POLICY = BreakerPolicy(consecutive=3, rate=0.5, volume=8, window=10, open_for=2, longest=16, jitter=0)


def breaker(policy: BreakerPolicy | None = POLICY, random: float = 0.0) -> Breaker:
    return Breaker(policy, lambda: random)


def test_consecutive_failures_open_it() -> None:
    """One dead target is left alone although there were few attempts."""
    one = breaker()
    for _ in range(2):
        one.failed(0)
    assert one.closed
    one.failed(0)
    assert one.state(0) == one.state(1.99) == "open"
    assert one.state(2) == "half-open"


def test_a_success_between_is_not_consecutive() -> None:
    """Two failures, an answer, two failures: it stays closed as long as the volume is small."""
    one = breaker()
    for _ in range(3):
        one.failed(0) if one.counts(0)[0] % 3 != 2 else one.succeeded(0)
    assert one.closed


def test_the_rate_opens_it() -> None:
    """Every second attempt fails: never three in a row, but half of enough."""
    one = breaker()
    for number in range(7):
        one.failed(0.1) if number % 2 else one.succeeded(0.1)
    assert one.closed
    one.failed(0.1)
    assert not one.closed


def test_old_attempts_do_not_count() -> None:
    """What is older than the window is forgotten."""
    one = breaker()
    for second in range(60):
        one.failed(second * 3.0) if second % 2 else one.succeeded(second * 3.0)
    assert one.closed
    assert one.counts(180 + 20) == (0, 0)


def test_one_probe_at_a_time() -> None:
    """Half-open, the first is let through and nobody else until it has ended."""
    one = breaker()
    for _ in range(3):
        one.failed(0)
    assert one.admit(1) == "no"
    assert one.admit(2) == "probe"
    assert [one.admit(3) for _ in range(5)] == ["no"] * 5
    one.undone()
    assert one.admit(4) == "probe"
    one.succeeded(5, probe=True)
    assert one.closed
    assert one.admit(5) == "yes"


def test_it_opens_for_longer_and_longer() -> None:
    """Each probe that fails doubles the time, up to the longest; a success forgets it."""
    one = breaker()
    for _ in range(3):
        one.failed(0)
    times, now = [], 0.0
    for _ in range(6):
        ready = one.ready_at()
        times.append(ready - now)
        now = ready
        assert one.admit(now) == "probe"
        one.failed(now, probe=True)
    assert times == [2, 4, 8, 16, 16, 16]
    one.reset()
    for _ in range(3):
        one.failed(now)
    assert one.ready_at() == now + 2


def test_it_never_opens_for_too_long() -> None:
    """However often the probe failed; a first time that is longer than the longest is kept."""
    one = breaker(BreakerPolicy(consecutive=1, open_for=300, longest=60, jitter=0))
    one.failed(0)
    for _ in range(3000):
        now = one.ready_at()
        assert one.admit(now) == "probe"
        one.failed(now, probe=True)
        assert one.ready_at() == pytest.approx(now + 300)


def test_jitter_shortens() -> None:
    """Many processes do not come back at the same moment."""
    policy = BreakerPolicy(consecutive=1, open_for=10, jitter=0.5)
    ready = []
    for random in (0.0, 0.5, 0.999):
        one = breaker(policy, random)
        one.failed(0)
        ready.append(one.ready_at())
    assert ready == [10, 7.5, pytest.approx(5.005)]


def test_an_attempt_from_before_does_not_close_it() -> None:
    """What began before it opened says nothing about now, whether it is answered or fails."""
    one = breaker()
    for _ in range(3):
        one.failed(0)
    one.succeeded(1)
    assert one.state(1) == "open"
    one.failed(1)
    assert one.ready_at() == 2


def test_retry_after_opens_it_at_once() -> None:
    """For exactly as long as it says, an hour at most; a later, shorter one takes nothing back."""
    one = breaker()
    one.failed(0, retry_after=30)
    assert one.ready_at() == 30
    one.failed(1, retry_after=5)
    assert one.ready_at() == 30
    one.failed(2, retry_after=1e9)
    assert one.ready_at() == 3602


def test_a_refused_credential() -> None:
    """It stays open however long that takes; another credential is probed at once."""
    one = breaker()
    one.failed(0, "credential", credential="old")
    assert one.state(1e9, "old") == "open"
    assert math.isinf(one.ready_at("old"))
    one.failed(1, retry_after=5)  # of an attempt that was under way
    assert one.state(100, "old") == "open"
    assert one.state(1, "new") == "half-open"
    assert one.admit(1, "new") == "probe"
    assert one.admit(1, "new") == "no"
    one.failed(1, probe=True)
    assert one.state(1, "old") == "open"
    assert one.ready_at("old") == 1 + 2
    assert one.admit(3, "new") == "probe"
    one.succeeded(3, probe=True)
    assert one.closed


def test_a_refusal_without_a_credential_to_watch() -> None:
    """A provider of the caller's own, whose key nobody sees, is left alone for the usual time."""
    one = breaker()
    one.failed(0, "credential")
    assert one.ready_at() == 2


def test_without_a_policy_it_counts_and_never_opens() -> None:
    """`breaker=False`."""
    one = breaker(None)
    for _ in range(100):
        one.failed(0, retry_after=10)
        one.failed(0, "credential", credential="x")
    assert one.closed
    assert one.counts(0) == (200, 200)


@pytest.mark.parametrize(
    "wrong",
    [{"consecutive": 0}, {"volume": 0}, {"window": 0}, {"open_for": -1}, {"longest": 0}, {"rate": 1.1}, {"jitter": -1}],
)
def test_wrong_numbers(wrong: dict[str, Any]) -> None:
    """A policy says which of its numbers cannot be."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        BreakerPolicy(**wrong)


def test_the_window_slides() -> None:
    """Counts go a slot at a time, and a long silence empties it at once."""
    window = Window(10)
    for second in range(20):
        window.add(ok=second % 2 == 0, now=float(second))
    assert window.counts(19.5) == (10, 5)
    assert window.counts(19.5 + 5) == (5, 3)
    assert window.counts(1e6) == (0, 0)
    assert SLOTS == 10


class BreakerMachine(RuleBasedStateMachine):
    """The breaker beside the plainest model: a list of outcomes, a time until which it is open, a probe."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.real = breaker()
        self.key = "one"
        self.outcomes: list[bool] = []
        self.until: float | None = None
        self.refused: str | None = None
        self.times = 0
        self.probing = False

    @property
    def expected(self) -> str:
        if self.until is None:
            return "closed"
        if self.refused is not None and self.refused != self.key:
            return "half-open"
        return "open" if self.now < self.until else "half-open"

    def _close(self) -> None:
        self.outcomes, self.until, self.refused, self.times, self.probing = [], None, None, 0, False

    def _open(self, seconds: float) -> None:
        until = self.now + seconds
        longer = self.until is not None and self.until != math.inf and self.until > until
        self.until, self.refused = (self.until if longer else until), None

    def _open_by_count(self) -> None:
        self.times += 1
        self._open(min(2 * 2 ** (self.times - 1), 16))

    @rule(seconds=st.floats(0.01, 0.5))
    def wait_a_little(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.until not in (None, math.inf))
    @rule()
    def wait_until_ready(self) -> None:
        assert self.until is not None
        self.now = max(self.now, self.until)

    @rule(key=st.sampled_from(["one", "two"]))
    def change_credential(self, key: str) -> None:
        self.key = key

    @rule(outcome=st.sampled_from(["ok", "fails", "retry-after", "refused", "nothing"]))
    def attempt(self, outcome: str) -> None:
        admission = self.real.admit(self.now, self.key)
        state = self.expected
        wanted = "yes" if state == "closed" else "probe" if state == "half-open" and not self.probing else "no"
        assert admission == wanted
        if admission != "no":
            self._conclude(outcome, probe=admission == "probe")

    @precondition(lambda self: self.expected == "half-open" and not self.probing)
    @rule()
    def leave_a_probe_under_way(self) -> None:
        assert self.real.admit(self.now, self.key) == "probe"
        self.probing = True

    @precondition(lambda self: self.probing)
    @rule(outcome=st.sampled_from(["ok", "fails", "retry-after", "refused", "nothing"]))
    def end_the_probe(self, outcome: str) -> None:
        self._conclude(outcome, probe=True)

    @precondition(lambda self: self.expected == "open")
    @rule(outcome=st.sampled_from(["ok", "fails"]))
    def an_attempt_from_before_ends(self, outcome: str) -> None:
        self._conclude(outcome, probe=False)

    @rule()
    def reset(self) -> None:
        self.real.reset()
        self._close()

    def _conclude(self, outcome: str, *, probe: bool) -> None:
        if probe:
            self.probing = False
        if outcome == "ok":
            self.real.succeeded(self.now, probe=probe)
            self.outcomes.append(True)
            if probe:
                self._close()
        elif outcome == "nothing":
            if probe:
                self.real.undone()
        elif outcome == "refused":
            self.real.failed(self.now, "credential", credential=self.key, probe=probe)
            self.outcomes.append(False)
            self.until, self.refused = math.inf, self.key
        else:
            wait = 7.0 if outcome == "retry-after" else None
            self.real.failed(self.now, retry_after=wait, probe=probe)
            self.outcomes.append(False)
            if self.refused is not None and not probe:
                return
            if wait is not None:
                self._open(wait)
            elif probe or (self.until is None and self.outcomes[-3:] == [False] * 3):
                self._open_by_count()
            elif self.until is None and not self.real.closed:  # the rate, which the model does not count
                total, failed = self.real.counts(self.now)
                assert total >= 8
                assert failed >= total / 2
                self._open_by_count()

    @invariant()
    def alike(self) -> None:
        assert self.real.state(self.now, self.key) == self.expected
        assert self.real.probing == self.probing


TestBreakerMachine = BreakerMachine.TestCase
