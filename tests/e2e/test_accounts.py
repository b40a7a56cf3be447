"""What a call costs and what is told of it: prices by token class, spans and metrics end to end, silence in the log."""

from __future__ import annotations

import copy
import gc
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from threading import Event
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from edgeagent.telemetry import OpenTelemetryObserver
from tests.e2e.harness import ANTHROPIC, OPENAI, Gate, Script, Vendor, outcome, streamed, text_of
from tests.e2e.test_streaming import endless
from tests.support.children import unmeasured_environment
from tests.support.loopback import HANG_UP, Loopback, Request, reply

MILLION = 1_000_000

# money


def openai_usage(**details: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "total_tokens": 1200,
        "prompt_tokens_details": {"cached_tokens": details.get("cached", 0)},
        "completion_tokens_details": {"reasoning_tokens": details.get("reasoning", 0)},
    }


def anthropic_usage(read: int = 0, short: int = 0, long: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": 600,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": short + long,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": 200,
    }


COSTS: list[tuple[Vendor, str, dict[str, Any], str]] = [
    # per million: gpt-4o-mini 0.15 in, 0.075 cached, 0.60 out (https://openai.com/api/pricing)
    (OPENAI, "gpt-4o-mini", openai_usage(), "0.15 * 1000 + 0.60 * 200"),
    (OPENAI, "gpt-4o-mini", openai_usage(cached=400), "0.15 * 600 + 0.075 * 400 + 0.60 * 200"),
    (OPENAI, "gpt-4o-mini", openai_usage(reasoning=150), "0.15 * 1000 + 0.60 * 200"),
    # claude-haiku-4-5 1 in, 0.10 read, 1.25 and 2 written, 5 out (https://claude.com/pricing)
    (ANTHROPIC, "claude-haiku-4-5", anthropic_usage(), "1 * 600 + 5 * 200"),
    (ANTHROPIC, "claude-haiku-4-5", anthropic_usage(read=300), "1 * 600 + 0.10 * 300 + 5 * 200"),
    (ANTHROPIC, "claude-haiku-4-5", anthropic_usage(300, 100), "1 * 600 + 0.10 * 300 + 1.25 * 100 + 5 * 200"),
]


def worth(formula: str) -> Decimal:
    """Prices per million times tokens."""
    total = Decimal(0)
    for term in formula.split(" + "):
        price, tokens = term.split(" * ")
        total += Decimal(price) * Decimal(tokens) / MILLION
    return total


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("vendor", "model", "usage", "formula"), COSTS)
async def test_cost(
    kind: str, vendor: Vendor, model: str, usage: dict[str, Any], formula: str, streaming: bool
) -> None:
    """By disjoint classes of tokens, as a Decimal; a hit costs nothing and says what it saved."""
    wanted = worth(formula)

    priced = copy.copy(vendor)
    priced._usage = lambda: usage  # type: ignore[attr-defined]
    priced.usage = (0, usage["completion_tokens"] if vendor is OPENAI else usage["output_tokens"])
    with Loopback(priced.serve) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            if streaming:
                stream = await gate.stream(model=model)
                assert text_of([piece async for piece in stream]) == "Paris"
                edge, total = stream.edge, stream.usage.prompt_tokens
            else:
                answer = await gate.create(model=model)
                edge, total = answer.edge, answer.usage.prompt_tokens
            hit = await gate.create(model=model)
    assert edge.cost_usd == wanted
    assert isinstance(edge.cost_usd, Decimal)
    assert (hit.edge.cost_usd, hit.edge.saved_usd) == (0, wanted)
    cached = sum(usage.get(f"cache_{name}_input_tokens", 0) for name in ("read", "creation"))
    assert total == usage.get("prompt_tokens", usage.get("input_tokens", 0) + cached)


async def test_an_unknown_price(kind: str, vendor: Vendor) -> None:
    """Nobody knows it: None, not zero; a hit saved nobody knows how much."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server, models=["my-own-model"])]) as gate:
            first = await gate.create(model="my-own-model")
            hit = await gate.create(model="my-own-model")
    assert (first.edge.cost_usd, hit.edge.cost_usd, hit.edge.saved_usd) == (None, 0, None)


async def test_prices_of_the_callers_own(kind: str) -> None:
    """A pricing object replaces the table."""

    class Flat:
        def cost(self, vendor: str, model: str, usage: Any, *, service_tier: str | None = None) -> Decimal:
            return Decimal(7)

    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], pricing=Flat()) as gate:
            assert (await gate.create(model=OPENAI.model)).edge.cost_usd == 7


# spans and metrics


class Telescope:
    """An application's OpenTelemetry, in memory."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self._reader = InMemoryMetricReader()
        self.observer = OpenTelemetryObserver(self.tracers, MeterProvider([self._reader], shutdown_on_exit=False))

    @property
    def spans(self) -> tuple[Any, ...]:
        return self.exporter.get_finished_spans()

    def points(self) -> dict[str, list[tuple[Any, dict[str, Any]]]]:
        """Name of a metric → its points: count or value, and attributes."""
        data = self._reader.get_metrics_data()
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return {
            metric.name: [
                (getattr(point, "count", None) or getattr(point, "value", None), dict(point.attributes))
                for point in metric.data.data_points
            ]
            for metric in metrics
        }

    def shown(self) -> str:
        """Everything that left through telemetry."""
        return "".join(span.to_json() for span in self.spans) + repr(self.points())


async def test_a_span_for_each_call(kind: str, vendor: Vendor) -> None:
    """A miss and a hit, whole and streamed: named, of kind client, under the application's own span."""
    seen = Telescope()
    tracer = seen.tracers.get_tracer("app")
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], observers=[seen.observer]) as gate:
            with tracer.start_as_current_span("app") as above:
                await gate.create("secret words", model=vendor.model)
                assert trace.get_current_span() is above
                await gate.create("secret words", model=vendor.model)
                await gate.chunks("other secret words", model=vendor.model)
                await gate.chunks("other secret words", model=vendor.model)
                assert trace.get_current_span() is above
    calls = [span for span in seen.spans if span.name != "app"]
    assert [span.name for span in calls] == [f"chat {vendor.model}"] * 4
    for span in calls:
        assert span.kind is trace.SpanKind.CLIENT
        assert span.parent.span_id == above.get_span_context().span_id
        assert span.status.status_code is trace.StatusCode.UNSET
        assert span.attributes["gen_ai.provider.name"] == vendor.name
        assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert [span.attributes["edgeagent.cached"] for span in calls] == [False, True] * 2
    assert [span.attributes.get("gen_ai.usage.input_tokens") for span in calls] == [10, None] * 2
    assert [span.attributes.get("gen_ai.request.stream") for span in calls] == [None, None, True, True]
    points = seen.points()
    tokens = {a["gen_ai.token.type"]: n for n, a in points["gen_ai.client.token.usage"]}
    assert tokens == {"input": 2, "output": 2}
    assert sum(n for n, _ in points["gen_ai.client.operation.duration"]) == 4
    lookups = {a["edgeagent.outcome"]: n for n, a in points["edgeagent.cache.lookups"]}
    assert lookups["hit"] == 2
    assert lookups["miss"] >= 2
    assert sum(n for n, _ in points["edgeagent.cost"]) > 0
    assert "secret words" not in seen.shown()
    assert "Paris" not in seen.shown()


async def test_retries_and_fallbacks_are_counted(kind: str) -> None:
    """Each attempt is an event of the one span; no message of a vendor's is in it."""
    seen = Telescope()
    with Loopback(Script(OPENAI.fail(500))) as one, Loopback(ANTHROPIC.serve) as two:
        providers = [OPENAI.provider(one), ANTHROPIC.provider(two)]
        async with Gate(kind, providers, observers=[seen.observer], retry=2) as gate:
            await gate.create(model=OPENAI.model, edge={"fallbacks": [f"anthropic/{ANTHROPIC.model}"]})
    (span,) = seen.spans
    outcomes = [e.attributes["edgeagent.outcome"] for e in span.events if e.name == "edgeagent.attempt"]
    assert outcomes == ["InternalServerError"] * 3 + ["ok"]
    assert span.attributes["gen_ai.provider.name"] == "anthropic"
    points = seen.points()
    assert [n for n, _ in points["edgeagent.retries"]] == [2]
    assert [n for n, _ in points["edgeagent.fallbacks"]] == [1]


class Counting:
    """An observer that counts the ends of each call."""

    def __init__(self) -> None:
        self.ends: list[list[Any]] = []

    def start(self, event: Any) -> Any:
        ends: list[Any] = []
        self.ends.append(ends)
        return Ends(ends)

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        pass

    def cache_fault(self, tier: str, error: BaseException) -> None:
        pass


class Ends:
    def __init__(self, ends: list[Any]) -> None:
        self._ends = ends

    def attempt(self, attempt: Any, error: Any) -> None:
        pass

    def retry(self, target: Any, delay: float) -> None:
        pass

    def fallback(self, failed: Any, target: Any) -> None:
        pass

    def end(self, event: Any) -> None:
        self._ends.append(event)

    def activate(self) -> None:
        return None


async def whole(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    await gate.create(model=vendor.model)


async def hit(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    await gate.create(model=vendor.model)
    await gate.create(model=vendor.model)


async def stream(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    await gate.chunks(model=vendor.model)


async def replayed(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    await gate.chunks(model=vendor.model)
    await gate.chunks(model=vendor.model)


async def refused(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    server.handler = Script(vendor.fail(400))
    for streaming in (False, True):
        await outcome(partial(gate.create, model=vendor.model, stream=streaming))


async def wrong(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    for streaming in (False, True):
        await outcome(partial(gate.create, model=vendor.model, messages=[], stream=streaming))


async def broken(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    server.handler = lambda request: streamed([*vendor.opening(), vendor.text("a"), HANG_UP])
    await outcome(lambda: gate.chunks(model=vendor.model))


async def closed(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    server.handler = endless(vendor)
    opened = await gate.stream(model=vendor.model)
    await opened.next()
    await opened.close()


async def forgotten(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    server.handler = endless(vendor)
    opened = await gate.stream(model=vendor.model)
    await opened.next()
    del opened
    gc.collect()


async def late(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    release = Event()
    server.handler = lambda request: [release.wait(5) and b""]
    for streaming in (False, True):
        await outcome(partial(gate.create, model=vendor.model, stream=streaming, edge={"deadline": 0.05}))
    release.set()


async def followed(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    await gate.together(3, lambda: gate.create(model=vendor.model))


async def cancelled(gate: Gate, vendor: Vendor, server: Loopback) -> None:
    if gate.kind == "sync":
        return
    release = Event()
    server.handler = lambda request: [release.wait(5) and b""]
    for streaming in (False, True):
        with anyio.move_on_after(0.05):
            await gate.create(model=vendor.model, stream=streaming)
    release.set()


ENDS: dict[Callable[..., Any], list[str]] = {
    whole: ["answer"],
    hit: ["answer"] * 2,
    stream: ["answer"],
    replayed: ["answer"] * 2,
    refused: ["BadRequestError"] * 2,
    wrong: ["RequestValidationError"] * 2,
    broken: ["StreamInterruptedError"],
    closed: ["nothing"],
    forgotten: ["nothing"],
    late: ["DeadlineExceededError"] * 2,
    followed: ["answer"] * 3,
    cancelled: ["nothing"] * 2,
}


def told(event: Any) -> str:
    if event.error is not None:
        return type(event.error).__name__
    return "nothing" if event.completion is None else "answer"


@pytest.mark.parametrize("way", ENDS, ids=lambda way: way.__name__)
async def test_every_call_ends_once(kind: str, vendor: Vendor, way: Callable[..., Any]) -> None:
    """However it ends: answered, refused, cut, closed, forgotten, cancelled, late."""
    counting, seen = Counting(), Telescope()
    wanted = ENDS[way] if (kind, way) != ("sync", cancelled) else []
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], observers=[counting, seen.observer]) as gate:
            await way(gate, vendor, server)
            await gate.until(lambda: all(counting.ends) and len(seen.spans) == len(wanted), 2)
    assert [[told(event) for event in ends] for ends in counting.ends] == [[end] for end in wanted]
    assert len(seen.spans) == len(wanted)
    failed = [end for end in wanted if end.endswith("Error")]
    assert [s.attributes.get("error.type") for s in seen.spans if "error.type" in s.attributes] == failed
    for ends in counting.ends:
        (event,) = ends
        assert event.duration > 0
        assert event.edge.latency_ms > 0


async def test_a_providers_work_is_below_the_calls_span(kind: str) -> None:
    """What a provider of the caller's own does is part of the call's trace."""
    seen = Telescope()
    above: list[Any] = []

    class Mine:
        name = "mine"

        def complete(self, request: Any) -> str:
            above.append(trace.get_current_span())
            return "x"

    async with Gate(kind, [Mine()], observers=[seen.observer]) as gate:
        await gate.create(model="m")
    (span,) = seen.spans
    assert above[0].get_span_context().span_id == span.context.span_id


async def test_an_observer_that_fails_disturbs_nobody(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, and the calls go on."""

    class Failing(Counting):
        def start(self, event: Any) -> Any:
            raise ZeroDivisionError

    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], observers=[Failing()]) as gate:
            for prompt in "abc":
                await gate.create(prompt, model=OPENAI.model)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


# the log


LOUD = """
    import sys
    from edgeagent import EdgeClient
    from edgeagent.cache import Cache
    from edgeagent.providers import OpenAI

    class Broken:
        name, blocking = "disk", True
        def get(self, key): raise OSError("no disk")
        def put(self, key, value, ttl): raise OSError("no disk")
        delete = clear = get
        def close(self): pass

    class Observer:
        def start(self, event): raise ZeroDivisionError

    client = EdgeClient(
        providers=[OpenAI(api_key="k", base_url=sys.argv[1])],
        cache=Cache(disk=Broken()),
        observers=[Observer()],
        retry=0,
    )
    for prompt in ("a", "b"):
        try:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": prompt}])
        except Exception as error:
            print(type(error).__name__)
    client.close()
"""


def test_nothing_is_written_by_default() -> None:
    """Neither a failing provider, nor a broken tier, nor a failing observer writes to a program's stderr."""
    script = Script(OPENAI.fail(500), OPENAI.reply())
    with Loopback(script) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(LOUD), server.url],
            env=unmeasured_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "InternalServerError\n")


async def test_the_log_holds_no_secret(kind: str, vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    """At its most talkative it has neither key nor prompt nor answer."""
    from edgeagent.telemetry import LoggingObserver
    from tests.e2e.harness import KEY

    caplog.set_level(logging.DEBUG, logger="edgeagent")

    def answer(request: Request) -> bytes:
        return reply(500, vendor.error(500, message=f"you said {request.body.decode()}"))

    with Loopback(Script(answer, answer, lambda request: vendor.serve(request))) as server:
        async with Gate(kind, [vendor.provider(server)], observers=[LoggingObserver()]) as gate:
            await gate.create("secret words", model=vendor.model)
    assert len(caplog.records) >= 3
    text = "".join(f"{record.getMessage()}{record.exc_info}" for record in caplog.records if record.name[:4] == "edge")
    assert vendor.model in text
    for secret in (KEY, "secret words", "Paris"):
        assert secret not in text
