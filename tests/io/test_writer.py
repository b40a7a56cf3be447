"""Background work: order, bounds, faults, forks."""

from __future__ import annotations

import threading

import pytest

from edgeagent.io.writer import Writer


def test_jobs_run_in_order_and_flush_waits() -> None:
    """Everything submitted before is done when flush returns."""
    done: list[int] = []
    writer = Writer()
    assert writer.flush()
    for i in range(100):
        writer.submit(lambda i=i: done.append(i))  # type: ignore[misc]
    assert writer.flush(5)
    assert done == list(range(100))


def test_a_full_queue_drops_the_oldest() -> None:
    """It is counted, and told."""
    begun, release = threading.Event(), threading.Event()
    done: list[str] = []

    class Job:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self) -> None:
            done.append(self.name)

        def dropped(self) -> None:
            done.append(f"{self.name} dropped")

    writer = Writer(2)
    writer.submit(lambda: (begun.set(), release.wait(5), None)[-1])
    assert begun.wait(5)
    for name in "abc":
        writer.submit(Job(name))
    assert not writer.flush(0.01)
    release.set()
    assert writer.flush(5)
    assert done == ["a dropped", "b", "c"]
    assert writer.dropped == 1


def test_a_failing_job_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged."""
    done: list[int] = []
    writer = Writer()
    writer.submit(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    writer.submit(lambda: done.append(1))
    assert writer.flush(5)
    assert done == [1]
    assert "background write failed" in caplog.text


def test_an_idle_thread_ends_and_another_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread is kept for nothing."""
    monkeypatch.setattr("edgeagent.io.writer.IDLE_SECONDS", 0.01)
    workers: list[threading.Thread] = []
    writer = Writer()
    for _ in range(2):
        writer.submit(lambda: workers.append(threading.current_thread()))
        assert writer.flush(5)
        workers[-1].join(5)
        assert not workers[-1].is_alive()
    assert workers[0] is not workers[1]


def test_after_a_fork_the_parents_jobs_are_the_parents() -> None:
    """The child's queue is empty, and works."""
    release = threading.Event()
    done: list[int] = []
    writer = Writer()
    writer.submit(lambda: (release.wait(5), None)[-1])
    writer.submit(lambda: done.append(1))
    parents = writer._queue
    writer.after_fork()
    assert writer.flush(0)
    writer.submit(lambda: done.append(2))
    assert writer.flush(5)
    assert done == [2]
    release.set()
    assert parents.flush(5)


def test_flush_waits_for_what_came_before_it_only() -> None:
    """Others may go on submitting."""
    writer = Writer()
    gates = [threading.Event() for _ in range(3)]
    for gate in gates:
        writer.submit(lambda gate=gate: (gate.wait(5), None)[-1])  # type: ignore[misc]
    flushed: list[bool] = []
    begun = threading.Event()

    def flush() -> None:
        begun.set()
        flushed.append(writer.flush(5))

    waiting = threading.Thread(target=flush)
    last = threading.Event()
    waiting.start()
    assert begun.wait(5)
    waiting.join(0.05)
    writer.submit(lambda: (last.wait(5), None)[-1])
    for gate in gates:
        gate.set()
    waiting.join(5)
    assert flushed == [True]
    assert not writer.flush(0.01)
    last.set()
    assert writer.flush(5)


def test_flush_counts_what_was_dropped() -> None:
    """A job that is thrown away is not waited for, and no running one is taken for done because of it."""
    begun, release = threading.Event(), threading.Event()
    writer = Writer(1)
    writer.submit(lambda: (begun.set(), release.wait(5), None)[-1])
    assert begun.wait(5)
    for _ in range(3):
        writer.submit(lambda: None)
    assert writer.dropped == 2
    assert not writer.flush(0.01)
    release.set()
    assert writer.flush(5)


def test_a_job_cannot_wait_for_itself() -> None:
    """Flushing in the background returns at once."""
    told: list[bool] = []
    writer = Writer()
    writer.submit(lambda: told.append(writer.flush()))
    assert writer.flush(5)
    assert told == [True]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_nothing_stops_the_thread(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """Not even what would end a program."""

    def ends() -> None:
        raise error

    done: list[int] = []
    writer = Writer()
    writer.submit(ends)
    writer.submit(lambda: done.append(1))
    assert writer.flush(5)
    assert done == [1]
    assert error.__name__ in caplog.text


def test_a_job_that_frees_the_writer() -> None:
    """The last to hold a client may be its own pending write: the thread ends without waiting for itself."""
    begun, release = threading.Event(), threading.Event()
    holder = [Writer()]
    queue = holder[0]._queue

    def job(held: list[Writer] = holder) -> None:
        begun.set()
        release.wait(5)

    holder[0].submit(job)
    assert begun.wait(5)
    thread = queue.thread
    assert thread is not None
    del job
    holder = []
    release.set()
    thread.join(2)
    assert not thread.is_alive()


def test_a_writer_that_is_forgotten_ends_its_work() -> None:
    """What is pending is done, then the thread ends."""
    release = threading.Event()
    done: list[int] = []
    writer = Writer()
    writer.submit(lambda: (release.wait(5), None)[-1])
    writer.submit(lambda: done.append(1))
    thread = writer._queue.thread
    assert thread is not None
    del writer
    release.set()
    thread.join(5)
    assert not thread.is_alive()
    assert done == [1]
