"""Every store of accounts against a simple model, and against crowds."""

from __future__ import annotations

import pickle
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edgeagent.limits import Accounts, Balance, Charge, Hold, MemoryAccounts, RedisState, SQLiteAccounts
from tests.limits.clock import Clock
from tests.support.redis_server import RedisServer, needs_redis

NAMES = ("a", "b", "c")
amounts = st.integers(0, 40)
limits = st.none() | st.integers(0, 100)


class Model(RuleBasedStateMachine):
    """Two sums for each account, and a list of holds."""

    hold_seconds: ClassVar[float] = 50.0
    expires: ClassVar[bool] = True

    def make(self) -> Accounts:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.number = 0
        self.spent = {name: [0, 0] for name in NAMES}
        self.holds: dict[Hold, tuple[list[Charge], float]] = {}
        self.past: list[tuple[Hold, list[Charge]]] = []

    @initialize()
    def begin(self) -> None:
        self.accounts = self.make()

    def held(self, name: str) -> list[int]:
        live = [
            hold
            for hold, (charges, until) in self.holds.items()
            if until > self.clock.now and any(charge.account == name for charge in charges)
        ]
        return [sum(hold.usd for hold in live), sum(hold.tokens for hold in live)]

    @rule(
        chosen=st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
        usd=amounts,
        tokens=amounts,
        limit=st.tuples(limits, limits),
    )
    def reserve(self, chosen: list[str], usd: int, tokens: int, limit: tuple[int | None, int | None]) -> None:
        self.number += 1
        hold, charges = Hold(f"{self.number:08x}", usd, tokens), [Charge(name, *limit) for name in chosen]
        refusal = self.accounts.reserve(hold, charges)
        fits = [
            all(
                most is None or spent + held + more <= most
                for most, spent, held, more in zip(limit, self.spent[name], self.held(name), hold[1:], strict=True)
            )
            for name in chosen
        ]
        if all(fits):
            assert refusal is None
            self.holds[hold] = (charges, self.clock.now + self.hold_seconds if self.expires else float("inf"))
        else:
            assert refusal is not None
            assert refusal.place == fits.index(False)
            name = chosen[refusal.place]
            assert refusal.balance == (*self.spent[name], *self.held(name))

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), usd=amounts, tokens=amounts)
    def settle(self, data: st.DataObject, usd: int, tokens: int) -> None:
        hold = data.draw(st.sampled_from(list(self.holds)))
        charges, _ = self.holds.pop(hold)
        for charge in charges:
            self.spent[charge.account][0] += usd
            self.spent[charge.account][1] += tokens
        balances = self.accounts.settle(hold, charges, usd, tokens)
        assert [(balance.usd, balance.tokens) for balance in balances] == [
            tuple(self.spent[charge.account]) for charge in charges
        ]

    @precondition(lambda self: self.expires)
    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += seconds

    @invariant()
    def the_sums_are_right(self) -> None:
        for name in NAMES:
            assert self.accounts.balance(name) == Balance(*self.spent[name], *self.held(name))

    def teardown(self) -> None:
        self.accounts.close()


class InMemory(Model):
    expires = False

    def make(self) -> Accounts:
        return MemoryAccounts()


class InAFile(Model):
    def make(self) -> Accounts:
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name, "accounts.db")
        return SQLiteAccounts(path, hold_seconds=self.hold_seconds, wall=self.clock)

    def teardown(self) -> None:
        super().teardown()
        self.directory.cleanup()


class InAServer(Model):
    expires = False  # its clock is the server's: see test_redis
    server: ClassVar[RedisServer]

    def make(self) -> Accounts:
        self.server.say("FLUSHALL")
        return RedisState(self.server.url)


TestInMemory = InMemory.TestCase
TestInAFile = InAFile.TestCase
TestInAFile.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@needs_redis
class TestInAServer(InAServer.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )

    @pytest.fixture(autouse=True)
    def _server(self, server: RedisServer) -> None:
        InAServer.server = server


@pytest.fixture(params=["memory", "file", pytest.param("server", marks=needs_redis)])
def accounts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A store of each kind."""
    if request.param == "memory":
        made: Any = MemoryAccounts()
    elif request.param == "file":
        made = SQLiteAccounts(tmp_path / "accounts.db")
    else:
        server: RedisServer = request.getfixturevalue("server")
        server.say("FLUSHALL")
        made = RedisState(server.url)
    yield made
    made.close()


def test_each_is_a_store(accounts: Any) -> None:
    """They fit the protocol, and can be closed and used again."""
    assert isinstance(accounts, Accounts)
    accounts.settle(Hold("a"), [Charge("x")], 1, 2)
    accounts.close()
    assert accounts.balance("x")[:2] == (1, 2)


def test_a_crowd_never_holds_more_than_fits(accounts: Any) -> None:
    """200 threads ask at once for a place of which there are 37."""
    charges, granted, start = [Charge("x", 37)], [], threading.Barrier(25)

    def ask(number: int) -> None:
        start.wait()
        for n in range(8):
            if accounts.reserve(Hold(f"{number:04x}{n:04x}", 1, 0), charges) is None:
                granted.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 37
    assert accounts.balance("x") == (0, 0, 37, 0)


def test_large_sums_are_exact(accounts: Any) -> None:
    """Picodollars of thousands of dollars, to the last one."""
    for place, usd in enumerate((8_000 * 10**12 + 1, 10**12 - 1)):
        accounts.settle(Hold(f"{place}"), [Charge("x")], usd, 0)
    assert accounts.balance("x").usd == 8_001 * 10**12


def test_settling_without_a_hold_still_books(accounts: Any) -> None:
    """What was spent after its hold had ended counts all the same."""
    accounts.settle(Hold("gone", 5, 5), [Charge("x", 1, 1)], 7, 8)
    assert accounts.balance("x") == (7, 8, 0, 0)


def test_a_pickled_store_is_the_same_place(tmp_path: Path) -> None:
    """A file and a server are found again by whoever gets the copy; memory begins empty."""
    for made in (SQLiteAccounts(tmp_path / "a.db"), MemoryAccounts()):
        made.settle(Hold("a"), [Charge("x")], 1, 1)
        copy = pickle.loads(pickle.dumps(made))
        assert copy.balance("x").usd == (1 if made.blocking else 0)
        made.close()
        copy.close()
