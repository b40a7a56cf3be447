"""The Observer protocol: told what happened, cannot change it.

The core calls an observer at four points of a call. Every method must return fast and must not block; an exception that
it raises is logged once and otherwise ignored.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from edgeagent.types import AnyAnswer, AnyRequest, Attempt, ResponseMetadata, Target

__all__ = ["CallEnded", "CallStarted", "Observation", "Observer"]


class CallStarted(NamedTuple):
    """A call has passed validation; nothing has been looked up or sent."""

    operation: str
    """`chat` or `embeddings`, as in `gen_ai.operation.name`; beside the conventions `rerank` and `moderations`."""
    request: AnyRequest
    """A `ChatRequest`, `EmbeddingRequest`, `RerankRequest` or `ModerationRequest`, by `operation`."""
    stream: bool
    tags: tuple[str, ...] = ()


class CallEnded(NamedTuple):
    """A call has ended: with `completion` (for a stream the assembled one), or with `error`, or closed early (neither).

    `completion` is the answer to what was asked: for embeddings a `CreateEmbeddingResponse`, and so on.

    `vendor` is the answering provider's id in `gen_ai.provider.name`, None if none answered. `time_to_first_chunk` is
    in seconds, for streams only.
    """

    edge: ResponseMetadata
    vendor: str | None
    completion: AnyAnswer | None
    error: BaseException | None
    duration: float
    time_to_first_chunk: float | None = None


class Observation(Protocol):
    """One call, as one observer sees it."""

    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        """An attempt has ended."""
        ...

    def retry(self, target: Target, delay: float) -> None:
        """The same target will be tried again after `delay` seconds."""
        ...

    def fallback(self, failed: Target, target: Target) -> None:
        """The next target will be tried."""
        ...

    def end(self, event: CallEnded) -> None:
        """The call has ended. Called exactly once."""
        ...

    def activate(self) -> AbstractContextManager[Any] | None:
        """A context in which effects are performed (a current span); None, for the whole call, if there is none."""
        ...


class Observer(Protocol):
    """Makes an `Observation` for each call; returns None for a call it does not care about.

    One that also has a method `budget_reached` is told of each `edgeagent.limits.BudgetEvent`.
    """

    def start(self, event: CallStarted) -> Observation | None:
        """A call starts."""
        ...

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        """A tier was asked."""
        ...

    def cache_fault(self, tier: str, error: BaseException) -> None:
        """A tier failed; the call went on as after a miss."""
        ...
