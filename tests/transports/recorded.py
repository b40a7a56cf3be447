"""Recorded traffic played through the transport: an upstream on loopback that gives the recorded answers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.corpus import Record, body
from tests.support.loopback import Loopback, Request, chunk, head, reply

KEY = {
    "openai": "authorization",
    "azure": "api-key",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
}
SDK_KEY = "sk-of-the-sdk"


@dataclass
class Upstream:
    """Answers every request with the record that is set, cut at random bytes if it is a stream."""

    seed: int = 7
    record: Record | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def __call__(self, request: Request) -> Any:
        assert self.record is not None
        status, content = self.record["status"], body(self.record)
        headers = {n: v for n, v in self.record["response"]["headers"].items() if n not in _FRAMING}
        if "body_text" not in self.record["response"] or status != 200:
            return reply(status, content, **headers)
        return self.pieces(status, content, headers)

    def pieces(self, status: int, content: bytes, headers: dict[str, str]) -> Iterator[bytes]:
        yield head(status, **headers)
        while content:
            size = self.random.randint(1, max(1, len(content) // 3))
            yield chunk(content[:size])
            content = content[size:]
        yield chunk(b"")


_FRAMING = {"content-length", "transfer-encoding", "content-encoding", "connection", "date"}


def sent(record: Record, server: Loopback, client: httpx.Client) -> httpx.Response:
    """The recorded request, sent by a client to the server in place of the vendor's."""
    parts = urlsplit(record["request"]["url"])
    query = "&".join(item for item in parts.query.split("&") if item and not item.startswith("key="))
    url = f"{server.url}{parts.path}" + (f"?{query}" if query else "")
    name = next(name for vendor, name in KEY.items() if record["api"].startswith(vendor))
    key = f"Bearer {SDK_KEY}" if name == "authorization" else SDK_KEY
    headers = {**record["request"]["headers"], "content-type": "application/json", name: key}
    if name == "x-api-key":
        headers.setdefault("anthropic-version", "2023-06-01")
    return client.post(url, headers=headers, content=json.dumps(record["request"]["body"]).encode())
