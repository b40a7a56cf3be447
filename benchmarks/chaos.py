"""Calls under fire: three vendors that fail, callers that are cancelled, threads and tasks; and what must hold for all.

    python -m benchmarks.chaos [calls] [seed]

Prints what happened, and ends with status 1 if something that must hold does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tenacity import wait_random_exponential

from edgeagent import EdgeAgentError, EdgeClient, RetryPolicy
from edgeagent.limits import Balance, Budget, Charge, Hold, Limit, MemoryAccounts, Refusal
from edgeagent.pricing import Pricing
from edgeagent.providers import OpenAICompatible
from edgeagent.testing import FaultServer

DEADLINE = 2.0
SLACK = 0.5
"""How late a call may be told, beside `LAGS` times the longest that the loop was kept from running: callers and vendors
share one interpreter, and whatever else runs here its machine."""
LAGS = 4
THREADS = 8
TASKS = 24
CANCELLED = 0.05
NAMES = ("a", "b", "c")


class Watched(MemoryAccounts):
    """Accounts that notice when a hold is settled twice, and when more is held than the budget has."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.reserved = self.settled = self.doubled = self.exceeded = 0
        self._once: set[str] = set()
        self._watch = threading.Lock()

    def reserve(self, hold: Hold, charges: Sequence[Charge], /) -> Refusal | None:
        refusal = super().reserve(hold, charges)
        with self._watch:
            self.reserved += refusal is None
            balance = self.balance("total|")
            self.exceeded += balance.tokens + balance.held_tokens > self.limit
        return refusal

    def settle(self, hold: Hold, charges: Sequence[Charge], usd: int, tokens: int, /) -> Sequence[Balance]:
        with self._watch:
            self.settled += 1
            self.doubled += hold.id in self._once
            self._once.add(hold.id)
        return super().settle(hold, charges, usd, tokens)


@dataclass
class Tally:
    """What the callers saw."""

    outcomes: Counter[str] = field(default_factory=Counter)
    untyped: list[BaseException] = field(default_factory=list)
    slowest: float = 0.0
    slowest_was: str = ""
    lag: float = 0.0
    attempts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Any, seconds: float, attempts: int, what: str) -> None:
        with self.lock:
            if seconds > self.slowest:
                self.slowest, self.slowest_was = seconds, f"{what}, {type(outcome).__name__}"
            self.attempts += attempts
            if isinstance(outcome, BaseException):
                self.outcomes[type(outcome).__name__] += 1
                if not isinstance(outcome, (EdgeAgentError, asyncio.CancelledError)):
                    self.untyped.append(outcome)
            else:
                self.outcomes["answer"] += 1


def question(number: int) -> dict[str, Any]:
    models = [f"{name}/m" for name in NAMES[number % 3 :] + NAMES[: number % 3]]
    return {
        "model": models[0],
        "messages": [{"role": "user", "content": f"Question {number}?"}],
        "max_tokens": 20,
        "stream": number % 2 == 0,
        "edge": {"fallbacks": models[1:], "priority": ("high", "normal", "low")[number % 7 % 3]},
    }


def in_thread(client: EdgeClient, numbers: Any, tally: Tally, draw: random.Random) -> None:
    for number in numbers:
        began, attempts, outcome = time.monotonic(), 0, None
        try:
            made: Any = client.chat.completions.create(**question(number))
            if number % 2 == 0:
                with made:
                    for _ in made:
                        if draw.random() < CANCELLED:
                            break
            attempts = len(made.edge.attempts)
        except BaseException as error:
            outcome, attempts = error, len(getattr(error, "attempts", ()))
        tally.add(outcome, time.monotonic() - began, attempts, f"thread, stream={number % 2 == 0}")


async def in_task(client: Any, number: int, tally: Tally, draw: random.Random) -> None:
    began, attempts, outcome = time.monotonic(), 0, None

    async def call() -> int:
        made = await client.chat.completions.create(**question(number))
        if number % 2 == 0:
            async with made:
                async for _ in made:
                    pass
        return len(made.edge.attempts)

    task = asyncio.ensure_future(call())
    if draw.random() < CANCELLED:
        asyncio.get_running_loop().call_later(draw.random() * 0.05, task.cancel)
    try:
        attempts = await task
    except BaseException as error:
        outcome, attempts = error, len(getattr(error, "attempts", ()))
    tally.add(outcome, time.monotonic() - began, attempts, f"task, stream={number % 2 == 0}")


async def all_tasks(client: Any, numbers: Any, tally: Tally, draw: random.Random) -> int:
    """Every task's calls; how many tasks are left at the end."""

    async def heart() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.02)
            tally.lag = max(tally.lag, time.monotonic() - began - 0.02)

    beating = asyncio.ensure_future(heart())

    async def worker() -> None:
        for number in numbers:
            await in_task(client, number, tally, draw)

    await asyncio.gather(*(worker() for _ in range(TASKS)))
    beating.cancel()
    await client.close()
    await asyncio.sleep(0.05)
    return len(asyncio.all_tasks()) - 1


def run(calls: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """The figures, and what does not hold."""
    before = set(threading.enumerate())
    limit = calls * 120
    accounts, tally, draw = Watched(limit), Tally(), random.Random(seed)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(FaultServer(share=0.3, seed=seed + place)) for place in range(3)]
        client = EdgeClient(
            providers=[
                OpenAICompatible(name=name, base_url=server.url, api_key="x", models=["m"])
                for name, server in zip(NAMES, servers, strict=True)
            ],
            cache=False,
            retry=RetryPolicy(attempts=1, wait=wait_random_exponential(multiplier=0.01, max=0.05)),
            timeout=0.4,
            deadline=DEADLINE,
            pricing=Pricing({f"{name}/m": {"input": 1, "output": 1} for name in NAMES}),
            budgets=[Budget(tokens=limit, name="total"), Budget(usd=1000, name="money")],
            limits=[Limit(concurrent=40, by="target"), Limit(requests=2000, per="second")],
            state=accounts,
        )
        began = time.monotonic()
        lock, counter = threading.Lock(), iter(range(calls))

        def numbers() -> Any:
            while True:
                with lock:
                    number = next(counter, None)
                if number is None:
                    return
                yield number

        threads = [
            threading.Thread(target=in_thread, args=(client, numbers(), tally, random.Random(seed + n)))
            for n in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        shared = numbers()
        left = asyncio.run(all_tasks(client.to_async(), shared, tally, draw))
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        client.close()
        admission = client._engine.admission()
        meters = admission.turns.meters
        under_way = sum(meter.under_way for meter in meters._meters.values())  # type: ignore[attr-defined]
        waiting = sum(map(len, admission.turns._queues.values()))
        patience = time.monotonic() + 10
        while any(server.open for server in servers) and time.monotonic() < patience:
            gc.collect()
            time.sleep(0.05)
        open_ = sum(server.open for server in servers)
        wire, met = sum(server.requests for server in servers), sum((server.met for server in servers), Counter())
    del client
    gc.collect()
    patience = time.monotonic() + 15
    while set(threading.enumerate()) - before and time.monotonic() < patience:
        time.sleep(0.05)
    threads_left = [thread.name for thread in set(threading.enumerate()) - before]
    balance = accounts.balance("total|")
    figures = {
        "calls": sum(tally.outcomes.values()),
        "seconds": round(seconds, 1),
        "outcomes": dict(tally.outcomes.most_common()),
        "slowest call (s)": f"{tally.slowest:.2f} ({tally.slowest_was})",
        "longest lag (s)": round(tally.lag, 2),
        "requests on the wire": wire,
        "faults met": wire - met["none"],
        "holds": accounts.reserved,
        "settled": accounts.settled,
        "tokens spent, of": f"{balance.tokens:,}, {limit:,}",
    }
    latest = DEADLINE + SLACK + LAGS * tally.lag
    faults = {
        "a call is missing": figures["calls"] != calls,
        "an error without a type": bool(tally.untyped),
        f"a call that ended later than {latest:.2f} s": tally.slowest > latest,
        "a hold was settled twice": accounts.doubled > 0,
        "a hold was not settled": accounts.settled != accounts.reserved,
        "something is still held": bool(balance.held_tokens or balance.held_usd),
        "the budget was exceeded": accounts.exceeded > 0 or balance.tokens > limit,
        "a place in a limit is still taken": bool(under_way or waiting),
        "a request without a hold": wire > accounts.reserved,
        f"{open_} connections are open": open_ > 0,
        f"{left} tasks are left": left > 0,
        f"threads are left: {threads_left}": bool(threads_left),
    }
    return figures, [name for name, wrong in faults.items() if wrong]


def main(arguments: Sequence[str]) -> int:
    calls, seed = (int(word) for word in [*arguments, *("10000", "1")[len(arguments) :]])
    figures, wrong = run(calls, seed)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    for name in wrong:
        print("DOES NOT HOLD:", name)
    print("all of it holds" if not wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
