"""What a fresh process pays: the import, the first answer, and the memory that it then holds.

Each sample is a process of its own that is not one of the workers and runs the fewest lines that do the job. Inside it
there is a clock and nothing else of ours; its memory is read from outside while it waits.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.crew import environment, python_of

__all__ = ["FIRST_CALLS", "IMPORTS", "first_call", "import_time"]

IMPORTS: Final[Mapping[str, tuple[str, str]]] = {
    "import edgeagent": ("edgeagent", "import edgeagent"),
    "import pydantic": ("pydantic", "import pydantic"),
    "import openai": ("openai", "import openai"),
    "import litellm": ("litellm", "import litellm"),
    "EdgeClient": ("edgeagent", "from edgeagent import EdgeClient"),
    "BaseModel": ("pydantic", "from pydantic import BaseModel"),
    "openai.OpenAI": ("openai", "from openai import OpenAI"),
    "litellm.completion": ("litellm", "from litellm import completion"),
}
"""What is imported: name → (contender, line). The second four load what the first call needs of the library's own."""

_ASK: Final = 'model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}]'
FIRST_CALLS: Final[Mapping[str, str]] = {
    "bare": "",
    "httpx": f"""
import httpx
client = httpx.Client(headers={{"authorization": "Bearer none"}})
response = client.post(upstream + "/v1/chat/completions", json=dict({_ASK}))
response.json()
""",
    "edgeagent": f"""
from edgeagent import EdgeClient
from edgeagent.providers import OpenAI
client = EdgeClient(providers=[OpenAI(api_key="none", base_url=upstream + "/v1")])
client.chat.completions.create({_ASK}).choices[0].message.content
""",
    "openai": f"""
from openai import OpenAI
client = OpenAI(api_key="none", base_url=upstream + "/v1")
client.chat.completions.create({_ASK}).choices[0].message.content
""",
    "litellm": f"""
import litellm
litellm.completion(api_key="none", api_base=upstream + "/v1", {_ASK}).choices[0].message.content
""",
}
"""From nothing to the first answer."""


def import_time(name: str) -> float:
    """Seconds that the import takes in a fresh process."""
    contender, line = IMPORTS[name]
    code = f"import time; began = time.perf_counter(); {line}; print(time.perf_counter() - began)"
    return float(_finished(python_of(contender), code))


def _finished(python: str, code: str) -> str:
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True, env=environment(), cwd="/"
    )
    return done.stdout


def first_call(name: str, upstream: str) -> tuple[float, int]:
    """Seconds until the first answer in a fresh process, and the bytes of memory resident after it."""
    code = (
        f"import time; began = time.perf_counter(); upstream = {upstream!r}\n{FIRST_CALLS[name]}\n"
        "print('answered', time.perf_counter() - began, flush=True); input()"
    )
    process = subprocess.Popen(
        [python_of(name), "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd="/",
    )
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if line.startswith("answered ")), None)
        if line is None:
            raise SystemExit(f"the first call of {name} failed")
        return float(line.split()[1]), _resident(process.pid)
    finally:
        process.communicate("\n")


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(told.stdout) * 1024
