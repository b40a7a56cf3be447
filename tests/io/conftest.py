"""The three ways to run a flow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.io.driving import Driven


@pytest.fixture(params=["sync", "asyncio", "trio"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def driven(kind: str) -> Iterator[Driven]:
    driven = Driven(kind)
    yield driven
    driven.runtime.close()
