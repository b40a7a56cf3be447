"""Is an installed edgeagent whole? Run in an environment that holds the wheel and nothing else."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import edgeagent
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.testing import FakeProvider

__all__: list[str] = []

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


def packaging() -> None:
    package = Path(edgeagent.__file__).parent
    assert package.is_relative_to(sys.prefix), f"not the installed package: {package}"
    assert (package / "py.typed").is_file()
    for name in ("anthropic", "coverage", "hypothesis", "openai", "opentelemetry.sdk", "pytest", "trio", "xllamacpp"):
        parent = name.partition(".")[0]
        found = importlib.util.find_spec(parent) and importlib.util.find_spec(name)
        assert not found, f"{name} is installed: this environment is not clean"
    for name in edgeagent.__all__:
        assert getattr(edgeagent, name) is not None


def sync_calls() -> None:
    with EdgeClient(providers=[FakeProvider("Paris.", name="fake")]) as client:
        first = client.chat.completions.create(model="fake/any", messages=MESSAGES)
        again = client.chat.completions.create(model="fake/any", messages=MESSAGES)
        streamed = client.chat.completions.create(model="fake/any", messages=MESSAGES, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
    assert first.choices[0].message.content == "Paris." == text
    assert (first.edge.cached, again.edge.cached, again.edge.cache_tier) == (False, True, "memory")


async def async_calls() -> None:
    async with AsyncEdgeClient(providers=[FakeProvider("Paris.", name="fake")]) as client:
        answer = await client.chat.completions.create(model="fake/any", messages=MESSAGES)
    assert answer.choices[0].message.content == "Paris."


packaging()
sync_calls()
asyncio.run(async_calls())
print(f"edgeagent {edgeagent.__version__} works on Python {sys.version.split()[0]}")
