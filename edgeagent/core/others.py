"""The request for a target that is not sent what the caller wrote: of another format, or in another model's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from edgeagent.core.call import Call
from edgeagent.core.wrapping import EDIT, Unwrapper, Wrapped, unmarked, unwrap, wrap
from edgeagent.errors import RequestValidationError
from edgeagent.limits.outputs import output_of
from edgeagent.providers.base import HTTPProvider, Promise
from edgeagent.providers.fitting import begun, fitted, is_sure, without_failures
from edgeagent.providers.renaming import Renamed, rename
from edgeagent.providers.turns import RESULTS_FIRST, results_first
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest, Target

__all__ = ["ForTarget", "for_target"]


Reshape: TypeAlias = Callable[[ChatCompletionChunk], object]


class ForTarget(NamedTuple):
    """A request as a target is to see it, the names of what was left out, and what was changed, in words.

    `wrapped` says what its answer has to be taken out of, `renamed` what its calls are called.
    """

    request: ChatRequest
    dropped: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    wrapped: Wrapped | None = None
    renamed: Renamed | None = None

    def promises(self, promises: tuple[Promise, ...]) -> tuple[Promise, ...]:
        """What the answer is checked for, once it is in the caller's terms."""
        for changed in (self.wrapped, self.renamed):
            promises = promises if changed is None else changed.promises(promises)
        return promises

    def undo(self, completion: ChatCompletion) -> None:
        """Put an answer into the caller's terms, in place."""
        if self.wrapped is not None:
            unwrap(completion, plain=self.wrapped.plain)
        if self.renamed is not None:
            self.renamed.undo(completion)

    def reshape(self, then: Reshape | None) -> Reshape | None:
        """What does the same to each chunk of a stream, before `then` changes it further."""
        then = then if self.renamed is None else self.renamed.reshape(then)
        return then if self.wrapped is None else Unwrapper(then, plain=self.wrapped.plain)


def for_target(call: Call, target: Target, provider: HTTPProvider | None = None) -> ForTarget:
    """The request for a target that is not sent the caller's own body."""
    request: ChatRequest = call.request
    dropped: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    if call.native is not None:
        try:
            request, dropped = call.native.for_others(request)
        except RequestValidationError as error:
            error.target = str(target)
            raise
    elif not _stands_in(call, target):
        return ForTarget(request)
    codec = None if provider is None else provider.codec_for(target.model)
    wire = "" if codec is None else codec.wire
    if call.native is not None:
        request, left = without_failures(request, wire)
        dropped += left
        ordered = results_first(request)
        if ordered is not None:
            request, edits = ordered, (RESULTS_FIRST,)
    if provider is None:
        return ForTarget(unmarked(request), dropped, edits)
    wrapped = wrap(request) if call.native is not None else None
    made = ForTarget(request, dropped, edits)
    if wrapped is not None:
        made = ForTarget(wrapped.request, dropped, (*edits, EDIT), wrapped)
    if _stands_in(call, target) or (call.native is not None and call.native.asked.codec.wire != wire):
        made = _with_names(made, wire)
    able = provider.capabilities(target.model)
    sure = False
    if call.native is not None and codec is not None:
        asked = call.native.asked.codec.wire
        sure = is_sure(asked, codec)
        made = made._replace(edits=made.edits + begun(request, asked, codec, target.model))
    fit = fitted(made.request, wire, able, able.max_output or output_of(target.model), sure=sure)
    return made._replace(request=fit.request, dropped=made.dropped + fit.dropped, edits=made.edits + fit.edits)


def _with_names(made: ForTarget, wire: str) -> ForTarget:
    """Tools under names that the target's format takes."""
    renamed = rename(made.request, wire)
    if renamed is None:
        return made
    return made._replace(request=renamed.request, edits=(*made.edits, renamed.edit()), renamed=renamed)


def _stands_in(call: Call, target: Target) -> bool:
    """Whether it is asked in another's place: as a fallback, as one of a group, or to go on with what another began."""
    return call.instead or target != call.named
