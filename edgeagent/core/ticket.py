"""One attempt as the health of its target sees it: begun, answered or failed, ended."""

from __future__ import annotations

import random
from collections.abc import Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from edgeagent.core.verdict import tells, told_wait
from edgeagent.errors import DeadlineExceededError
from edgeagent.routing.health import Health, Probe, TargetHealth
from edgeagent.types import Target

if TYPE_CHECKING:
    from edgeagent.core.call import Call

__all__ = ["ROTATING", "Ticket", "blocks_itself"]

_CREDENTIALS: Final = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
_SLOW: Final = 2.0
"""An attempt that the deadline ended tells about its target if it had this many times the usual time."""


def blocks_itself(call: Call[Any], probe: Probe | None) -> bool:
    """Whether the call would wait for a probe that is made by its own thread."""
    return probe is not None and not call.prefers_async and probe.thread == get_ident()


ROTATING: Final = object()
"""In place of a credential: a function gives it, and may give another one next time."""


class Ticket:
    """Made by `begin`, ended exactly once: by its outcome, or by the call's scope if there is none."""

    __slots__ = ("_call", "_health", "_probe", "_scoped", "_started", "_target", "answered_after", "ended")

    def __init__(self, call: Call[Any], health: TargetHealth, target: Target, now: float, *, probe: bool) -> None:
        self._call = call
        self._health = health
        self._target = target
        self._probe = probe
        self._started = now
        self.answered_after = 0.0
        self.ended = False
        self._scoped = call.scope.add(self.drop)

    @classmethod
    def begin(cls, call: Call[Any], target: Target, *, again: bool = False, waited: bool = False) -> Ticket | None:
        """A ticket for an attempt, None if the target's breaker forbids it.

        `again` is for a retry of the same call, which is not held back: whether there is one was decided when the
        attempt before it failed. `waited` is for one that has slept until its time; it still waits for a probe, unless
        that is made by the very thread that would be blocked.
        """
        health = call.health
        if health is None:  # a call outside of any client
            health = call.health = Health(None, call.clock, random.random)
        state = health.of(target)
        held = not state.breaker.closed
        credential = health.credential(target) if held else None
        beside = waited and held and blocks_itself(call, state.probe)
        now = call.clock()
        admission = state.begin(now, credential, again=again, early=waited, beside=beside)
        call.ticket = None if admission == "no" else cls(call, state, target, now, probe=admission == "probe")
        return call.ticket

    def waited(self) -> None:
        """Its turn has come: what it waited for a limit before is not its target's time."""
        now = self._call.clock()
        self._health.restarted(self._started, now)
        self._started = now

    def next(self) -> Ticket:
        """The ticket of a retry."""
        retry = Ticket.begin(self._call, self._target, again=True)
        assert retry is not None  # retries are not held back
        return retry

    def may_retry(self) -> bool:
        """Whether the target's retry budget allows another attempt; it takes its token."""
        return self._health.may_retry(self._call.clock())

    def answered(self, *, streams: bool) -> None:
        """The answer is there, or a stream's first content; a stream goes on."""
        now = self._call.clock()
        probe, self._probe = self._probe, False
        if streams:
            self.answered_after = now - self._started
            self._health.succeeded(now, probe=probe)
            self._health.measured(now, first_token=self.answered_after)
        else:
            self._leave()
            self._health.completed(now, self._started, probe=probe)

    def streamed(self, output_tokens: int | None) -> None:
        """A stream has come to its end."""
        if self.ended:
            return
        now = self._call.clock()
        generating = now - self._started - self.answered_after
        if output_tokens is not None and output_tokens > 1 and generating > 0:
            self._health.measured(now, per_token=generating / output_tokens)
        self._end()

    def failed(self, error: Exception) -> None:
        """The attempt failed."""
        now = self._call.clock()
        kind, credential = tells(error), None
        if kind == "credential":
            assert self._call.health is not None
            credential = self._call.health.credential(self._target)
            if self._own_credential():
                kind = None
            elif credential is ROTATING:
                kind = "counts"
        elif isinstance(error, DeadlineExceededError) and self._late(now):
            kind = "counts"
        wait = told_wait(error) if kind == "counts" else None
        self._health.failed(now, error, kind, wait, credential, probe=self._probe)
        self._probe = False
        self._end()

    def broke(self, error: Exception) -> None:
        """A stream broke off after its first content."""
        if not self.ended:
            self._health.failed(self._call.clock(), error, tells(error))
            self._end()

    def drop(self) -> None:
        """Nobody waits for it any more. Idempotent."""
        if not self.ended:
            self._end(undone_probe=self._probe)

    def _end(self, *, undone_probe: bool = False) -> None:
        self._leave()
        self._health.ended(self._started, undone_probe=undone_probe)

    def _leave(self) -> None:
        self.ended = True
        self._call.scope.drop(self._scoped)
        if self._call.ticket is self:
            self._call.ticket = None  # else each holds the other, and with it the request

    def _own_credential(self) -> bool:
        """Whether the call brought a credential of its own, which tells nothing about the target's."""
        headers: Mapping[str, Any] = self._call.request.extra_headers or {}
        return any(name.lower() in _CREDENTIALS for name in headers)

    def _late(self, now: float) -> bool:
        """Whether the attempt took far longer than the target's answers do."""
        usual = self._health.whole.quantile(0.95) or self._health.first_token.quantile(0.95)
        return usual is not None and now - self._started > _SLOW * usual
