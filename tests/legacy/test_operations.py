"""`openai.Embedding`, `openai.Model` and `openai.Moderation` in process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import trio

import edgeagent as openai

__all__: list[str] = []


def test_embeddings_of_another_vendor(server):
    """By `openai.edge`, as for chat; the cache keeps them by text."""
    openai.edge = {"cache": True}
    first = openai.Embedding.create(input=["one", "two"], model="text-embedding-ada-002")
    again = openai.Embedding.create(input=["two", "one"], engine="text-embedding-ada-002")
    assert [row.embedding for row in again.data] == [row.embedding for row in reversed(first.data)]
    assert (again.edge.cached, len(server.requests)) == (True, 1)


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_async_twins(run, server):
    """Each of them, awaiting."""

    async def main() -> list[Any]:
        embedding = await openai.Embedding.acreate(input="tea", model="text-embedding-ada-002")
        moderation = await openai.Moderation.acreate("a fight", api_key="sk-own")
        model = await openai.Model.aretrieve("gpt-4", api_key="sk-own")
        return [
            len(embedding.data[0].embedding),
            moderation.results[0].flagged,
            model.id,
            (await openai.Model.alist()).object,
        ]

    assert (run(main) if run is trio.run else run(main())) == [8, True, "gpt-4", "list"]


def test_their_errors_are_of_that_time_too(server):
    """And so is what is refused before it is sent."""
    with pytest.raises(openai.error.RateLimitError):
        openai.Embedding.create(input="x", model="429")
    with pytest.raises(openai.error.InvalidRequestError, match="'engine' or 'model'"):
        openai.Embedding.create(input="x")
    with pytest.raises(openai.error.InvalidRequestError):
        openai.Moderation.create(input=7)
    with pytest.raises(openai.error.InvalidRequestError):
        openai.Model.retrieve("gpt-7")
