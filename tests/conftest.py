"""What the whole suite shares: hypothesis without a stopwatch, the table of recorded traffic at the end."""

from __future__ import annotations

import os
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
