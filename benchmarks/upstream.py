"""The upstream: a small HTTP/1.1 server on raw sockets that answers before a client can measure it.

Answers are built once. The path chooses: `/v1/chat/completions` answers with one completion, or with a stream if the
body asks for one; below `/paced` a stream's events leave one write each, as a model makes them, elsewhere all in one
write, so that a client's own work is all there is to wait for. Below `/distant` every answer comes `DELAY` seconds
later, as that of a server far away that thinks for a moment. `GET /count` tells how many completions were asked for:
what was to be a cache hit must not have been.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from itertools import count
from typing import Final

from benchmarks.workload import COMPLETION, stream_events

__all__ = ["DELAY", "main"]

DELAY: Final = 0.005

_HEADERS: Final = (
    b"content-type: %s\r\nx-request-id: req_7b1f0c2ad93e4f5b8a6d\r\nopenai-processing-ms: 1\r\n"
    b"openai-version: 2020-10-01\r\nx-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    b"date: Mon, 06 Oct 2025 12:00:00 GMT\r\nserver: loopback\r\nconnection: keep-alive\r\n"
)


def _whole(body: bytes, kind: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + _HEADERS % kind + b"content-length: %d\r\n\r\n" % len(body) + body


_COMPLETION: Final = _whole(COMPLETION, b"application/json")
_STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\n" + _HEADERS % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
_EVENTS: Final = [b"%x\r\n%s\r\n" % (len(event), event) for event in stream_events()]
_BURST: Final = _STREAM_HEAD + b"".join(_EVENTS) + b"0\r\n\r\n"

_asked = count()
_seen = [0]


def _serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = b""
    with connection:
        while True:
            end = held.find(b"\r\n\r\n")
            while end < 0:
                data = connection.recv(65536)
                if not data:
                    return
                held += data
                end = held.find(b"\r\n\r\n")
            head, body = held[:end], held[end + 4 :]
            length = _content_length(head)
            while len(body) < length:
                data = connection.recv(65536)
                if not data:
                    return
                body += data
            held = body[length:]
            _answer(connection, head, body[:length])


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])


def _answer(connection: socket.socket, head: bytes, body: bytes) -> None:
    if head.startswith(b"GET /count"):
        connection.sendall(_whole(b"%d" % _seen[0], b"text/plain"))
        return
    _seen[0] = next(_asked) + 1
    if head.startswith(b"POST /distant"):
        time.sleep(DELAY)
    if b'"stream":true' not in body and b'"stream": true' not in body:
        connection.sendall(_COMPLETION)
    elif head.startswith(b"POST /paced"):
        connection.sendall(_STREAM_HEAD)
        for event in _EVENTS:
            connection.sendall(event)
        connection.sendall(b"0\r\n\r\n")
    else:
        connection.sendall(_BURST)


def main() -> None:
    """Serve until standard input closes; the port is the first line printed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
