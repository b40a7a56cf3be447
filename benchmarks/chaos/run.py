"""The run: the scene, the callers, and what is found afterwards."""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

from benchmarks.chaos.callers import Outcome, begun, call_in_tasks, call_in_thread
from benchmarks.chaos.in_process import in_process_providers
from benchmarks.chaos.money import Money
from benchmarks.chaos.pulse import Pulse
from benchmarks.chaos.script import MODELS, TARGETS, answer_to, plan, step
from benchmarks.chaos.watch import Complaints, Watch
from edgeagent import EdgeClient, RetryPolicy
from edgeagent.providers import OpenAI
from edgeagent.routing.retry_budget import PER_SECOND, RESERVE, SHARE
from edgeagent.telemetry import Ledger
from edgeagent.testing import FaultServer

__all__ = ["Report", "run"]

Callers: TypeAlias = tuple[int, int, int]
"""Threads, tasks of asyncio, tasks of trio."""
CALLERS: Final[Callers] = (12, 12, 12)
SWITCHING: Final = 0.001
"""Seconds after which a thread lets go of the interpreter. With dozens of threads, the servers' among them, some wait
for it longer than a second when it is Python's 5 ms: whoever is woken first has it, and that is no queue."""
TIMEOUT = 0.4
RETRIES = 2
SLACK = 1.0
"""How much later than its deadline a call may end, in seconds, besides what the machine keeps any thread waiting."""
DROPPED = "was garbage collected before it had been exhausted"
"""What trio says of a provider's own generator whose stream was dropped, where the collector of garbage comes first."""
SETTLING = 15.0
"""How long threads and connections may take to end after the client was closed, in seconds."""


@dataclass
class Report:
    """Figures of a run, and what must not have happened but did."""

    calls: int
    seconds: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    peak: dict[str, int] = field(default_factory=dict)
    latest: float = 0.0
    """The most that a call was past its deadline, in seconds; negative if none was."""
    cost: Decimal = Decimal(0)
    pulse: float = 0.0
    """The longest that the machine kept a thread waiting that had nothing to do with the calls, in seconds."""
    held: int = 0
    refused: int = 0
    spent: dict[str, int] = field(default_factory=dict)
    budgets: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def check(self, holds: bool, violation: str) -> None:
        """Write down what does not hold."""
        if not holds:
            self.violations.append(violation)


def run(
    calls: int, seed: int = 1, rate: float = 0.3, *, callers: Callers = CALLERS, in_process: bool = False
) -> Report:
    """Make so many calls, of which the targets spoil a share of `rate`.

    With `in_process` the second and third targets are providers that answer by themselves, blocking and async.
    """
    report = Report(calls)
    threads = set(threading.enumerate())
    with Complaints() as complaints, _switching():
        _play(report, seed, rate, callers, in_process=in_process)
        gc.collect()
        _within(lambda: not _threads_since(threads))
        left = [thread.name for thread in _threads_since(threads)]
        report.check(not left, f"threads are left: {left}")
    report.violations += [told for told in complaints.heard if not (in_process and DROPPED in told)]
    return report


@contextmanager
def _switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHING)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _threads_since(before: set[threading.Thread]) -> list[threading.Thread]:
    """Those that were begun since; not those that trio keeps for its next work, for ten seconds."""
    return [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("Trio thread")]


def _play(report: Report, seed: int, rate: float, callers: Callers, *, in_process: bool) -> None:
    watch, ledger = Watch(), Ledger()
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(FaultServer(answer_to, faults=plan(rate, seed * 10 + number)))
            for number, name in enumerate(TARGETS)
        }
        providers: list[Any] = [
            OpenAI(name=name, api_key="any", base_url=server.base_url) for name, server in servers.items()
        ]
        if in_process:
            providers[1:] = in_process_providers(rate, seed)
        cache = stack.enter_context(TemporaryDirectory())
        money = Money(report.calls)
        client = _client(providers, Path(cache), [watch, ledger], money)
        began = time.monotonic()
        with Pulse() as pulse:
            outcomes, tasks_left = _all_call(client, report.calls, seed, callers)
        gc.collect()  # a stream that was dropped ends when it is collected: whatever is left after that is lost
        report.pulse = pulse.late
        report.seconds = time.monotonic() - began
        pipeline = client._engine.pipeline
        report.check(len(pipeline.flights) == 0, f"{len(pipeline.flights)} flights are left")
        _within(lambda: not any(server.busy for server in servers.values()))
        busy = sum(server.busy for server in servers.values())
        report.check(busy == 0, f"{busy} answers are still waited for, though nobody asks")
        client.close()
        _within(lambda: not any(server.open for server in servers.values()))
        for name, server in servers.items():
            report.check(server.open == 0, f"{server.open} connections to {name} are left")
            report.faults += server.injected
            report.requests[name] = len(server.requests)
            report.peak[name] = server.peak
        report.violations += money.violations(client, report.requests.total())
        report.held, report.refused = money.accounts.reserved, money.accounts.refused
        report.spent, report.budgets = money.spent(), money.tokens
    report.check(not tasks_left, f"tasks are left: {tasks_left}")
    _judge_calls(report, outcomes, pulse)
    _judge_telling(report, watch, ledger)


def _client(providers: list[Any], cache: Path, observers: list[Any], money: Money) -> EdgeClient:
    chance = random.Random(0)
    return EdgeClient(
        providers=providers,
        cache=cache,
        models={alias: [f"{name}/gpt-4o-mini" for name in names] for alias, names in MODELS.items()},
        retry=RetryPolicy(attempts=RETRIES, wait=lambda _: chance.uniform(0, 0.02), max_retry_after=0.1),
        timeout=TIMEOUT,
        observers=observers,
        **money.options,
    )


def _all_call(client: EdgeClient, calls: int, seed: int, callers: Callers) -> tuple[list[Outcome], list[str]]:
    outcomes: list[Outcome] = []
    hands = [[step(n, seed) for n in range(first, calls, sum(callers))] for first in range(sum(callers))]
    blocking, on_asyncio = callers[0], callers[0] + callers[1]
    aclient = client.to_async()
    left: list[str] = []

    def tasks(share: list[Any], backend: str) -> None:
        left.extend(call_in_tasks(aclient, share, outcomes.append, backend))

    threads = [begun(call_in_thread, client, hand, outcomes.append) for hand in hands[:blocking]]
    threads.append(begun(tasks, hands[blocking:on_asyncio], "asyncio"))
    threads.append(begun(tasks, hands[on_asyncio:], "trio"))
    for thread in threads:
        thread.join()
    return outcomes, left


def _within(condition: Callable[[], bool]) -> None:
    """Wait for it a while."""
    until = time.monotonic() + SETTLING
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)


def _judge_calls(report: Report, outcomes: list[Outcome], pulse: Pulse) -> None:
    report.ends.update(outcome.end for outcome in outcomes)
    report.latest = max(outcome.late for outcome in outcomes)
    report.check(len(outcomes) == report.calls, f"{len(outcomes)} of {report.calls} calls ended")
    for outcome in outcomes:
        if outcome.late >= SLACK:
            waited = pulse.during(outcome.began, outcome.ended)
            told = f"{outcome.step} ended as {outcome.end} {outcome.late:.2f} s after its deadline"
            report.check(outcome.late < SLACK + waited, f"{told}, a thread that only waited {waited:.2f} s")
    report.violations += [f"{outcome.step}: {outcome.wrong}" for outcome in outcomes if outcome.wrong]


def _judge_telling(report: Report, watch: Watch, ledger: Ledger) -> None:
    report.retries = watch.retries()
    report.cost = watch.cost()
    ends = watch.ends()
    report.check(set(ends) == {1}, f"calls by how often their end was told: {dict(ends)}")
    report.check(len(watch.seen) == report.calls, f"{len(watch.seen)} of {report.calls} calls were told to observers")
    report.check(report.cost == ledger.total.cost_usd, "the ledger and the calls do not agree on the cost")
    told, wire = watch.attempts().total(), report.requests.total()
    untold = watch.untold()
    report.check(wire <= told + untold, f"{wire} requests on the wire for {told} attempts and {untold} given up")
    for name in TARGETS:
        first = watch.attempts()[name] - report.retries[name] + untold
        allowed = RESERVE + SHARE * first + PER_SECOND * report.seconds
        report.check(
            report.retries[name] <= allowed, f"{report.retries[name]} retries at {name}, {allowed:.0f} allowed"
        )
