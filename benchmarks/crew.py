"""The processes of a run: the upstream, and one worker for each contender. Only one works at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from benchmarks.redis_server import redis_server
from benchmarks.scenarios import CONTENDERS

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Crew", "environment", "python_of"]

ROOT: Final = Path(__file__).resolve().parent.parent


def python_of(contender: str) -> str:
    """The interpreter that has this contender installed."""
    return os.environ.get("BENCH_LITELLM_PYTHON", sys.executable) if contender == "litellm" else sys.executable


def environment() -> dict[str, str]:
    """What every contender's process sees: no key, no proxy, nothing that makes litellm ask the network."""
    ours = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"}
    kept = {name: value for name, value in os.environ.items() if name in ours}
    return {**kept, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*", "PYTHONDONTWRITEBYTECODE": "1"}


class Crew:
    """Starts everything on entering, ends everything on leaving."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._started: list[subprocess.Popen[str]] = []
        self._workers: dict[str, subprocess.Popen[str]] = {}
        self._redis = ExitStack()
        self._more: dict[str, str] = {}
        self.upstream = ""

    def __enter__(self) -> Self:
        try:
            upstream = self._start(sys.executable, "benchmarks.upstream")
            self.upstream = f"http://127.0.0.1:{_line(upstream)}"
            with suppress(FileNotFoundError):  # no server here: nobody takes part in what needs one
                self._more["BENCH_REDIS_URL"] = self._redis.enter_context(redis_server())
            for name in CONTENDERS:
                worker = self._start(python_of(name), "benchmarks.worker", name, self.upstream, str(self._scratch))
                _line(worker)  # ready
                self._workers[name] = worker
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._started):
            process.terminate()
        for process in self._started:
            process.communicate()
        self._redis.close()

    def _start(self, *command: str) -> subprocess.Popen[str]:
        python, module, *arguments = command
        process = subprocess.Popen(
            [python, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment() | self._more,
        )
        self._started.append(process)
        return process

    def measure(self, contender: str, scenario: str, calls: int) -> Mapping[str, Any]:
        """One batch of one contender; see `benchmarks.worker`."""
        worker = self._workers[contender]
        assert worker.stdin is not None
        worker.stdin.write(json.dumps({"scenario": scenario, "calls": calls}) + "\n")
        worker.stdin.flush()
        answer: Mapping[str, Any] = json.loads(_line(worker))
        return answer


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise SystemExit(f"{' '.join(map(str, process.args))} ended with status {process.returncode}")  # type: ignore[arg-type]
    return line.strip()
