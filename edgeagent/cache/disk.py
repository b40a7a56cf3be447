"""The disk tier: one SQLite database in a directory of its own, shared by any number of threads and processes.

diskcache keeps the table, the size limit and the eviction (least recently stored first); what stands here is what it
does not promise:

- Nothing is pickled or unpickled, whoever wrote the database: only rows of plain bytes are read, any other is a miss.
  Values are never in files beside the database, so a row cannot name a file to read or remove.
- Only the user can read it: directory 0700, files 0600, whatever the umask. A directory that others can write to or
  that belongs to somebody else is refused.
- Connections are pooled, not one per thread, and none outlives `close`. A child process after a fork opens its own and
  leaves the parent's alone (https://www.sqlite.org/howtocorrupt.html §2.6); no fork happens while a thread is in it.
- Who removes the directory has forgotten its entries, here too: that the file is another one, or none, is noticed
  within a second, and a new one begun. So it is with the log beside it, which a removal that was under way when the
  file was begun anew takes with it: what is written into a log without a name nobody else sees.
- Nobody waits longer than `timeout` for a busy database to be read or opened: that is a miss. Of the threads of a
  process one opens it: many at once would keep each other from it for seconds.

A process that is killed in the middle of a write loses that write only: SQLite's write-ahead log is atomic.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import diskcache

from edgeagent.cache.directory import prepare
from edgeagent.cache.forks import ForkGate
from edgeagent.errors import ConfigurationError
from edgeagent.types.metadata import CacheTierName

__all__ = ["DiskCache"]

T = TypeVar("T")

_FILE: Final = "cache.db"
_RAW: Final[int] = diskcache.core.MODE_RAW
_WRITE_TRIES: Final = 8
"""Times that a write waits `timeout` for other writers; it is done in the background."""

_DROP_EXPIRED: Final = (
    "DELETE FROM Cache WHERE rowid IN (SELECT rowid FROM Cache WHERE expire_time < ? ORDER BY expire_time LIMIT 20)"
)
_VALUE: Final = "SELECT mode, value FROM Cache WHERE key = ? AND raw = 1 AND (expire_time IS NULL OR expire_time > ?)"
_PAGE: Final = (
    "SELECT rowid, key, mode, value FROM Cache WHERE rowid > ? AND rowid <= ? AND raw = 1 "
    "AND (expire_time IS NULL OR expire_time > ?) ORDER BY rowid LIMIT 100"
)
_LOOK: Final = 1.0
"""Seconds between two looks whether the file is still there."""
_ROW_BYTES: Final = 100
"""About what an entry takes besides its value."""

_PRAGMAS: Final = {
    "sqlite_auto_vacuum": 1,
    "sqlite_cache_size": 8192,
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 0,  # a mapped file that fails to read would kill the process (SIGBUS); it gains nothing here
    "sqlite_synchronous": 1,
}
_SETTINGS: Final = {
    **_PRAGMAS,
    "statistics": 0,
    "tag_index": 0,
    "eviction_policy": "least-recently-stored",
    "cull_limit": 0,  # `_Database._cull` has its own rule
    "disk_min_file_size": 2**40,
    "disk_pickle_protocol": 0,
}
"""Every setting that diskcache has, so that none is taken from a database that somebody else wrote."""


class DiskCache:
    """Bytes in a directory. Implements `CacheTier`; thread-safe, shared by processes, opened on first use.

    Faults (no space, no permission, not a database) are raised as `OSError` or `sqlite3.Error`; a write that other
    writers kept waiting for too long raises `diskcache.Timeout`.

    Args:
        directory: a directory for this cache alone; made, with its parents, if it is not there.
        size_limit: bytes on disk from which on the oldest entries are dropped; a larger value is not stored.
        ttl: seconds that an entry lives unless `put` says otherwise; None: as long as there is room.
        timeout: seconds that a read waits for a busy database.

    Raises:
        ConfigurationError: the directory is empty text, `size_limit` is below 1, `ttl` or `timeout` is not positive.
    """

    name: CacheTierName = "disk"
    blocking: bool = True

    def __init__(
        self,
        directory: str | os.PathLike[str],
        size_limit: int = 2**30,
        ttl: float | None = None,
        timeout: float = 0.25,
    ) -> None:
        if not os.fspath(directory) or size_limit < 1 or not timeout > 0 or (ttl is not None and not ttl > 0):
            raise ConfigurationError(
                "DiskCache needs a directory, size_limit ≥ 1, a positive timeout and a positive ttl or None."
            )
        self.directory = Path(directory).expanduser().absolute()
        self.size_limit = size_limit
        self.ttl = ttl
        self.timeout = timeout
        self._databases: dict[int, _Database] = {}
        self._opening: dict[int, threading.Lock] = {}  # by process, as no thread of its parent ends in a child
        self._gate = ForkGate()

    def get(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`; None if there are none, or the database is busy."""
        try:
            with self._gate:
                database = self._database()
                value = database.run(database.get, key)
        except (diskcache.Timeout, sqlite3.OperationalError) as error:
            if _is_busy(error):
                return None
            raise
        return value

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> bool:
        """Store `value` for `ttl` seconds (None: the tier's own); one beyond `size_limit` only replaces → False."""
        lifetime = self.ttl if ttl is None else ttl
        if len(value) > self.size_limit or (lifetime is not None and lifetime <= 0):
            self.delete(key)
            return False
        self._write(lambda database: database.set(bytes(key), bytes(value), lifetime))
        return True

    def delete(self, key: bytes, /) -> None:
        """Forget `key`."""
        self._write(lambda database: database.delete(bytes(key)))

    def clear(self) -> None:
        """Forget everything."""
        self._write(lambda database: database.clear())

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Each key with its bytes, a page at a time: others may read and write between two.

        What is new since it began is not among them: else it would not end while others write faster than it is read.
        """
        after, last = 0, None
        while True:
            with self._gate:
                database = self._database()
                last = database.run(database.last) if last is None else last
                rows = database.run(database.page, after, last)
            for _, key, mode, value in rows:
                if mode == _RAW and type(key) is bytes and type(value) is bytes:
                    yield key, value
            if not rows:
                return
            after = rows[-1][0]

    def usage(self) -> tuple[int, int]:
        """How many entries it holds, and how many bytes its database has."""
        with self._gate:
            database = self._database()
            return database.run(database.measure)

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        database = self._databases.pop(os.getpid(), None)
        if database is not None:
            with self._gate:
                database.shut()

    def _write(self, operation: Callable[[_Database], object]) -> None:
        tries_left = _WRITE_TRIES
        while tries_left:
            tries_left -= 1
            try:
                with self._gate:
                    database = self._database()
                    database.run(operation, database)
                tries_left = 0
            except (diskcache.Timeout, sqlite3.OperationalError) as error:
                if not tries_left or not _is_busy(error):
                    raise

    def _database(self) -> _Database:
        pid = os.getpid()
        database = self._databases.get(pid)
        return self._opened(pid) if database is None or database.is_gone() else database  # an empty one is false

    def _opened(self, pid: int) -> _Database:
        lock = self._opening.setdefault(pid, threading.Lock())
        if not lock.acquire(timeout=self.timeout):
            raise diskcache.Timeout
        try:
            database = self._databases.get(pid)
            if database is None or database.is_gone():
                if database is not None:  # SQLite leaves files of the same name alone that are not this one's
                    database.shut()
                prepare(self.directory, _FILE, self.timeout)
                database = self._databases[pid] = _Database(self.directory, self.timeout, self.size_limit)
            return database
        finally:
            lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (os.fspath(self.directory), self.size_limit, self.ttl, self.timeout))

    def __repr__(self) -> str:
        return f"DiskCache({os.fspath(self.directory)!r})"


class _BytesDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Keys and values as the bytes they are, inside the database."""

    def put(self, key: bytes) -> tuple[bytes, bool]:
        return key, True

    def get(self, key: object, raw: object) -> bytes:
        if not raw or type(key) is not bytes:
            raise OSError("not a row of this cache")
        return key

    def store(self, value: bytes, read: bool, key: object = None) -> tuple[int, int, None, bytes]:
        return 0, _RAW, None, value

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> bytes:
        if mode != _RAW or type(value) is not bytes:
            raise OSError("not a row of this cache")  # diskcache takes it for a miss
        return value

    def remove(self, file_path: object) -> None:
        """No row of ours has a file, so none is removed for a row."""


class _Database(diskcache.Cache):  # type: ignore[misc]  # diskcache has no types
    """diskcache's table over pooled connections of one process."""

    def __init__(self, directory: Path, timeout: float, size_limit: int) -> None:
        self._file = directory / _FILE
        self._idle: list[sqlite3.Connection] = []
        self._shut = False
        self._open_until = time.monotonic() + timeout
        self._closer = weakref.finalize(self, _close_all, self._idle, os.getpid())
        self._log = self._file.with_name(f"{_FILE}-wal")
        self._log_identity: tuple[int, int] | None = None
        try:
            super().__init__(os.fspath(directory), timeout, _BytesDisk, size_limit=size_limit, **_SETTINGS)
            ((mode,),) = self._con.execute("PRAGMA journal_mode").fetchall()
            self._has_log = mode == "wal"  # some file systems cannot have one
        finally:
            self.close()  # the connection of diskcache's own bookkeeping
        self._identity = _found(self._file)
        self._looked = time.monotonic()

    def is_gone(self) -> bool:
        """Whether its file, or the log, is no longer the one of its name; looked at once in a second."""
        now = time.monotonic()
        if self._identity is not None and now - self._looked >= _LOOK:
            self._looked = now
            known = self._log_identity
            if _found(self._file) != self._identity or (known is not None and _found(self._log) != known):
                self._identity = None
        return self._identity is None

    def _know_log(self) -> None:
        """A connection that has read keeps the log where it is, until the last one is closed."""
        self._log_identity = _found(self._log)
        if self._log_identity is None:
            self._identity = None

    @property
    def _con(self) -> sqlite3.Connection:
        """The connection that this thread has taken; diskcache's every statement goes through here."""
        con: sqlite3.Connection | None = getattr(self._local, "con", None)
        if con is None:
            con = self._local.con = self._connect()
        return con

    @property
    def _sql_retry(self) -> Callable[..., Any]:
        """How diskcache runs what opens the database: again while others hold the lock, though not for a minute."""

        def run(statement: str, *args: Any) -> Any:
            while True:
                try:
                    return self._sql(statement, *args)
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() >= self._open_until:
                        raise
                time.sleep(0.001)

        return run

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(self._file, timeout=self._timeout, isolation_level=None, check_same_thread=False)
        try:
            for name in ("cache_size", "mmap_size", "synchronous"):  # the others are kept in the file
                con.execute(f"PRAGMA {name} = {_PRAGMAS[f'sqlite_{name}']}").fetchall()
        except BaseException:
            con.close()
            raise
        return con

    def get(self, key: bytes) -> bytes | None:
        """What stands under `key`, if it is a row of this cache. (diskcache's own has more columns and branches.)"""
        row = self._local.con.execute(_VALUE, (key, time.time())).fetchone()
        if row is None:
            return None
        mode, value = row
        return value if mode == _RAW and type(value) is bytes else None

    def last(self) -> int:
        """The last row; what replaces an entry stays in its row."""
        ((last,),) = self._con.execute("SELECT MAX(rowid) FROM Cache").fetchall()
        return int(last or 0)

    def page(self, after: int, last: int) -> list[tuple[int, object, object, object]]:
        """The next rows after one and up to another, and what they hold."""
        return self._con.execute(_PAGE, (after, last, time.time())).fetchall()

    def measure(self) -> tuple[int, int]:
        """Entries, and bytes on disk."""
        ((entries,),) = self._con.execute("SELECT COUNT(*) FROM Cache").fetchall()
        return int(entries), int(self.volume())

    def run(self, operation: Callable[..., T], *args: Any) -> T:
        """Call `operation` with a connection of the pool; a connection that saw an error is not used again."""
        local = self._local
        try:
            con = self._idle.pop()
        except IndexError:
            con = self._connect()
        local.con = con
        try:
            result = operation(*args)
        except BaseException:
            local.con = None
            con.close()
            raise
        local.con = None
        if self._log_identity is None and self._has_log:
            self._know_log()
        self._idle.append(con)
        if self._shut:
            self.shut()
        return result

    def _cull(self, now: float, sql: Callable[..., Any], cleanup: object, limit: object = None) -> None:
        """Within a write's transaction: drop some expired entries, then as many of the oldest as are too many bytes.

        diskcache itself drops ten at a time, which is too few when large entries follow small ones, and too many when
        ten are all there are.
        """
        sql(_DROP_EXPIRED, (now,))
        excess = self.volume() - self.size_limit
        if excess > 0:
            oldest = []
            for rowid, size in sql("SELECT rowid, length(value) FROM Cache ORDER BY store_time"):
                oldest.append((rowid,))
                excess -= (size or 0) + _ROW_BYTES
                if excess <= 0:
                    break
            self._con.executemany("DELETE FROM Cache WHERE rowid = ?", oldest)

    def shut(self) -> None:
        """Close the connections; those in use are closed when they are given back."""
        self._shut = True
        _close_all(self._idle, os.getpid())


def _close_all(connections: list[sqlite3.Connection], pid: int) -> None:
    while connections and pid == os.getpid():
        with suppress(IndexError):  # another thread was faster
            connections.pop().close()


def _found(file: Path) -> tuple[int, int] | None:
    """Which file has this name."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _is_busy(error: Exception) -> bool:
    """Whether somebody else holds the lock (SQLITE_BUSY, SQLITE_LOCKED)."""
    return isinstance(error, diskcache.Timeout) or "locked" in str(error)
