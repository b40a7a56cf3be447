"""Usage to cost."""

from __future__ import annotations

from edgeagent.pricing.base import PriceSource
from edgeagent.pricing.cost import Pricing

__all__ = ["PriceSource", "Pricing"]
