"""Where budgets keep what was spent, and what is held for calls under way.

An account is a name with two sums, dollars (in picodollars) and tokens. A call holds its worst case in all of its
accounts, in one step or in none; afterwards the hold gives way to what it really cost. What is spent and what is held
together never exceed the limit that a hold was asked for with.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol, runtime_checkable

__all__ = ["Accounts", "Balance", "Charge", "Hold", "MemoryAccounts", "Refusal"]


class Charge(NamedTuple):
    """One account of a call, and its limits; None is no limit. `end`: when its time is over (seconds of the epoch)."""

    account: str
    usd_limit: int | None = None
    tokens_limit: int | None = None
    end: float | None = None


class Balance(NamedTuple):
    """What was spent, and what is held for calls under way."""

    usd: int = 0
    tokens: int = 0
    held_usd: int = 0
    held_tokens: int = 0

    def fits(self, charge: Charge, usd: int, tokens: int) -> bool:
        """Whether so much more stays within the limits."""
        return (charge.usd_limit is None or self.usd + self.held_usd + usd <= charge.usd_limit) and (
            charge.tokens_limit is None or self.tokens + self.held_tokens + tokens <= charge.tokens_limit
        )


class Hold(NamedTuple):
    """What one call holds; `id` is used once."""

    id: str
    usd: int = 0
    tokens: int = 0


class Refusal(NamedTuple):
    """The first of the charges that did not fit, and its account's balance."""

    place: int
    balance: Balance


@runtime_checkable
class Accounts(Protocol):
    """A store of accounts. Thread-safe.

    `blocking` says whether its methods do I/O: then they are called where they block nobody.
    """

    blocking: bool

    def reserve(self, hold: Hold, charges: Sequence[Charge], /) -> Refusal | None:
        """Hold so much in every account, or in none: then the refusal."""
        ...

    def settle(self, hold: Hold, charges: Sequence[Charge], usd: int, tokens: int, /) -> Sequence[Balance]:
        """End the hold, if it is there (still), and book what was spent. The balances after it."""
        ...

    def balance(self, account: str, /) -> Balance:
        """What the account holds; nothing, if there is none of that name."""
        ...

    def close(self) -> None:
        """Give back files and connections; the next use opens them again."""
        ...


class MemoryAccounts:
    """Accounts of this process, forgotten with it. Implements `Accounts`; holds end only with their calls."""

    blocking = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._balances: dict[str, Balance] = {}
        self._holds: dict[Hold, tuple[str, ...]] = {}

    def reserve(self, hold: Hold, charges: Sequence[Charge], /) -> Refusal | None:
        """See `Accounts`."""
        with self._lock:
            for place, charge in enumerate(charges):
                balance = self._balances.get(charge.account, _NOTHING)
                if not balance.fits(charge, hold.usd, hold.tokens):
                    return Refusal(place, balance)
            names = tuple(charge.account for charge in charges)
            self._holds[hold] = names
            self._add(names, Balance(0, 0, hold.usd, hold.tokens))
        return None

    def settle(self, hold: Hold, charges: Sequence[Charge], usd: int, tokens: int, /) -> Sequence[Balance]:
        """See `Accounts`."""
        names = tuple(charge.account for charge in charges)
        with self._lock:
            held = self._holds.pop(hold, None)
            if held is not None:
                self._add(held, Balance(0, 0, -hold.usd, -hold.tokens))
            self._add(names, Balance(usd, tokens, 0, 0))
            return [self._balances[name] for name in names]

    def balance(self, account: str, /) -> Balance:
        """See `Accounts`."""
        return self._balances.get(account, _NOTHING)

    def close(self) -> None:
        """Nothing to give back."""

    def after_fork(self) -> None:
        """In the child: the calls under way are the parent's."""
        self._lock = Lock()
        for hold, names in self._holds.items():
            self._add(names, Balance(0, 0, -hold.usd, -hold.tokens))
        self._holds.clear()

    def _add(self, names: Sequence[str], more: Balance) -> None:
        for name in names:
            old = self._balances.get(name, _NOTHING)
            self._balances[name] = Balance(*(a + b for a, b in zip(old, more, strict=True)))

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        MemoryAccounts.__init__(self)


_NOTHING = Balance()
