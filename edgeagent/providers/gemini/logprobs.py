"""Gemini's `logprobsResult` → log probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.types import ChatCompletionTokenLogprob, ChoiceLogprobs, TopLogprob

__all__ = ["logprobs_of"]


def logprobs_of(result: object) -> ChoiceLogprobs | None:
    """The chosen tokens with their alternatives; None where nothing was told."""
    chosen = result.get("chosenCandidates") if isinstance(result, Mapping) else None
    if not isinstance(result, Mapping) or not isinstance(chosen, list):
        return None
    top = result.get("topCandidates")
    others = top if isinstance(top, list) else []
    return ChoiceLogprobs(
        content=[
            ChatCompletionTokenLogprob(
                token=token, logprob=logprob, bytes=list(token.encode()), top_logprobs=_top(others, place)
            )
            for place, candidate in enumerate(chosen)
            for token, logprob in _told(candidate)
        ]
    )


def _top(others: list[Any], place: int) -> list[TopLogprob]:
    candidates = others[place].get("candidates") if place < len(others) and isinstance(others[place], Mapping) else None
    found = [told for candidate in candidates for told in _told(candidate)] if isinstance(candidates, list) else []
    return [TopLogprob(token=token, logprob=logprob, bytes=list(token.encode())) for token, logprob in found]


def _told(candidate: Any) -> list[tuple[str, float]]:
    if not isinstance(candidate, Mapping) or not isinstance(candidate.get("token"), str):
        return []
    value = candidate.get("logProbability", 0.0)  # 0 is left out
    return [(candidate["token"], float(value) if isinstance(value, int | float) else 0.0)]
