"""Scenarios: an `async def` test with the fixture `kind` runs blocking, on asyncio and on trio."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import pytest

from tests.e2e.harness import KINDS, VENDORS, Vendor, run


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a scenario with the kind of client that it is given."""
    arguments: dict[str, Any] = pyfuncitem.funcargs
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or "kind" not in arguments:
        return None
    wanted = {name: arguments[name] for name in pyfuncitem._fixtureinfo.argnames}
    run(arguments["kind"], partial(pyfuncitem.obj, **wanted))
    return True
