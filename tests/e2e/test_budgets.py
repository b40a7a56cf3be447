"""Budgets around real calls, of every kind of client: what is held, what is booked, and who is refused."""

from __future__ import annotations

import logging
import pickle
import sqlite3
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.core.hedging import HedgePolicy
from edgeagent.errors import (
    APIConnectionError,
    APITimeoutError,
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    InternalServerError,
    NoTargetError,
    RateLimitError,
    StreamInterruptedError,
)
from edgeagent.limits import Budget, BudgetEvent, SQLiteAccounts
from edgeagent.pricing import Pricing
from edgeagent.telemetry.null import NullObserver
from edgeagent.testing import FakeProvider
from edgeagent.wire.http import HTTPResponse
from tests.e2e.harness import Gate, outcome, settled, together
from tests.support.loopback import HANG_UP, Loopback, reply

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
ANSWER = {"content": "Paris", "usage": USAGE}
PRICES = Pricing({"fake/m": {"input": 1000, "output": 1000}})  # a thousandth of a dollar for each token
COST = Decimal("0.015")


def completion(**usage: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Paris"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": {**USAGE, **usage},
    }


def gate(kind: str, *answers: Any, **options: Any) -> Gate:
    options = {"cache": False, "pricing": PRICES, "retry": 0, **options}
    return Gate(kind, [FakeProvider(*(answers or (completion(),)), name="fake", models=["m"])], **options)


def view(gate: Gate, **budget: Any) -> Gate:
    made = Gate.__new__(Gate)
    made.kind, made.client = gate.kind, gate.client.budget(**budget)
    return made


async def ask(gate: Gate, **params: Any) -> Any:
    return await gate.create(model="m", max_tokens=5, **params)


async def test_only_calls_through_the_view_count(kind: str) -> None:
    """What they cost is spent, to the last digit; the client's own calls are not counted."""
    async with gate(kind) as client:
        b = view(client, usd="0.50")
        await ask(client)
        answer = await ask(b)
        assert b.client.spent == answer.edge.cost_usd == COST
        assert b.client.remaining == Decimal("0.485")
        assert (b.client.spent_tokens, b.client.remaining_tokens) == (15, None)
        await b.chunks(model="m", max_tokens=5)
        assert b.client.spent == 2 * COST


async def test_the_worst_case_is_held(kind: str) -> None:
    """While a stream flows its whole max_tokens is held; once it has ended, what it cost."""
    async with gate(kind) as client:
        b = view(client, usd="0.50")
        stream = await b.stream(model="m", max_tokens=100)
        assert b.client.spent == 0
        assert b.client.remaining < Decimal("0.40")
        async for _ in stream:
            pass
        assert b.client.remaining == Decimal("0.50") - b.client.spent


async def test_a_call_that_does_not_fit_is_not_made(kind: str) -> None:
    """The error names the budget, what is left and what was asked, and it is nobody else's call that fails."""
    async with gate(kind) as client:
        b = view(client, usd="0.05", name="lunch")
        with pytest.raises(BudgetExceededError, match=r"'lunch' has \$0.05 left") as caught:
            await b.create(model="m", max_tokens=100)
        error = pickle.loads(pickle.dumps(caught.value))
        assert (error.budget, error.remaining_usd, error.status_code) == ("lunch", Decimal("0.05"), 403)
        assert error.asked_usd > Decimal("0.1")
        assert error.remaining_tokens is error.asked_tokens is None
        assert b.client.remaining == Decimal("0.05")
        await ask(client)


async def test_views_within_views(kind: str) -> None:
    """All of them count, and the narrowest refuses; the wider ones hold nothing for what it refused."""
    async with gate(kind) as client:
        outer = view(client, usd="0.50", tags=["outer"])
        inner = view(outer, tokens=70, tags=["inner"])
        assert inner.client.options.tags == ("outer", "inner")
        await ask(inner)
        await ask(outer)
        assert (inner.client.spent_tokens, inner.client.remaining_tokens) == (15, 55)
        assert inner.client.remaining is None
        assert outer.client.spent == 2 * COST
        with pytest.raises(BudgetExceededError) as caught:
            await inner.create(model="m", max_tokens=70)
        assert (caught.value.remaining_tokens, caught.value.remaining_usd) == (55, None)
        assert outer.client.remaining == Decimal("0.50") - 2 * COST


async def test_a_view_is_a_context_that_closes_nothing(kind: str) -> None:
    """Its client goes on, and so do other kinds and views of it, which count too."""
    async with gate(kind) as client:
        made = client.client.budget(usd=1)
        if kind == "sync":
            with made as b:
                other = b.with_options(timeout=5)
        else:
            async with made as b:
                other = b.with_options(timeout=5)
            with made:
                pass
        for one in (b, other):
            await settled(
                one.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=5)
            )
        assert b.spent == other.spent == 2 * COST
        changed = b.to_async() if kind == "sync" else b.to_sync()
        assert changed.spent == 2 * COST
        await ask(client)
        with pytest.raises(ConfigurationError, match="cannot be pickled"):
            pickle.dumps(b)


async def test_hits_and_followers_pay_nothing(kind: str) -> None:
    """The leader of a flight pays, once."""
    started, go = threading.Event(), threading.Event()

    def answer(request: Any) -> Any:
        started.set()
        go.wait(10)
        return completion()

    async with gate(kind, answer, cache=True) as client:
        b = view(client, usd=1)
        if kind != "sync":
            go.set()
        else:
            threading.Timer(0.2, go.set).start()
        answers = await together(kind, [lambda: ask(b)] * 5)
        assert sum(one.edge.cost_usd for one in answers) == b.client.spent == COST
        await ask(b)
        assert b.client.spent == COST


@pytest.mark.parametrize(
    ("error", "share"),
    [
        (RateLimitError("no", response=HTTPResponse(429)), 0),
        (InternalServerError("no", response=HTTPResponse(500)), 0),
        (InternalServerError("no", response=HTTPResponse(504)), 1),
        (APITimeoutError(), 1),
        (ConnectionRefusedError(), 0),
        (ConnectionResetError(), 1),
        (ValueError("what?"), 1),
    ],
    ids=str,
)
async def test_what_an_error_costs(kind: str, error: Exception, share: int) -> None:
    """Nothing if it was not sent or the vendor refused it; the estimate if nobody knows what it used."""
    async with gate(kind, error) as client:
        b = view(client, usd=1)
        with pytest.raises(Exception):  # noqa: B017, PT011  # which one is not the matter here
            await ask(b)
        assert (b.client.spent > COST / 2) == bool(share)
        assert b.client.spent + b.client.remaining == 1


async def test_what_was_never_sent_costs_nothing(kind: str) -> None:
    """A server that nobody hears."""
    from edgeagent.providers import OpenAICompatible

    provider = OpenAICompatible(name="fake", base_url="http://127.0.0.1:9", api_key="x")
    async with Gate(kind, [provider], cache=False, pricing=PRICES, retry=0) as client:
        b = view(client, usd=1)
        with pytest.raises(APIConnectionError):
            await b.create(model="m", max_tokens=5)
        assert (b.client.spent, b.client.remaining) == (0, 1)


async def test_an_answer_that_is_lost_costs_the_estimate(kind: str) -> None:
    """A connection that is reset after the request, an answer that is no JSON, and one without usage."""
    from edgeagent.providers import OpenAICompatible

    body = completion()
    del body["usage"]
    answers = iter([[HANG_UP], reply(200, b"<html>"), reply(200, body)])
    with Loopback(lambda request: next(answers)) as server:
        provider = OpenAICompatible(name="fake", base_url=server.url, api_key="x")
        async with Gate(kind, [provider], cache=False, pricing=PRICES, retry=0) as client:
            b = view(client, usd=1)
            for count in (1, 2, 3):
                try:
                    await b.create(model="m", max_tokens=5)
                except APIConnectionError:
                    assert count == 1
                except Exception:
                    assert count == 2
                assert b.client.spent + b.client.remaining == 1
                assert b.client.spent > count * Decimal("0.005")


async def test_streams_that_do_not_end(kind: str) -> None:
    """Closed early, broken off, or forgotten: the estimate, once."""
    async with gate(kind, ["Pa", "ris"], ["Pa", ConnectionResetError()]) as client:
        b = view(client, usd=1)
        stream = await b.stream(model="m", max_tokens=5)
        await stream.next()
        await stream.close()
        await stream.close()
        once = b.client.spent
        assert COST / 2 < once == 1 - b.client.remaining
        with pytest.raises(StreamInterruptedError):
            await b.chunks(model="m", max_tokens=5)
        assert b.client.spent == 2 * once == 1 - b.client.remaining


async def test_a_target_without_a_price_is_unfit(kind: str) -> None:
    """Under a hard budget of money another one is asked, or none; a soft one counts what it can."""
    free = FakeProvider(completion(), name="other", models=["n"])
    paid = FakeProvider(completion(), name="fake", models=["m"])
    async with Gate(kind, [free, paid], cache=False, pricing=PRICES) as client:
        b = view(client, usd=1)
        answer = await b.create(model="n", max_tokens=5, edge={"fallbacks": ["m"]})
        assert answer.edge.provider == "fake"
        with pytest.raises(NoTargetError, match=r"other/n cannot do hard budgets of money, since its price .*pricing="):
            await b.create(model="n", max_tokens=5)
        soft = view(client, usd=1, hard=False)
        await soft.create(model="n", max_tokens=5)
        assert (soft.client.spent, soft.client.spent_tokens) == (0, 15)
        counted = view(client, tokens=100)
        await counted.create(model="n", max_tokens=5)
        assert counted.client.spent_tokens == 15


async def test_embeddings_count(kind: str) -> None:
    """Their input is held, and what it was is booked."""
    async with gate(kind) as client:
        b = view(client, tokens=100)
        answer = await settled(b.client.embeddings.create(model="m", input=["one text", "another"]))
        assert b.client.spent_tokens == answer.usage.total_tokens > 0


async def test_budgets_of_the_client(kind: str, tmp_path: Path) -> None:
    """By tenant and by day, in a file: a second client goes on where the first one stopped."""
    budgets = [
        Budget(usd="0.10", per="day", by="tenant", name="tenants"),
        Budget(tokens=60, per="call", name="each"),
        Budget(usd=100, tags=["batch"], name="batches"),
    ]
    for round_ in range(2):
        async with gate(kind, budgets=budgets, state=tmp_path / "spent.db") as client:
            await ask(client, edge={"tags": ["tenant=acme", "batch"]})
            await ask(client, edge={"tags": ["tenant=other"]})
            acme = await settled(client.client.spending("tenants", "acme"))
            assert acme.spent == (round_ + 1) * COST
            assert acme.remaining == Decimal("0.10") - acme.spent
            assert (await settled(client.client.spending("batches"))).spent == acme.spent
            with pytest.raises(BudgetExceededError) as caught:
                await client.create(model="m", max_tokens=50)
            assert caught.value.budget == "each"
    async with gate(kind, budgets=budgets, state=tmp_path / "spent.db") as client:
        outcomes = [await outcome(lambda: ask(client, edge={"tags": ["tenant=acme"]})) for _ in range(6)]
        refused = [one for one in outcomes if isinstance(one, BudgetExceededError)]
        assert 2 <= len(refused) <= 4
        assert refused[0].budget == "tenants"
        assert "acme" not in str(refused[0])
        await ask(client, edge={"tags": ["tenant=other"]})
        with pytest.raises(ConfigurationError, match="1 values name one"):
            await settled(client.client.spending("tenants"))
        with pytest.raises(ConfigurationError, match="no budget 'x'; this client has 'tenants', 'each', 'batches'"):
            await settled(client.client.spending("x"))


async def test_shares_are_told(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """To the function, the observers that have a method for it, and the log; whoever fails there harms no call."""
    told: list[BudgetEvent] = []

    class Watcher(NullObserver):
        def budget_reached(self, event: BudgetEvent) -> None:
            told.append(event)
            raise RuntimeError("mine")

    def on_share(event: BudgetEvent) -> None:
        told.append(event)
        raise RuntimeError("mine")

    budget = Budget(usd="0.10", notify_at=[0.25, 0.5], name="b", on_share=on_share, hard=False)
    async with gate(kind, budgets=[budget], observers=[Watcher()]) as client:
        with caplog.at_level(logging.WARNING, "edgeagent"):
            for _ in range(10):
                await ask(client)
    assert [event.share for event in told] == [0.25, 0.25, 0.5, 0.5]
    assert told[0].spent == 2 * COST
    assert sum("has reached" in record.getMessage() for record in caplog.records) == 2


async def test_200_callers_on_a_budget_that_fits_37(kind: str) -> None:
    """In threads and in tasks, with calls that use all that they may: 37 are made, and not one more."""
    async with gate(kind, completion(prompt_tokens=10, completion_tokens=10, total_tokens=20)) as client:
        engine = client.client._engine
        b = view(client, tokens=37 * 100)
        sizes = engine.admission().worst.sizes

        def exact(call: Any, target: Any) -> Any:
            return sizes(call, target)._replace(most_in=90, most_out=10)

        engine.admission().worst.sizes = exact
        gone: list[int] = []
        fake = engine.pipeline.targets.providers()[0]
        fake._answers = (lambda request: gone.append(1) or completion(total_tokens=100, completion_tokens=90),)
        outcomes = await together(kind, [lambda: ask(b)] * 200)
        made = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, BudgetExceededError)]
        assert (len(made), len(refused), len(gone)) == (37, 163, 37)
        assert (b.client.spent_tokens, b.client.remaining_tokens) == (3700, 0)


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
async def test_a_cancelled_call_costs_the_estimate(kind: str) -> None:
    """Its request may have been sent; nothing stays held."""

    async def forever(request: Any) -> Any:
        await anyio.sleep(60)

    async with gate(kind, forever) as client:
        b = view(client, usd=1)
        with anyio.move_on_after(0.05):
            await ask(b)
        assert b.client.spent + b.client.remaining == 1
        assert b.client.spent > COST / 2


def test_one_view_over_threads_and_tasks() -> None:
    """A blocking and an async client of the same view, at the same time, share its budget."""
    with EdgeClient(
        providers=[FakeProvider(completion(), name="fake", models=["m"])], cache=False, pricing=PRICES
    ) as client:
        b = client.budget(usd=10)
        both = b.to_async()
        gates = []
        for kind, one in (("sync", b), ("asyncio", both)):
            made = Gate.__new__(Gate)
            made.kind, made.client = kind, one
            gates.append(made)
        threads = [
            threading.Thread(target=anyio.run, args=(tasks, gates[1])),
            threading.Thread(target=calls, args=(gates[0],)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert b.spent == both.spent == 40 * COST


async def tasks(gate: Gate) -> None:
    await together("asyncio", [lambda: ask(gate)] * 20)
    await gate.client.close()


def calls(gate: Gate) -> None:
    for _ in range(20):
        gate.client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=5)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"budgets": [Budget(usd=1), Budget(usd=2)]}, "two are called 'total'"),
        ({"budgets": Budget(usd=1)}, "list of Budget objects"),
        ({"limits": [Budget(usd=1)]}, "list of Limit objects"),
        ({"budgets": [Budget(usd=1)], "state": 3}, "state="),
        ({"budgets": [Budget(usd=1)], "state": ""}, "empty"),
    ],
)
def test_what_a_client_cannot_be_given(options: dict[str, Any], word: str) -> None:
    """The message says what to do."""
    with pytest.raises(ConfigurationError, match=word):
        EdgeClient(providers=[FakeProvider("a")], **options)


def test_pickled_clients(tmp_path: Path) -> None:
    """A client whose budgets are in a file shares them with its copy; one in memory cannot be copied."""
    providers = [FakeProvider(completion(), name="fake", models=["m"])]
    with EdgeClient(providers=providers, cache=False, budgets=[Budget(tokens=100)], state=tmp_path / "x.db") as client:
        copy = pickle.loads(pickle.dumps(client))
        for one in (client, copy):
            one.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=5)
        copy.close()
        assert client.spending("total").spent_tokens == 30
    with EdgeClient(providers=providers, budgets=[Budget(tokens=100)]) as client, pytest.raises(ConfigurationError):
        pickle.dumps(client)


def test_unknown_options_of_a_view() -> None:
    """They are refused like any unknown argument."""
    with EdgeClient(providers=[FakeProvider("a")]) as client:
        with pytest.raises(TypeError, match="'per'"):
            client.budget(usd=1, per="day")  # type: ignore[call-arg]
        with pytest.raises(ConfigurationError, match="how much"):
            client.budget()


async def test_a_store_that_is_busy_does_not_outlast_a_deadline(kind: str, tmp_path: Path) -> None:
    """Another process has the file for longer than the call may take; what is held too late is given back."""
    store = SQLiteAccounts(tmp_path / "x.db", timeout=60)
    budgets = [Budget(tokens=100, name="all")]
    async with gate(kind, budgets=budgets, state=store) as opened:
        await opened.create(model="m", max_tokens=5)
        assert await opened.flush()
        other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            await opened.create(model="m", max_tokens=5, edge={"deadline": 0.2})
        assert time.monotonic() - began < 30
        other.execute("ROLLBACK")
        other.close()
        await opened.until(lambda: not store.balance("all|").held_tokens)
        assert store.balance("all|").tokens == 15


def test_a_store_that_fails_stops_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sent that could not be counted; what is due is kept until the store is back."""
    fake = FakeProvider(completion(), name="fake", models=["m"])
    store = SQLiteAccounts(tmp_path / "x.db")
    with EdgeClient(providers=[fake], cache=False, retry=0, budgets=[Budget(tokens=100)], state=store) as client:

        def ask() -> Any:
            return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=5)

        ask()
        client.flush()
        reserve, settle = store.reserve, store.settle

        def fail(*_: Any) -> Any:
            raise OSError("disk on fire")

        store.reserve = fail  # type: ignore[method-assign]
        with pytest.raises(APIConnectionError, match="store of the budgets cannot be reached \\(OSError\\)") as caught:
            ask()
        assert caught.value.sent is False
        assert fake.calls == 1
        store.reserve, store.settle = reserve, fail  # type: ignore[method-assign]
        with caplog.at_level(logging.WARNING, "edgeagent.limits"):
            ask()
            client.flush()
        assert "what is due is kept" in caplog.text
        with pytest.raises(APIConnectionError):
            ask()
        store.settle = settle  # type: ignore[method-assign]
        ask()
        assert client.spending("total").spent_tokens == 45


def test_async_views_are_async_clients() -> None:
    """And the other way round."""
    with EdgeClient(providers=[FakeProvider("a")]) as client:
        b = client.budget(tokens=5)
        assert isinstance(b, EdgeClient)
        assert isinstance(b.to_async(), AsyncEdgeClient)
        assert isinstance(b.to_async().to_sync(), EdgeClient)
        assert b.to_async().to_sync().remaining_tokens == 5


def test_calls_of_an_sdk_count() -> None:
    """Through the transport, also to a server that only the SDK's client names."""
    import httpx
    import openai

    from edgeagent.testing import FaultServer
    from edgeagent.transports import transport

    answer = {"content": "A", "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
    with FaultServer(answer) as server, EdgeClient(providers=[FakeProvider("a")], cache=False) as client:
        b = client.budget(tokens=500)
        http = httpx.Client(transport=transport(b))
        sdk = openai.OpenAI(base_url=server.base_url, api_key="x", http_client=http, max_retries=0)
        sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=5)
        assert (b.spent_tokens, len(server.requests)) == (15, 1)
        with pytest.raises(openai.APIStatusError, match="485 tokens left"):
            sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=500)
        assert len(server.requests) == 1
        http.close()


async def test_the_loser_of_a_hedge_costs_the_estimate(kind: str) -> None:
    """It was sent and cancelled; the winner costs what it used."""

    async def never(request: Any) -> Any:
        await anyio.sleep(60)

    slow = FakeProvider(never, name="slow", models=["s"])
    quick = FakeProvider(completion(), name="fake", models=["m"])
    prices = Pricing({name: {"input": 1000, "output": 1000} for name in ("slow/s", "fake/m")})
    async with Gate(kind, [slow, quick], cache=False, pricing=prices, retry=0, hedge=HedgePolicy(after=0.05)) as client:
        b = view(client, usd=10)
        answer = await b.create(model="s", max_tokens=50, edge={"fallbacks": ["m"]})
        assert answer.edge.provider == "fake"
        assert b.client.spent + b.client.remaining == 10
        assert b.client.spent > COST + Decimal("0.05")
