"""Retries, backoff, Retry-After, fallback and deadlines, on a scripted clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tenacity

from edgeagent import errors as e
from edgeagent.core.attempts import attempt_targets
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.retry import RetryPolicy
from edgeagent.effects import Flow, Scope
from edgeagent.types import ChatRequest, Target
from edgeagent.wire.http import HTTPResponse
from tests.core.world import World

A, B, C = Target("a", "m"), Target("b", "m"), Target("c", "m")
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}])


def status(code: int, **headers: str) -> e.APIStatusError:
    response = HTTPResponse(code, {name.replace("_", "-"): value for name, value in headers.items()})
    return e.status_error_class(code)(f"status {code}", response=response)


class Run:
    """Runs attempts whose outcomes are written down per target."""

    def __init__(self, outcomes: dict[Target, list[Any]], windows: dict[Target, int] | None = None, **options: Any):
        self.world = World()
        self.asked: list[Target] = []
        self.outcomes = {target: iter(each) for target, each in outcomes.items()}
        self.windows = windows or {}
        self.targets = list(outcomes)
        self.call = Call(REQUEST, CallOptions(**options), Scope(), self.world.clock, self.world.wall)

    def ask(self, target: Target) -> Flow[str]:
        yield from ()
        self.asked.append(target)
        self.world.now += 1
        outcome = next(self.outcomes[target])
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    def __call__(self) -> Any:
        return self.world.run(attempt_targets(self.call, self.targets, self.ask, self.windows.get))


def forever(error: Exception) -> Iterator[Exception]:
    while True:
        yield error


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
def test_exactly_so_many_attempts(retries: int) -> None:
    """With retry=n and one target, n + 1 requests are made and the last error is raised."""
    run = Run({A: forever(status(500))}, retry=RetryPolicy(retries))  # type: ignore[dict-item]
    with pytest.raises(e.InternalServerError):
        run()
    assert run.asked == [A] * (retries + 1)
    assert len(run.world.sleeps) == retries
    assert [attempt.outcome for attempt in run.call.attempts] == ["InternalServerError"] * (retries + 1)
    assert all(attempt.status == 500 and attempt.duration_ms == 1000 for attempt in run.call.attempts)


def test_the_retry_budget_ends_a_long_series() -> None:
    """One call cannot take more than the budget's reserve, unless its policy says so."""
    for budget, attempts in ((True, 11), (False, 31)):
        policy = RetryPolicy(30, wait=tenacity.wait_none(), budget=budget)
        run = Run({A: forever(status(500))}, retry=policy)  # type: ignore[dict-item]
        with pytest.raises(e.InternalServerError):
            run()
        assert len(run.asked) - attempts in range(4)  # a little comes back while the attempts take their time


def test_full_jitter() -> None:
    """Waits lie between zero and a bound that doubles from half a second to eight."""
    for _ in range(50):
        run = Run({A: forever(status(503))}, retry=RetryPolicy(7))  # type: ignore[dict-item]
        with pytest.raises(e.OverloadedError):
            run()
        for wait, bound in zip(run.world.sleeps, [0.5, 1, 2, 4, 8, 8, 8], strict=True):
            assert 0 <= wait <= bound


def test_a_tenacity_policy_is_consulted() -> None:
    """Wait and retry objects of tenacity decide the pause and whether the same target is asked again."""
    policy = RetryPolicy(5, wait=tenacity.wait_fixed(7), retry=tenacity.retry_if_exception_type(e.NotFoundError))
    run = Run({A: [status(404), "found"]}, retry=policy)
    assert run().answer == "found"
    assert run.world.sleeps == [7.0]
    run = Run({A: [status(500)]}, retry=policy)
    with pytest.raises(e.InternalServerError):
        run()
    assert run.asked == [A]


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"retry_after": "3"}, [3.0]),
        ({"retry_after_ms": "250"}, [0.25]),
        ({"retry_after": "60"}, [60.0]),
        ({"retry_after": "61"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], waits: list[float] | None) -> None:
    """A Retry-After of up to 60 s is waited for exactly; a longer one means the next target at once."""
    run = Run({A: [status(429, **headers), "a"], B: ["b"]})
    answered = run()
    assert answered.answer == ("a" if waits else "b")
    assert run.world.sleeps == (waits or [])


def test_retry_after_that_does_not_fit_the_deadline() -> None:
    """The next target is asked at once."""
    run = Run({A: [status(429, retry_after="20")], B: ["b"]}, deadline=10.0)
    assert run().answer == "b"
    assert run.world.sleeps == []


def test_fallback_after_retries() -> None:
    """A target that keeps failing is given up, the next one answers, its rank says so."""
    run = Run({A: forever(e.APIConnectionError()), B: ["b"]})  # type: ignore[dict-item]
    answered = run()
    assert (answered.answer, answered.target, answered.rank) == ("b", B, 1)
    assert run.asked == [A, A, A, B]


@pytest.mark.parametrize("code", [401, 402, 403, 404])
def test_next_target_at_once(code: int) -> None:
    """A wrong key or an unknown model is not tried again there."""
    run = Run({A: [status(code)], B: ["b"]})
    assert run().answer == "b"
    assert run.asked == [A, B]


@pytest.mark.parametrize("error", [status(400), status(422), e.RequestValidationError("x", param="n")])
def test_a_wrong_request_stops(error: Exception) -> None:
    """What is wrong with the request is wrong everywhere."""
    run = Run({A: [error], B: ["b"]})
    with pytest.raises(type(error)):
        run()
    assert run.asked == [A]


def test_a_target_that_cannot_be_asked_this() -> None:
    """It was not asked, so the next one is still the first choice; if there is none, its refusal is raised."""
    unfit = e.RequestValidationError("no logprobs here", param="logprobs")
    unfit.target = "a/m"
    run = Run({A: [unfit], B: ["b"]})
    answered = run()
    assert (answered.answer, answered.rank) == ("b", 0)
    with pytest.raises(e.RequestValidationError):
        Run({A: [unfit]})()


def test_the_first_targets_error_is_raised() -> None:
    """After several targets failed, the first one's final error counts."""
    run = Run({A: [status(404)], B: forever(status(500)), C: [status(400)]})  # type: ignore[dict-item]
    with pytest.raises(e.NotFoundError):
        run()
    assert run.asked == [A, B, B, B, C]


def test_context_window_needs_a_larger_target() -> None:
    """Only a target whose window is known to be larger is asked next."""
    overflow = e.ContextWindowExceededError("too long", response=HTTPResponse(400))
    run = Run({A: [overflow], B: ["b"], C: ["c"]}, windows={A: 8_000, B: 8_000, C: 200_000})
    assert run().answer == "c"
    assert run.asked == [A, C]
    run = Run({A: [overflow], B: ["b"]}, windows={B: 8_000})
    with pytest.raises(e.ContextWindowExceededError):
        run()


@pytest.mark.parametrize("allowed", [False, True])
def test_content_filter_falls_back_only_if_allowed(allowed: bool) -> None:
    """Another vendor's judgement is asked for only when the policy says so."""
    refused = e.ContentFilterError("no", response=HTTPResponse(400))
    run = Run({A: [refused], B: ["b"]}, retry=RetryPolicy(2, content_filter_fallback=allowed))
    if allowed:
        assert run().answer == "b"
    else:
        with pytest.raises(e.ContentFilterError):
            run()


def test_deadline_over_attempts_and_targets() -> None:
    """No attempt begins after the deadline; the error of the first target is raised, not a later one."""
    run = Run(
        {A: forever(status(500)), B: forever(status(502))},  # type: ignore[dict-item]
        deadline=5.0,
        retry=RetryPolicy(10, wait=tenacity.wait_fixed(1)),
    )
    with pytest.raises(e.APIError):
        run()
    assert run.world.now - 1000 <= 5.0
    assert len(run.asked) <= 4


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ConnectionResetError("peer"), e.APIConnectionError),
        (TimeoutError(), e.APITimeoutError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
def test_builtin_errors_of_a_callers_provider(raised: Exception, expected: type[Exception]) -> None:
    """Connection errors become ours with their cause; anything else is raised unchanged."""
    run = Run({A: [raised]}, retry=RetryPolicy(0))
    with pytest.raises(expected) as caught:
        run()
    assert type(caught.value) is expected
    assert caught.value is raised or caught.value.__cause__ is raised


@pytest.mark.parametrize("value", [-1, 1.5, True, "2"])
def test_wrong_number_of_retries(value: Any) -> None:
    """A policy says so when it is built."""
    with pytest.raises(e.ConfigurationError):
        RetryPolicy.of(value)
