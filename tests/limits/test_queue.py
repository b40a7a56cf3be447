"""Who is first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeagent.limits.queue import Queue


@given(st.lists(st.integers(0, 2), max_size=20), st.randoms())
def test_by_class_then_in_the_order_of_arrival(priorities: list[int], random: object) -> None:
    """Whoever leaves, the first of those who are left is the earliest of the first class."""
    queue = Queue()
    waiting = [(priority, number, queue.enter(priority)) for number, priority in enumerate(priorities)]
    while waiting:
        first = min(waiting)
        assert [queue.leads(one[2]) for one in waiting] == [one is first for one in waiting]
        gone = random.choice(waiting)  # type: ignore[attr-defined]
        waiting.remove(gone)
        queue.leave(gone[2])
        queue.leave(gone[2])
        assert len(queue) == len(waiting)
        if gone is first and waiting:
            assert min(waiting)[2].signal.ended
    queue.nudge()
