"""Which of a vendor's service tiers a call is billed in: `flex`, `priority`, `batch`, `fast`; None is the standard.

Before a call, the request says it, where it names one; after it, the answer does. A provider may say what all that it
serves is billed in: an address with a vendor's batch prices, a project with a tier of its own, a provider of the
caller's that asks a vendor's batch API. That holds where neither of the two says anything else.

- OpenAI, Gemini, Mistral, Groq: `service_tier` of the request and of the answer
  (https://platform.openai.com/docs/api-reference/chat/create, `service_tier`).
- Anthropic: `usage.service_tier` of the answer, `batch` in results of its batch API; `speed` of the request and of the
  answer's usage, of which `fast` has prices of its own (https://docs.anthropic.com/en/api/messages, `usage`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.base import Provider

__all__ = ["asked_tier", "billed_tier", "own_tier"]

STANDARD: Final = frozenset({None, "auto", "default", "on_demand", "standard", "standard_only"})
"""What says no more than that it is the vendor's usual one."""

BATCH: Final = "batch"
"""No request can ask for it: a vendor that is asked for an answer at once drops or refuses it. So it lowers no estimate
because a request names it, and no reserve of a budget."""


def own_tier(provider: Provider) -> str | None:
    """What all that a provider serves is billed in; None if it says nothing."""
    tier = getattr(provider, "service_tier", None)
    return None if tier in STANDARD else str(tier)


def asked_tier(request: Any, own: str | None) -> str | None:
    """What a request is expected to be billed in at a provider with `own` for its tier."""
    tier = getattr(request, "service_tier", None)
    if tier in STANDARD or tier == BATCH:
        tier = _speed(getattr(request, "model_extra", None))
    return own if tier is None else tier


def billed_tier(answer: Any, own: str | None) -> str | None:
    """What an answer was billed in, by its own word, else by its provider's."""
    tier = getattr(answer, "service_tier", None)
    if tier in STANDARD:
        tier = _speed(getattr(answer.usage, "model_extra", None))
    return own if tier is None else tier


def _speed(extra: Mapping[str, Any] | None) -> str | None:
    return "fast" if extra and extra.get("speed") == "fast" else None
