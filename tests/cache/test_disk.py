"""The disk tier: nothing pickled, nobody else's eyes, many threads and processes, faults that are misses or errors."""

from __future__ import annotations

import functools
import gc
import os
import pickle
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diskcache
import pytest

from edgeagent.cache import CacheTier, DiskCache
from edgeagent.cache import disk as disk_module
from edgeagent.errors import ConfigurationError
from tests.support.children import unmeasured_environment

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def tier(directory: Path) -> Iterator[DiskCache]:
    tier = DiskCache(directory, timeout=0.05)
    yield tier
    tier.close()


def connect(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(directory / "cache.db", isolation_level=None, timeout=5)


def python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter; an error there is an error here."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    options.setdefault("env", unmeasured_environment())
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done


# A store of bytes.


def test_it_is_a_tier_that_blocks(tier: DiskCache) -> None:
    """It fits the protocol."""
    typed: CacheTier = tier
    assert isinstance(typed, CacheTier)
    assert tier.name == "disk"
    assert tier.blocking is True


@pytest.mark.parametrize("size", [0, 1, 1_000, 50_000, 2_000_000])
def test_bytes_come_back(tier: DiskCache, size: int) -> None:
    """Of any size and content, under keys of any bytes, also in another object over the same directory."""
    value, key = os.urandom(size), os.urandom(32)
    tier.put(key, value)
    assert tier.get(key) == value
    other = DiskCache(tier.directory)
    assert other.get(key) == value
    assert other.get(key + b"\0") is None
    other.close()


def test_put_replaces_delete_forgets_clear_empties(tier: DiskCache) -> None:
    """The whole protocol."""
    for n in range(250):
        tier.put(b"%d" % n, b"old")
    tier.put(b"1", b"new")
    assert tier.get(b"1") == b"new"
    tier.delete(b"1")
    tier.delete(b"never there")
    assert tier.get(b"1") is None
    assert tier.get(b"2") == b"old"
    tier.clear()
    assert [tier.get(b"%d" % n) for n in range(250)] == [None] * 250


def test_views_of_bytes_are_stored_as_bytes(tier: DiskCache) -> None:
    """A caller's bytearray is copied, not pickled."""
    tier.put(b"k", bytearray(b"v"))  # type: ignore[arg-type]  # as untyped code does
    assert tier.get(b"k") == b"v"


@pytest.mark.parametrize(
    ("own", "given", "lives"), [(None, 5.0, 5.0), (5.0, None, 5.0), (5.0, 9.0, 9.0), (None, None, 1e9)]
)
def test_entries_expire(
    directory: Path, monkeypatch: pytest.MonkeyPatch, own: float | None, given: float | None, lives: float
) -> None:
    """The time given with the entry comes before the tier's own."""
    now = [1_700_000_000.0]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=lambda: now[0], sleep=lambda _: None)
    monkeypatch.setattr(diskcache.core, "time", clock)
    monkeypatch.setattr("edgeagent.cache.disk.time", clock)
    tier = DiskCache(directory, ttl=own)
    tier.put(b"k", b"v", given)
    now[0] += lives - 1
    assert tier.get(b"k") == b"v"
    now[0] += 1
    assert (tier.get(b"k") is None) is (lives < 1e9)
    tier.close()


@pytest.mark.parametrize("ttl", [0.0, -5.0])
def test_an_entry_without_life_is_not_stored(tier: DiskCache, ttl: float) -> None:
    """And the older one under its key is gone."""
    tier.put(b"k", b"old")
    tier.put(b"k", b"new", ttl)
    assert tier.get(b"k") is None


def test_the_oldest_entries_make_room(directory: Path) -> None:
    """The directory stays near its limit however much is written, also when large entries follow small ones."""
    tier = DiskCache(directory, size_limit=1_000_000)
    for n in range(300):
        tier.put(b"small %d" % n, os.urandom(2_000))
    for n in range(8):
        tier.put(b"large %d" % n, os.urandom(300_000))
    assert tier.get(b"small 0") is None
    assert tier.get(b"large 0") is None
    assert tier.get(b"large 7") is not None
    assert tier.get(b"large 5") is not None
    tier.close()
    assert (directory / "cache.db").stat().st_size < 1_100_000


def test_expired_entries_make_room_first(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody may read any more does not stay until it is the oldest."""
    now = [1_700_000_000.0]
    monkeypatch.setattr(diskcache.core, "time", SimpleNamespace(time=lambda: now[0], sleep=lambda _: None))
    tier = DiskCache(directory)
    tier.put(b"stays", b"v")
    for n in range(10):
        tier.put(b"%d" % n, b"v", ttl=5)
    now[0] += 6
    tier.put(b"new", b"v")
    with connect(directory) as plain:
        assert plain.execute("SELECT key FROM Cache ORDER BY rowid").fetchall() == [(b"stays",), (b"new",)]
    plain.close()
    tier.close()


def test_a_value_beyond_the_limit_is_not_stored(directory: Path) -> None:
    """It evicts nobody; the older value under its key is gone."""
    tier = DiskCache(directory, size_limit=200_000)
    tier.put(b"a", b"1")
    tier.put(b"b", b"2")
    tier.put(b"a", b"x" * 200_001)
    assert tier.get(b"a") is None
    assert tier.get(b"b") == b"2"
    tier.close()


def test_a_limit_below_the_empty_database_holds_nothing(directory: Path) -> None:
    """Everything is evicted at once, and nothing fails."""
    tier = DiskCache(directory, size_limit=5_000)
    for n in range(3):
        tier.put(b"%d" % n, b"x" * 4_000)
        assert tier.get(b"%d" % n) is None
    tier.close()


@pytest.mark.parametrize(
    "wrong", [{"directory": ""}, {"size_limit": 0}, {"ttl": 0}, {"ttl": float("nan")}, {"timeout": 0}]
)
def test_senseless_settings_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A configuration error, at once."""
    with pytest.raises(ConfigurationError):
        DiskCache(**{"directory": tmp_path, **wrong})


# Opening and closing.


def test_nothing_is_touched_before_the_first_use(directory: Path) -> None:
    """Making and closing the tier makes no directory."""
    tier = DiskCache(directory)
    tier.close()
    assert not directory.exists()
    assert repr(tier) == f"DiskCache({str(directory)!r})"


def test_it_opens_again_after_close(tier: DiskCache) -> None:
    """Closing is idempotent; what was stored is still there."""
    tier.put(b"k", b"v")
    tier.close()
    tier.close()
    assert tier.get(b"k") == b"v"


def test_a_pickle_is_a_description(tier: DiskCache) -> None:
    """No connection travels."""
    tier.put(b"k", b"v")
    copy = pickle.loads(pickle.dumps(tier))
    assert (copy.directory, copy.size_limit, copy.ttl, copy.timeout) == (tier.directory, 2**30, None, 0.05)
    assert copy.get(b"k") == b"v"
    copy.close()


def test_the_home_directory_is_spelled_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`~` is the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert DiskCache("~/cache").directory == tmp_path / "cache"


def _open_files(directory: Path) -> list[str]:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]  # the listing's own is gone again
    return [target for link in links if (target := str(link.readlink())).startswith(str(directory))]


@linux
def test_no_file_stays_open(directory: Path) -> None:
    """Neither after `close`, from whichever thread, nor when the tier is simply dropped."""
    tier = DiskCache(directory)

    def work(n: int, tier: DiskCache = tier) -> None:
        tier.put(b"%d" % n, b"v")

    in_threads(4, work)
    assert _open_files(directory)
    tier.close()
    assert _open_files(directory) == []
    tier.get(b"k")
    assert _open_files(directory)
    del tier, work
    gc.collect()
    assert _open_files(directory) == []


@linux
def test_threads_that_come_and_go_leave_no_connection(tier: DiskCache) -> None:
    """Connections are pooled: their number is that of the operations at one time, not that of the threads ever."""
    tier.put(b"k", b"v")
    before = len(_open_files(tier.directory))
    for _ in range(20):
        in_threads(1, lambda _: tier.get(b"k"))
    assert len(_open_files(tier.directory)) == before


def test_a_connection_in_use_is_closed_when_it_is_given_back(tier: DiskCache) -> None:
    """`close` in the middle of another thread's operation waits for nobody and leaks nothing."""
    tier.put(b"k", b"v")
    database = tier._database()

    def close_and_read() -> Any:
        tier.close()
        return database.get(b"k")

    assert database.run(close_and_read) == b"v"
    assert database._idle == []


def test_a_connection_that_cannot_be_set_up_is_closed(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is raised, nothing stays open."""
    database = tier._database()
    closed: list[bool] = []

    def execute(_: str) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    broken = SimpleNamespace(execute=execute, close=lambda: closed.append(True))
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *_, **__: broken)
        with pytest.raises(sqlite3.OperationalError):
            database.run(database.run, database.get, b"k")  # the inner one needs a second connection
    assert closed == [True]
    assert tier.get(b"k") is None


def test_one_thread_opens_it_for_all(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty that come at once do not keep each other from it: it is opened once, and all of them read."""
    made: list[Path] = []
    database = disk_module._Database

    def counted(*arguments: Any) -> Any:
        made.append(arguments[0])
        return database(*arguments)

    monkeypatch.setattr(disk_module, "_Database", counted)
    tier = DiskCache(directory, timeout=30)
    found: list[bytes | None] = []
    start = threading.Barrier(40)

    def read() -> None:
        start.wait()
        found.append(tier.get(b"k"))

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tier.close()
    assert found == [None] * 40
    assert made == [directory]


def test_who_waits_too_long_for_another_to_open_it_has_a_miss(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that opens it may be held up by a slow disk; a write is tried again, and then is an error."""
    begun, release = threading.Event(), threading.Event()
    prepare = disk_module.prepare

    def slow(*arguments: Any) -> None:
        begun.set()
        release.wait(30)
        prepare(*arguments)

    monkeypatch.setattr(disk_module, "prepare", slow)
    opener = threading.Thread(target=tier.put, args=(b"k", b"v"))
    opener.start()
    assert begun.wait(30)
    assert tier.get(b"k") is None
    with pytest.raises(diskcache.Timeout):
        tier.put(b"other", b"v")
    release.set()
    opener.join()
    assert tier.get(b"k") == b"v"


def test_opening_waits_no_longer_than_it_may(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes just as long as it takes: diskcache alone would try for a minute."""
    tier.put(b"k", b"v")
    tier.close()
    monkeypatch.setattr(disk_module, "prepare", lambda *_: None)  # which would see it first
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time=lambda: 0.0, sleep=lambda s: now.__setitem__(0, now[0] + s))
    monkeypatch.setattr(disk_module, "time", clock)
    other = connect(tier.directory)
    other.execute("BEGIN EXCLUSIVE")
    assert tier.get(b"k") is None
    assert now[0] == pytest.approx(tier.timeout, abs=0.002)
    other.execute("ROLLBACK")
    other.close()
    assert tier.get(b"k") == b"v"


# Nothing is unpickled, nothing outside the directory is touched.


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return (Path.touch, (self.path,))


def test_a_pickle_bomb_does_not_go_off(tier: DiskCache, tmp_path: Path) -> None:
    """Planted as a value and as a key, in the database and in a file: a miss each time, and nothing runs."""
    boom = tmp_path / "boom"
    bomb = pickle.dumps(Bomb(boom))
    tier.put(b"good", b"value")
    (tier.directory / "bomb.val").write_bytes(bomb)
    with connect(tier.directory) as planted:
        rows = [
            (b"in the database", 1, diskcache.core.MODE_PICKLE, None, bomb),
            (b"in a file", 1, diskcache.core.MODE_PICKLE, "bomb.val", None),
            (bomb, 0, diskcache.core.MODE_RAW, None, b"value"),
        ]
        planted.executemany("INSERT INTO Cache(key, raw, mode, filename, value) VALUES (?, ?, ?, ?, ?)", rows)
    planted.close()
    assert tier.get(b"in the database") is None
    assert tier.get(b"in a file") is None
    assert tier.get(bomb) is None
    assert tier.get(b"good") == b"value"
    database = tier._database()
    with pytest.raises(OSError, match="not a row"):
        database.run(list, database)  # no method of ours asks for keys, and diskcache's own refuse
    theirs = diskcache.Cache.get  # as other methods of diskcache read values
    assert database.run(theirs, database, b"in the database") is None
    assert database.run(theirs, database, b"good") == b"value"
    tier.put(b"in the database", b"new")
    assert tier.get(b"in the database") == b"new"
    tier.clear()
    assert not boom.exists()


def test_the_bomb_of_that_test_is_real(tmp_path: Path) -> None:
    """Unpickled by diskcache itself it goes off."""
    boom = tmp_path / "boom"
    plain = diskcache.Cache(tmp_path / "plain")
    plain["key"] = Bomb(boom)
    plain["key"]
    plain.close()
    assert boom.exists()


@pytest.mark.parametrize(
    ("mode", "filename", "value"),
    [
        (diskcache.core.MODE_BINARY, "secret", None),
        (diskcache.core.MODE_TEXT, "secret", None),
        (diskcache.core.MODE_RAW, None, "text"),
        (diskcache.core.MODE_RAW, None, 7),
        (diskcache.core.MODE_RAW, None, None),
        (99, None, b"x"),
        ("raw", None, b"x"),
    ],
)
def test_rows_that_are_not_ours_are_misses(
    tier: DiskCache, tmp_path: Path, mode: object, filename: str | None, value: object
) -> None:
    """Another mode, another type, a file anywhere: not read, and on replacement and eviction not removed."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    name = str(secret) if filename else None
    tier.put(b"other", b"x")
    with connect(tier.directory) as planted:
        planted.execute(
            "INSERT INTO Cache(key, raw, store_time, mode, filename, value) VALUES (?, 1, 0, ?, ?, ?)",
            (b"k", mode, name, value),
        )
    planted.close()
    assert tier.get(b"k") is None
    tier.put(b"k", b"mine")
    assert tier.get(b"k") == b"mine"
    tier.clear()
    assert secret.read_bytes() == b"not yours"


def test_settings_that_somebody_wrote_are_not_believed(tier: DiskCache) -> None:
    """Opening writes our own over them."""
    tier.put(b"k", b"v")
    tier.close()
    with connect(tier.directory) as planted:
        planted.execute("UPDATE Settings SET value = 1 WHERE key = 'statistics'")
        planted.execute("UPDATE Settings SET value = 'none' WHERE key = 'eviction_policy'")
        planted.execute("UPDATE Settings SET value = 0 WHERE key = 'disk_min_file_size'")
    planted.close()
    assert tier.get(b"k") == b"v"
    tier.put(b"k2", b"v2")
    assert sorted(path.name for path in tier.directory.iterdir()) == ["cache.db", "cache.db-shm", "cache.db-wal"]
    database = tier._database()
    assert (database.statistics, database.eviction_policy) == (0, "least-recently-stored")


def test_every_setting_of_the_library_is_ours() -> None:
    """A diskcache with a new setting fails here until we have chosen a value for it."""
    assert disk_module._SETTINGS.keys() | {"size_limit"} == diskcache.DEFAULT_SETTINGS.keys()


def test_the_file_is_as_we_ask(tier: DiskCache) -> None:
    """Write-ahead log, and room given back when entries go."""
    tier.put(b"k", b"v")
    with connect(tier.directory) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert plain.execute("PRAGMA auto_vacuum").fetchone() == (1,)
    plain.close()


# Permissions.

PERMISSIONS = """
import os, stat, sys
from pathlib import Path
os.umask(int(sys.argv[2], 8))
from edgeagent.cache import DiskCache
tier = DiskCache(sys.argv[1])
for n in range(50):
    tier.put(b"%d" % n, os.urandom(100_000))
for path in [Path(sys.argv[1]), *Path(sys.argv[1]).iterdir()]:
    print(path.name, oct(stat.S_IMODE(path.stat().st_mode)))
tier.close()
"""


@posix
@pytest.mark.parametrize("umask", ["000", "022", "077", "027"])
def test_only_the_user_can_read_it(directory: Path, umask: str) -> None:
    """Directory 0700, files 0600, whatever the umask."""
    shown = dict(line.split() for line in python(PERMISSIONS, directory, umask).stdout.splitlines())
    assert shown == {"cache": "0o700", "cache.db": "0o600", "cache.db-wal": "0o600", "cache.db-shm": "0o600"}


@posix
def test_an_older_cache_with_wider_permissions_is_closed(directory: Path) -> None:
    """A directory and a database that plain diskcache made."""
    plain = diskcache.Cache(directory)
    plain.set(b"k", b"v")
    directory.chmod(0o755)
    for path in directory.iterdir():
        path.chmod(0o644)
    tier = DiskCache(directory)
    tier.put(b"k2", b"v2")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.iterdir()]}
    plain.close()
    tier.close()
    assert modes.pop("cache") == 0o700
    assert set(modes.values()) == {0o600}


@posix
def test_an_empty_directory_is_taken_over(directory: Path) -> None:
    """It is closed to others."""
    directory.mkdir(mode=0o755)
    tier = DiskCache(directory)
    tier.put(b"k", b"v")
    tier.close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@posix
def test_a_directory_with_other_things_in_it_keeps_its_permissions(directory: Path) -> None:
    """It is not ours alone, the second time neither; the files are still closed."""
    directory.mkdir(mode=0o755)
    (directory / "notes.txt").touch()
    for _ in range(2):
        tier = DiskCache(directory)
        tier.put(b"k", b"v")
        assert tier.get(b"k") == b"v"
        tier.close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755
    assert stat.S_IMODE((directory / "cache.db").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("name", ["notes.txt", "cache.db"])
def test_a_directory_that_others_can_write_to_is_refused(directory: Path, name: str) -> None:
    """Such as /tmp itself: somebody could put a database there."""
    directory.mkdir()
    (directory / name).touch()
    directory.chmod(0o777)
    tier = DiskCache(directory)
    with pytest.raises(PermissionError, match="of its own"):
        tier.get(b"k")
    with pytest.raises(PermissionError, match="of its own"):
        tier.put(b"k", b"v")


@posix
@pytest.mark.parametrize(("user", "refused"), [(4321, True), (0, False)])
def test_somebody_else_s_directory_is_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch, user: int, refused: bool
) -> None:
    """Except for root, to whom every directory is as good as its own."""
    directory.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    tier = DiskCache(directory)
    if refused:
        with pytest.raises(PermissionError, match="another user"):
            tier.get(b"k")
    else:
        assert tier.get(b"k") is None
    tier.close()


# Threads, processes, forks, kills.


def in_threads(number: int, work: Callable[[int], object]) -> None:
    errors: list[BaseException] = []

    def run(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_threads_read_while_others_write(directory: Path) -> None:
    """One object, writers and readers at once: never a wrong value, never an error."""
    tier = DiskCache(directory)

    def work(seed: int) -> None:
        for n in range(150):
            key = b"%d" % (n * (seed + 1) % 40)
            if seed % 2:
                tier.put(key, key * 500)
            else:
                assert tier.get(key) in (None, key * 500)

    in_threads(6, work)
    assert all(tier.get(b"%d" % n) in (None, b"%d" % n * 500) for n in range(40))
    tier.close()


HAMMER = """
import random, sys
from edgeagent.cache import DiskCache
tier, chance, found = DiskCache(sys.argv[1], size_limit=2_000_000), random.Random(int(sys.argv[2])), 0
for _ in range(400):
    key = b"%d" % chance.randrange(60)
    value = tier.get(key)
    assert value in (None, key * 2_000), key
    found += value is not None
    if chance.random() < 0.3:
        tier.put(key, key * 2_000)
    elif chance.random() < 0.05:
        tier.delete(key)
tier.close()
print(found)
"""


def test_processes_share_one_directory(directory: Path) -> None:
    """Several that open it at the same moment, read, write, delete and evict: no wrong answer, no error."""
    command = [sys.executable, "-W", "error", "-c", HAMMER, str(directory)]
    workers = [
        subprocess.Popen(
            [*command, str(seed)],
            env=unmeasured_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(4)
    ]
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err
        assert int(out) > 0


FORK = """
import os, sys
from edgeagent.cache import DiskCache
tier = DiskCache(sys.argv[1])
tier.put(b"parent", b"1")
pid = os.fork()
if not pid:
    assert tier.get(b"parent") == b"1"
    tier.put(b"child", b"2")
    tier.close()
    assert tier.get(b"child") == b"2"
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert tier.get(b"child") == b"2"
tier.put(b"after", b"3")
assert tier.get(b"after") == b"3"
tier.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_opens_its_own_connections(directory: Path) -> None:
    """After a fork both go on, each with its own."""
    python(FORK, directory)


WRITER = """
import hashlib, sys
from edgeagent.cache import DiskCache
tier, n = DiskCache(sys.argv[1]), int(sys.argv[2])
while True:
    key = b"%d" % n
    tier.put(key, hashlib.sha256(key).digest() * 100)
    print(n, flush=True)
    n += 1
"""


def test_a_kill_loses_at_most_the_write_under_way(directory: Path) -> None:
    """SIGKILL in the middle of writes, several times: everything reported is there, and nothing is damaged."""
    reported: list[int] = []
    for writes in (1, 5, 40, 41):
        begin = reported[-1] + 2 if reported else 0  # the one under way may be there or not
        command = [sys.executable, "-c", WRITER, str(directory), str(begin)]
        with subprocess.Popen(command, env=unmeasured_environment(), stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            reported += [int(writer.stdout.readline()) for _ in range(writes)]
            writer.kill()
            reported += [int(line) for line in writer.stdout.read().split()]
        tier = DiskCache(directory)
        for n in reported:
            assert tier.get(b"%d" % n) == sha256(b"%d" % n).digest() * 100
        assert tier.get(b"%d" % (reported[-1] + 1)) in (None, sha256(b"%d" % (reported[-1] + 1)).digest() * 100)
        tier.close()


# Busy, full, read-only, damaged.


def test_a_locked_database_is_a_miss_and_no_place_to_write(tier: DiskCache) -> None:
    """Not yet open, and somebody keeps it to himself."""
    tier.put(b"k", b"v")
    tier.close()
    holder = connect(tier.directory)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    assert tier.get(b"k") is None
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        tier.put(b"k", b"v2")
    holder.execute("ROLLBACK")
    holder.close()
    assert tier.get(b"k") == b"v"


def test_a_reader_does_not_wait_for_a_writer(tier: DiskCache) -> None:
    """Open, and another process writes for long: reading goes on, writing gives up after its tries."""
    tier.put(b"k", b"v")
    holder = connect(tier.directory)
    holder.execute("BEGIN IMMEDIATE")
    assert tier.get(b"k") == b"v"
    with pytest.raises(diskcache.Timeout):
        tier.put(b"k", b"v2")
    holder.execute("ROLLBACK")
    holder.close()
    tier.put(b"k", b"v2")
    assert tier.get(b"k") == b"v2"


def test_a_busy_read_is_a_miss(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the database turns busy after it was opened."""
    tier.put(b"k", b"v")

    def busy(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(tier._database(), "get", busy)
    assert tier.get(b"k") is None


def test_a_write_is_tried_again(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may hold the lock for a while."""
    database, left = tier._database(), [2]
    write = database.set

    def busy(*arguments: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise diskcache.Timeout
        write(*arguments)

    monkeypatch.setattr(database, "set", busy)
    tier.put(b"k", b"v")
    assert tier.get(b"k") == b"v"


def test_other_faults_are_raised(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a lock is waited for."""

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(tier._database(), "get", broken)
    with pytest.raises(sqlite3.OperationalError, match="disk I/O"):
        tier.get(b"k")


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_file_that_is_no_database_is_an_error(directory: Path, size: int) -> None:
    """Raised at every use, and the file is left as it is."""
    directory.mkdir(mode=0o700)
    rubbish = b"rubbish " * size
    (directory / "cache.db").write_bytes(rubbish)
    tier = DiskCache(directory)
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            tier.get(b"k")
        with pytest.raises(sqlite3.DatabaseError):
            tier.put(b"k", b"v")
    assert (directory / "cache.db").read_bytes() == rubbish


def test_a_damaged_table_is_an_error_and_leaves_nothing_open(tier: DiskCache) -> None:
    """A database of the right name with the wrong tables."""
    tier.directory.mkdir(mode=0o700)
    with connect(tier.directory) as planted:
        planted.execute("CREATE TABLE Settings (something TEXT)")
    planted.close()
    with pytest.raises(sqlite3.Error):
        tier.get(b"k")
    gc.collect()
    if Path("/proc/self/fd").exists():
        assert _open_files(tier.directory) == []


def test_a_path_that_cannot_be_a_directory_is_an_error(tmp_path: Path) -> None:
    """Below a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "cache"):
        with pytest.raises(OSError, match="file"):
            DiskCache(path).get(b"k")


FULL = """
import os, resource, signal, sqlite3, sys
from edgeagent.cache import DiskCache
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
tier = DiskCache(sys.argv[1])
tier.put(b"before", b"v")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
for n in range(100):
    try:
        tier.put(b"%d" % n, os.urandom(100_000))
    except sqlite3.OperationalError as error:
        print(n, error)
        break
else:
    raise SystemExit("the disk never became full")
assert tier.get(b"before") == b"v"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
tier.put(b"after", b"w")
assert tier.get(b"before") == b"v" and tier.get(b"after") == b"w"
tier.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_full_disk_is_an_error_that_passes(directory: Path) -> None:
    """Writing fails, reading goes on, and once there is room again so does writing."""
    python(FULL, directory)


READ_ONLY = """
import os, sqlite3, sys
from edgeagent.cache import DiskCache
try:
    import diskcache, edgeagent.cache.disk
finally:
    os.getuid() or os.setuid(65534)
tier = DiskCache(sys.argv[1])
for use in (lambda: tier.get(b"k"), lambda: tier.put(b"k", b"v"), lambda: tier.delete(b"k"), tier.clear):
    try:
        use()
    except (OSError, sqlite3.OperationalError):
        continue
    raise SystemExit("no error")
tier.close()
"""


@posix
def test_a_read_only_place_is_an_error(tmp_path: Path) -> None:
    """At every use; nothing else happens."""
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(0o555)
    python(READ_ONLY, place / "cache")
    assert list(place.iterdir()) == []


# The directory is removed while it is in use.


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use looks for the file."""
    monkeypatch.setattr(disk_module, "_LOOK", 0.0)


@pytest.mark.usefixtures("looking")
@pytest.mark.parametrize("what", ["directory", "database"])
def test_what_was_removed_is_forgotten_and_begun_anew(tier: DiskCache, what: str) -> None:
    """No older entry comes back, and what is stored from then on outlives this client."""
    tier.put(b"k", b"old")
    if what == "directory":
        shutil.rmtree(tier.directory)
    else:
        (tier.directory / "cache.db").unlink()
    assert tier.get(b"k") is None
    tier.put(b"k", b"new")
    assert stat.S_IMODE(tier.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((tier.directory / "cache.db").stat().st_mode) == 0o600
    tier.close()
    assert DiskCache(tier.directory).get(b"k") == b"new"


@pytest.mark.usefixtures("looking")
@pytest.mark.parametrize("early", [True, False])
def test_a_removal_that_goes_on_takes_the_new_log(tier: DiskCache, early: bool) -> None:
    """It had listed the names before the file was begun anew: processes see each other's entries all the same."""
    tier.put(b"k", b"old")
    (tier.directory / "cache.db").unlink()
    if early:  # before it was ever looked at
        database = tier._database()
        remove = functools.partial(_remove_log, tier.directory)
        database.run(lambda: (database.get(b"k"), remove()))
    else:
        assert tier.get(b"k") is None
        _remove_log(tier.directory)
    tier.put(b"k", b"new")
    told = "import sys; from edgeagent.cache import DiskCache; d = DiskCache(sys.argv[1]);"
    told += " print(d.get(b'k')); d.put(b'more', b'v'); d.close()"
    said = subprocess.run([sys.executable, "-c", told, tier.directory], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "b'new'"
    assert tier.get(b"more") == b"v"
    tier.close()
    assert dict(DiskCache(tier.directory).items()) == {b"k": b"new", b"more": b"v"}


def _remove_log(directory: Path) -> None:
    for name in ("cache.db-wal", "cache.db-shm"):
        (directory / name).unlink()


def test_a_database_without_a_log(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system cannot have one it is opened once, and kept."""
    monkeypatch.setitem(disk_module._SETTINGS, "sqlite_journal_mode", "delete")
    tier.put(b"k", b"v")
    database = tier._database()
    assert not database._has_log
    assert tier.get(b"k") == b"v"
    assert tier._database() is database


@pytest.mark.usefixtures("looking")
def test_those_who_had_the_old_one_open_share_the_new_one(tier: DiskCache) -> None:
    """Whoever made it; and closing what is left of the old one takes nothing from it."""
    other = DiskCache(tier.directory)
    for each in (tier, other):
        each.put(b"k", b"old")
    held = other._database()
    shutil.rmtree(tier.directory)
    tier.put(b"k", b"new")
    held.shut()
    assert other.get(b"k") == b"new"
    other.put(b"more", b"v")
    other.close()
    assert tier.get(b"more") == b"v"
    tier.close()
    assert dict(DiskCache(tier.directory).items()) == {b"k": b"new", b"more": b"v"}


@pytest.mark.usefixtures("looking")
def test_a_read_under_way_ends_where_it_began(tier: DiskCache) -> None:
    """Its connection is closed when it is given back."""
    tier.put(b"k", b"old")
    database = tier._database()

    def remove_and_read() -> Any:
        shutil.rmtree(tier.directory)
        tier.put(b"k", b"new")
        return database.get(b"k")

    assert database.run(remove_and_read) == b"old"
    assert database._idle == []
    assert tier.get(b"k") == b"new"


@pytest.mark.usefixtures("looking")
def test_a_directory_that_cannot_be_made_again(tier: DiskCache) -> None:
    """It is a fault each time, until it can."""
    tier.put(b"k", b"old")
    shutil.rmtree(tier.directory)
    tier.directory.write_text("in its place")
    for _ in range(2):
        with pytest.raises((OSError, sqlite3.Error)):
            tier.get(b"k")
    tier.directory.unlink()
    assert tier.get(b"k") is None
    tier.put(b"k", b"new")
    assert tier.get(b"k") == b"new"


def test_the_file_is_looked_for_once_in_a_second(tier: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with each look-up."""
    tier.put(b"k", b"v")
    database = tier._database()
    looked: list[float] = []
    now = [database._looked]
    monkeypatch.setattr(disk_module.time, "monotonic", lambda: now[0])
    found = disk_module._found
    monkeypatch.setattr(disk_module, "_found", lambda file: looked.append(now[0]) or found(file))
    for _ in range(40):
        now[0] += 0.1
        assert tier.get(b"k") == b"v"
    assert 3 <= len(set(looked)) <= 4
