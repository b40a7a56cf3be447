"""What the whole suite shares: hypothesis without a stopwatch, the table of recorded traffic at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

from tests.support import report

settings.register_profile("suite", deadline=None)  # a busy machine is not a fault
settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """`scripts/test` has coverage measured where tests run: not in the process that only prints what happened."""
    if rules := os.environ.get("EDGEAGENT_MEASURE"):
        os.environ["COVERAGE_PROCESS_START"] = rules


@pytest.hookimpl(trylast=True)  # a room of tests marks its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A JUnit report says which tests need a model: none of them may be skipped where it is there."""
    for item in items:
        if item.get_closest_marker("local_model"):
            item.user_properties.append(("needs", "local_model"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Coverage is not measured in what does with much data what other tests do with little: it takes twice the time."""
    tracer = sys.gettrace()
    if tracer is None or item.get_closest_marker("bulk") is None:
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was run on recorded traffic."""
    if table := report.lines():
        terminalreporter.section("recorded traffic")
        for line in table:
            terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker sends its rows to the process that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["recorded_traffic"] = report.dump()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the rows of a worker that has ended."""
    report.load(getattr(node, "workeroutput", {}).get("recorded_traffic", ()))


def pytest_make_parametrize_id(config: pytest.Config, val: object) -> str | None:
    """No address of an object in a test's name: each of several workers would have another."""
    return type(val).__name__ if " at 0x" in repr(val) else None
