"""One streamed answer under way: a state machine over chunks, without I/O.

    held ──first content──▶ flowing ──end──▶ ended
                               │  └──fault──▶ interrupted
                               └──closed by the caller──▶ closed

`held` lies before this object exists: until the first chunk with content, faults are retried and fall back. The session
begins flowing. What each end means:

- ended: usage, cost and `edge` are complete, the answer may be stored.
- interrupted: a fault after the first content; nothing is stored, the error carries the partial completion.
- closed: the caller had enough; nothing is stored, the driver's scope closes the connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, TypeVar

from edgeagent.core.ask import OpenedStream, restored
from edgeagent.core.call import Call
from edgeagent.core.promises import check_promises
from edgeagent.core.story import tell_attempts
from edgeagent.core.verdict import forbidden
from edgeagent.effects import Flow, Source, close, read, sleep
from edgeagent.errors import APIError, EdgeAgentError, StreamInterruptedError
from edgeagent.types import ChatCompletion, ChatCompletionChunk, CompletionUsage
from edgeagent.types._model import own
from edgeagent.types.assembly import PADDING, latest
from edgeagent.types.chunk_log import ChunkLog
from edgeagent.types.recording import Recorded

__all__ = ["Session", "SessionState", "StreamSession", "pull"]

T = TypeVar("T")

SessionState = Literal["flowing", "ended", "interrupted", "closed"]

DRAIN_SECONDS: Final = 0.25
"""How long the rest of a response is waited for after the format's own end, so that its connection is used again."""


class Session(Generic[T]):
    """What the caller is to get in `pending`; `advance` fetches more.

    Args:
        call: whose stream this is.
        opened: the stream from its first content on.
        finish: told the assembled completion on a clean end; completes `call.edge`, stores.
        log: is given the chunks as they come; one that keeps their times, if the answer may be stored.
    """

    def __init__(
        self,
        call: Call,
        opened: OpenedStream,
        finish: Callable[[ChatCompletion], None],
        log: ChunkLog | None = None,
    ) -> None:
        self.call = call
        self.pending: deque[T] = deque()
        self.state: SessionState = "flowing"
        self.usage: CompletionUsage | None = None
        self._opened = opened
        self._finish = finish
        self._log = ChunkLog() if log is None else log
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._show_usage = self._sees_usage()
        self._created = int(call.wall())
        self._restoring = None if call.shielding is None or opened.restored else call.shielding.chunks()
        self._first_chunk = call.clock() - call.started
        self._take()
        if opened.ended:
            self._end()

    @property
    def flowing(self) -> bool:
        """Whether more may come."""
        return self.state == "flowing"

    def advance(self) -> Flow[None]:
        """Read until something is pending or the stream has ended.

        Raises:
            StreamInterruptedError: the stream broke off; `.partial` holds what had come, `__cause__` says why.
        """
        opened = self._opened
        while not self.pending and self.state == "flowing":
            try:
                yield from self._fetch()
                self._take()
                if opened.ended and self.call.promises:
                    check_promises(self.call.promises, self.partial())
                if opened.ended and self.call.shielding is not None:
                    yield from self._check()
            except Exception as error:
                self._interrupt(error)
            if opened.ended:
                self._end()

    def _check(self) -> Flow[None]:
        """Whether the shield lets the whole answer pass."""
        from edgeagent.core.shielding import passed

        yield from passed(self.call, self._said())

    def partial(self) -> ChatCompletion:
        """The completion as far as it has come."""
        return restored(self.call, self._said())

    def close_early(self) -> None:
        """The caller wants no more. Idempotent; the connection belongs to the driver's scope."""
        if self.state == "flowing":
            self.state = "closed"
            self.pending.clear()
            self.call.ended(None, None, self._first_chunk)

    def _take(self) -> None:
        """Account for what was decoded and make visible what the caller asked to see."""
        chunks, self._opened.chunks = self._opened.chunks, []
        for chunk in chunks:
            if not chunk.created:  # a vendor that sends no time
                chunk.created = self._created
        self._keep(chunks)
        for chunk in chunks:
            shown, put = chunk, self._show
            if chunk.usage is not None:
                self.usage = own(chunk.usage)
                if not self._show_usage:
                    shown = chunk.model_copy(update={"usage": None})
                    put = self._show if chunk.choices else self._hide
            if self._restoring is None:
                put(shown)
            else:
                for one in self._restoring.feed(shown):
                    put(one)

    def _keep(self, chunks: list[ChatCompletionChunk]) -> None:
        """What is known of them from now on: they are the caller's, who may change them."""
        self._log.took(chunks)

    def _said(self) -> ChatCompletion:
        """The completion as far as it has come, as the provider said it."""
        return self._log.completion()

    def _sees_usage(self) -> bool:
        """Whether usage is shown to the caller."""
        return self.call.request.include_usage

    def _show(self, chunk: ChatCompletionChunk) -> None:
        """Make a chunk visible to the caller."""
        raise NotImplementedError

    def _hide(self, chunk: ChatCompletionChunk) -> None:
        """One that was there for the usage, which is hidden."""
        raise NotImplementedError

    def _wait(self, paced: deque[Recorded]) -> Flow[None]:
        """Let as much time pass as did before the next chunk when it was recorded."""
        call = self.call
        after, chunk = paced.popleft()
        pause = call.started + self._first_chunk + after - call.clock()
        if pause > 0:
            left = call.remaining()
            yield from sleep(pause if left is None else max(0.0, min(pause, left)))
            call.check_deadline()
        self._opened.chunks.append(chunk)
        self._opened.ended = not paced

    def _fetch(self) -> Flow[None]:
        """Wait for the next piece and decode it."""
        opened = self._opened
        if opened.paced is not None:
            return self._wait(opened.paced)
        return pull(opened, self.call.deadline, self.call.clock)

    def _whole(self) -> ChatCompletion:
        """The completion when all of it has come."""
        return self._said()

    def _end(self) -> None:
        self.state = "ended"
        if self._restoring is not None:
            for one in self._restoring.end():
                self._show(one)
        completion = self._whole()
        if self.call.shielding is not None and not self._opened.restored:
            self.call.shielding.answer = completion
        self._finish(completion)
        self.call.ended(completion, None, self._first_chunk)

    def _interrupt(self, cause: Exception) -> None:
        self.state = "interrupted"
        call = self.call
        partial = self._said()
        quoting = call.shielding is not None and forbidden(cause) and not isinstance(cause, EdgeAgentError)
        said = type(cause).__name__ if quoting else cause  # a caller's own guard has seen the restored answer
        error = StreamInterruptedError(message=f"The stream broke off: {said}", partial=self.partial())
        call.interrupted(cause)
        tell_attempts(error, call.attempts)
        _quote(error, cause)
        told = error
        if call.shielding is not None:
            error.masked_partial = partial
            told = copy(error)  # observers get what a pickle gets: `partial` is restored for the caller alone
            told.__cause__ = cause
        call.ended(partial, told, self._first_chunk)
        try:
            raise error
        finally:
            del error, told  # no cycle through this frame


def _quote(error: StreamInterruptedError, cause: Exception) -> None:
    """Have the error say what its cause says in the provider's words."""
    error.__cause__ = cause
    if isinstance(cause, APIError):
        error.request, error.body = cause.request, cause.body
        error.code, error.param, error.type = cause.code, cause.param, cause.type


def pull(opened: OpenedStream, deadline: float | None, clock: Callable[[], float]) -> Flow[None]:
    """Read and decode the next piece; after the format's own end, what was held back."""
    source, decoder = opened.source, opened.decoder
    assert source is not None
    if decoder is not None and decoder.finished:
        yield from _drain(source, clock() + DRAIN_SECONDS)
        opened.take(decoder.end())
        opened.ended = True
    else:
        opened.feed((yield from read(source, deadline)))


def _drain(source: Source, limit: float) -> Flow[None]:
    """Read what follows the format's own end (normally nothing), but wait for it no longer than a moment."""
    try:
        while (yield from read(source, limit)) is not None:
            pass
    except Exception:  # the answer is complete; how its connection ends does not matter
        yield from close(source)


class StreamSession(Session[ChatCompletionChunk]):
    """Chunks for the caller: those that came. He may change them: what is stored and told of them is in the log.

    The last visible chunk is held back until the end is known, because it carries `edge`; the one that ends the last
    choice is normally followed by nothing but usage, so this delays no content. Where usage is hidden, what else its
    chunk says (a vendor's `citations`, say) is said by the last one.
    """

    _finishes = False  # every choice that has begun has ended: any chunk may be the last
    _last: ChatCompletionChunk | None = None
    _shown: ChatCompletionChunk | None = None  # the latest that was not held back
    _beside: Mapping[str, Any] = MappingProxyType({})  # what hidden chunks say, as long as none is held back

    def _hide(self, chunk: ChatCompletionChunk) -> None:
        said = {name: value for name, value in (chunk.model_extra or {}).items() if name not in PADDING}
        if self._last is None:
            self._beside = _together(self._beside, said)
        else:
            _say(self._last, _together(self._last.model_extra or {}, said))

    def _show(self, chunk: ChatCompletionChunk) -> None:
        if self._finishes and not chunk.choices and not self._show_usage and "usage" in chunk.model_fields_set:
            self._hide(chunk)
            return
        if self._last is not None:
            self.pending.append(self._last)
            self._last = None
        for choice in chunk.choices:
            (self._begun if choice.finish_reason is None else self._ended).add(choice.index)
        self._finishes = bool(self._ended) and self._begun <= self._ended
        if self._finishes or not chunk.choices:  # some vendor sends yet another chunk with a choice
            self._last = chunk
        else:
            self.pending.append(chunk)
            self._shown = chunk

    def _end(self) -> None:
        super()._end()
        if self._last is not None:
            self.pending.append(self._last)
        last = self._last or self._shown  # a choice that never ended has kept nothing back
        if last is not None:
            _say(last, _together(self._beside, last.model_extra or {}))
            last._attach(self.call.edge)
        self._last = self._shown = None


def _together(before: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """What two chunks say of a vendor's own."""
    return {**before, **{name: latest(before.get(name), value) for name, value in later.items()}}


def _say(chunk: ChatCompletionChunk, extra: Mapping[str, Any]) -> None:
    own_extra = chunk.model_extra
    assert own_extra is not None
    own_extra.update(extra)
