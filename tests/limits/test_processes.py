"""One budget, one limit, many processes: crowds, crashes, forks, and a server that goes away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.errors import BudgetExceededError, ConfigurationError
from edgeagent.limits import Budget, Charge, Hold, Limit, MemoryAccounts, RedisState, SQLiteAccounts
from edgeagent.testing import FakeProvider
from tests.support.children import bare_environment
from tests.support.redis_server import RedisServer, needs_redis

ROOT = Path(__file__).parents[2]

CROWD = """
import sys, threading
from edgeagent import EdgeClient
from edgeagent.errors import BudgetExceededError, LimitExceededError
from edgeagent.limits import Budget, Limit
from edgeagent.testing import FakeProvider

what, state = sys.argv[1:]
fake = FakeProvider({"content": "a", "usage": {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}})
rules = {"budgets": [Budget(tokens=3700)]} if what == "budget" else {"limits": [Limit(requests=37, wait=False)]}
client = EdgeClient(providers=[fake], cache=False, retry=0, state=state, **rules)
worst = client._engine.admission().worst
sizes = worst.sizes
worst.sizes = lambda call, target: sizes(call, target)._replace(most_in=90, most_out=10)
refused, lock = 0, threading.Lock()

def ask(number):
    global refused
    try:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=10)
    except (BudgetExceededError, LimitExceededError):
        with lock:
            refused += 1

print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=ask, args=(n,)) for n in range(25)]
for t in threads: t.start()
for t in threads: t.join()
client.close()
print(fake.calls, refused)
"""

CRASH = """
import os, sys
from edgeagent import EdgeClient
from edgeagent.limits import Budget, RedisState, SQLiteAccounts
from edgeagent.testing import FakeProvider

def answer(request):
    print("asked", flush=True)
    os.kill(os.getpid(), 9)

state = sys.argv[1]
state = RedisState(state, hold_seconds=1.5) if state.startswith("redis") else SQLiteAccounts(state, hold_seconds=1.5)
client = EdgeClient(providers=[FakeProvider(answer)], cache=False, state=state, budgets=[Budget(tokens=150, name="b")])
client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=100)
"""


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=bare_environment(PYTHONPATH=str(ROOT)),
    )


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["file", pytest.param("server", marks=needs_redis)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where many processes keep what they spend."""
    if request.param == "file":
        return str(tmp_path / "spent.db")
    server: RedisServer = request.getfixturevalue("shared")
    server.say("FLUSHALL")
    return server.url


def crowd(what: str, place: str) -> tuple[int, int]:
    """200 callers in 8 processes at once → how many calls were made, and how many were refused."""
    children = [child(CROWD, what, place) for _ in range(8)]
    for one in children:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"

    def go(one: subprocess.Popen[str]) -> list[int]:
        said, _ = one.communicate("go\n", timeout=60)
        return [int(word) for word in said.split()]

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(go, children))
    made, refused = map(sum, zip(*counts, strict=True))
    return made, refused


def test_a_budget_that_fits_37_of_200_callers_in_8_processes(place: str) -> None:
    """Never one too many: 37 are made, and exactly the budget is spent."""
    assert crowd("budget", place) == (37, 163)
    state: Any = RedisState(place) if place.startswith("redis") else SQLiteAccounts(place)
    assert state.balance("total|") == (0, 3700, 0, 0)
    state.close()


@needs_redis
def test_a_limit_that_fits_37_of_200_callers_in_8_processes(shared: RedisServer) -> None:
    """The server counts for all of them."""
    shared.say("FLUSHALL")
    assert crowd("limit", shared.url) == (37, 163)


def test_a_crash_in_the_middle_of_a_call(place: str) -> None:
    """What it held is held for a while, and then free again."""
    died = child(CRASH, place)
    said, _ = died.communicate(timeout=60)
    assert (said, died.returncode) == ("asked\n", -9)
    state: Any = RedisState(place) if place.startswith("redis") else SQLiteAccounts(place)
    assert state.balance("b|").held_tokens > 100
    assert state.reserve(Hold("0a", 0, 100), [Charge("b|", None, 150)]) is not None
    limit = time.monotonic() + 20
    while state.balance("b|").held_tokens:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert state.reserve(Hold("0b", 0, 100), [Charge("b|", None, 150)]) is None
    state.close()


@needs_redis
def test_places_of_a_crashed_process_are_free_again(shared: RedisServer) -> None:
    """Those among the calls under way, too."""
    shared.say("FLUSHALL")
    state, limit = RedisState(shared.url, hold_seconds=0.3), Limit(concurrent=1)
    assert state.take("m", limit, "a", 0) == 0
    assert state.take("m", limit, "b", 0) == float("inf")
    until = time.monotonic() + 10
    while state.take("m", limit, "b", 0):
        assert time.monotonic() < until
        time.sleep(0.02)
    state.close()


@needs_redis
def test_closing_lets_those_under_way_come_to_their_end() -> None:
    """What a call is told in the background would be lost with its connection; no connection is left open either."""
    with RedisServer() as server, ThreadPoolExecutor(1) as pool:
        state, limit = RedisState(server.url, timeout=60), Limit(concurrent=1)
        assert state.take("m", limit, "a", 0) == 0
        server.hang()
        given = pool.submit(state.give, "m", limit, "a", None)
        connections = state._client().connection_pool
        idle = connections._available_connections
        while idle:  # it is asked over the one that was idle
            time.sleep(0.001)
        state.close()
        server.go_on()
        given.result(60)
        assert all(one._sock is None for one in idle)
        assert len(idle) == 1
        assert state.take("m", limit, "b", 0) == 0
        state.close()


@needs_redis
def test_what_the_server_forgets(shared: RedisServer) -> None:
    """Nothing that a limit counts outlives its time; an account of a day is kept for a good year."""
    shared.say("FLUSHALL")
    state = RedisState(shared.url, prefix="mine")
    state.take("m", Limit(requests=1, tokens=5, per=0.2, concurrent=3), "a", 4)
    state.settle(Hold("0a", 1, 1), [Charge("x", end=time.time() + 60)], 1, 1)
    keys = shared.say("KEYS", "*").split("\r\n")[2::2]
    assert all(key.startswith("{mine}:limits:1:") for key in keys if key)
    for key in filter(None, keys):
        lives = int(shared.say("TTL", key).strip(":\r\n"))
        assert 0 <= lives <= 86_400 or 390 * 86_400 < lives < 410 * 86_400
    state.close()


@needs_redis
def test_settling_twice_counts_once(shared: RedisServer) -> None:
    """A reply that was lost, and the question asked again."""
    shared.say("FLUSHALL")
    state = RedisState(shared.url)
    hold, charges = Hold("0a", 10, 20), [Charge("x", 100, 100)]
    assert state.reserve(hold, charges) is None
    assert state.reserve(hold, charges) is None  # the same hold, asked for again
    assert state.balance("x") == (0, 0, 10, 20)
    for _ in range(2):
        assert state.settle(hold, charges, 5, 6) == [(5, 6, 0, 0)]
    state.close()


@needs_redis
def test_a_server_that_goes_away() -> None:
    """Limits let calls through without it; a budget does not."""
    from edgeagent.errors import APIConnectionError

    def ask(client: EdgeClient) -> Any:
        return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=5)

    with RedisServer() as server:
        fake = FakeProvider("a")
        options: dict[str, Any] = {"providers": [fake], "cache": False, "retry": 0, "state": server.url}
        with (
            EdgeClient(**options, limits=[Limit(requests=1, wait=False)]) as limited,
            EdgeClient(**options, budgets=[Budget(tokens=10_000)]) as counted,
        ):
            ask(limited)
            ask(counted)
            counted.flush()
            server.kill()
            ask(limited)
            with pytest.raises(APIConnectionError, match="budgets"):
                ask(counted)
            server.start()
            ask(counted)
            assert fake.calls == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_goes_on(tmp_path: Path) -> None:
    """It opens the file anew, and holds nothing of its parent's."""
    code = """
import os, sys
from edgeagent.limits import *
a, m = SQLiteAccounts(sys.argv[1]), MemoryAccounts()
for one in (a, m):
    one.reserve(Hold("0a", 1, 1), [Charge("x", 10, 10)])
pid = os.fork()
if pid == 0:
    m.after_fork()
    a.settle(Hold("0b"), [Charge("x")], 2, 2)
    print(*m.balance("x"), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
a.settle(Hold("0a", 1, 1), [Charge("x")], 3, 3)
print(*a.balance("x"))
"""
    said, _ = child(code, str(tmp_path / "x.db")).communicate(timeout=60)
    assert said == "0 0 0 0\n5 5 0 0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_forks_in_the_middle_of_transactions(tmp_path: Path) -> None:
    """No child waits for a lock that a thread of its parent's held."""
    code = """
import os, sys, threading
from edgeagent.limits import *
a, over = SQLiteAccounts(sys.argv[1]), threading.Event()
def hammer():
    while not over.is_set():
        a.settle(Hold("0a"), [Charge("x")], 1, 1)
threads = [threading.Thread(target=hammer) for _ in range(3)]
for t in threads: t.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        a.settle(Hold("0b"), [Charge("y")], 1, 1)
        os._exit(0)
    os.waitpid(pid, 0)
over.set()
for t in threads: t.join()
print(a.balance("y").usd)
"""
    said, _ = child(code, str(tmp_path / "x.db")).communicate(timeout=60)
    assert said == "20\n"


def test_files_that_are_none(tmp_path: Path) -> None:
    """Something else than a database, or one of another version."""
    import sqlite3

    other = tmp_path / "text.db"
    other.write_text("no database at all, but long enough to be looked at" * 50, "utf-8")
    with pytest.raises(ConfigurationError, match="no SQLite database"):
        SQLiteAccounts(other).balance("x")
    newer = tmp_path / "newer.db"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(ConfigurationError, match="another version"):
        SQLiteAccounts(newer).balance("x")
    with pytest.raises(sqlite3.OperationalError):
        SQLiteAccounts(tmp_path).balance("x")


def test_a_files_owner(tmp_path: Path) -> None:
    """Nobody else can read it; its directory is made."""
    accounts = SQLiteAccounts(tmp_path / "deep" / "x.db")
    accounts.settle(Hold("a"), [Charge("x")], 1, 1)
    assert (tmp_path / "deep" / "x.db").stat().st_mode & 0o777 == 0o600
    assert "x.db" in repr(accounts)
    accounts.close()


def test_accounts_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    """A day's, a good year after its end; those without an end stay."""
    now = [1_000.0]
    accounts = SQLiteAccounts(tmp_path / "x.db", wall=lambda: now[0])
    accounts.settle(Hold("a"), [Charge("day", end=2_000.0), Charge("always")], 1, 1)
    accounts.close()
    now[0] += 401 * 86_400
    assert (accounts.balance("day").usd, accounts.balance("always").usd) == (0, 1)
    accounts.close()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: SQLiteAccounts("x", hold_seconds=0), "positive"),
        (lambda: RedisState("redis://x", timeout=0), "positive"),
        (lambda: RedisState("http://x").balance("x"), "begins with redis"),
        (lambda: RedisState().balance("x"), "REDIS_URL"),
    ],
)
def test_what_a_store_cannot_be(make: Any, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to do."""
    pytest.importorskip("redis")
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(ConfigurationError, match=word):
        make()


def test_a_servers_password_is_not_pickled() -> None:
    """Nor shown; without one the copy finds the same server."""
    pytest.importorskip("redis")
    import pickle

    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        pickle.dumps(RedisState("redis://:secret@localhost"))
    assert "secret" not in repr(RedisState("redis://:secret@localhost"))
    assert pickle.loads(pickle.dumps(RedisState("valkey://localhost", prefix="x"))).prefix == "x"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setattr("edgeagent.limits.redis.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[redis\]'"):
        EdgeClient(providers=[FakeProvider("a")], budgets=[Budget(usd=1)], state="redis://localhost")


def test_a_client_after_a_fork_holds_nothing_of_its_parents() -> None:
    """Its budgets in memory go on from what was spent, without what the parent's calls hold."""
    with EdgeClient(providers=[FakeProvider("a", name="fake")], cache=False, budgets=[Budget(tokens=1000)]) as client:
        stream = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "a"}], max_tokens=900, stream=True
        )
        with pytest.raises(BudgetExceededError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=900)
        assert isinstance(client._engine.admission().purses.accounts, MemoryAccounts)
        client._engine.pipeline.after_fork()  # what a child does first
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], max_tokens=900)
        stream.close()
