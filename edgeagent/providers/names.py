"""What a provider of any kind says of model names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["Named"]


_SHARED: Final = frozenset({"gcp.gemini"})
"""Vendors whose rows in the price table another one shares: Google's are those of Vertex AI, too, which serves other
makers' models (Claude), as the Gemini API does not."""


class Named:
    """Answers for one provider, with the price table's word on which models its vendor has.

    Args:
        provider: any provider; `knows`, `family` and `models` are used where it has them.
        vendor: its vendor in the price table.
        priced: whether the price table has this vendor's model.
    """

    def __init__(self, provider: Any, vendor: str, priced: Callable[[str, str], bool]) -> None:
        self.name: str = provider.name
        self.literal: bool = getattr(provider, "literal_names", False)
        self._knows: Callable[[str], bool] | None = getattr(provider, "knows", None)
        self._family: Callable[[str], bool] | None = getattr(provider, "family", None)
        self._models = frozenset(getattr(provider, "models", ()) or ())
        self._reseller: bool = getattr(provider, "reseller", False)
        self._vendor = vendor
        self._priced = priced

    def knows(self, model: str) -> bool:
        """Whether this is an exact model that it serves, as the caller says, or the table if the names are its own."""
        if model in self._models or (self._knows is not None and self._knows(model)):
            return True
        return not self._resold(model) and self._has(model)

    def hosts(self, model: str) -> bool:
        """Whether it is known to serve this model of another maker's."""
        return self._resold(model) and self._has(model)

    def _resold(self, model: str) -> bool:
        """Whether the name is its maker's. One with a slash is a reseller's own."""
        return self._reseller and "/" not in model

    def _has(self, model: str) -> bool:
        return self._priced(self._vendor, model) and (self._vendor not in _SHARED or self.family(model))

    def family(self, model: str) -> bool:
        """Whether the name looks like one of its models."""
        return self._family is not None and self._family(model)
