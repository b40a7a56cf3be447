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


SET_LATER = {
    "neither": "",
    "spans": "trace.set_tracer_provider(tracers)",
    "metrics": "metrics.set_meter_provider(MeterProvider([reader]))",
}


@pytest.mark.parametrize("which", SET_LATER)
def test_global_providers_that_are_set_after_the_client(which: str) -> None:
    """Calls are recorded from the moment on that the application sets a provider, of spans or of metrics."""
    code = f"""
from edgeagent import EdgeClient
from edgeagent.testing import FakeProvider
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans, reader, tracers = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
with EdgeClient(providers=[FakeProvider("Paris")]) as client:
    ask = lambda: client.chat.completions.create(model="m", messages=[{{"role": "user", "content": "?"}}])
    ask()
    {SET_LATER[which]}
    ask()
    print(len(spans.get_finished_spans()), end=" ")
    data = reader.get_metrics_data() if "{which}" == "metrics" else None
    names = [m.name for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
    print(*sorted(names))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    expected = {
        "neither": ["0"],
        "spans": ["1"],
        "metrics": ["0", "edgeagent.cache.lookups", "gen_ai.client.operation.duration"],
    }
    assert done.stdout.split() == expected[which]
