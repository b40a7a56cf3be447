"""One streamed call on its way into a stream that identical calls of its place share: the one under way, or its own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from edgeagent.core.ask import OpenedStream
from edgeagent.core.session import StreamSession
from edgeagent.core.shared_stream import SharedStream
from edgeagent.effects import Flow, here
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.chunk_log import ChunkLog

if TYPE_CHECKING:
    from edgeagent.cache.entry import Entry
    from edgeagent.core.call import Call
    from edgeagent.core.keys import Keys
    from edgeagent.core.pipeline import Pipeline
    from edgeagent.core.shared_stream import Place
    from edgeagent.core.targets import Candidates

__all__ = ["SharedSession", "StreamFlight"]

FREE: Final = Decimal(0)


class SharedSession(StreamSession):
    """What one of them is shown of the chunks that all share.

    Args:
        call: whose.
        shared: the stream.
        finish: told the whole answer when this one has been shown all of it.
    """

    def __init__(self, call: Call, shared: SharedStream, finish: Callable[[ChatCompletion], None]) -> None:
        self._shared = shared
        self._place = 0
        opened = OpenedStream(None, None)
        self._put(opened, *shared.so_far(0))
        super().__init__(call, opened, finish)

    def close_early(self) -> None:
        """The caller wants no more; the others go on. Idempotent."""
        self._shared.leave(self.call)
        super().close_early()

    def _fetch(self) -> Flow[None]:
        self._put(self._opened, *(yield from self._shared.more(self.call, self._place)))

    def _keep(self, chunks: list[ChatCompletionChunk]) -> None:
        """The stream has them."""

    def _said(self) -> ChatCompletion:
        return self._shared.said(self._place)

    def _whole(self) -> ChatCompletion:
        return self._shared.completion or super()._whole()

    def _put(self, opened: OpenedStream, chunks: list[ChatCompletionChunk], ended: bool) -> None:
        self._place += len(chunks)
        opened.chunks += chunks
        opened.ended = ended


class StreamFlight:
    """The opening is a flight like that of whole answers: one leads, the others wait, an error is everyone's.

    It lands with the stream that was opened, or with a hit that came meanwhile.

    Args:
        pipeline: whose steps these are.
        call: in mode `on`, in the unified model.
        candidates: of the call.
        keys: of the call.
        last_put: that of the layers when memory was asked.
    """

    def __init__(self, pipeline: Pipeline, call: Call, candidates: Candidates, keys: Keys, last_put: object) -> None:
        self._pipeline = pipeline
        self._streams = pipeline.streams
        self._call = call
        self._candidates = candidates
        self._keys = keys
        self._last_put = last_put
        self._place: Place = (None, keys.shared)

    def open(self) -> Flow[StreamSession]:
        """The call's own session over the shared stream.

        Raises:
            Exception: as of any call whose stream cannot be opened.
        """
        call, pipeline = self._call, self._pipeline
        self._place = (yield from here()), self._keys.shared
        while True:
            stream: StreamSession | SharedStream | None = self._under_way()
            if stream is None:
                openings = self._streams.openings
                stream = yield from pipeline._fly(call, self._place, self._find, self._ask, self._follow, openings)
            if isinstance(stream, StreamSession):
                return stream
            if (yield from stream.join(call)):
                pipeline._answered_by(call, stream.target)
                return self._session(stream)
            call.check_deadline()

    def _find(self) -> Flow[tuple[StreamSession | SharedStream, object | None] | None]:
        """What another flight has left meanwhile."""
        yield from ()
        layers = self._pipeline.layers
        found = None if layers.last_put is self._last_put else self._pipeline._near(self._call, self._keys.raw)
        given = None if found is None else self._replayed(*found)
        if given is not None:
            own = self._pipeline._restores(self._call)  # what memory held is this caller's alone
            return given, None if own else found
        stream = self._under_way()
        return None if stream is None else (stream, stream)

    def _under_way(self) -> SharedStream | None:
        """The stream of this place, unless it is none for who came after entries were forgotten."""
        stream = self._streams.get(self._place)
        return None if stream is None or stream.first.cleared < self._call.cleared else stream

    def _ask(self) -> Flow[tuple[StreamSession | SharedStream, object]]:
        """A stream of the provider's that others may join."""
        call, pipeline = self._call, self._pipeline
        answered, asked = yield from pipeline._opened_by(call, self._candidates)
        log = ChunkLog(call.clock)

        def settle(payer: Call, completion: ChatCompletion) -> Entry | None:
            payer.edge.provider_latency_ms = (call.clock() - asked) * 1e3
            payer.cleared = call.cleared  # the answer is as old as the first one's question
            if call.ticket is not None:
                call.ticket.streamed(None if completion.usage is None else completion.usage.completion_tokens)
            return pipeline._settle(payer, completion, answered, self._keys, log)

        pipeline._answered_by(call, answered.target)
        stream = SharedStream(call, answered.target, answered.answer, log, settle)
        self._streams.add(self._place, stream)
        return self._session(stream), stream

    def _follow(self, landed: Any) -> StreamSession | SharedStream | None:
        if isinstance(landed, SharedStream):
            return landed
        entry, tier = landed
        return None if self._pipeline._too_old(self._call, entry) else self._replayed(entry, tier)

    def _replayed(self, entry: Entry, tier: Any) -> StreamSession | None:
        return self._pipeline._replay(self._call, entry, tier, StreamSession)

    def _session(self, stream: SharedStream) -> StreamSession:
        edge = self._call.edge

        def finish(_: ChatCompletion) -> None:
            if stream.payer is not self._call:
                edge.coalesced = True
                edge.cost_usd, edge.saved_usd = FREE, None if stream.entry is None else stream.entry.cost_usd

        return SharedSession(self._call, stream, finish)
