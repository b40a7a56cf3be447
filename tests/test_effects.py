"""The effects: each helper asks for exactly one; the scope gives back what a call holds, once, however it ends."""

from __future__ import annotations

import dataclasses
import inspect
import logging
from functools import partial
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeagent import effects
from edgeagent.effects import Scope, Timeout
from edgeagent.wire.http import HTTPRequest

REQUEST = HTTPRequest("GET", "https://h/")
TIMEOUT = Timeout(read=1.0)


def call() -> None:
    """Something to be called."""


# An effect holds whatever it is given, so plain objects stand for sources and waitables.
THING: Any = object()

TABLE = [
    (effects.send, (REQUEST, TIMEOUT, 5.0, THING), effects.Send(REQUEST, TIMEOUT, 5.0, THING)),
    (effects.send, (REQUEST, TIMEOUT, None), effects.Send(REQUEST, TIMEOUT, None, None)),
    (effects.open_stream, (REQUEST, TIMEOUT, 5.0, THING), effects.Open(REQUEST, TIMEOUT, 5.0, THING)),
    (effects.open_stream, (REQUEST, TIMEOUT, None), effects.Open(REQUEST, TIMEOUT, None, None)),
    (effects.open_iterator, (call, TIMEOUT, 5.0), effects.OpenIterator(call, TIMEOUT, 5.0)),
    (effects.read, (THING, 5.0), effects.Read(THING, 5.0)),
    (effects.close, (THING,), effects.Close(THING)),
    (effects.sleep, (0.5,), effects.Sleep(0.5)),
    (effects.offload, (call, 2.0), effects.Offload(call, 2.0)),
    (effects.offload, (call,), effects.Offload(call, None)),
    (effects.invoke, (call, 5.0), effects.Invoke(call, 5.0)),
    (effects.join, (THING, 5.0), effects.Join(THING, 5.0)),
    (effects.here, (), effects.Here()),
    (effects.spawn, (THING,), effects.Spawn(THING)),
    (effects.first_of, ([THING, call], 0.5, 5.0), effects.FirstOf((THING, call), 0.5, 5.0)),
]
WITHOUT_RESULT = {effects.close, effects.sleep}


@pytest.mark.parametrize(("helper", "arguments", "effect"), TABLE)
def test_one_effect(helper: Any, arguments: tuple[Any, ...], effect: object) -> None:
    """A helper yields exactly its effect, and returns what it is sent."""
    flow = helper(*arguments)
    assert next(flow) == effect
    with pytest.raises(StopIteration) as ended:
        flow.send("outcome")
    assert ended.value.value == (None if helper in WITHOUT_RESULT else "outcome")


@pytest.mark.parametrize(("helper", "arguments", "effect"), TABLE)
def test_faults(helper: Any, arguments: tuple[Any, ...], effect: object) -> None:
    """A helper lets the fault of its effect pass."""
    flow = helper(*arguments)
    next(flow)
    with pytest.raises(ValueError, match="x"):
        flow.throw(ValueError("x"))


def test_a_call_that_may_take_long_is_said_to() -> None:
    """By name."""
    assert next(effects.offload(call, 1.0, prompt=False)) == effects.Offload(call, 1.0, None, prompt=False)


def test_the_list_is_closed() -> None:
    """Every effect has exactly one helper, and every helper stands in the table above."""
    helpers = {value for name in effects.__all__ if inspect.isfunction(value := getattr(effects, name))}
    assert {row[0] for row in TABLE} == helpers
    assert {type(row[2]) for row in TABLE} == set(get_args(effects.Effect))
    assert len(helpers) == len(get_args(effects.Effect))


@pytest.mark.parametrize("effect", [kind for kind in get_args(effects.Effect) if kind is not effects.Read])
def test_effects_are_values(effect: type) -> None:
    """An effect cannot be changed after it was yielded; but for `Read`, of which there is one for each piece."""
    made = next(row[2] for row in TABLE if type(row[2]) is effect)
    field = next((field.name for field in dataclasses.fields(effect)), "anything")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, field, None)


def test_timeout_defaults() -> None:
    """The default time limits are openai's: 5 s to connect, 10 minutes for the rest."""
    assert dataclasses.astuple(Timeout()) == (5.0, 600.0, 600.0, 600.0)


# the scope


def test_releases_run_last_first() -> None:
    """Releases run once, in the reverse order; a second `release` finds nothing to do."""
    scope, done = Scope(), []
    for number in range(3):
        scope.add(partial(done.append, number))
    scope.release()
    scope.release()
    assert done == [2, 1, 0]


@example(["add", 0, "add", 0])
@given(st.lists(st.one_of(st.just("add"), st.integers(0, 20))))
def test_adding_and_dropping(steps: list[Any]) -> None:
    """Whatever is added and dropped, in whatever order and however often: exactly what was not dropped is released."""
    scope, done = Scope(), []
    tokens: list[int] = []
    dropped: set[int] = set()
    for step in steps:
        if step == "add":
            tokens.append(scope.add(partial(done.append, len(tokens))))
        elif step < len(tokens):
            scope.drop(tokens[step])
            dropped.add(step)
    scope.release()
    assert done == [number for number in reversed(range(len(tokens))) if number not in dropped]


def test_a_token_stands_for_one_release() -> None:
    """Dropping twice is harmless: the number of a dropped release is not given to another one."""
    scope, done = Scope(), []
    token = scope.add(lambda: done.append("first"))
    scope.drop(token)
    scope.add(lambda: done.append("second"))
    scope.drop(token)
    scope.release()
    assert done == ["second"]


def test_a_failing_release_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A release that fails is logged; the others run."""
    scope, done = Scope(), []

    def fails() -> None:
        raise ValueError("x")

    scope.add(lambda: done.append("first"))
    scope.add(fails)
    scope.add(lambda: done.append("last"))
    with caplog.at_level(logging.ERROR, "edgeagent"):
        scope.release()
    assert done == ["last", "first"]
    assert [record.getMessage() for record in caplog.records] == ["a release failed"]


def test_releases_may_add_and_drop() -> None:
    """A release may drop another one, or add one, which then runs too."""
    scope, done = Scope(), []
    token = scope.add(lambda: done.append("dropped"))
    scope.add(lambda: (scope.drop(token), scope.add(lambda: done.append("added"))))  # type: ignore[func-returns-value,return-value,arg-type]
    scope.release()
    assert done == ["added"]


def test_adopting_a_scope() -> None:
    """What the other scope held is given back with this one, once, in its place; its own numbers stay good."""
    scope, child, done = Scope(), Scope(), []
    scope.add(lambda: done.append("before"))
    for number in range(3):
        token = child.add(partial(done.append, number))
    child.sources.append(THING)
    scope.adopt(child)
    scope.add(lambda: done.append("after"))
    assert (scope.sources, child.sources) == ([THING], [])
    child.drop(token)
    scope.release()
    child.release()
    assert done == ["after", 1, 0, "before"]


def test_a_new_scope() -> None:
    """A new scope holds no sources and activates nothing."""
    assert (Scope().sources, Scope().activate) == ([], None)
