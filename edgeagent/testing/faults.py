"""A vendor that fails: a server on loopback that answers chats in OpenAI's format, and some of them not as it should.

    with FaultServer(share=0.3, seed=7) as server:
        client = EdgeClient(providers=[OpenAICompatible(name="a", base_url=server.url, api_key="x")])

Every fault is something that vendors and the networks before them have done. Which call meets which is drawn from a
seed, or said by a function of the request.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FAULTS", "Fault", "FaultServer"]

Fault: TypeAlias = Literal[
    "silence",
    "reset",
    "429",
    "429-retry-after",
    "500",
    "529",
    "truncated-json",
    "html",
    "short-body",
    "half-stream",
    "error-event",
    "garbage",
    "slow",
    "endless",
]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
"""What may go wrong.

- `silence`: no answer at all; `reset`: the connection is reset after the request.
- `429`, `429-retry-after` (of 50 ms), `500`, `529`: refusals.
- `truncated-json`, `html`: a status of 200 and no answer; `short-body`: fewer bytes than promised.
- `half-stream`, `error-event`, `garbage`: a stream that stops, one that tells an error, one with lines between its
  events that mean nothing (which is no error). A call that does not stream is reset in place of the first two.
- `slow`: one byte each second; `endless`: a body that never ends.
"""

_RESET: Final = object()


class FaultServer:
    """The server. Thread-safe; one thread for each connection.

    Args:
        share: how many of the calls meet a fault.
        faults: which; each as likely.
        seed: of what is drawn.
        choose: says instead for each request (its JSON) which fault it meets; None: none.
        text: what the other calls are answered.
        usage: the prompt and completion tokens that an answer tells of.

    Attributes:
        met: how many calls met what; `"none"` for those that met nothing.
    """

    def __init__(
        self,
        *,
        share: float = 0.3,
        faults: Sequence[Fault] = FAULTS,
        seed: int = 0,
        choose: Callable[[dict[str, Any]], Fault | None] | None = None,
        text: str = "All is well.",
        usage: tuple[int, int] = (10, 5),
    ) -> None:
        unknown = set(faults) - set(FAULTS)
        if unknown or not faults:
            raise ConfigurationError(f"FaultServer: faults= are some of {', '.join(FAULTS)}.")
        if not 0 <= share <= 1:
            raise ConfigurationError(f"FaultServer: share={share!r} is not between 0 and 1.")
        self.met: Counter[str] = Counter()
        self._share = share
        self._faults = tuple(faults)
        self._random = random.Random(seed)  # noqa: S311  # nothing secret
        self._choose = choose
        self._text = text
        self._usage = usage
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._over = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def requests(self) -> int:
        """How many calls have come."""
        return sum(self.met.values())

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        threading.Thread(target=self._accept, name="fault-server", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="fault-server", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as incoming:
                while (request := _received(incoming)) is not None:
                    fault = self._fault(request)
                    if fault == "silence":
                        connection.recv(1, socket.MSG_PEEK)  # until the caller hangs up
                        return
                    for piece in self._answer(fault, bool(request.get("stream"))):
                        if piece is _RESET:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                            return
                        connection.sendall(piece)
                    if fault == "short-body":
                        return
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)

    def _fault(self, request: dict[str, Any]) -> Fault | None:
        with self._lock:
            drawn = self._random.random() < self._share
            fault = self._random.choice(self._faults) if drawn else None
            if self._choose is not None:
                fault = self._choose(request)
            self.met[fault or "none"] += 1
            return fault

    def _answer(self, fault: Fault | None, stream: bool) -> Iterator[Any]:
        if fault in _STATUSES:
            yield _refusal(*_STATUSES[fault])
        elif fault == "reset" or (not stream and fault in {"half-stream", "error-event"}):
            yield _RESET
        elif fault == "html":
            yield _reply(b"<html><body>Welcome to the network.</body></html>", "text/html")
        elif stream:
            yield from self._streamed(fault)
        else:
            yield from self._whole(fault)

    def _whole(self, fault: Fault | None) -> Iterator[Any]:
        body = json.dumps(self._completion()).encode()
        if fault == "truncated-json":
            yield _reply(body[: len(body) // 2])
        elif fault == "short-body":
            yield _reply(body, length=len(body) + 100)
        elif fault == "slow":
            yield _reply(b"", length=len(body))
            yield from self._slowly(body)
        elif fault == "endless":
            yield _CHUNKED_JSON
            yield from self._endlessly(b" ")
        else:
            yield _reply(body)

    def _streamed(self, fault: Fault | None) -> Iterator[Any]:
        yield _EVENTS
        events: list[Any] = list(self._events())
        if fault == "half-stream":
            events[2:] = [_RESET]
        elif fault == "error-event":
            events[2:] = [_event({"error": {"message": "The engine is on fire.", "type": "server_error"}})]
        elif fault == "truncated-json":
            events[2:] = [_chunk(b'data: {"id": "1", "choi\n\n'), _RESET]
        elif fault == "garbage":
            events[1:1] = [_chunk(b": a comment\n\nevent: ping\n\nretry: 5\n\nunknown: field\n\n")]
        elif fault == "short-body":
            events[2:] = [b"40\r\nless than promised", _RESET]
        elif fault == "slow":
            yield from self._slowly(b"".join(events))
            return
        elif fault == "endless":
            yield events[0]
            yield from self._endlessly(_chunk(b": still here\n\n"))
            return
        yield from events
        if fault == "error-event":
            yield _chunk(b"")

    def _slowly(self, data: bytes) -> Iterator[bytes]:
        for place in range(len(data)):
            if self._over.wait(1.0):
                return
            yield data[place : place + 1]

    def _endlessly(self, data: bytes) -> Iterator[bytes]:
        while not self._over.wait(0.02):
            yield data

    def _completion(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self._text}
        return {**_HEAD, "object": "chat.completion", **self._told([{**_CHOICE, "message": message}])}

    def _events(self) -> Iterator[bytes]:
        words = self._text.split(" ")
        for place, word in enumerate(words):
            delta = {"role": "assistant", "content": word if not place else f" {word}"}
            yield _event({**_PIECE, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        yield _event({**_PIECE, **self._told([{**_CHOICE, "delta": {}}])})
        yield _chunk(b"data: [DONE]\n\n")
        yield _chunk(b"")

    def _told(self, choices: list[Any]) -> dict[str, Any]:
        prompt, completion = self._usage
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        return {"choices": choices, "usage": usage}


_HEAD: Final = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "m"}
_PIECE: Final = {**_HEAD, "object": "chat.completion.chunk"}
_CHOICE: Final = {"index": 0, "finish_reason": "stop"}
_STATUSES: Final[dict[str | None, tuple[int, str]]] = {
    "429": (429, ""),
    "429-retry-after": (429, "retry-after-ms: 50\r\n"),
    "500": (500, ""),
    "529": (529, ""),
}
_EVENTS: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_CHUNKED_JSON: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n"


def _reply(body: bytes, kind: str = "application/json", *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n\r\n".encode() + body


def _refusal(status: int, more: str) -> bytes:
    body = json.dumps({"error": {"message": "Not now.", "type": "server_error"}}).encode()
    head = f"HTTP/1.1 {status} No\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def _event(data: dict[str, Any]) -> bytes:
    return _chunk(b"data: " + json.dumps(data).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _received(incoming: Any) -> dict[str, Any] | None:
    """The next request's JSON; None when the connection was closed."""
    length = 0
    if not incoming.readline():
        return None
    while (line := incoming.readline()).strip():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    found: dict[str, Any] = json.loads(incoming.read(length) or b"{}")
    return found
