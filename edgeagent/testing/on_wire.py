"""A fault and a good answer → the pieces that a server sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from edgeagent.testing import faults
from edgeagent.testing.faults import Fault
from edgeagent.testing.loopback import CLOSE, HANG_UP, Pause, chunk, head, reply

__all__ = ["Good", "error_body", "pieces"]

PAGE: Final = b"<!doctype html><title>Sign in</title><h1>Welcome to the network of this hotel</h1>"

_CUT: Final = 5
"""Bytes of an answer's JSON that a truncated one lacks at least."""


class Good(NamedTuple):
    """The answer that a request would have got: one part of JSON, or an event a part."""

    parts: list[bytes]
    streamed: bool

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.parts)

    @property
    def kind(self) -> str:
        """Its content type."""
        return "text/event-stream" if self.streamed else "application/json"

    def pieces(self) -> Iterator[Any]:
        """As it should be."""
        if not self.streamed:
            yield reply(200, self.body)
            return
        yield head()
        yield from map(chunk, self.parts)
        yield chunk(b"")


def error_body(message: str, code: str | None = None) -> bytes:
    """An error in OpenAI's form."""
    return json.dumps({"error": {"message": message, "type": "server_error", "param": None, "code": code}}).encode()


def pieces(fault: Fault | None, good: Good) -> Iterator[Any]:
    """What goes over the wire: bytes, pauses, and the ends of connections."""
    match fault:
        case None:
            yield from good.pieces()
        case faults.Hang():
            yield Pause(fault.seconds)
            yield HANG_UP
        case faults.Reset():
            yield HANG_UP
        case faults.Status():
            yield _error(fault)
        case faults.Truncated():
            yield from _truncated(good)
        case faults.Html():
            yield reply(200, PAGE, content_type="text/html")
        case faults.Empty():
            yield reply(200, content_type=good.kind)
        case faults.HalfStream():
            yield from _half(fault, good)
        case faults.ErrorEvent():
            yield from _error_event(fault, good)
        case faults.Slow():
            yield from _slow(fault, good)
        case faults.WrongLength():
            yield reply(200, good.body, length=max(0, len(good.body) + fault.by), content_type=good.kind)
            yield CLOSE
        case faults.Garbage():
            yield from _garbage(fault, good)
        case faults.Drip():
            raw = b"".join(good.pieces())
            for start in range(0, len(raw), fault.size):
                yield raw[start : start + fault.size]
                yield Pause(fault.seconds)
        case faults.Endless():
            yield from _endless(fault, good)
        case faults.Stale():
            yield from good.pieces()
            yield HANG_UP
        case _:
            raise TypeError(f"no fault of edgeagent.testing.faults: {fault!r}")


def _error(fault: faults.Status) -> bytes:
    body = error_body("An injected fault.", fault.code)
    if fault.retry_after is None:
        return reply(fault.status, body)
    return reply(fault.status, body, retry_after=f"{fault.retry_after:g}")


def _truncated(good: Good) -> Iterator[Any]:
    first = good.parts[0].rstrip(b"\n")
    end = b"\n\n" if good.streamed else b""
    yield reply(200, first[: max(1, len(first) - len(first) // 3 - _CUT)] + end, content_type=good.kind)


def _half(fault: faults.HalfStream, good: Good) -> Iterator[Any]:
    if good.streamed:
        yield head()
        yield from map(chunk, good.parts[: fault.events])
        if fault.how == "end":
            yield chunk(b"")
            return
    else:
        body = good.body
        yield reply(200, body[: len(body) // 2], length=None if fault.how == "end" else len(body))
        if fault.how == "end":
            return
    yield Pause(0.001)  # what was sent is not to be overtaken by the end
    yield HANG_UP if fault.how == "reset" else CLOSE


def _error_event(fault: faults.ErrorEvent, good: Good) -> Iterator[Any]:
    error = error_body("The server is overloaded.", "server_overloaded")
    if not good.streamed:
        yield reply(200, error)
        return
    yield head()
    yield from map(chunk, good.parts[: fault.events])
    yield chunk(b"data: " + error + b"\n\n")
    yield chunk(b"")


def _slow(fault: faults.Slow, good: Good) -> Iterator[Any]:
    yield Pause(fault.first)
    for number, piece in enumerate(good.pieces()):
        if number > 1:  # the head goes with the first
            yield Pause(fault.between)
        yield piece


def _garbage(fault: faults.Garbage, good: Good) -> Iterator[Any]:
    if not good.streamed:
        yield reply(200, good.body + fault.data)
        return
    yield head()
    for part in good.parts:
        yield chunk(fault.data)
        yield chunk(part)
    yield chunk(b"")


def _endless(fault: faults.Endless, good: Good) -> Iterator[Any]:
    """The last event is held back: after it a client would know that all has come."""
    yield head(content_type=good.kind)
    yield from map(chunk, good.parts[:-1])
    sign = chunk(b": alive\n\n" if good.streamed else b" ")
    while True:
        yield sign
        yield Pause(fault.every)
