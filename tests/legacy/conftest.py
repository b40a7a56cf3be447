"""openai 0.28.1 in an environment of its own, and a clean module for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgeagent
from edgeagent.legacy.clients import client_for
from edgeagent.legacy.settings import SETTINGS
from tests.legacy.server import Assistant
from tests.support.loopback import Loopback

__all__ = ["peer", "server"]

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / ".venvs" / "openai-0.28"


@pytest.fixture(scope="session")
def peer() -> str:
    """The interpreter of an environment with openai 0.28.1; scripts/test makes it."""
    if not (PEER / ".made").exists():
        if os.environ.get("EDGEAGENT_REQUIRE_PEERS"):
            pytest.fail(f"There is no {PEER}: ./scripts/test makes it.")
        pytest.skip(
            "openai 0.28.1 is not installed in .venvs/openai-0.28; ./scripts/test makes it, given a package index"
        )
    return str(PEER / "bin" / "python")


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The server that the module's settings name."""
    with Loopback(Assistant()) as server:
        edgeagent.api_key = "sk-test"
        edgeagent.api_base = f"{server.url}/v1"
        yield server


@pytest.fixture(autouse=True)
def _clean_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting is assigned, and no variable set, before or after a test."""
    for name in [name for name in os.environ if name.startswith("OPENAI_")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    for name in SETTINGS:
        vars(edgeagent).pop(name, None)
    client_for.cache_clear()
