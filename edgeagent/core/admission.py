"""What stands around each attempt: a place in every limit, then the worst case held in every budget, then the call.

However the attempt ends, both are given back once. What it used is booked where that is known; the hold is let go if
nothing left this machine, or if the vendor answered with an error, which it does not bill; and it is booked whole where
the request was sent and nobody knows what it used: after a timeout, a reset, a stream that was closed early, an answer
that could not be read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from edgeagent.core.call import Call, Paid
from edgeagent.core.claim import UNKNOWN_END, UNSENT, Claim, Outcome
from edgeagent.core.purses import Purses
from edgeagent.core.sizes import Worst
from edgeagent.core.targets import Targets
from edgeagent.core.turns import Turns
from edgeagent.effects import Flow, Scope
from edgeagent.errors import (
    APIStatusError,
    ConfigurationError,
    RequestValidationError,
)
from edgeagent.limits.keys import Facts
from edgeagent.limits.money import pico
from edgeagent.types import Target

__all__ = ["Admission", "Tab"]

A = TypeVar("A")

_UNREAD: Final = frozenset({408, 502, 504, 522, 523, 524})
"""Statuses of a proxy that lost the vendor's answer: the vendor may have given one, and bill it."""


class Tab:
    """What one attempt was given, until it has ended."""

    __slots__ = ("_claims", "_leave", "began")

    def __init__(self, scope: Scope) -> None:
        self.began = False
        self._leave = partial(scope.drop, scope.add(self.end))
        self._claims: list[Claim[Any]] = []

    def add(self, claim: Claim[Any]) -> None:
        """Something more; before it is asked for."""
        self._claims.append(claim)

    def settle(self, usage: Any, cost: Any) -> None:
        """The answer is there, with its usage and cost in dollars, each None if not known. Idempotent."""
        tokens = getattr(usage, "total_tokens", None)
        if usage is None or not isinstance(tokens, int):
            self._end(UNKNOWN_END)
            return
        prompt = getattr(usage, "prompt_tokens", None) or 0
        completion = getattr(usage, "completion_tokens", None) or 0
        self._end(Outcome("known", None if cost is None else pico(cost), max(tokens, prompt + completion)))

    def failed(self, error: Exception, paid: Paid | None = None) -> None:
        """The attempt has ended with an error; `paid` is what it used before that."""
        outcome = _outcome(error) if self.began else UNSENT
        if paid is not None and outcome is not UNKNOWN_END:
            self.settle(*paid)
        self._end(outcome)

    def leave(self) -> None:
        """It ends no longer with the call that it was begun for: the attempt goes on for others."""
        self._leave()

    def end(self) -> None:
        """The call is over, and nobody has said how the attempt ended: it was cancelled, or its stream closed."""
        self._end(UNKNOWN_END if self.began else UNSENT)

    def _end(self, outcome: Outcome) -> None:
        while self._claims:
            self._claims.pop().end(outcome)


def _outcome(error: Exception) -> Outcome:
    if getattr(error, "sent", True) is False or isinstance(error, ConnectionRefusedError):
        return UNSENT
    if isinstance(error, (RequestValidationError, ConfigurationError)):
        return UNSENT
    if isinstance(error, APIStatusError):
        return UNKNOWN_END if error.status_code in _UNREAD else Outcome("known", 0, 0)
    return UNKNOWN_END


class Admission:
    """The limits and budgets of one client.

    Args:
        turns: places in the limits.
        purses: holds in the budgets.
        worst: bounds of what an attempt may use.
    """

    def __init__(self, turns: Turns, purses: Purses, worst: Worst) -> None:
        self.turns = turns
        self.purses = purses
        self.worst = worst
        self.idle = not turns.limits and not purses.budgets
        """Whether calls without a budget of their own have nothing to do with it."""

    def among(self, targets: Targets) -> Admission:
        """The same limits and budgets, for calls to other targets."""
        worst = self.worst.among(targets)
        return self if worst is self.worst else Admission(self.turns, self.purses, worst)

    def attempt(self, call: Call[Any], target: Target, ask: Callable[[Target], Flow[A]]) -> Flow[A]:
        """One attempt, once it may be made.

        Raises:
            LimitExceededError: a limit did not let it in.
            BudgetExceededError: it might exceed a budget.
            APIConnectionError: the budgets' store is away.
            Exception: the attempt's own.
        """
        sizes = self.worst.sizes(call, target)
        tab = Tab(call.scope)
        call.answer_headers = call.paid = None
        facts = Facts(target, call.said, call.options.tags)
        began = 0.0
        try:
            yield from self.turns.enter(call, facts, sizes, tab.add)
            yield from self.purses.reserve(call, facts, sizes, self.worst, tab.add)
            tab.began, began = True, call.clock()
            if call.ticket is not None:
                call.ticket.waited()
            answer = yield from ask(target)
        except Exception as error:
            tab.failed(error, call.paid)
            tab.leave()
            if tab.began:
                self.turns.refused(call, facts, began, error)
            raise
        self.turns.answered(call, facts, began)
        call.tab = tab
        return answer

    def lacks(self, call: Call[Any], target: Target) -> tuple[str, ...]:
        """What a target cannot do under this call's budgets, for the plan's reasons."""
        if self.purses.needs_price(call, target) and not self.worst.priced(target):
            return ("hard budgets of money, since its price is not known (pricing= tells one)",)
        return ()

    def after_fork(self) -> None:
        """In the child: what is under way is the parent's."""
        self.turns.after_fork()
        self.purses.after_fork()

    def close(self) -> None:
        """Give back files and connections."""
        self.turns.meters.close()
        self.purses.accounts.close()
