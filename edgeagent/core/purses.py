"""The budgets of one client and of its views: the worst case of an attempt is held in each, or it is not made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import uuid4

from edgeagent.core.call import Call
from edgeagent.core.claim import Claim, Outcome
from edgeagent.core.settling import Settling
from edgeagent.core.sizes import Sizes, Worst
from edgeagent.effects import Flow, offload
from edgeagent.errors import APIConnectionError, BudgetExceededError, ConfigurationError, RequestValidationError
from edgeagent.limits.accounts import Accounts, Balance, Charge, Hold, Refusal
from edgeagent.limits.budget import Budget, BudgetEvent
from edgeagent.limits.keys import Facts
from edgeagent.limits.money import dollars
from edgeagent.types import Target

__all__ = ["Purse", "Purses"]

logger = logging.getLogger("edgeagent.limits")

STORE_SECONDS: Final = 10.0
"""How long a shared store is waited for; then the call is not made."""


@dataclass(frozen=True, slots=True, eq=False)
class Purse:
    """A budget, and where it is counted."""

    budget: Budget
    accounts: Accounts


class Purses:
    """Holds in budgets.

    Args:
        budgets: the client's.
        accounts: where they are counted.
        settling: tells a shared store what was spent.
        tell: told when a share of a budget has been reached.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        accounts: Accounts,
        settling: Settling,
        tell: Callable[[BudgetEvent], None],
    ) -> None:
        self.budgets = tuple(budgets)
        self.accounts = accounts
        self._settling = settling
        self._tell = tell
        self._own = tuple(Purse(budget, accounts) for budget in budgets)

    def after_fork(self) -> None:
        """In the child: holds and settlements under way are the parent's."""
        self._settling.after_fork()
        getattr(self.accounts, "after_fork", _nothing)()

    def needs_price(self, call: Call[Any], target: Target) -> bool:
        """Whether a hard budget of money counts this call at this target."""
        facts = Facts(target, call.said, call.options.tags)
        return any(
            purse.budget.hard and purse.budget.usd is not None and purse.budget.covers(facts)
            for purse in self._of(call)
        )

    def reserve(
        self, call: Call[Any], facts: Facts, sizes: Sizes, worst: Worst, add: Callable[[Claim[Any]], None]
    ) -> Flow[None]:
        """Hold the worst case in every budget that counts the call; `add` is told of each hold before it is made.

        Raises:
            BudgetExceededError: one has not enough left.
            APIConnectionError: the store does not answer.
        """
        covering = [purse for purse in self._of(call) if purse.budget.covers(facts)]
        if not covering:
            return
        usd = worst.usd(call.request, facts.target, sizes)
        if usd is None and any(purse.budget.hard and purse.budget.usd is not None for purse in covering):
            raise _unpriced(facts.target)
        hold = Hold(uuid4().hex, usd or 0, sizes.most)
        for purse in covering:
            _check_alone(purse.budget, hold)
        for accounts, budgets in _grouped(covering, blocking=False):
            _check(self._claim(call, facts, accounts, budgets, hold, add).acquire(), hold)
        for accounts, budgets in _grouped(covering, blocking=True):
            claim = self._claim(call, facts, accounts, budgets, hold, add)
            _check((yield from self._asked(call, claim)), hold)

    def balance(self, account: str) -> Balance:
        """How one of the client's accounts stands. May block."""
        self._settling.work()
        return self.accounts.balance(account)

    def _of(self, call: Call[Any]) -> tuple[Purse, ...]:
        return (*call.options.budgets, *self._own)

    def _claim(
        self,
        call: Call[Any],
        facts: Facts,
        accounts: Accounts,
        budgets: Sequence[Budget],
        hold: Hold,
        add: Callable[[Claim[Any]], None],
    ) -> Claim[Any]:
        charged = [
            (budget, Charge(account, *_limits(budget), end))
            for budget in budgets
            for account, end in budget.accounts(facts, call.wall())
        ]
        charges = [charge for _, charge in charged]
        budget_of = [budget for budget, _ in charged]

        def take() -> tuple[Refusal, Budget] | None:
            if accounts.blocking:
                self._settling.work()
            refusal = accounts.reserve(hold, charges)
            return None if refusal is None else (refusal, budget_of[refusal.place])

        def give(outcome: Outcome) -> None:
            settle = partial(self._settle, accounts, budget_of, charges, hold, *_spent(outcome, hold))
            if accounts.blocking:
                self._settling.later(settle)
            else:
                settle()

        claim = Claim(take, _held, give)
        add(claim)
        return claim

    def _asked(self, call: Call[Any], claim: Claim[Any]) -> Flow[Any]:
        try:
            return (yield from offload(claim.acquire, call.at_most(STORE_SECONDS), prompt=False))
        except ConfigurationError:
            raise
        except Exception as error:
            call.check_deadline()
            away = APIConnectionError(
                message=f"The store of the budgets cannot be reached ({type(error).__name__}); nothing was sent."
            )
            away.sent, away.local = False, True
            raise away from error

    def _settle(
        self,
        accounts: Accounts,
        budgets: Sequence[Budget],
        charges: Sequence[Charge],
        hold: Hold,
        usd: int,
        tokens: int,
    ) -> None:
        balances = accounts.settle(hold, charges, usd, tokens)
        for budget, charge, balance in zip(budgets, charges, balances, strict=True):
            if budget.notify_at:
                events = budget.crossed(charge.account, "usd", balance.usd - usd, balance.usd)
                events += budget.crossed(charge.account, "tokens", balance.tokens - tokens, balance.tokens)
                for event in events:
                    _notify(budget, event, self._tell)


def _limits(budget: Budget) -> tuple[int | None, int | None]:
    """What an account may hold: a soft budget refuses nothing, and one of each call is looked at before."""
    return (budget.usd_limit, budget.tokens) if budget.hard and budget.per != "call" else (None, None)


def _grouped(purses: Sequence[Purse], *, blocking: bool) -> list[tuple[Accounts, list[Budget]]]:
    """The budgets that are counted at the same place: held in one step."""
    groups: dict[int, tuple[Accounts, list[Budget]]] = {}
    for purse in purses:
        if purse.accounts.blocking is blocking:
            groups.setdefault(id(purse.accounts), (purse.accounts, []))[1].append(purse.budget)
    return list(groups.values())


def _held(refused: object) -> bool:
    return refused is None


def _check_alone(budget: Budget, hold: Hold) -> None:
    """A budget of each call by itself."""
    if budget.per == "call" and budget.hard:
        charge = Charge("", budget.usd_limit, budget.tokens)
        if not Balance().fits(charge, hold.usd, hold.tokens):
            raise _exceeded(budget, Balance(), hold)


def _check(refused: tuple[Refusal, Budget] | None, hold: Hold) -> None:
    if refused is not None:
        raise _exceeded(refused[1], refused[0].balance, hold)


def _exceeded(budget: Budget, balance: Balance, hold: Hold) -> BudgetExceededError:
    left: list[str] = []
    asked: list[str] = []
    error = BudgetExceededError("")
    if budget.usd_limit is not None:
        error.remaining_usd = dollars(max(0, budget.usd_limit - balance.usd - balance.held_usd))
        error.asked_usd = dollars(hold.usd)
        left.append(f"${error.remaining_usd:f}")
        asked.append(f"${error.asked_usd:f}")
    if budget.tokens is not None:
        error.remaining_tokens = max(0, budget.tokens - balance.tokens - balance.held_tokens)
        error.asked_tokens = hold.tokens
        left.append(f"{error.remaining_tokens} tokens")
        asked.append(f"{error.asked_tokens} tokens")
    error.budget = budget.name
    error.message = (
        f"Budget {budget.name!r} has {' and '.join(left)} left, and this call may use {' and '.join(asked)}: "
        "give it a smaller max_tokens, or the budget more."
    )
    error.args = (error.message,)
    return error


def _unpriced(target: Target) -> RequestValidationError:
    error = RequestValidationError(
        f"The price of {target} is not known, and a hard budget of money counts this call: give it one with pricing=…."
    )
    error.target = str(target)
    return error


def _spent(outcome: Outcome, hold: Hold) -> tuple[int, int]:
    if outcome.kind == "unsent":
        return 0, 0
    usd = hold.usd if outcome.usd is None else outcome.usd
    return usd, hold.tokens if outcome.tokens is None else outcome.tokens


def _notify(budget: Budget, event: BudgetEvent, tell: Callable[[BudgetEvent], None]) -> None:
    logger.warning("budget %r has reached %.4g of its limit in %s", event.budget, event.share, event.unit)
    for one in (budget.on_share, tell):
        try:
            if one is not None:
                one(event)
        except Exception:  # whoever is told cannot harm a call
            logger.exception("on_share of budget %r failed", event.budget)


def _nothing() -> None:
    """A store that a fork does not concern."""
