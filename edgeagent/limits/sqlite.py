"""Accounts in a SQLite file, shared by the processes of one machine.

Write-ahead log, one transaction for each step (`BEGIN IMMEDIATE`, so two never decide on the same sum), files for their
owner only. A hold ends by itself after `hold_seconds`, should its process have died; what is settled later is booked
all the same.
"""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from edgeagent.errors import ConfigurationError
from edgeagent.limits.accounts import Balance, Charge, Hold, Refusal

if TYPE_CHECKING:
    import sqlite3

__all__ = ["SQLiteAccounts"]

HOLD_SECONDS: Final = 900.0
KEEP_SECONDS: Final = 400 * 86400.0
"""How long accounts of a day, a week or a month are kept after its end."""
FORK_SECONDS: Final = 2.0
"""How long a fork waits for a transaction; then it goes on, at the child's risk."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, usd INTEGER NOT NULL, tokens INTEGER NOT NULL, "end" REAL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (account TEXT, hold TEXT, usd INTEGER NOT NULL, tokens INTEGER NOT NULL,
    until REAL NOT NULL, PRIMARY KEY (account, hold)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holds_until ON holds (until);
PRAGMA user_version = 1;
"""
_ADD: Final = """
INSERT INTO accounts VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET usd = usd + excluded.usd, tokens = tokens + excluded.tokens
"""


class SQLiteAccounts:
    """Accounts in a file. Implements `Accounts`; thread-safe, opened at the first use, opened anew after a fork.

    Args:
        path: the file; its directory is made if it is missing.
        hold_seconds: after so long a hold whose call has not ended counts no more. Longer than the longest call.
        timeout: how many seconds to wait for another process's transaction.
        wall: seconds since the epoch.

    Raises:
        ConfigurationError: a number is not positive. At the first use: the file is no database of this version.
        sqlite3.OperationalError: at any use: the file cannot be written, or is locked for longer than `timeout`.
    """

    blocking = True

    def __init__(
        self,
        path: str | Path,
        *,
        hold_seconds: float = HOLD_SECONDS,
        timeout: float = 10.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        if not hold_seconds > 0 or not timeout > 0:
            raise ConfigurationError("SQLiteAccounts needs a positive hold_seconds and timeout.")
        self.path = Path(path)
        self.hold_seconds = hold_seconds
        self.timeout = timeout
        self._wall = wall
        self._begin()

    def _begin(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[Any] = []
        self._anew()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # there is none on Windows, nor any fork
            store = weakref.ref(self)
            os.register_at_fork(
                before=partial(_at_fork, store, SQLiteAccounts._hold),
                after_in_parent=partial(_at_fork, store, SQLiteAccounts._let_go),
                after_in_child=partial(_at_fork, store, SQLiteAccounts._anew),
            )

    def _hold(self) -> None:
        """Before a fork: a child could never take the locks that SQLite's code holds in another thread."""
        self._held = self._lock.acquire(timeout=FORK_SECONDS)

    def _let_go(self) -> None:
        if self._held:
            self._lock.release()

    def _anew(self) -> None:
        """In the child; the parent's connection is not closed here: that would let go of its locks."""
        self._lock = RLock()
        self._held = False
        if self._connection is not None:
            self._inherited.append(self._connection)
            self._connection = None

    def reserve(self, hold: Hold, charges: Sequence[Charge], /) -> Refusal | None:
        """See `Accounts`."""
        now = self._wall()
        with self._transaction() as connection:
            connection.execute("DELETE FROM holds WHERE until <= ?", (now,))
            for place, charge in enumerate(charges):
                balance = _balance(connection, charge.account)
                if not balance.fits(charge, hold.usd, hold.tokens):
                    return Refusal(place, balance)
            until = now + self.hold_seconds
            connection.executemany(
                "INSERT INTO holds VALUES (?, ?, ?, ?, ?)",
                [(charge.account, *hold, until) for charge in charges],
            )
        return None

    def settle(self, hold: Hold, charges: Sequence[Charge], usd: int, tokens: int, /) -> Sequence[Balance]:
        """See `Accounts`."""
        with self._transaction() as connection:
            for charge in charges:
                connection.execute("DELETE FROM holds WHERE account = ? AND hold = ?", (charge.account, hold.id))
                connection.execute(_ADD, (charge.account, usd, tokens, charge.end))
            return [_balance(connection, charge.account) for charge in charges]

    def balance(self, account: str, /) -> Balance:
        """See `Accounts`."""
        with self._lock:
            return _balance(self._connected(), account, self._wall())

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, 1):
                raise ConfigurationError(f"{self.path} holds accounts of another version of edgeagent.")
            _in_wal(connection, self.timeout)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
            connection.execute('DELETE FROM accounts WHERE "end" < ?', (self._wall() - KEEP_SECONDS,))
        except sqlite3.DatabaseError as error:
            connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise ConfigurationError(f"{self.path} is no SQLite database: give another path.") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "hold_seconds": self.hold_seconds, "timeout": self.timeout, "_wall": self._wall}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def __repr__(self) -> str:
        return f"SQLiteAccounts({str(self.path)!r})"


def _at_fork(store: weakref.ref[SQLiteAccounts], what: Callable[[SQLiteAccounts], None]) -> None:
    found = store()
    if found is not None:
        what(found)


def _in_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Switching needs the file for a moment, and does not wait for it by itself as transactions do."""
    import sqlite3

    limit = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.01)


def _balance(connection: sqlite3.Connection, account: str, now: float | None = None) -> Balance:
    spent = connection.execute("SELECT usd, tokens FROM accounts WHERE name = ?", (account,)).fetchone() or (0, 0)
    held = connection.execute(
        "SELECT COALESCE(SUM(usd), 0), COALESCE(SUM(tokens), 0) FROM holds WHERE account = ? AND until > ?",
        (account, float("-inf") if now is None else now),
    ).fetchone()
    return Balance(*spent, *held)
