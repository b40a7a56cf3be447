"""What errors tell of a target's health, and waiting in a thread that must not wait."""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.core.attempts import attempt_targets
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.readiness import until_ready
from edgeagent.core.ticket import ROTATING, Ticket
from edgeagent.core.verdict import tells
from edgeagent.effects import Flow, Scope
from edgeagent.routing.breaker import BreakerPolicy
from edgeagent.routing.health import Health
from edgeagent.types import ChatRequest, Target
from edgeagent.wire.http import HTTPResponse
from tests.core.world import World

A, B = Target("a", "m"), Target("b", "m")
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}])


def status(code: int, vendor_code: str | None = None) -> e.APIStatusError:
    return e.status_error_class(code)("x", response=HTTPResponse(code), body={"code": vendor_code})


@pytest.mark.parametrize(
    ("error", "told"),
    [
        *((status(code), "counts") for code in (402, 408, 409, 429, 500, 503, 529)),
        *((status(code), None) for code in (400, 404, 413, 422)),
        *((status(code), "credential") for code in (401, 403)),
        (status(429, "insufficient_quota"), "counts"),
        (e.APIConnectionError(), "counts"),
        (e.APITimeoutError(), "counts"),
        (e.ResponseValidationError(HTTPResponse(200), None), "counts"),
        (e.DeadlineExceededError(), None),
        (e.RequestValidationError("x"), None),
        (e.BudgetExceededError("x"), None),
        (e.LimitExceededError("x"), None),
        (e.ShieldBlockedError("x"), None),
        (e.ContextWindowExceededError("x"), None),
        (e.ContentFilterError("x"), None),
        (e.ConfigurationError("x"), None),
        (ValueError("x"), "counts"),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'status_code', '')}" if value else "nothing",
)
def test_what_an_error_tells(error: Exception, told: str | None) -> None:
    """What may pass by itself counts against the target; what is the request's own fault does not."""
    assert tells(error) == told


class Calls:
    """Calls over one health, on a scripted clock."""

    def __init__(self, credential: Callable[[Target], object] = lambda _: "key", **policy: Any) -> None:
        self.world = World()
        self.health = Health(BreakerPolicy(jitter=0, **policy), self.world.clock, random.random, credential)

    def call(self, *, prefers_async: bool = False, **options: Any) -> Call[Any]:
        return Call(
            REQUEST, CallOptions(**options), Scope(), self.world.clock, self.world.wall,
            prefers_async=prefers_async, health=self.health,
        )  # fmt: skip

    def run(self, outcomes: dict[Target, list[Any]], **options: Any) -> Any:
        call = self.call(**options)
        answers = {target: iter(each) for target, each in outcomes.items()}

        def ask(target: Target) -> Flow[str]:
            yield from ()
            self.world.now += 1
            outcome = next(answers[target])
            if isinstance(outcome, BaseException):
                raise outcome
            return str(outcome)

        return self.world.run(attempt_targets(call, list(outcomes), ask, lambda _: None))


def test_a_skipped_first_choice_is_a_fallback() -> None:
    """An answer of the second target while the first is held back has a rank of its own: it is not cached."""
    calls = Calls(open_for=100)
    calls.health.of(A).failed(calls.world.now, status(500), "at once")
    answered = calls.run({A: [], B: ["b"]})
    assert (answered.answer, answered.rank) == ("b", 1)


def test_waiting_then_falling_back() -> None:
    """All held back: the first that is ready is asked; when it fails, the others may be ready by then."""
    calls = Calls(open_for=2)
    for target, wait in ((A, 5.0), (B, 2.5)):
        calls.health.of(target).failed(calls.world.now, status(500), "counts", wait)
    answered = calls.run({A: [], B: ["b"]})
    assert (answered.answer, answered.target) == ("b", B)
    assert calls.world.sleeps == [2.5]
    calls.health.of(A).reset()
    calls.health.of(B).failed(calls.world.now, status(500), "counts", 50.0)
    calls.health.of(A).failed(calls.world.now, status(500), "counts", 3.0)
    with pytest.raises(e.NotFoundError):  # B is still held back
        calls.run({A: [status(404)], B: []})
    assert calls.world.sleeps == [2.5, 3.0]


def test_a_rotating_credential() -> None:
    """A key that a function gives may be another one next time: one refusal is one failure."""
    calls = Calls(lambda _: ROTATING)
    with pytest.raises(e.AuthenticationError):
        calls.run({A: [status(401)]})
    assert calls.health.of(A).breaker.closed
    assert calls.run({A: ["a"]}).answer == "a"


def test_a_deadline_tells_only_of_slow_targets() -> None:
    """A call whose deadline was short says nothing; one that had twice the usual time says that the target hangs."""
    calls = Calls(consecutive=1)
    state = calls.health.of(A)
    for deadline, closed in ((1.5, True), (50.0, False)):
        state.measured(calls.world.now, whole=5.0)
        call = calls.call(deadline=deadline)
        ticket = Ticket.begin(call, A)
        assert ticket is not None
        calls.world.now += deadline
        ticket.failed(e.DeadlineExceededError())
        assert state.breaker.closed == closed


def test_cancelled_attempts_are_given_back() -> None:
    """The scope of a call that is given up takes back its load, and its probe."""
    calls = Calls(consecutive=1, open_for=1)
    state = calls.health.of(A)
    with pytest.raises(KeyboardInterrupt):
        calls.run({A: [KeyboardInterrupt()]})
    state.failed(calls.world.now, status(500), "counts")
    calls.world.now += 5
    call = calls.call()
    assert Ticket.begin(call, A) is not None
    assert state.breaker.probing
    call.scope.release()
    assert not state.breaker.probing
    assert state.probe is None


def test_a_blocking_call_does_not_wait_for_its_own_thread() -> None:
    """Inside the thread that the probe needs, the call goes on instead of waiting for ever."""
    calls = Calls(consecutive=1, open_for=1)
    state = calls.health.of(A)
    state.failed(calls.world.now, status(500), "counts")
    calls.world.now += 5
    assert Ticket.begin(calls.call(), A) is not None
    assert calls.world.run(until_ready(calls.call(), [A], calls.world.now + 10)) == A
    calls.world.on_join = lambda join: False
    with pytest.raises(e.TargetsUnavailableError):
        calls.world.run(until_ready(calls.call(prefers_async=True), [A], calls.world.now + 10))
    with pytest.raises(e.DeadlineExceededError):
        calls.world.run(until_ready(calls.call(prefers_async=True, deadline=2.0), [A], calls.world.now + 10))
    calls.world.on_join = lambda join: True
    thread = Thread(target=lambda: found.append(calls.world.run(until_ready(calls.call(), [A], 1e9))))
    found: list[Any] = []
    thread.start()
    thread.join()
    assert found == [None]


def test_all_wait_for_credentials() -> None:
    """The error is that of the refusal, and names each target; 403 stays a 403."""
    calls = Calls()
    for target in (A, B):
        with pytest.raises(e.PermissionDeniedError):
            calls.run({target: [status(403)]})
    with pytest.raises(e.PermissionDeniedError, match=r"a/m until its credential changes.*b/m until.*reset_health\(\)"):
        calls.run({A: [], B: []})
