"""A stream that breaks off in the middle and goes on at another target, for a call that wants that.

What had come is the beginning of the next target's answer. Each part is a call of its own, with its own admission, span
and cost; to the caller they are one stream, whose `edge` tells of all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from edgeagent.core.ask import is_http
from edgeagent.core.session import StreamSession
from edgeagent.core.story import tell_attempts
from edgeagent.core.verdict import judge
from edgeagent.effects import Flow
from edgeagent.errors import StreamInterruptedError
from edgeagent.types import Attempt, ChatCompletion, ChatCompletionChunk, ChatRequest, CompletionUsage, Target

if TYPE_CHECKING:
    from edgeagent.core.call import Call, CallOptions
    from edgeagent.providers.base import Provider

__all__ = ["ResumingSession", "continues"]

_NO_TEXT: Final = ("tool_calls", "function_call", "refusal", "audio")
"""What a message may hold that no other target can go on with."""


def continues(provider: Provider, model: str) -> bool:
    """Whether a conversation that ends with the beginning of an answer is answered with the rest of it."""
    if not is_http(provider):
        return bool(getattr(provider, "continues", False))
    able = getattr(provider.codec_for(model), "continues", None)
    return able is not None and bool(able(model))


class ResumingSession:
    """What the caller is to get in `pending`; `advance` fetches more, from whoever goes on.

    Args:
        first: the stream as it was opened.
        request: what the caller asked.
        options: of the call.
        targets: who can go on, in the order in which they are asked.
        begins: a call for a request.
        opens: opens the stream of a call.
        price: the US dollars that a call is expected to cost at a target; None if that is not known.
    """

    def __init__(
        self,
        first: StreamSession,
        request: ChatRequest,
        options: CallOptions,
        targets: Sequence[Target],
        begins: Callable[[ChatRequest, CallOptions], Call],
        opens: Callable[[Call], Flow[StreamSession]],
        price: Callable[[Call, Target], Decimal | None],
    ) -> None:
        self._now = first
        self._started = first.call.started
        self._request = request
        self._options = options
        self._targets = [*targets]
        self._begins = begins
        self._opens = opens
        self._price = price
        self._said = self._masked = ""  # by those that broke off: as the caller has it, and as it may be told
        self._space = ""  # at the end of what was said: vendors refuse a beginning that ends so
        self._attempts: list[Attempt] = []
        self._head: tuple[str, int] | None = None  # of the first chunk, which is the caller's: id and created
        self.pending: deque[ChatCompletionChunk] = deque()
        self._take()

    @property
    def call(self) -> Call:
        """The call whose stream flows now."""
        return self._now.call

    @property
    def usage(self) -> CompletionUsage | None:
        """That of whoever ended the answer; the beginning is a part of what it read."""
        return self._now.usage

    @property
    def flowing(self) -> bool:
        """Whether more may come."""
        return self._now.flowing

    def close_early(self) -> None:
        """The caller wants no more. Idempotent."""
        self._now.close_early()

    def advance(self) -> Flow[None]:
        """Read until something is pending or the stream has ended.

        Raises:
            StreamInterruptedError: it broke off, and nobody can go on; `.partial` holds all that had come, and
                `.attempts` tell of all who were asked.
        """
        while not self.pending and self._now.flowing:
            try:
                yield from self._now.advance()
            except StreamInterruptedError as error:
                following = yield from self._following(error)
                if following is None:
                    raise
                self._now = following
            self._take()

    def _following(self, error: StreamInterruptedError) -> Flow[StreamSession | None]:
        """The stream of whoever goes on; None if nobody can. The error is made to tell of all parts."""
        broken = self._now.call
        can_begin = _is_fault(error.__cause__) and _can_begin(error.partial, self._request)
        self._attempts += broken.attempts
        tell_attempts(error, self._attempts)
        if len(error.partial.choices) == 1:
            self._masked += _text(getattr(error, "masked_partial", error.partial))
            self._said += _text(error.partial)
            self._tell(error)
        failed = {attempt.target for attempt in self._attempts}
        targets = [target for target in self._targets if target not in failed]
        left = broken.remaining()
        if not can_begin or not targets or (left is not None and left <= 0):
            return None
        beginning = self._said.rstrip()
        messages = [*self._request.messages, {"role": "assistant", "content": beginning}]
        request = self._request.model_copy(update={"messages": messages, "model": str(targets[0])})
        options = replace(
            self._options,
            cache=replace(self._options.cache, mode="off"),
            deadline=left,
            fallbacks=tuple(map(str, targets[1:])),
            resume=False,
        )
        call = None
        try:
            call = self._begins(request, options)
            call.instead = True
            session = yield from self._opens(call)
        except Exception:  # that the stream broke off says more than why nobody could go on with it
            tell_attempts(error, (*error.attempts, *(() if call is None else call.attempts)))
            return None
        self._space = self._said[len(beginning) :]
        session.call.hedged_usd += broken.hedged_usd + (self._price(broken, self._attempts[-1].target) or 0)
        session.call.edge.resumed = (*broken.edge.resumed, self._attempts[-1].target)
        return session

    def _tell(self, error: StreamInterruptedError) -> None:
        error.partial = _with_text(error.partial, self._said)
        if hasattr(error, "masked_partial"):
            error.masked_partial = _with_text(error.masked_partial, self._masked)

    def _take(self) -> None:
        """Make what has come a part of the one stream that the caller sees."""
        now = self._now
        while now.pending:
            chunk = now.pending.popleft()
            if self._head is None:
                self._head = (chunk.id, chunk.created)
            elif self._attempts:
                chunk.id, chunk.created = self._head
                self._without_space(chunk)
            self.pending.append(chunk)
        if now.state == "ended" and self._attempts:
            edge, self._attempts = now.call.edge, [*self._attempts, *now.call.attempts]
            edge.attempts = tuple(self._attempts)
            edge.latency_ms = (now.call.clock() - self._started) * 1e3

    def _without_space(self, chunk: ChatCompletionChunk) -> None:
        """The beginning was sent without the space at its end, which the rest may begin with."""
        for choice in chunk.choices:
            text = choice.delta.content
            if text and self._space:
                begins = len(text) - len(text.lstrip())
                while not self._space.startswith(text[:begins]):
                    begins -= 1
                choice.delta.content, self._space = text[begins:], ""


def _is_fault(cause: BaseException | None) -> bool:
    """Whether another target may be asked after this; not after a refusal, or the call's own deadline."""
    return isinstance(cause, Exception) and judge(cause).next == "yes"


def _can_begin(partial: ChatCompletion, request: ChatRequest) -> bool:
    """Whether the rest of an answer can be asked for: one of plain text."""
    form = (request.response_format or {}).get("type", "text")
    if len(partial.choices) != 1 or form != "text":
        return False
    (choice,) = partial.choices
    message = choice.message
    return bool(
        choice.finish_reason is None
        and message.content
        and message.content.strip()
        and not any(getattr(message, name) for name in _NO_TEXT)
    )


def _text(partial: ChatCompletion) -> str:
    return partial.choices[0].message.content or ""


def _with_text(partial: ChatCompletion, text: str) -> ChatCompletion:
    (choice,) = partial.choices
    message = choice.message.model_copy(update={"content": text})
    return partial.model_copy(update={"choices": [choice.model_copy(update={"message": message})]})
