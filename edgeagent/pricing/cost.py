"""Usage → cost.

The classes of tokens are disjoint. What the details name (cache reads and writes, audio, images, reasoning) is billed
as such, the rest of the total as plain input or output; a class without a price of its own is billed as its parent
(`price.CLASSES`). Where details add up to more than their total they are believed, and the rest is nothing, never
negative. Of the extra fields of usage two are read, Anthropic's `cache_creation` (which part of the cache writes is
kept for an hour) and `server_tool_use.web_search_requests` (https://docs.anthropic.com/en/api/messages, `usage`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias, TypeVar

from edgeagent.errors import ConfigurationError
from edgeagent.pricing.price import CLASSES, Price, Rate, scaled
from edgeagent.pricing.table import ModelRow, PriceTable, shipped_table
from edgeagent.types import CompletionUsage

__all__ = ["Pricing"]

K = TypeVar("K")
T = TypeVar("T")

_Name: TypeAlias = tuple[str, str]

_REMEMBERED: Final = 4096
"""Model names whose rows are kept at hand; beyond that, all are looked up anew."""


class Pricing:
    """What models cost. Implements `PriceSource`; thread-safe; reads the shipped table on first use.

    Args:
        prices: `"vendor/model"` → dollars per million tokens by class (`price.CLASSES`: `input` and `output`, and
            `cache_read`, `output_reasoning`, … where they are priced apart). It is that model's whole price, in place
            of the table's. Numbers, or text for exact decimals; floats are taken as they print.
        table: the table for all other models; default: the shipped one.
        clock: seconds since the epoch; some prices change by date or hour.

    Raises:
        ConfigurationError: a key without vendor, an unknown class, a missing `input` or `output`, a price that is not a
            finite number of at least 0.
    """

    def __init__(
        self,
        prices: Mapping[str, Mapping[str, Decimal | float | str]] | None = None,
        *,
        table: PriceTable | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._own = {_own_key(name): _own_price(name, given) for name, given in (prices or {}).items()}
        self._table = table
        self._clock = clock
        self._rows: dict[_Name, ModelRow | None] = {}
        self._fixed: dict[tuple[str, str, str | None], Price] = {}  # by vendor, model and service tier

    @classmethod
    def default(cls) -> Pricing:
        """The shipped prices."""
        return cls()

    def cost(
        self, vendor: str, model: str, usage: CompletionUsage, *, service_tier: str | None = None
    ) -> Decimal | None:
        """The price of `usage` in US dollars, at the moment of asking; None when no price is known.

        `service_tier` is what it is billed in (`flex`, `priority`, `batch`, `fast`); a tier without a price of its own
        costs the standard price.
        """
        price = self._fixed.get((vendor, model, service_tier))
        if price is None:
            price = self._price(vendor, model, service_tier)
            if price is None:
                return None
        counts, total_input = _counts(usage)
        return price.cost(counts, total_input)

    def knows(self, vendor: str, model: str) -> bool:
        """Whether this is the exact name of a model that the vendor is known to have."""
        if (vendor.lower(), model.lower()) in self._own:
            return True
        row = self._row(vendor, model)
        return row is not None and row.exact

    def context_window(self, vendor: str, model: str) -> int | None:
        """The model's context window in tokens, None when not known."""
        row = self._row(vendor, model)
        return None if row is None else row.context_window

    def _price(self, vendor: str, model: str, service_tier: str | None) -> Price | None:
        price = self._own.get((vendor.lower(), model.lower()))
        if price is None:
            row = self._row(vendor, model)
            if row is None:
                return None
            conditions = () if service_tier is None else (f"service_tier={service_tier}",)
            price = row.fixed(conditions)
            if price is None:
                return row.price(self._clock(), conditions)
        return _remember(self._fixed, (vendor, model, service_tier), price)

    def _row(self, vendor: str, model: str) -> ModelRow | None:
        key = (vendor, model)
        try:
            return self._rows[key]
        except KeyError:
            row = (self._table or shipped_table()).find(vendor, model)
            return _remember(self._rows, key, row)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": {}, "_fixed": {}}


def _remember(memory: dict[K, T], name: K, value: T) -> T:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[name] = value
    return value


def _own_key(name: str) -> _Name:
    vendor, slash, model = name.lower().partition("/")
    if not (vendor and slash and model):
        raise ConfigurationError(f"Pricing: {name!r} is not of the form 'vendor/model'.")
    return vendor, model


def _own_price(name: str, given: Mapping[str, Decimal | float | str]) -> Price:
    unknown = sorted(given.keys() - set(CLASSES))
    if unknown:
        raise ConfigurationError(
            f"Pricing: {name!r} has no class {unknown[0]!r}; the classes are {', '.join(CLASSES)}."
        )
    if not {"input", "output"} <= given.keys():
        raise ConfigurationError(f"Pricing: {name!r} needs the prices 'input' and 'output', per million tokens.")
    return Price({token_class: _own_rate(name, token_class, amount) for token_class, amount in given.items()})


def _own_rate(name: str, token_class: str, amount: Decimal | float | str) -> Rate:
    try:
        if isinstance(amount, bool):
            raise TypeError("a price is a number")
        return Rate(scaled(Decimal(str(amount))))
    except (TypeError, ValueError, InvalidOperation) as error:
        raise ConfigurationError(
            f"Pricing: {name!r}, {token_class!r}: {amount!r} is not a price in dollars per million."
        ) from error


def _counts(usage: CompletionUsage) -> tuple[tuple[int, ...], int]:
    """How much of each of `CLASSES`, and the whole input."""
    read = write = audio_in = image_in = reasoning = audio_out = image_out = 0
    details = usage.prompt_tokens_details
    if details is not None:
        read, write = _count(details.cached_tokens), _count(details.cache_write_tokens)
        audio_in, image_in = _count(details.audio_tokens), _count(details.image_tokens)
    output = usage.completion_tokens_details
    if output is not None:
        reasoning, audio_out = _count(output.reasoning_tokens), _count(output.audio_tokens)
        image_out = _count((output.model_extra or {}).get("image_tokens"))
    extra = usage.model_extra or {}
    hour = searches = 0
    if extra:
        hour = _nested(extra, "cache_creation", "ephemeral_1h_input_tokens")
        write = max(write, hour + _nested(extra, "cache_creation", "ephemeral_5m_input_tokens"))
        searches = _nested(extra, "server_tool_use", "web_search_requests")
    prompt = _count(usage.prompt_tokens)
    parts_in = read + write + audio_in + image_in
    return (
        max(prompt - parts_in, 0),
        read,
        write - hour,
        hour,
        audio_in,
        image_in,
        max(_count(usage.completion_tokens) - reasoning - audio_out - image_out, 0),
        reasoning,
        audio_out,
        image_out,
        searches,
        1,
    ), max(prompt, parts_in)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _nested(extra: Mapping[str, Any], name: str, inner: str) -> int:
    value = extra.get(name)
    return _count(value.get(inner)) if isinstance(value, Mapping) else 0
