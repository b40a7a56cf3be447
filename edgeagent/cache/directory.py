"""The directory of the disk tier: its owner's alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["prepare"]


def prepare(directory: Path, name: str, timeout: float) -> None:
    """Make directory and database with the right permissions, and see within `timeout` that nobody keeps it locked.

    SQLite itself opens the file, since closing any other descriptor of it would drop the process's locks on it
    (https://www.sqlite.org/howtocorrupt.html §2.2); it gives `-wal` and `-shm` the permissions of the database.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / name
    if os.name == "posix":  # pragma: no branch  # Windows has no such permissions
        _protect(directory, name)
    probe = sqlite3.connect(file, timeout=timeout, isolation_level=None)
    try:
        for path in (file, *(file.with_name(name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
            with suppress(FileNotFoundError):
                if stat.S_IMODE(path.stat().st_mode) != 0o600:
                    path.chmod(0o600)
        probe.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
    finally:
        probe.close()


def _protect(directory: Path, database: str) -> None:
    """Close the directory to others if it is this cache's alone; refuse it where others could put files into it."""
    status = directory.stat()
    if os.geteuid() not in (status.st_uid, 0):
        raise PermissionError(f"The cache directory {directory} belongs to another user.")
    if stat.S_IMODE(status.st_mode) == 0o700:
        return
    names = [path.name for path in directory.iterdir()]
    if names and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"Others can write to {directory}: give the cache a directory of its own.")
    if all(name.startswith(database) for name in names):
        directory.chmod(0o700)
