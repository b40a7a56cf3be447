"""Spans and metrics as an application's OpenTelemetry SDK receives them; nothing global is set."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from edgeagent.errors import ConfigurationError, RateLimitError
from edgeagent.telemetry import CallEnded, CallStarted, OpenTelemetryObserver, attributes, otel
from edgeagent.types import Attempt, ResponseMetadata
from tests.telemetry.calls import CLAUDE, OK, OPENAI, SECRET, cached, coalesced, completion, ended, failed, started


class World:
    """An observer with an SDK of its own."""

    def __init__(self, *, capture_content: bool = False, sampler: Sampler | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.observer = OpenTelemetryObserver(self.tracers, meters, capture_content)

    def call(self, event: CallEnded, begin: CallStarted | None = None) -> ReadableSpan:
        self.observer.start(begin or started()).end(event)
        return self.exporter.get_finished_spans()[-1]

    def points(self, name: str) -> list[tuple[Any, dict[str, Any]]]:
        """The data points of one metric: sum (of a counter or histogram) and attributes."""
        return [
            (getattr(point, "sum", None) if hasattr(point, "sum") else point.value, dict(point.attributes))
            for metric in self.metrics()
            if metric.name == name
            for point in metric.data.data_points
        ]

    def metrics(self) -> list[Any]:
        data = self.reader.get_metrics_data()
        return [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []


@pytest.fixture
def world() -> World:
    return World()


def test_span(world: World) -> None:
    """One client span for a call, named after operation and model, with what was asked and how it ended."""
    span = world.call(ended(), started(temperature=0.5))
    assert (span.name, span.kind, span.status.status_code) == (
        "chat gpt-4o-mini",
        trace.SpanKind.CLIENT,
        trace.StatusCode.UNSET,
    )
    found = dict(span.attributes or {})
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.5,
        **{
            k: tuple(v) if isinstance(v, list) else v
            for k, v in attributes.end_attributes(started().request, ended()).items()
        },
    }
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "edgeagent"


class RecordingSampler(Sampler):
    """Keeps what it was shown; samples as told."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.seen: dict[str, Any] = {}

    def should_sample(self, *args: Any, attributes: Any = None, **kwargs: Any) -> SamplingResult:
        self.seen = dict(attributes or args[4])
        return SamplingResult(self.decision)

    def get_description(self) -> str:
        return "recording"


def test_sampler_sees_the_model() -> None:
    """Operation and model are there when the span is made, for samplers to decide by."""
    sampler = RecordingSampler(Decision.RECORD_AND_SAMPLE)
    World(sampler=sampler).observer.start(started())
    assert sampler.seen == {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}


def test_nothing_is_built_for_a_span_that_nobody_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a recording span no attribute is made, no context entered; metrics are recorded all the same."""
    world = World(sampler=RecordingSampler(Decision.DROP))
    for name in ("request_attributes", "end_attributes", "attempt_attributes", "input_messages"):
        monkeypatch.setattr(otel, name, lambda *_: pytest.fail("built for nobody"))
    observation = world.observer.start(started())
    observation.attempt(OK, None)
    observation.retry(OPENAI, 0.5)
    observation.fallback(OPENAI, CLAUDE)
    assert observation.activate() is None
    observation.end(ended())
    assert world.exporter.get_finished_spans() == ()
    assert len(world.points("gen_ai.client.operation.duration")) == 1


def test_without_an_sdk() -> None:
    """An application without an SDK gets no spans and no errors."""
    observer = OpenTelemetryObserver(trace.NoOpTracerProvider(), NoOpMeterProvider())
    observation = observer.start(started())
    observer.cache_lookup("memory", hit=True)
    assert observation.activate() is None
    observation.end(ended())


@pytest.mark.parametrize(
    "event",
    [
        ended(),
        cached(),
        failed(RateLimitError(SECRET), (OK,)),
        ended(error=RateLimitError(SECRET)),
        ended(completion=None),
    ],
    ids=["answered", "cached", "failed", "interrupted", "closed"],
)
def test_no_text_unless_asked(world: World, event: CallEnded) -> None:
    """Neither prompt nor answer nor error text is in a span or a metric."""
    observation = world.observer.start(started(user=SECRET, tools=[{"type": "function", "function": {"name": SECRET}}]))
    observation.attempt(OK, RateLimitError(SECRET))
    observation.retry(OPENAI, 0.5)
    observation.end(event)
    (span,) = world.exporter.get_finished_spans()
    assert SECRET not in span.to_json()
    assert SECRET not in world.reader.get_metrics_data().to_json()  # type: ignore[union-attr]


def test_text_if_asked() -> None:
    """With `capture_content` the messages of request and answer are on the span, as JSON."""
    world = World(capture_content=True)
    found = world.call(ended()).attributes or {}
    asked = json.loads(str(found["gen_ai.input.messages"]))
    answered = json.loads(str(found["gen_ai.output.messages"]))
    assert [message["role"] for message in asked] == ["system", "user"]
    assert {"type": "text", "content": f"It is {SECRET}."} in answered[0]["parts"]
    assert "gen_ai.output.messages" not in (world.call(failed(ValueError())).attributes or {})


def test_error(world: World) -> None:
    """A failed call's span has the status ERROR, described by class and status code."""
    span = world.call(failed(RateLimitError(SECRET)))
    assert (span.status.status_code, span.status.description) == (trace.StatusCode.ERROR, "RateLimitError (429)")
    assert (span.attributes or {})["error.type"] == "RateLimitError"
    assert span.events == ()


def test_story(world: World) -> None:
    """Attempts, retries and fallbacks are events on the span and counted."""
    observation = world.observer.start(started())
    observation.attempt(Attempt(OPENAI, "RateLimitError", 429, 3.0), RateLimitError(SECRET))
    observation.retry(OPENAI, 0.5)
    observation.fallback(OPENAI, CLAUDE)
    observation.attempt(Attempt(CLAUDE, "ok", 200, 5.0), None)
    observation.end(ended())
    (span,) = world.exporter.get_finished_spans()
    openai, claude = "openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"
    assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
        (
            "edgeagent.attempt",
            {
                "edgeagent.target": openai,
                "edgeagent.outcome": "RateLimitError",
                "edgeagent.duration_ms": 3.0,
                "http.response.status_code": 429,
            },
        ),
        ("edgeagent.retry", {"edgeagent.target": openai, "edgeagent.delay_s": 0.5}),
        ("edgeagent.fallback", {"edgeagent.target": claude, "edgeagent.failed_target": openai}),
        (
            "edgeagent.attempt",
            {
                "edgeagent.target": claude,
                "edgeagent.outcome": "ok",
                "edgeagent.duration_ms": 5.0,
                "http.response.status_code": 200,
            },
        ),
    ]
    assert world.points("edgeagent.retries") == [(1, {"edgeagent.target": openai})]
    assert world.points("edgeagent.fallbacks") == [(1, {"edgeagent.target": claude, "edgeagent.failed_target": openai})]


def test_activate(world: World) -> None:
    """The span is current inside `activate` and only there; an error passing through leaves no mark on it."""
    observation = world.observer.start(started())
    context = observation.activate()
    assert context is not None
    inside: list[trace.SpanContext] = []

    def effect() -> None:
        inside.append(trace.get_current_span().get_span_context())
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"), context:
        effect()
    assert trace.get_current_span() is trace.INVALID_SPAN
    observation.end(ended())
    (span,) = world.exporter.get_finished_spans()
    assert span.context is not None
    assert (inside[0].span_id, span.events, span.status.is_ok) == (span.context.span_id, (), True)


def test_parent(world: World) -> None:
    """The span is a child of the one that is current where the call starts."""
    parent = world.tracers.get_tracer("app").start_span("request")
    token = otel_context.attach(trace.set_span_in_context(parent))
    observation = world.observer.start(started())
    otel_context.detach(token)
    observation.end(ended())
    (span,) = world.exporter.get_finished_spans()
    assert span.parent is not None
    assert span.parent.span_id == parent.get_span_context().span_id


ALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini"}
ANSWERED = {**ALL, "gen_ai.response.model": "gpt-4o-mini-2024-07-18"}


@pytest.mark.parametrize(
    ("event", "extra"),
    [
        pytest.param(ended(), ANSWERED, id="answered"),
        pytest.param(cached("disk"), ANSWERED | {"edgeagent.cache_tier": "disk"}, id="cached"),
        pytest.param(coalesced(), ANSWERED, id="coalesced"),
        pytest.param(ended(completion=None), ALL, id="closed early"),
        pytest.param(ended(completion=completion(model="")), ALL, id="an answer that names no model"),
        pytest.param(
            failed(RateLimitError("x"), (OK,)), ALL | {"error.type": "RateLimitError"}, id="failed at a provider"
        ),
        pytest.param(
            failed(ValueError("x")),
            ALL | {"error.type": "ValueError", "gen_ai.provider.name": "edgeagent"},
            id="failed before",
        ),
    ],
)
def test_duration(world: World, event: CallEnded, extra: dict[str, Any]) -> None:
    """Every call has a duration in seconds, with the conventions' attributes."""
    world.call(event)
    assert world.points("gen_ai.client.operation.duration") == [(event.duration, extra)]


def test_tokens_and_cost(world: World) -> None:
    """Tokens by type, and money: of a call that used some; sums over calls."""
    for _ in range(2):
        world.call(ended())
    assert sorted(world.points("gen_ai.client.token.usage"), key=lambda point: -point[0]) == [
        (200, ANSWERED | {"gen_ai.token.type": "input"}),
        (40, ANSWERED | {"gen_ai.token.type": "output"}),
    ]
    assert world.points("edgeagent.cost") == [(pytest.approx(0.000054), ANSWERED)]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(cached(), id="cached"),
        pytest.param(coalesced(), id="coalesced"),
        pytest.param(failed(ValueError()), id="failed"),
        pytest.param(
            ended(completion=completion(usage=None), edge=ResponseMetadata(cost_usd=Decimal(0))), id="usage not known"
        ),
    ],
)
def test_no_tokens_and_no_cost(world: World, event: CallEnded) -> None:
    """What was not billed, or is not known, is not reported."""
    world.call(event)
    assert world.points("gen_ai.client.token.usage") == world.points("edgeagent.cost") == []


def test_time_to_first_chunk(world: World) -> None:
    """Streams have a time to the first chunk, other calls have none."""
    world.call(ended())
    assert world.points("gen_ai.client.operation.time_to_first_chunk") == []
    world.call(ended(time_to_first_chunk=0.25), started(stream=True))
    world.call(cached(time_to_first_chunk=0.5), started(stream=True))
    assert world.points("gen_ai.client.operation.time_to_first_chunk") == [
        (0.25, ANSWERED),
        (0.5, ANSWERED | {"edgeagent.cache_tier": "memory"}),
    ]


@pytest.mark.parametrize(
    ("name", "unit", "first", "last", "length"),
    [
        ("gen_ai.client.operation.duration", "s", 0.01, 81.92, 14),
        ("gen_ai.client.operation.time_to_first_chunk", "s", 0.01, 81.92, 14),
        ("gen_ai.client.token.usage", "{token}", 1, 67108864, 14),
    ],
)
def test_histograms(world: World, name: str, unit: str, first: float, last: float, length: int) -> None:
    """Units and bucket boundaries are those that the conventions recommend: each the double or fourfold of the last."""
    world.call(ended(time_to_first_chunk=0.25), started(stream=True))
    (metric,) = (metric for metric in world.metrics() if metric.name == name)
    bounds: Sequence[float] = metric.data.data_points[0].explicit_bounds
    assert (metric.unit, bounds[0], bounds[-1], len(bounds)) == (unit, first, last, length)
    steps = {round(after / before, 9) for before, after in pairwise(bounds)}
    assert steps == {2.0 if unit == "s" else 4.0}


def test_cache(world: World) -> None:
    """Look-ups are counted by tier and outcome, faults by tier and error."""
    for tier, hit in (("memory", True), ("memory", True), ("memory", False), ("disk", False)):
        world.observer.cache_lookup(tier, hit=hit)
    world.observer.cache_fault("disk", OSError(SECRET))
    assert world.points("edgeagent.cache.lookups") == [
        (2, {"edgeagent.cache_tier": "memory", "edgeagent.outcome": "hit"}),
        (1, {"edgeagent.cache_tier": "memory", "edgeagent.outcome": "miss"}),
        (1, {"edgeagent.cache_tier": "disk", "edgeagent.outcome": "miss"}),
    ]
    assert world.points("edgeagent.cache.faults") == [(1, {"edgeagent.cache_tier": "disk", "error.type": "OSError"})]


def test_attribute_sets_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of model names takes a bounded amount of memory, and each is still reported by its name."""
    monkeypatch.setattr(otel, "MAX_ATTRIBUTE_SETS", 8)
    for number in range(50):
        world.call(ended(), started(model=f"m{number}"))
    assert len(world.observer._names) <= 8
    assert len(world.observer.instruments._sets) <= 8
    assert {span.name for span in world.exporter.get_finished_spans()} == {f"chat m{n}" for n in range(50)}
    assert len(world.points("gen_ai.client.operation.duration")) == 50


def test_pickle(world: World) -> None:
    """An observer of the global providers can be pickled; one with its own says why it cannot."""
    copy = pickle.loads(pickle.dumps(OpenTelemetryObserver(capture_content=True)))
    assert copy.capture_content
    with pytest.raises(ConfigurationError, match="global"):
        pickle.dumps(world.observer)
