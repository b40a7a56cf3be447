"""Calls as log lines, under the logger `edgeagent`.

One line for each call at INFO, one for each attempt, retry and fallback at DEBUG. No text of prompts, answers or
errors, no keys: models, targets, statuses, counts, times and money only.
"""

from __future__ import annotations

import logging
from typing import Final

from typing_extensions import override

from edgeagent.telemetry.attributes import tokens_of
from edgeagent.telemetry.base import CallEnded, CallStarted
from edgeagent.telemetry.null import NullObservation, NullObserver
from edgeagent.types import Attempt, Target
from edgeagent.types.display import duration_text, money_text

__all__ = ["LoggingObserver"]

LOGGER: Final = logging.getLogger("edgeagent")


class LoggingObserver(NullObserver):
    """Logs calls.

    Args:
        logger: where to; default: the logger `edgeagent`.
    """

    def __init__(self, logger: logging.Logger = LOGGER) -> None:
        self.logger = logger

    @override
    def start(self, event: CallStarted) -> _Line | None:
        """A call starts; nothing is made ready if nobody listens."""
        return _Line(self.logger, event) if self.logger.isEnabledFor(logging.INFO) else None

    @override
    def cache_fault(self, tier: str, error: BaseException) -> None:
        """A tier failed."""
        self.logger.debug("cache tier %s failed: %s", tier, type(error).__qualname__)


class _Line(NullObservation):
    """One call's line."""

    __slots__ = ("_logger", "_name")

    def __init__(self, logger: logging.Logger, event: CallStarted) -> None:
        self._logger = logger
        kind = " (stream)" if event.stream else ""
        self._name = f"{event.operation} {_printable(event.request.model)}{kind}"

    @override
    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        status = "" if attempt.status is None else f" ({attempt.status})"
        self._logger.debug(
            "%s: %s: %s%s in %s",
            self._name,
            attempt.target,
            attempt.outcome,
            status,
            duration_text(attempt.duration_ms),
        )

    @override
    def retry(self, target: Target, delay: float) -> None:
        self._logger.debug("%s: %s again in %s", self._name, target, duration_text(delay * 1e3))

    @override
    def fallback(self, failed: Target, target: Target) -> None:
        self._logger.debug("%s: %s after %s failed", self._name, target, failed)

    @override
    def end(self, event: CallEnded) -> None:
        self._logger.info("%s: %s", self._name, ", ".join([_outcome(event), *_facts(event)]))


def _outcome(event: CallEnded) -> str:
    edge = event.edge
    if event.error is not None:
        return f"failed with {type(event.error).__qualname__}"
    if event.completion is None:
        return "closed early"
    who = _printable(f"{edge.provider}/{edge.model}")
    if edge.cached:
        return f"{edge.cache_tier} hit of {who}"
    return f"joined a call to {who}" if edge.coalesced else f"answered by {who}"


def _facts(event: CallEnded) -> list[str]:
    edge = event.edge
    facts = [duration_text(event.duration * 1e3)]
    if event.time_to_first_chunk is not None:
        facts.append(f"first chunk after {duration_text(event.time_to_first_chunk * 1e3)}")
    if len(edge.attempts) > 1:
        facts.append(f"{len(edge.attempts)} attempts")
    if edge.cached_inputs and not edge.cached:
        facts.append(f"{edge.cached_inputs} inputs cached")
    tokens = tokens_of(event.completion)
    if tokens is not None:
        facts.append(f"{tokens[0]} + {tokens[1]} tokens")
    if edge.cost_usd is not None and (edge.cost_usd or edge.saved_usd is None):
        facts.append(money_text(edge.cost_usd))
    if edge.saved_usd is not None:
        facts.append(f"{money_text(edge.saved_usd)} saved")
    if edge.request_id is not None:
        facts.append(f"request {_printable(edge.request_id)}")
    return facts


def _printable(text: str) -> str:
    """Names come from callers and providers: none of them may end a log line."""
    return text if text.isprintable() else repr(text)
