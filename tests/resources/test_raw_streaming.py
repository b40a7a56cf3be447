"""The body of a response that is read piece by piece, and what becomes of it when it is closed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from edgeagent import EdgeAgentError, EdgeClient
from edgeagent.testing import FakeProvider

ASK: dict[str, Any] = {"model": "fake/m", "messages": [{"role": "user", "content": "x"}], "stream": True}
CLOSED = "closed before its body had been read"


def test_what_had_come_when_it_was_closed_is_not_the_whole() -> None:
    """Neither of a body that nobody began to read, nor of one that somebody left half-way."""
    with EdgeClient(providers=[FakeProvider("one two three", name="fake")]) as client:
        with client.chat.completions.with_streaming_response.create(**ASK) as response:
            pass
        for read in (response.read, response.text, response.parse, lambda: list(response.iter_lines())):
            with pytest.raises(EdgeAgentError, match=CLOSED):
                read()
        with client.chat.completions.with_streaming_response.create(**ASK) as response:
            lines = response.iter_lines()
            next(lines)
        with pytest.raises(EdgeAgentError, match=CLOSED):
            list(lines)
        with client.chat.completions.with_streaming_response.create(**ASK) as response:
            whole = response.read()
            with pytest.raises(json.JSONDecodeError):
                response.json()
        assert whole == response.read()
        assert whole.endswith(b"[DONE]\n\n")


def test_the_same_awaited() -> None:
    """Its pieces are read in an event loop."""

    async def main() -> None:
        client = EdgeClient(providers=[FakeProvider("one two three", name="fake")])
        async with client.to_async() as other:
            async with other.chat.completions.with_streaming_response.create(**ASK) as response:
                lines = response.iter_lines()
                await anext(lines)
            with pytest.raises(EdgeAgentError, match=CLOSED):
                [line async for line in lines]
            async with other.chat.completions.with_streaming_response.create(**ASK) as response:
                pass
            with pytest.raises(EdgeAgentError, match=CLOSED):
                await response.read()

    asyncio.run(main())
