"""What one shared stream does at its edges; the schedules (`test_stream_schedules`) see to the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.core.ask import OpenedStream
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.shared_stream import SharedStream, SharedStreams
from edgeagent.core.stream_flight import SharedSession
from edgeagent.effects import Join, Read, Scope, Spawn
from edgeagent.types import ChatCompletionChunk, Target
from edgeagent.types.chunk_log import ChunkLog
from tests.core.test_pipeline import House

TARGET = Target("fake", "m")


def chunk(text: str, finish: str | None = None) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return ChatCompletionChunk.model_validate({"id": "c", "created": 0, "model": "m", "choices": [choice]})


class Decoder:
    """Pieces are chunks."""

    finished = False

    def feed(self, piece: Any) -> list[Any]:
        return [piece]

    def end(self) -> list[Any]:
        return []


def call(deadline: float | None = None) -> Call:
    options = CallOptions(deadline=deadline)
    return Call(House.request("x", stream=True), options, Scope(), lambda: 5.0, lambda: 7.0)


@pytest.fixture
def first() -> Call:
    return call()


@pytest.fixture
def shared(first: Call) -> SharedStream:
    source: Any = object()
    first.scope.sources.append(source)
    opened = OpenedStream(source, Decoder(), [chunk("a")])
    return SharedStream(first, TARGET, opened, ChunkLog(), lambda payer, completion: None)


def ended(flow: Iterator[Any], *outcomes: Any) -> Any:
    """What a flow returns, when its effects have these outcomes."""
    answers = iter(outcomes)
    try:
        next(flow)
        while True:
            outcome = next(answers)
            if isinstance(outcome, BaseException):
                flow.throw(outcome)  # type: ignore[attr-defined]  # a generator
            else:
                flow.send(outcome)  # type: ignore[attr-defined]
    except StopIteration as end:
        return end.value


def test_a_time_that_no_vendor_sent_is_ours(shared: SharedStream) -> None:
    """The same for all who read."""
    assert shared.so_far(0)[0][0].created == 7


def test_each_reader_has_chunks_of_his_own(shared: SharedStream, first: Call) -> None:
    """What the first one does to his is not seen by who comes later."""
    one = SharedSession(first, shared, lambda _: None).pending.popleft()
    one.choices[0].delta.content = "changed"
    late = SharedSession(call(), shared, lambda _: None).pending.popleft()
    assert late.choices[0].delta.content == "a"


def test_without_a_thread_there_is_no_pump(shared: SharedStream) -> None:
    """The interpreter is ending: who came calls for himself, and the stream takes no more."""
    assert ended(shared.join(call()), RuntimeError("can't start new thread")) is False
    assert shared.state == "lost"


def test_a_pump_that_is_gone_is_told(shared: SharedStream, first: Call) -> None:
    """As a connection that was given up; each has an error of his own."""
    other = call()
    assert ended(shared.join(other), lambda: None) is True
    scope = Scope()
    pump = shared._pump(scope)
    assert isinstance(next(pump), Read)
    assert len(scope.sources) == 1
    assert first.scope.sources == other.scope.sources == []
    scope.release()
    for one in (first, other):
        with pytest.raises(e.APIConnectionError, match="given up"):
            ended(shared.more(one, 1))
    assert ended(shared.join(call())) is False


class Gate:
    """A lock that another thread takes in the moment in which it is given back."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.lock = Lock()
        self.then = [then]

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()
        if self.then:
            self.then.pop()()


def test_the_end_that_comes_while_one_takes_what_is_there(shared: SharedStream, first: Call) -> None:
    """What came with it is not taken for shown: it is there the next time."""
    ended(shared.join(call()), lambda: None)
    pump = shared._pump(Scope())
    for piece in (None, chunk("b")):
        pump.send(piece)

    def rest() -> None:
        pump.send(chunk("c", "stop"))
        with pytest.raises(StopIteration):
            pump.send(None)

    shared._lock = Gate(rest)  # type: ignore[assignment]
    told, over = ended(shared.more(first, 1))
    assert (len(told), over) == (1, False)
    told, over = ended(shared.more(first, 2))
    assert (len(told), over) == (1, True)


def test_who_waits_keeps_his_deadline(shared: SharedStream, first: Call) -> None:
    """For the pump as for the next piece."""
    reading = shared.more(first, 1)
    assert isinstance(next(reading), Read)
    with pytest.raises(e.DeadlineExceededError):
        ended(shared.join(call(1.0)), False)
    flow = shared.more(call(1.0), 1)
    assert isinstance(next(flow), Join)
    with pytest.raises(e.DeadlineExceededError):
        flow.send(False)


def test_the_first_ones_deadline_takes_the_connection_with_it(shared: SharedStream, first: Call) -> None:
    """While he reads for himself; who waits to be let in opens his own."""
    reading = shared.more(first, 1)
    next(reading)
    waiting = shared.join(call())
    assert isinstance(next(waiting), Join)
    with pytest.raises(e.DeadlineExceededError):
        reading.throw(e.DeadlineExceededError())
    with pytest.raises(StopIteration) as end:
        waiting.send(True)
    assert end.value.value is False


def test_who_waits_is_let_in_after_one_piece(shared: SharedStream, first: Call) -> None:
    """Who came first reads no more for himself, however soon he wants the next one; and on, if the other has gone."""
    reading, other = shared.more(first, 1), call()
    assert isinstance(next(reading), Read)
    waiting = shared.join(other)
    assert isinstance(next(waiting), Join)
    with pytest.raises(StopIteration):
        reading.send(chunk("b"))
    again = shared.more(first, 2)
    assert isinstance(next(again), Join)
    assert isinstance(waiting.send(True), Spawn)
    other.scope.release()
    assert isinstance(again.send(True), Read)


@pytest.mark.parametrize(("reads", "state", "held"), [(True, "lost", 0), (False, "open", 1)])
def test_what_the_first_one_leaves_to_who_waits(
    shared: SharedStream, first: Call, reads: bool, state: str, held: int
) -> None:
    """The connection, unless it was given up in the middle of a piece."""
    reading, other = shared.more(first, 1), call()
    next(reading)
    waiting = shared.join(other)
    next(waiting)
    if not reads:
        with pytest.raises(StopIteration):
            reading.send(chunk("b"))
    shared.leave(first)
    assert (shared.state, len(other.scope.sources)) == (state, held)


def test_the_last_one_ends_a_pump_that_begins(shared: SharedStream, first: Call) -> None:
    """He left while it was started: it is ended at once."""
    told: list[str] = []
    other = call()
    flow = shared.join(other)
    assert isinstance(next(flow), Spawn)
    shared.leave(first)
    assert len(other.scope.sources) == 1
    shared.leave(other)
    with pytest.raises(StopIteration):
        flow.send(lambda: told.append("ended"))
    assert told == ["ended"]
    assert shared.state == "lost"


def test_an_error_that_cannot_be_copied_is_shared(shared: SharedStream, first: Call) -> None:
    """Better the same object than none."""

    class Odd(Exception):
        def __copy__(self) -> Any:
            raise TypeError

    odd = Odd()
    with pytest.raises(Odd) as caught:
        ended(shared.more(first, 1), odd)
    assert caught.value is odd


def test_a_stream_that_has_ended_is_not_kept(first: Call) -> None:
    """It can be read, and joined by those who waited for its opening; nobody finds it any more."""
    streams = SharedStreams()
    opened = OpenedStream(None, None, [chunk("a", "stop")], ended=True)
    shared = SharedStream(first, TARGET, opened, ChunkLog(), lambda payer, completion: None)
    streams.add((None, b"k"), shared)
    assert streams.get((None, b"k")) is None
    assert shared.payer is first
    assert ended(shared.join(call())) is True
    assert shared.so_far(0)[1]
