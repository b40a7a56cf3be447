"""What one target has answered of an embedding batch already, should a later part fail. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from edgeagent.types import CompletionUsage, CreateEmbeddingResponse, Embedding

__all__ = ["Parts", "paid_for", "usage_of"]

_NOTHING: Final = Decimal(0)


@dataclass(slots=True)
class Parts:
    """What one target has answered during one call.

    Attributes:
        asked: answers to the first parts of what the cache had not, in order.
        again: the same of what it had, where the target's model is another by now.
        whole: answers of a provider that splits nothing.
        usd: what those cost that were counted; None if that is not known.
    """

    asked: list[CreateEmbeddingResponse] = field(default_factory=list)
    again: list[CreateEmbeddingResponse] = field(default_factory=list)
    whole: list[CreateEmbeddingResponse] = field(default_factory=list)
    usd: Decimal | None = _NOTHING
    _counted: list[CreateEmbeddingResponse] = field(default_factory=list)

    def uncounted(self) -> list[CreateEmbeddingResponse]:
        """Those that came since this was asked for: each is paid for once."""
        seen = {id(answer) for answer in self._counted}
        new = [answer for answer in (*self.asked, *self.again, *self.whole) if id(answer) not in seen]
        self._counted += new
        return new

    def costs(self, usd: Decimal | None) -> None:
        """Count what the uncounted ones cost."""
        self.usd = _sum((self.usd, usd))

    @property
    def mixed(self) -> bool:
        """Whether the vendor's model behind the name has changed meanwhile: no answer is made of these."""
        return len({answer.model for answer in (*self.asked, *self.again)}) > 1

    def clear(self) -> None:
        """None of them is of use."""
        self.asked.clear()
        self.again.clear()

    def vectors(self) -> list[Embedding]:
        """Of the first parts, in order."""
        return [vector for answer in self.asked for vector in answer.data]


def paid_for(parts: Iterable[Parts]) -> Decimal | None:
    """What a call cost, whichever targets answered parts of it; None if that is not known."""
    return _sum(one.usd for one in parts)


def usage_of(answers: Sequence[CreateEmbeddingResponse]) -> CompletionUsage | None:
    """What answers used together, as it is billed; None if one does not say."""
    usages = [answer.usage for answer in answers if answer.usage is not None]
    if len(usages) < len(answers):
        return None
    prompt, total = sum(usage.prompt_tokens for usage in usages), sum(usage.total_tokens for usage in usages)
    return CompletionUsage(prompt_tokens=prompt, completion_tokens=0, total_tokens=total)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = _NOTHING
    for usd in amounts:
        if usd is None:
            return None
        total += usd
    return total
