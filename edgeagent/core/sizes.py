"""How much one attempt may use, before it is made: in tokens, and in money at the target's price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple

from edgeagent.core.billing import asked_tier
from edgeagent.core.call import Call
from edgeagent.core.targets import Targets, vendor_of
from edgeagent.limits.money import pico_at_least
from edgeagent.limits.outputs import ASSUMED_OUTPUT, output_of
from edgeagent.pricing.base import PriceSource
from edgeagent.types import ChatRequest, CompletionUsage, Target

__all__ = ["Sizes", "Worst"]


class Sizes(NamedTuple):
    """Tokens of one attempt: as expected, and at most."""

    tokens_in: int
    most_in: int
    tokens_out: int
    most_out: int

    @property
    def most(self) -> int:
        """Input and output together, at most."""
        return self.most_in + self.most_out


class Worst:
    """Bounds for attempts.

    Args:
        targets: what is known of models, and what is expected of them.
        pricing: usage to cost.
    """

    def __init__(self, targets: Targets, pricing: PriceSource) -> None:
        self._targets = targets
        self._pricing = pricing

    def among(self, targets: Targets) -> Worst:
        """The same for other targets."""
        return self if targets is self._targets else Worst(targets, self._pricing)

    def sizes(self, call: Call[Any], target: Target) -> Sizes:
        """The tokens of an attempt at `target`."""
        request, estimates = call.request, self._targets.estimates
        found = estimates.tokens(call, target)
        if not isinstance(request, ChatRequest):
            return Sizes(found.tokens, found.at_most, 0, 0)
        most_out = self._most_out(request, target, found.tokens)
        return Sizes(found.tokens, found.at_most, min(estimates.output(call, target), most_out), most_out)

    def priced(self, target: Target) -> bool:
        """Whether the target's price is known."""
        return self._cost(target, _usage(1, 1, "text_tokens"), None) is not None

    def usd(self, request: Any, target: Target, sizes: Sizes) -> int | None:
        """The worst case in picodollars; None where no price is known.

        Which part of the input the vendor will write to its prompt cache is not known before, nor what is sound or
        thought: the dearest of what the request may be billed as counts. Searches that a vendor makes by itself and
        bills apart are not foreseen.
        """
        tier = asked_tier(request, self._targets.service_tier(target))
        costs = [self._cost(target, usage, tier) for usage in _billings(request, sizes)]
        known = [cost for cost in costs if cost is not None]
        return pico_at_least(max(known)) if known else None

    def _most_out(self, request: ChatRequest, target: Target, tokens_in: int) -> int:
        said = request.output_limit
        if said is None:
            window = self._targets.window(target)
            said = self._targets.capabilities(target).max_output or output_of(target.model)
            if said is None:
                said = ASSUMED_OUTPUT if window is None else window
            if window is not None:
                said = max(1, min(said, window - tokens_in))
        return said * _answers(request)

    def _cost(self, target: Target, usage: CompletionUsage, tier: str | None) -> Decimal | None:
        return self._pricing.cost(self._vendor(target), target.model, usage, service_tier=tier)

    def _vendor(self, target: Target) -> str:
        return vendor_of(self._targets.provider(target))


def _answers(request: ChatRequest) -> int:
    return max(1, request.n or 1)


_MEDIA: Final = (("input_audio", "audio_tokens"), ("image_url", "image_tokens"))


def _billings(request: Any, sizes: Sizes) -> list[CompletionUsage]:
    """What the input may be billed as, each alone: plain, written to the vendor's cache, media where there are some."""
    kinds = _kinds(request)
    classes = ["text_tokens", "cache_write_tokens", *(name for kind, name in _MEDIA if kind in kinds)]
    usages = [_usage(sizes.most_in, sizes.most_out, token_class) for token_class in classes]
    hour: dict[str, Any] = {"cache_creation": {"ephemeral_1h_input_tokens": sizes.most_in}}
    return [*usages, usages[1].model_copy(update=hour)]


def _kinds(request: Any) -> set[object]:
    """The types of the content parts that the messages have."""
    contents = (message.get("content") for message in getattr(request, "messages", ()))
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return {part.get("type") for part in parts if isinstance(part, dict)}


def _usage(tokens_in: int, tokens_out: int, token_class: str) -> CompletionUsage:
    return CompletionUsage.model_validate(
        {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
            "prompt_tokens_details": {token_class: tokens_in},
        }
    )
