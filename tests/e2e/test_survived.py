"""Errors that a call survived are gone when it returns; kept, they would keep its caller's frames and variables."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from edgeagent.errors import APIConnectionError
from edgeagent.providers import OpenAI
from edgeagent.telemetry.null import NullObservation, NullObserver
from edgeagent.testing import FaultServer
from edgeagent.testing.faults import ErrorEvent, Fault, Reset, Status, Truncated
from tests.e2e.harness import KINDS, Gate, run, text_of


class Observed(NullObserver):
    """Remembers the errors of attempts, weakly."""

    def __init__(self) -> None:
        self.errors: list[weakref.ref[BaseException]] = []

    def start(self, event: Any) -> Errors:
        return Errors(self.errors)


class Errors(NullObservation):
    def __init__(self, errors: list[weakref.ref[BaseException]]) -> None:
        self.errors = errors

    def attempt(self, attempt: Any, error: BaseException | None) -> None:
        if error is not None:
            self.errors.append(weakref.ref(error))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only what nobody refers to is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


FAULTS: list[Fault] = [Reset(), Status(500), Truncated(), ErrorEvent(events=0)]


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_survived_errors_are_freed(kind: str, stream: bool, fault: Fault) -> None:
    """After a retry, and after another target has answered."""

    async def scenario() -> None:
        observed = Observed()
        with FaultServer("Paris.", faults=[fault] * 3) as server:
            names = ("one", "two")
            providers = [OpenAI(name=name, api_key="any", base_url=server.base_url) for name in names]
            options: Any = {"models": {"m": ["one/m", "two/m"]}, "retry": 1, "cache": False, "observers": [observed]}
            async with Gate(kind, providers, **options) as gate:
                if stream:
                    assert text_of(await gate.chunks(model="m")) == "Paris."
                else:
                    await gate.create(model="m")
        assert [error() for error in observed.errors] == [None] * 3

    run(kind, scenario)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("kind", KINDS)
def test_the_error_that_is_raised_is_freed_with_its_handler(kind: str) -> None:
    """The last one too, once whoever called has dealt with it."""

    async def scenario() -> None:
        observed = Observed()
        with FaultServer(faults=Reset()) as server:
            provider = OpenAI(api_key="any", base_url=server.base_url)
            async with Gate(kind, [provider], retry=1, cache=False, observers=[observed]) as gate:
                with contextlib.suppress(APIConnectionError):
                    await gate.create(model="m")
        assert [error() for error in observed.errors] == [None] * 2

    run(kind, scenario)
