"""Single flight for streams: identical streams of one domain (threads, or the tasks of one loop) read one connection.

    alone ──somebody joins──▶ pumped ──end──▶ ended
      │ └──end──▶ ended          │  └──fault──▶ failed
      │ └──fault──▶ failed       └──the last one leaves──▶ lost
      └──the first one leaves──▶ lost

Who came first reads for himself while he is alone. When another joins, the connection is handed to a pump, once the
piece that is being read has come: a flow beside the calls, in their domain, that reads on whoever is cancelled, slow or
gone. Who joins is given what has come, then what comes; he is let in only once the pump has the connection, so that
nobody's end can break his stream. Until then he has been shown nothing, and where the first one is lost meanwhile he
opens a stream of his own.

All that happens is told under one lock. The answer is stored when it has ended, whoever is still reading; the first of
those who are there pays, the others are `coalesced`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Literal

from edgeagent.core.ask import OpenedStream
from edgeagent.core.flight import Flights
from edgeagent.core.promises import check_promises
from edgeagent.core.session import pull
from edgeagent.effects import Flow, Scope, join, read, spawn
from edgeagent.errors import APIConnectionError, DeadlineExceededError
from edgeagent.signal import Signal

if TYPE_CHECKING:
    from edgeagent.cache.entry import Entry
    from edgeagent.core.admission import Tab
    from edgeagent.core.call import Call
    from edgeagent.types import ChatCompletion, ChatCompletionChunk, Target
    from edgeagent.types.chunk_log import ChunkLog

__all__ = ["Place", "SharedStream", "SharedStreams"]

Place = tuple[Hashable, bytes]
"""A domain, and the key of identical requests."""


class SharedStreams:
    """All streams under way that may be joined."""

    def __init__(self) -> None:
        self.openings = Flights()
        self._streams: dict[Place, SharedStream] = {}

    def get(self, place: Place) -> SharedStream | None:
        """The stream under way there."""
        return self._streams.get(place)

    def add(self, place: Place, stream: SharedStream) -> None:
        """It can be joined from now on, until it is over."""
        self._streams[place] = stream
        stream.when_over(partial(self._remove, place, stream))

    def _remove(self, place: Place, stream: SharedStream) -> None:
        if self._streams.get(place) is stream:
            self._streams.pop(place, None)

    def __len__(self) -> int:
        return len(self._streams)


class SharedStream:
    """One stream and those who read it.

    Args:
        call: of who came first, whose scope holds the connection.
        target: who answers.
        opened: the stream from its first content on.
        log: is given the chunks as they come.
        settle: of the call that pays and the whole answer makes the entry that the others account by; stores.
    """

    def __init__(
        self,
        call: Call,
        target: Target,
        opened: OpenedStream,
        log: ChunkLog,
        settle: Callable[[Call, ChatCompletion], Entry | None],
    ) -> None:
        self.first = call
        self.target = target
        self.state: Literal["open", "ended", "failed", "lost"] = "open"
        self.payer: Call | None = None
        self.entry: Entry | None = None
        self.completion: ChatCompletion | None = None
        """The whole answer, once it has ended."""
        self._opened = opened
        self._log = log
        self._fresh: list[ChatCompletionChunk] | None = None  # those that came last, until somebody takes them
        self._settle = settle
        self._lock = Lock()
        self._members: list[Call] = [call]
        self._turn: Signal | None = None  # made by the first one who waits
        self._reading = False
        self._holder = call  # in whose scope the connection is, until there is a pump
        self._starter: Call | None = None  # of the pump
        self._end_pump: Callable[[], None] | None = None
        self._error: Exception | None = None
        self._tab: Tab | None = None  # of the first call, once that has left
        self._over: Callable[[], object] = bool
        self._created = int(call.wall())
        call.scope.add(partial(self.leave, call))
        self._publish()

    def when_over(self, over: Callable[[], object]) -> None:
        """Have it called once nobody can join any more."""
        self._over = over
        if self.state != "open":
            over()

    def join(self, call: Call) -> Flow[bool]:
        """Take part → True, once the pump reads; False if there is nothing left to take part in.

        Raises:
            DeadlineExceededError: the call's deadline came first.
        """
        with self._lock:
            self._members.append(call)
        call.scope.add(partial(self.leave, call))
        while True:
            with self._lock:
                if self.state != "open":
                    return self.state == "ended"
                if self._end_pump is not None:
                    return True
                if self._starter is None:
                    self._starter = call  # now, not after the piece that is being read: the first one would go on
                turn, starts = self._next_turn(), self._starter is call and not self._reading
            if starts:
                return (yield from self._start())
            if not (yield from join(turn, call.deadline)):
                raise DeadlineExceededError

    def so_far(self, place: int) -> tuple[list[ChatCompletionChunk], bool]:
        """The chunks from `place` on that are there, and whether they are the last."""
        with self._lock:
            fresh, there, ended = self._taken(place), len(self._log.items), self.state == "ended"
        return self._log.since(place, there) if fresh is None else fresh, ended

    def _taken(self, place: int) -> list[ChatCompletionChunk] | None:
        """The very chunks that came, for who is the first to ask for just these; with the lock held."""
        fresh = self._fresh
        if fresh is None or place + len(fresh) != len(self._log.items):
            return None
        self._fresh = None
        return fresh

    def said(self, end: int) -> ChatCompletion:
        """The completion as far as the chunks before `end` say it."""
        return self._log.completion(end)

    def more(self, call: Call, place: int) -> Flow[tuple[list[ChatCompletionChunk], bool]]:
        """The chunks from `place` on, once there are any, and whether they are the last.

        Raises:
            DeadlineExceededError: the call's deadline came first.
            Exception: what broke the stream; each gets his own copy.
        """
        while True:
            with self._lock:
                there, state = len(self._log.items), self.state  # of one moment: the end may bring more
                if there > place or state != "open":
                    fresh = self._taken(place)
                    break
                reads = call is self.first and self._starter is None
                if reads:
                    self._reading = True
                else:
                    turn = self._next_turn()
            if reads:
                yield from self._read(call.deadline)
            elif not (yield from join(turn, call.deadline)):
                raise DeadlineExceededError
        if there == place and state != "ended":
            raise self._fault()
        return self._log.since(place, there) if fresh is None else fresh, state == "ended"

    def leave(self, call: Call) -> None:
        """One reads no more; told before his scope is closed. Idempotent, never blocks."""
        end_pump = tab = None
        with self._lock:
            if call not in self._members:
                return
            self._members.remove(call)
            if self.state == "open":
                self._keep_tab(call)
                if self._end_pump is not None:
                    end_pump = None if self._members else self._end_pump
                    lost = not self._members
                else:
                    lost = self._unpumped(call)
                if lost:
                    self.state, tab = "lost", self._take_tab()
        if tab is not None:
            tab.end()
        self._told()
        if end_pump is not None:
            end_pump()

    def _keep_tab(self, call: Call) -> None:
        """What the first one was given is the stream's, as long as somebody reads it; with the lock held."""
        if call.tab is not None and self.payer is None:
            self._tab, call.tab = call.tab, None
            self._tab.leave()

    def _take_tab(self) -> Tab | None:
        """For whoever ends the stream; with the lock held."""
        tab, self._tab = self._tab, None
        return tab

    def _unpumped(self, call: Call) -> bool:
        """One leaves before there is a pump; with the lock held. Whether the connection goes with him."""
        starter = self._starter
        if starter is call:
            self._starter = None  # somebody else may start it
        elif starter is not None and call is self._holder and not self._reading:
            self._move(call.scope, starter.scope)
            self._holder = starter
            return False
        return call is self._holder

    def _fault(self) -> Exception:
        if self._error is None:
            return APIConnectionError(message="The stream was given up.")
        try:
            mine = copy.copy(self._error)
        except Exception:  # an exception class of the caller's that cannot be copied
            return self._error
        mine.__cause__ = self._error.__cause__
        return mine

    def _move(self, scope: Scope, other: Scope | None = None) -> None:
        """Take the connection out of one scope, and put it into another."""
        source = self._opened.source
        if source in scope.sources:
            scope.sources.remove(source)
            if other is not None:
                other.sources.append(source)

    def _start(self) -> Flow[bool]:
        """Hand the connection to a pump. Until that reads, it is in the scope of who has it."""
        try:
            end_pump = yield from spawn(self._pump)
        except Exception:  # the interpreter is ending, and starts no thread
            self._lose()
            return False
        with self._lock:
            self._move(self._holder.scope)
            self._end_pump = end_pump
            left = not self._members
        if left:
            self._lose()
            end_pump()
        self._told()
        return True

    def _pump(self, scope: Scope) -> Flow[None]:
        """Read to the end."""
        if self._opened.source is not None:
            scope.sources.append(self._opened.source)
        scope.add(self._lose)
        while self.state == "open":
            yield from self._read(None)

    def _read(self, deadline: float | None) -> Flow[None]:
        """One more piece, for everyone."""
        opened = self._opened
        decoder, source = opened.decoder, opened.source
        try:
            if source is None or decoder is None or decoder.finished:
                yield from pull(opened, deadline, self.first.clock)
            else:  # the usual case, with a step less
                opened.feed((yield from read(source, deadline)))
        except DeadlineExceededError:
            self._lose()
            raise
        except Exception as error:
            self._fail(error)
        else:
            self._publish()

    def _publish(self) -> None:
        """What was decoded is everyone's; at the end the answer is stored, before anybody is told."""
        opened = self._opened
        chunks, opened.chunks = opened.chunks, []
        for chunk in chunks:
            if not chunk.created:  # a vendor that sends no time
                chunk.created = self._created
        with self._lock:
            self._log.took(chunks)
            self._fresh = chunks
            self._reading = False
            turn = None
            if not opened.ended:
                turn, self._turn = self._turn, None
        if turn is not None:
            turn.end()
        if opened.ended:
            self._finish()
            self._told()

    def _finish(self) -> None:
        completion = self._log.completion()
        try:
            if self.first.promises:
                check_promises(self.first.promises, completion)
        except Exception as error:
            self._fail(error)
            return
        self.completion = completion
        with self._lock:
            self.payer, tab = self._members[0] if self._members else self.first, self._take_tab()
        if tab is not None:
            self.payer.tab = tab
        try:
            self.entry = self._settle(self.payer, completion)
        finally:
            if tab is not None:
                tab.end()  # unless it has ended
        with self._lock:
            self.state = "ended"

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self._reading = False
            if self.state != "open":
                return
            self.state, self._error, tab = "failed", error, self._take_tab()
        if tab is not None:
            tab.failed(error)
        self._told()

    def _lose(self) -> None:
        with self._lock:
            if self.state != "open":
                return
            self.state, tab = "lost", self._take_tab()
        if tab is not None:
            tab.end()
        self._told()

    def _told(self) -> None:
        with self._lock:
            turn, self._turn = self._turn, None
            over: Callable[[], object] = bool
            if self.state != "open":
                over, self._over = self._over, bool  # it holds this stream
        over()
        if turn is not None:
            turn.end()

    def _next_turn(self) -> Signal:
        """With the lock held."""
        if self._turn is None:
            self._turn = Signal()
        return self._turn
