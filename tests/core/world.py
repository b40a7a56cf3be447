"""A world for flows without I/O: effects are answered from a script, time passes only when somebody waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

from edgeagent.effects import (
    Close,
    Effect,
    FirstOf,
    Here,
    Invoke,
    Join,
    Offload,
    Open,
    OpenIterator,
    Read,
    Scope,
    Send,
    Sleep,
    Spawn,
)
from edgeagent.errors import DeadlineExceededError
from edgeagent.wire.http import Headers, HTTPResponse


class ScriptedSource:
    """An open stream whose pieces were written down before; an exception among them is raised in its place."""

    def __init__(self, pieces: Iterable[Any], status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.pieces = iter(pieces)
        self.status_code = status
        self.headers = Headers(headers or {})
        self.closed = False

    def read(self) -> Any:
        piece = next(self.pieces, None)
        if piece is None:
            self.closed = True
        if isinstance(piece, BaseException):
            self.closed = True
            raise piece
        return piece


class World:
    """Performs effects. `answers` are what Send and Open get, in order; an exception among them is raised.

    `effects` is everything that was asked for; `now` the monotonic clock.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = deque(answers)
        self.effects: list[Effect] = []
        self.now = 1000.0
        self.submitted: list[Callable[[], None]] = []
        self.on_join: Callable[[Join], bool] | None = None
        self.takes = 0.0  # seconds that every answer takes
        self.background: list[tuple[Callable[[Scope], Any], Callable[[BaseException | None], None]]] = []
        self.room = 10  # for flows in the background

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now

    def submit(self, job: Callable[[], None]) -> None:
        self.submitted.append(job)

    def write(self) -> None:
        """Do what was submitted to the background."""
        while self.submitted:
            self.submitted.pop(0)()

    def start(self, flow: Callable[[Scope], Any], ended: Callable[[BaseException | None], None]) -> bool:
        """A flow for the background, if there is room."""
        if len(self.background) < self.room:
            self.background.append((flow, ended))
            return True
        return False

    def behind(self) -> None:
        """Run what was started in the background."""
        while self.background:
            flow, ended = self.background.pop(0)
            scope, error = Scope(), None
            try:
                self.run(flow(scope), scope)
            except BaseException as raised:  # told, as the real one tells it
                error = raised
            scope.release()
            ended(error)

    @property
    def sleeps(self) -> list[float]:
        return [effect.seconds for effect in self.effects if isinstance(effect, Sleep)]

    def sent(self) -> list[Any]:
        return [effect.request for effect in self.effects if isinstance(effect, Send | Open)]

    def run(self, flow: Generator[Effect, Any, Any], scope: Scope | None = None) -> Any:
        try:
            effect = flow.send(None)
            while True:
                self.effects.append(effect)
                try:
                    outcome = self.perform(effect)
                except BaseException as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as stop:
            return stop.value

    def perform(self, effect: Effect) -> Any:
        match effect:
            case Send() | Open():
                return self._answer(effect)
            case OpenIterator():
                return ScriptedSource(effect.call())
            case Read():
                self._expect_time(effect.deadline)
                return effect.source.read()
            case Close():
                effect.source.closed = True
                return None
            case Sleep():
                self.now += effect.seconds
                return None
            case Offload():
                return effect.call()
            case Invoke():
                self._pass(effect.deadline)
                return effect.call()
            case Here():
                return None
            case Spawn():
                raise AssertionError("this world runs one flow")
            case FirstOf():
                raise AssertionError("this world runs one flow")
            case Join():
                assert self.on_join is not None, "nobody else is flying"
                return self.on_join(effect)

    def _answer(self, effect: Send | Open) -> Any:
        self._pass(effect.deadline)
        answer = self.answers.popleft()
        if callable(answer):
            answer = answer(effect.request)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(effect, Open) and isinstance(answer, HTTPResponse):
            return ScriptedSource([answer.content], answer.status_code, dict(answer.headers.fields))
        return answer

    def _pass(self, deadline: float | None) -> None:
        self.now += self.takes
        self._expect_time(deadline)

    def _expect_time(self, deadline: float | None) -> None:
        if deadline is not None and self.now >= deadline:
            raise DeadlineExceededError
