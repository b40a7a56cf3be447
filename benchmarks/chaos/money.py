"""Limits and budgets under fire: nothing is held for ever, nothing settled twice, never more spent than there is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from edgeagent.limits import Balance, Budget, Charge, Hold, Limit, MemoryAccounts, Refusal

__all__ = ["Money"]

TOKENS_A_CALL = {"all": 150, "odd": 16}
"""Budgets of a run, in tokens for each of its calls: one that is enough, and one of half of the calls that is not."""


class Watched(MemoryAccounts):
    """Accounts that notice what must not happen."""

    def __init__(self) -> None:
        super().__init__()
        self.reserved = self.settled = self.refused = self.doubled = self.exceeded = 0
        self._settled: set[str] = set()
        self._watch = threading.Lock()

    def reserve(self, hold: Hold, charges: Sequence[Charge], /) -> Refusal | None:
        refusal = super().reserve(hold, charges)
        with self._watch:
            self.reserved += refusal is None
            self.refused += refusal is not None
            for charge in charges:
                self.exceeded += not self.balance(charge.account).fits(charge, 0, 0)
        return refusal

    def settle(self, hold: Hold, charges: Sequence[Charge], usd: int, tokens: int, /) -> Sequence[Balance]:
        with self._watch:
            self.settled += 1
            self.doubled += hold.id in self._settled
            self._settled.add(hold.id)
        return super().settle(hold, charges, usd, tokens)


class Money:
    """What a client is given for a run of so many calls, and what must be so afterwards."""

    def __init__(self, calls: int) -> None:
        self.accounts = Watched()
        self.tokens = {name: calls * tokens for name, tokens in TOKENS_A_CALL.items()}
        self.options: dict[str, Any] = {
            "budgets": [
                Budget(tokens=self.tokens["all"], name="all"),
                Budget(tokens=self.tokens["odd"], name="odd", tags=["odd"]),
                Budget(usd=1000, name="money"),
            ],
            "limits": [Limit(concurrent=30, by="target", name="room"), Limit(requests=5000, per="second", name="pace")],
            "state": self.accounts,
        }

    def spent(self) -> dict[str, int]:
        """Tokens, by budget."""
        return {name: self.accounts.balance(f"{name}|").tokens for name in self.tokens}

    def violations(self, client: Any, requests: int) -> list[str]:
        """What is not as it must be, once all calls have ended. `requests` were seen on the wire."""
        accounts, turns = self.accounts, client._engine.admission().turns
        balances = {name: accounts.balance(f"{name}|") for name in (*self.tokens, "money")}
        places = sum(meter.under_way for meter in turns.meters._meters.values())
        waiting = sum(map(len, turns._queues.values()))
        found = {
            f"{accounts.doubled} holds were settled twice": accounts.doubled,
            f"{accounts.reserved} holds, {accounts.settled} settled": accounts.reserved != accounts.settled,
            f"still held: {balances}": any(balance.held_tokens or balance.held_usd for balance in balances.values()),
            f"nothing was spent: {balances}": not all(balance.tokens or balance.usd for balance in balances.values()),
            f"the budget was exceeded {accounts.exceeded} times": accounts.exceeded,
            f"spent {self.spent()} of {self.tokens}": any(self.spent()[n] > limit for n, limit in self.tokens.items()),
            f"{places} places are taken, {waiting} wait for one": places or waiting,
            f"{requests} requests on the wire for {accounts.reserved} holds": requests > accounts.reserved,
        }
        return [told for told, wrong in found.items() if wrong]
