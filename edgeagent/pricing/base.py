"""What a price source is."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from edgeagent.types import CompletionUsage

__all__ = ["PriceSource"]


class PriceSource(Protocol):
    """Turns usage into money."""

    def cost(
        self, vendor: str, model: str, usage: CompletionUsage, *, service_tier: str | None = None
    ) -> Decimal | None:
        """The price in US dollars of `usage` at `vendor`'s `model`, or None when no price is known.

        `service_tier` is what it is billed in (`flex`, `priority`, `batch`, `fast`), by the answer's word or its
        provider's; None and unknown ones are the vendor's standard.
        """
        ...
