"""Which requests are looked for among those whose keys are known."""

from __future__ import annotations

import time
from typing import Any

import pytest

from edgeagent.cache.known_keys import LARGEST, KnownKeys
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.keys import raw_key_of
from edgeagent.core.native import Native, NativeExchange
from edgeagent.effects import Scope
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import ChatRequest

CANDIDATES = bytes(32)
LONG = "a" * LARGEST


def call(*contents: Any) -> Call:
    """One with these contents of messages."""
    messages = [{"role": "user", "content": content} for content in contents]
    request = ChatRequest.model_validate({"model": "m", "messages": messages})
    return Call(request, CallOptions(), Scope(), time.monotonic, time.time)


def native(content: bytes | None) -> Call:
    """One in a vendor's own format."""
    made = call("hi")
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    made.native = NativeExchange(Native(OpenAIChatCodec(), body, content=content))
    return made


@pytest.mark.parametrize(
    ("made", "looked_for"),
    [(native(b'{"model": "m"}'), True), (native(LONG.encode() + b"a"), False), (native(None), False)],
    ids=["body", "big", "dict"],
)
def test_only_what_is_short_is_looked_for(made: Call, *, looked_for: bool) -> None:
    """A large one has its key made each time, which takes less time; both are the same key."""
    known = KnownKeys()
    keys = {raw_key_of(made, CANDIDATES, known) for _ in range(2)}
    assert keys == {raw_key_of(made, CANDIDATES)}
    assert bool(known._keys) is looked_for
