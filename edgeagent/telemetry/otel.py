"""OpenTelemetry: one client span for each call, and the metrics of the GenAI conventions.

Only the OpenTelemetry API is used, and imported when the first observer is made: without an SDK in the application
nothing is recorded and next to nothing is spent. No text of prompts or answers is recorded unless asked for.

Metrics, beside `gen_ai.client.operation.duration`, `gen_ai.client.operation.time_to_first_chunk` (both in seconds) and
`gen_ai.client.token.usage`:

- `edgeagent.cache.lookups`: by `edgeagent.cache_tier` and `edgeagent.outcome` ("hit", "miss").
- `edgeagent.cache.faults`: by `edgeagent.cache_tier` and `error.type`.
- `edgeagent.retries`: by `edgeagent.target`.
- `edgeagent.fallbacks`: by `edgeagent.target` and `edgeagent.failed_target`.
- `edgeagent.cost`: US dollars spent, as far as prices are known.

Cached answers have a duration (with `edgeagent.cache_tier`) but no token usage and no cost: nothing was billed.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from edgeagent._version import __version__
from edgeagent.errors import ConfigurationError
from edgeagent.telemetry.attributes import (
    Attributes,
    attempt_attributes,
    end_attributes,
    error_description,
    provider_name,
    request_attributes,
    tokens_of,
    used_nothing,
)
from edgeagent.telemetry.base import CallEnded, CallStarted
from edgeagent.telemetry.content import input_messages, output_messages
from edgeagent.telemetry.null import NullObservation
from edgeagent.types import Attempt, ChatCompletion, ChatRequest, Target

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter, MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["OpenTelemetryObserver"]

SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS: Final = tuple(4**exponent for exponent in range(14))
"""Bucket boundaries that the conventions recommend (docs/gen-ai/gen-ai-metrics.md)."""

MAX_ATTRIBUTE_SETS: Final = 1024
"""How many sets of attributes are kept for reuse; models are named by callers, so there could be any number."""


class OpenTelemetryObserver:
    """Reports calls as spans and metrics.

    Args:
        tracer_provider: whose spans to make; default: the global one, also if it is set later.
        meter_provider: whose instruments to use; default: likewise.
        capture_content: record the messages of requests and answers on the span (`gen_ai.input.messages`,
            `gen_ai.output.messages`): as the application sees them, personal data included.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        capture_content: bool = False,
    ) -> None:
        from opentelemetry import metrics, trace

        self._own_providers = tracer_provider is not None or meter_provider is not None
        self._globals = _Globals()
        self.capture_content = capture_content
        self._trace = trace
        self._kind = trace.SpanKind.CLIENT
        self._start_span = trace.get_tracer("edgeagent", __version__, tracer_provider).start_span
        self.instruments = _Instruments(metrics.get_meter("edgeagent", __version__, meter_provider))
        self._names: dict[tuple[str, str], tuple[str, Attributes]] = {}

    def start(self, event: CallStarted) -> _CallObservation | None:
        """A call starts, and its span; None while the application has no SDK that would record anything."""
        if not self._own_providers and self._globals.unset():
            return None
        name, attributes = self._name(event.operation, event.request.model)
        span = self._start_span(name, None, self._kind, attributes)
        if not span.is_recording():
            return _CallObservation(self, event, None)
        span.set_attributes(request_attributes(event))
        return _CallObservation(self, event, span)

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        """A tier was asked."""
        if self._own_providers or not self._globals.unset():
            self.instruments.lookup(tier, hit=hit)

    def cache_fault(self, tier: str, error: BaseException) -> None:
        """A tier failed."""
        self.instruments.faults.add(1, {"edgeagent.cache_tier": tier, "error.type": type(error).__qualname__})

    def end(self, span: Span, started: CallStarted, event: CallEnded) -> None:
        """Complete a recording span."""
        span.set_attributes(end_attributes(started.request, event))
        if self.capture_content and isinstance(started.request, ChatRequest):
            span.set_attribute("gen_ai.input.messages", input_messages(started.request.messages))
            if isinstance(event.completion, ChatCompletion):
                span.set_attribute("gen_ai.output.messages", output_messages(event.completion))
        if event.error is not None:
            span.set_status(self._trace.StatusCode.ERROR, error_description(event.error))
        span.end()

    def current(self, span: Span) -> AbstractContextManager[Any]:
        """A context in which the span is current; errors are told by `end`."""
        return self._trace.use_span(span, record_exception=False, set_status_on_exception=False)

    def _name(self, operation: str, model: str) -> tuple[str, Attributes]:
        """The span's name and the attributes that samplers may look at."""
        known = self._names.get((operation, model))
        if known is None:
            known = f"{operation} {model}", {"gen_ai.operation.name": operation, "gen_ai.request.model": model}
            _remember(self._names, (operation, model), known)
        return known

    def __reduce__(self) -> tuple[Any, ...]:
        if self._own_providers:
            raise ConfigurationError(
                "An OpenTelemetryObserver with providers of its own cannot be pickled; set the global ones instead."
            )
        return (OpenTelemetryObserver, (None, None, self.capture_content))


class _Globals:
    """Whether the application has set a global provider.

    The API has no cheap way to ask: its getters look at the environment each time, which costs as much as the rest of a
    call's telemetry. So its two variables are looked at; should they ever go away, a provider is taken to be set. (A
    provider that the environment names is set by the first use of the API, which is the making of the observer.)
    """

    __slots__ = ("_metrics", "_trace")

    def __init__(self) -> None:
        from opentelemetry import trace
        from opentelemetry.metrics import _internal

        self._trace = vars(trace)
        self._metrics = vars(_internal)

    def unset(self) -> bool:
        return self._trace.get("_TRACER_PROVIDER", self) is None and self._metrics.get("_METER_PROVIDER", self) is None


class _CallObservation(NullObservation):
    """One call: its span, if somebody records it, and its metrics."""

    __slots__ = ("_event", "_observer", "_span")

    def __init__(self, observer: OpenTelemetryObserver, event: CallStarted, span: Span | None) -> None:
        self._observer = observer
        self._event = event
        self._span = span

    @override
    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        """An attempt has ended: an event on the span."""
        if self._span is not None:
            self._span.add_event("edgeagent.attempt", attempt_attributes(attempt))

    def retry(self, target: Target, delay: float) -> None:
        """The same target again."""
        attributes = {"edgeagent.target": str(target)}
        self._observer.instruments.retries.add(1, attributes)
        if self._span is not None:
            self._span.add_event("edgeagent.retry", {**attributes, "edgeagent.delay_s": delay})

    def fallback(self, failed: Target, target: Target) -> None:
        """The next target."""
        attributes = {"edgeagent.target": str(target), "edgeagent.failed_target": str(failed)}
        self._observer.instruments.fallbacks.add(1, attributes)
        if self._span is not None:
            self._span.add_event("edgeagent.fallback", attributes)

    def end(self, event: CallEnded) -> None:
        """The call has ended, and its span."""
        self._observer.instruments.ended(self._event, event)
        if self._span is not None:
            self._observer.end(self._span, self._event, event)

    def activate(self) -> AbstractContextManager[Any] | None:
        """The span made current, so that what an effect does appears below it; None if nobody records it."""
        return None if self._span is None else self._observer.current(self._span)


class _Instruments:
    """The metrics. Sets of attributes are made once and kept: making them costs more than recording a number."""

    def __init__(self, meter: Meter) -> None:
        self._duration = _seconds(meter, "operation.duration", "Duration of a call.")
        self._first_chunk = _seconds(meter, "operation.time_to_first_chunk", "Time to a stream's first chunk.")
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )
        self._lookups = meter.create_counter("edgeagent.cache.lookups", "{lookup}", "Cache look-ups.")
        self._cost = meter.create_counter("edgeagent.cost", "USD", "Money spent, in US dollars.")
        self.faults = meter.create_counter("edgeagent.cache.faults", "{fault}", "Failures of cache tiers.")
        self.retries = meter.create_counter("edgeagent.retries", "{retry}", "Further attempts at the same target.")
        self.fallbacks = meter.create_counter("edgeagent.fallbacks", "{fallback}", "Moves to the next target.")
        self._sets: dict[tuple[Any, ...], Attributes] = {}

    def lookup(self, tier: str, *, hit: bool) -> None:
        """Count a look-up."""
        key = (tier, hit)
        attributes = self._sets.get(key)
        if attributes is None:
            attributes = {"edgeagent.cache_tier": tier, "edgeagent.outcome": "hit" if hit else "miss"}
            _remember(self._sets, key, attributes)
        self._lookups.add(1, attributes)

    def ended(self, started: CallStarted, event: CallEnded) -> None:
        """Record a call's duration, and what it used if it used anything."""
        completion, edge = event.completion, event.edge
        base = (
            started.operation,
            started.request.model,
            event.vendor or provider_name(event),
            None if completion is None else completion.model,
        )
        error = event.error
        outcome = ("error.type", type(error).__qualname__) if error else ("edgeagent.cache_tier", edge.cache_tier)
        self._duration.record(event.duration, self._set(base, *outcome))
        if event.time_to_first_chunk is not None:
            self._first_chunk.record(
                event.time_to_first_chunk, self._set(base, "edgeagent.cache_tier", edge.cache_tier)
            )
        if used_nothing(edge):
            return
        tokens = tokens_of(completion)
        if tokens is not None:
            self._tokens.record(tokens[0], self._set(base, "gen_ai.token.type", "input"))
            if started.operation == "chat":
                self._tokens.record(tokens[1], self._set(base, "gen_ai.token.type", "output"))
        if edge.cost_usd:
            self._cost.add(float(edge.cost_usd), self._set(base, "edgeagent.cache_tier", None))

    def _set(self, base: tuple[str, str, str, str | None], name: str, value: str | None) -> Attributes:
        """The attributes that all metrics of a call have, and one more if it is not None."""
        key = (base, name, value)
        known = self._sets.get(key)
        if known is not None:
            return known
        operation, model, provider, answered = base
        attributes: Attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
        }
        if answered:
            attributes["gen_ai.response.model"] = answered
        if value is not None:
            attributes[name] = value
        _remember(self._sets, key, attributes)
        return attributes


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        f"gen_ai.client.{name}", "s", description, explicit_bucket_boundaries_advisory=SECONDS
    )


def _remember(known: dict[Any, Any], key: object, value: object) -> None:
    """Keep a value for next time; when there are too many, begin anew."""
    if len(known) >= MAX_ATTRIBUTE_SETS:
        known.clear()
    known[key] = value
