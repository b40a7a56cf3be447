"""Several observers as one: all are told, none can harm the call."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import pytest
from typing_extensions import override

from edgeagent import ConfigurationError, EdgeClient
from edgeagent.telemetry import CallEnded, CallStarted, NullObservation, NullObserver, ObserverGroup
from edgeagent.telemetry import Observation as ObservationProtocol
from edgeagent.telemetry.base import Observer
from edgeagent.testing import FakeProvider
from edgeagent.types import Attempt, Target
from tests.telemetry.calls import CLAUDE, OK, OPENAI, SECRET, ended, started

ERROR = ValueError("told")


class Told:
    """Writes down what it is told; raises from the methods that it is told to."""

    def __init__(self, story: list[Any], name: str = "", raising: tuple[str, ...] = ()) -> None:
        self.story = story
        self.name = name
        self.raising = raising

    def note(self, method: str, *values: Any) -> None:
        self.story.append((self.name, method, *values))
        if method in self.raising:
            raise RuntimeError(SECRET)

    def start(self, event: CallStarted) -> Told:
        self.note("start", event)
        return self

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        self.note("cache_lookup", tier, hit)

    def cache_fault(self, tier: str, error: BaseException) -> None:
        self.note("cache_fault", tier, error)

    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        self.note("attempt", attempt, error)

    def retry(self, target: Target, delay: float) -> None:
        self.note("retry", target, delay)

    def fallback(self, failed: Target, target: Target) -> None:
        self.note("fallback", failed, target)

    def end(self, event: CallEnded) -> None:
        self.note("end", event)

    def activate(self) -> AbstractContextManager[Any]:
        self.note("activate")
        return self.context()

    @contextmanager
    def context(self) -> Any:
        self.note("enter")
        try:
            yield
        finally:
            self.note("exit")


BEGIN, END = started(), ended()


def whole_call(group: ObserverGroup) -> None:
    """A call that visits every method."""
    observation = group.start(BEGIN)
    assert observation is not None
    group.cache_lookup("disk", hit=False)
    group.cache_fault("disk", ERROR)
    context = observation.activate()
    assert context is not None
    with context:
        pass
    observation.attempt(OK, ERROR)
    observation.retry(OPENAI, 0.5)
    observation.fallback(OPENAI, CLAUDE)
    observation.end(END)


STORY = [
    ("start", BEGIN),
    ("cache_lookup", "disk", False),
    ("cache_fault", "disk", ERROR),
    ("activate",),
    ("enter",),
    ("exit",),
    ("attempt", OK, ERROR),
    ("retry", OPENAI, 0.5),
    ("fallback", OPENAI, CLAUDE),
    ("end", END),
]


def test_all_are_told_everything() -> None:
    """Every observer is told everything, in the observers' order; contexts are left in the reverse order."""
    story: list[Any] = []
    whole_call(ObserverGroup([Told(story, "a"), Told(story, "b")]))
    for name in ("a", "b"):
        assert [entry[1:] for entry in story if entry[0] == name] == STORY
    assert [entry[0] for entry in story] == ["a", "b"] * 5 + ["b", "a"] + ["a", "b"] * 4


@pytest.mark.parametrize("method", ["start", *(step[0] for step in STORY[1:])])
def test_a_fault_harms_nobody(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises, wherever, is logged once, without its text; the others are told all the same."""
    story: list[Any] = []
    group = ObserverGroup([Told(story, "bad", (method,)), Told(story, "good")])
    with caplog.at_level(logging.INFO):
        whole_call(group)
        whole_call(group)
    assert [entry[1:] for entry in story if entry[0] == "good"] == STORY * 2
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("edgeagent.telemetry", "WARNING")
    assert record.getMessage() == "observer Told raised RuntimeError; further faults of it are not logged"


def test_each_faulty_observer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Two faulty observers are two log lines; at DEBUG the fault itself is there."""
    story: list[Any] = []
    group = ObserverGroup([Told(story, "a", ("end",)), Told(story, "b", ("end",))])
    with caplog.at_level(logging.DEBUG):
        whole_call(group)
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG"] * 2
    assert caplog.records[1].exc_info is not None


class Swallower(NullObservation):
    """Has a context that swallows errors, as no observer may."""

    @override
    def activate(self) -> Any:
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> bool:
        return True


class Raiser(Swallower):
    """Has a context that raises what passes through it once more, as contexts made of generators do."""

    def __exit__(self, kind: object, error: object, traceback: object) -> bool:
        raise cast("BaseException", error)


class Starts(NullObserver):
    """Gives one observation for every call."""

    def __init__(self, observation: ObservationProtocol | None) -> None:
        self.observation = observation

    @override
    def start(self, event: CallStarted) -> ObservationProtocol | None:
        return self.observation


@pytest.mark.parametrize("observation", [Swallower(), Raiser()])
def test_contexts_change_no_error(observation: ObservationProtocol, caplog: pytest.LogCaptureFixture) -> None:
    """An error that passes through the contexts comes out as it was, and is no fault of the observer."""
    group = ObserverGroup([Starts(observation)])
    call = group.start(BEGIN)
    assert call is not None
    context = call.activate()
    assert context is not None
    with pytest.raises(ValueError, match="told") as caught, context:
        raise ERROR
    assert caught.value is ERROR
    assert caplog.records == []


def test_nobody_cares() -> None:
    """A call that no observer cares about is not observed; the rest of the protocol does nothing."""
    group = ObserverGroup([NullObserver(), Starts(None)])
    assert group.start(BEGIN) is None
    group.cache_lookup("memory", hit=True)
    group.cache_fault("memory", ERROR)


def test_null_observation() -> None:
    """The null observation accepts everything and gives no context."""
    call = ObserverGroup([Starts(NullObservation())]).start(BEGIN)
    assert call is not None
    call.attempt(OK, None)
    call.retry(OPENAI, 0.5)
    call.fallback(OPENAI, CLAUDE)
    call.end(END)
    assert call.activate() is None


def test_protocols() -> None:
    """What is used here as an observer is one by its type."""
    observers: list[Observer] = [NullObserver(), Starts(None), ObserverGroup([])]
    assert len(observers) == 3


def test_what_is_no_observer() -> None:
    """It is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"observers=: object has no start\(\)"):
        EdgeClient(providers=[FakeProvider("x")], observers=[object()])
    with pytest.raises(ConfigurationError, match=r"function has no start\(\)"):
        ObserverGroup([test_nobody_cares])  # type: ignore[list-item]
