"""What a client does when its disk cache cannot: it answers, warns once, and never holds up an event loop."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from edgeagent import AsyncEdgeClient
from edgeagent.cache import Cache, DiskCache
from edgeagent.core import reads
from edgeagent.errors import DeadlineExceededError
from edgeagent.testing import FakeProvider
from tests.e2e.harness import Gate
from tests.support.children import bare_environment

__all__: list[str] = []


async def asks(gate: Gate, count: int) -> list[str | None]:
    """Different questions; which tier answered each."""
    return [(await gate.create(f"question {n}", model="fake/m")).edge.cache_tier for n in range(count)]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_place_that_cannot_be_written_to(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file where the directory should be: every call is answered, one warning is logged."""
    (tmp_path / "file").write_text("x")
    async with Gate(kind, [FakeProvider("yes", name="fake")], cache=Cache(disk=tmp_path / "file" / "cache")) as gate:
        assert await asks(gate, 5) == [None] * 5
        assert await gate.flush()
        assert await asks(gate, 5) == ["memory"] * 5
    (warning,) = warnings_of(caplog)
    assert "cache tier disk failed, going on without it" in warning


async def test_a_full_disk(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No write succeeds: one warning, and what was there before is still found."""
    import sqlite3

    disk = DiskCache(tmp_path / "cache")
    cache = Cache(memory=False, disk=disk)
    async with Gate(kind, [FakeProvider("yes", name="fake")], cache=cache) as gate:
        await asks(gate, 2)
        assert await gate.flush()

        def full(*args: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(disk, "put", full)
        assert await asks(gate, 5) == ["disk", "disk", None, None, None]
        assert await gate.flush()
    assert len(warnings_of(caplog)) == 1


FULL = """
import logging, resource, sys
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
from edgeagent import EdgeClient
from edgeagent.cache import Cache, DiskCache
from edgeagent.testing import FakeProvider
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fake = FakeProvider("x" * 20_000, name="fake")
with EdgeClient(providers=[fake], cache=Cache(memory=False, disk=sys.argv[1])) as client:
    def ask(n):
        return client.chat.completions.create(model="fake/m", messages=[{"role": "user", "content": str(n)}])
    ask(0); client.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
    answers = [ask(n).choices[0].message.content for n in range(60)]
    client.flush()
    assert set(answers) == {"x" * 20_000}
    assert ask(0).edge.cache_tier == "disk"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
def test_files_that_may_grow_no_further(tmp_path: Path) -> None:
    """A limit of the system in the middle of real writes: all is answered, one warning, what was stored is found."""
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        env=bare_environment(),
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("WARNING cache tier disk failed") == 1, ran.stdout


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_slow_disk_stalls_no_event_loop(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop goes on while a read hangs, and after the bound the read is a miss."""
    monkeypatch.setattr(reads, "READ_BOUND", 0.3)
    release = threading.Event()
    disk = DiskCache(tmp_path / "cache")
    monkeypatch.setattr(disk, "get", lambda key: release.wait(10) and None)

    async def main() -> None:
        async with AsyncEdgeClient(
            providers=[FakeProvider("yes", name="fake")], cache=Cache(memory=False, disk=disk)
        ) as client:
            longest, done = 0.0, False

            async def tick() -> None:
                nonlocal longest
                last = time.monotonic()
                while not done:
                    await anyio.sleep(0.005)
                    longest, last = max(longest, time.monotonic() - last), time.monotonic()

            async with anyio.create_task_group() as group:
                group.start_soon(tick)
                began = time.monotonic()
                await client.chat.completions.create(model="fake/m", messages=[{"role": "user", "content": "q"}])
                took = time.monotonic() - began
                done = True
            release.set()
        assert 0.25 < took < 5
        assert longest < 0.25

    anyio.run(main, backend=backend)
    assert len(warnings_of(caplog)) == 1


class Hanging(DiskCache):
    """Every read waits for `release`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.release = threading.Event()

    def get(self, key: bytes, /) -> bytes | None:
        self.release.wait(30)
        return None


async def test_a_slow_disk_does_not_outlast_a_deadline(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not waited for longer than the call may take, and that is no fault of the disk's."""
    disk = Hanging(tmp_path / "cache")
    cache = Cache(memory=False, disk=disk)
    async with Gate(kind, [FakeProvider("yes", name="fake")], cache=cache) as gate:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            await gate.create(model="fake/m", edge={"deadline": 0.1})
        assert time.monotonic() - began < reads.READ_BOUND
        disk.release.set()
    assert warnings_of(caplog) == []


async def test_a_slow_disk_is_a_miss(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a short while, also for a client that blocks."""
    monkeypatch.setattr(reads, "READ_BOUND", 0.1)
    disk = Hanging(tmp_path / "cache")
    async with Gate(kind, [FakeProvider("yes", name="fake")], cache=Cache(disk=disk)) as gate:
        began = time.monotonic()
        answer = await gate.create(model="fake/m")
        assert answer.choices[0].message.content == "yes"
        assert time.monotonic() - began < 20
        disk.release.set()
