"""One streamed answer of the engine, as an iterator.

llama.cpp calls back, an iterator is called: a thread of its own stands between them for the time of one answer. It also
keeps the caller's thread free for signals. The iterator is no generator, since a generator cannot be closed while
another thread waits in it, and that is how a driver gives up on a stream that is late.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from edgeagent.providers.local.answer import Answer, refusal
from edgeagent.providers.local.engine import Engine, RefusedError
from edgeagent.types import ChatCompletionChunk

__all__ = ["AnswerStream"]


class AnswerStream:
    """The chunks of one answer. The first `next` starts the generation; `close`, from any thread, stops it.

    Args:
        load: gives the engine; called by the first `next`, and held until the end, since whom it belongs to closes the
            engine when nobody needs it any more.
        body: the request, as the engine takes it.
        answer: decodes the engine's events.
    """

    def __init__(self, load: Callable[[], Engine], body: str, answer: Answer) -> None:
        self._load: Callable[[], Engine] | None = load
        self._started = False
        self._body = body
        self._answer = answer
        self._events: SimpleQueue[str | Exception | None] = SimpleQueue()
        self._unwanted = threading.Event()
        self._ready: deque[ChatCompletionChunk] = deque()
        self._ended = False

    def __iter__(self) -> AnswerStream:
        return self

    def __next__(self) -> ChatCompletionChunk:
        """The next chunk. Raises like `Local.complete`."""
        load = self._load
        if load is not None and not self._started:
            self._start(load())
        try:
            while not self._ready and not self._ended:
                self._take(self._events.get())
        except BaseException:  # an error of the answer, or Ctrl-C while waiting for it
            self.close()
            raise
        if self._unwanted.is_set() or not self._ready:
            raise StopIteration
        return self._ready.popleft()

    def close(self) -> None:
        """Stop the generation at its next token; a thread that waits for a chunk is told that there is none."""
        self._ended = True
        self._load = None
        self._unwanted.set()
        self._events.put(None)

    def __del__(self) -> None:
        self.close()

    def _start(self, engine: Engine) -> None:
        self._started = True
        arguments = (engine, self._body, self._events, self._unwanted)
        threading.Thread(target=_generate, args=arguments, name="edgeagent-local", daemon=True).start()

    def _take(self, event: str | Exception | None) -> None:
        if isinstance(event, Exception):
            raise event
        if event is not None:
            self._ready.extend(self._answer.feed(event))
        elif not self._unwanted.is_set():
            self._ready.extend(self._answer.end())
            self._ended = True
            self._load = None


def _generate(
    engine: Engine, body: str, events: SimpleQueue[str | Exception | None], unwanted: threading.Event
) -> None:
    """In a thread; it holds the engine, not the stream or the provider, so that forgotten ones are freed."""

    def receive(event: str) -> bool:
        events.put(event)
        return unwanted.is_set()

    try:
        engine.run(body, receive)
    except RefusedError as error:
        events.put(refusal(str(error), begun=error.begun))
    except Exception as error:  # noqa: BLE001  # raised where the answer is read
        events.put(error)
    else:
        events.put(None)
