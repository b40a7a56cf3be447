"""What a request is expected to use and to cost at a target, learned from what was answered."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from edgeagent.core.billing import asked_tier
from edgeagent.core.call import Call
from edgeagent.core.prompt_cache import PromptCache, prefixes_of
from edgeagent.pricing.base import PriceSource
from edgeagent.tokens import Estimate, OutputLengths, Size, TokenEstimator
from edgeagent.types import ChatRequest, CompletionUsage, Target
from edgeagent.types.usage import PromptTokensDetails

__all__ = ["Estimates"]


class Estimates:
    """Shared by all views of a client.

    Args:
        pricing: usage to cost.
        vendor: a target's vendor, as prices name it.
        tokens: the estimator of input tokens.
        tier: the service tier that all that a target serves is billed in; None if it says nothing.
    """

    def __init__(
        self,
        pricing: PriceSource | None,
        vendor: Callable[[Target], str],
        tokens: TokenEstimator | None = None,
        tier: Callable[[Target], str | None] = lambda _: None,
    ) -> None:
        self.estimator = tokens or TokenEstimator()
        self.outputs = OutputLengths()
        self.prompt_cache = PromptCache()
        self._pricing = pricing
        self._vendor = vendor
        self._tier = tier

    def model(self, target: Target) -> str:
        """What a target's counts are kept under."""
        return f"{self._vendor(target)}/{target.model}"

    def tokens(self, call: Call[Any], target: Target) -> Estimate:
        """The input tokens of a call's request at a target."""
        model = self.model(target)
        return self.estimator.estimate(self._size(call, model), model)

    def output(self, call: Call[Any], target: Target) -> int:
        """The output tokens that are expected: none of what is no chat."""
        request = call.request
        if not isinstance(request, ChatRequest):
            return 0
        return self.outputs.expected(self.model(target), request.output_limit) * (request.n or 1)

    def price(self, call: Call[Any], target: Target) -> Decimal | None:
        """The US dollars that a call is expected to cost at a target; None where no price is known."""
        if self._pricing is None:
            return None
        tokens, output = self.tokens(call, target).tokens, self.output(call, target)
        details = PromptTokensDetails(cached_tokens=int(tokens * self._warm(call, target)))
        usage = CompletionUsage(
            prompt_tokens=tokens,
            completion_tokens=output,
            total_tokens=tokens + output,
            prompt_tokens_details=details,
        )
        tier = asked_tier(call.request, self._tier(target))
        return self._pricing.cost(self._vendor(target), target.model, usage, service_tier=tier)

    def observe(self, call: Call[Any], target: Target, usage: CompletionUsage) -> None:
        """Learn from an answer's usage."""
        model = self.model(target)
        self.outputs.observe(model, usage.completion_tokens // (getattr(call.request, "n", None) or 1))
        if call.size is not None or self.estimator.wants(model):
            self.estimator.observe(self._size(call, model), model, usage.prompt_tokens)
        if call.warmth is not None:
            details = usage.prompt_tokens_details
            cached = (details.cached_tokens or 0) if details is not None else 0
            self.prompt_cache.observe(target, call.warmth, call.clock(), usage.prompt_tokens, cached)

    def _size(self, call: Call[Any], model: str) -> Size:
        if not self.estimator.alike:
            return self.estimator.size(call.request, model)
        if call.size is None:
            call.size = self.estimator.size(call.request, model)
        return call.size

    def _warm(self, call: Call[Any], target: Target) -> float:
        if not isinstance(call.request, ChatRequest):
            return 0.0
        if call.warmth is None:
            call.warmth = prefixes_of(call.request)
        return self.prompt_cache.warm(target, call.warmth, call.clock())
