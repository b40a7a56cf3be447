"""The package's names, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import edgeagent.telemetry as package


def test_names() -> None:
    """Every public name can be had, and `dir` lists exactly these."""
    assert {name for name in package.__all__ if getattr(package, name).__name__ == name} == set(package.__all__)
    assert dir(package) == sorted(package.__all__)


def test_unknown_name() -> None:
    """Another name is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        package.nothing_of_the_kind  # noqa: B018


@pytest.mark.parametrize("name", ["Observer", "ObserverGroup", "Ledger", "LoggingObserver", "OpenTelemetryObserver"])
def test_opentelemetry_is_loaded_by_its_first_observer(name: str) -> None:
    """Naming an observer loads no OpenTelemetry; making the first one does."""
    code = (
        f"import sys; from edgeagent.telemetry import {name}, OpenTelemetryObserver\n"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry')]\n"
        "OpenTelemetryObserver()\n"
        "assert 'opentelemetry.trace' in sys.modules and 'opentelemetry.sdk' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
