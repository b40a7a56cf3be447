"""A client of either library and of any kind, over a transport, under one awaiting surface."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import httpx
import httpx2

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.transports import transport
from tests.e2e.harness import run, settled
from tests.support.loopback import Request, events, reply

__all__ = ["BODY", "COMPLETION", "WAYS", "Caller", "answers", "chunks", "run", "settled", "through"]

LIBRARIES = {"httpx": httpx, "httpx2": httpx2}
WAYS = [(library, kind) for library in LIBRARIES for kind in ("sync", "asyncio", "trio")]

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where?"}]}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "novelty": {"a": 1.5},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}


def chunks(*texts: str) -> list[Any]:
    """A stream's events, usage and end included."""
    top = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    told: list[Any] = [
        {**top, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts
    ]
    told.append({**top, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    told.append({**top, "choices": [], "usage": COMPLETION["usage"]})
    return [*told, "[DONE]"]


def answers(request: Request) -> Any:
    """A vendor: a completion, or a stream if that is asked for."""
    if request.json().get("stream"):
        return events(chunks("Par", "is"))
    return reply(200, COMPLETION, x_request_id="req_1", x_ratelimit_remaining_requests="9")


class Caller:
    """Requests through a transport."""

    def __init__(self, way: tuple[str, str], providers: Iterable[Any], **options: Any) -> None:
        library, self.kind = LIBRARIES[way[0]], way[1]
        options = {"retry": 0, **options}
        self.library = library
        if self.kind == "sync":
            self.edge: Any = EdgeClient(providers=list(providers), **options)
            self.client: Any = library.Client(transport=transport(self.edge), timeout=30)
        else:
            self.edge = AsyncEdgeClient(providers=list(providers), **options)
            self.client = library.AsyncClient(transport=transport(self.edge), timeout=30)

    async def post(self, url: str, body: Any = BODY, key: str = "sk-sdk", **headers: str) -> Any:
        """A whole answer."""
        fields = {"authorization": f"Bearer {key}", **{n.replace("_", "-"): v for n, v in headers.items()}}
        return await settled(self.client.post(url, json=body, headers=fields))

    async def open(self, url: str, body: Any = BODY, **headers: str) -> Any:
        """A streamed answer's head."""
        fields = {"authorization": "Bearer sk-sdk", **{n.replace("_", "-"): v for n, v in headers.items()}}
        request = self.client.build_request("POST", url, json={**body, "stream": True}, headers=fields)
        return await settled(self.client.send(request, stream=True))

    async def pieces(self, response: Any) -> list[bytes]:
        """The pieces of a streamed answer."""
        if self.kind == "sync":
            return list(response.iter_raw())
        return [piece async for piece in response.aiter_raw()]

    async def first(self, response: Any) -> bytes:
        """One piece of it, after which it is closed."""
        if self.kind == "sync":
            piece = next(iter(response.iter_raw()))
            response.close()
            return bytes(piece)
        pieces = aiter(response.aiter_raw())
        piece = await anext(pieces)
        await response.aclose()
        async for _ in pieces:  # the library's own nested generators, of which trio would warn
            raise AssertionError("it is closed")
        return bytes(piece)

    async def close(self) -> None:
        """Close both clients."""
        await settled(self.client.close() if self.kind == "sync" else self.client.aclose())
        await settled(self.edge.close())


def through(way: tuple[str, str], providers: Iterable[Any], scenario: Callable[[Caller], Any], **options: Any) -> None:
    """Run a scenario with a caller of one way."""

    async def whole() -> None:
        caller = Caller(way, providers, **options)
        try:
            await scenario(caller)
        finally:
            await caller.close()

    run(way[1], whole)
