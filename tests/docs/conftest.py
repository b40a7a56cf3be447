"""Where documentation runs: an empty directory and home, two vendors on loopback, their keys, and no other key.

What a page assigns to the module, for openai<1, is gone after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgeagent
from edgeagent.legacy.settings import SETTINGS
from tests.docs import vendor
from tests.support.loopback import Loopback

__all__ = ["reader"]

KEY_VARIABLES = ("_KEY", "_TOKEN", "_BASE_URL", "_ENDPOINT", "_CREDENTIAL")


@pytest.fixture(scope="session")
def vendors() -> Iterator[Loopback]:
    """The server that all pages share."""
    with Loopback(vendor.answer) as server:
        yield server


@pytest.fixture
def keyless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory and home; no provider's key or address in the environment."""
    for name in list(os.environ):
        if name.endswith(KEY_VARIABLES) or name.startswith(("OPENAI_", "ANTHROPIC_", "AZURE_OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in SETTINGS:
        vars(edgeagent).pop(name, None)


@pytest.fixture
def reader(vendors: Loopback, keyless: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader who has an OpenAI and an Anthropic key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-reader")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{vendors.url}/v1")
    monkeypatch.setenv("OPENAI_API_BASE", f"{vendors.url}/v1")  # as openai<1 called it
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-a-reader")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", vendors.url)
    return keyless
