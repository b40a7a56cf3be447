"""A llama.cpp server for this folder; its tests are skipped where it cannot run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_model import LlamaServer, missing

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder `local_model`, and skip them where there is none."""
    reason = missing()
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.local_model)
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def llama_server() -> Iterator[LlamaServer]:
    """The server that most tests share."""
    with LlamaServer() as server:
        yield server
