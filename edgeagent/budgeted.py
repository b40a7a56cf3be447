"""Views of a client with a budget of their own: `with client.budget(usd="0.50") as b:`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar
from uuid import uuid4

from edgeagent.base_client import BaseClient
from edgeagent.client import AsyncEdgeClient, EdgeClient
from edgeagent.core.purses import Purse
from edgeagent.errors import ConfigurationError
from edgeagent.limits.accounts import Balance, MemoryAccounts
from edgeagent.limits.budget import Budget, BudgetEvent
from edgeagent.limits.keys import account_of
from edgeagent.limits.money import dollars

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.core.call import CallOptions
    from edgeagent.engine import Engine

__all__ = ["AsyncBudgetedClient", "BudgetOptions", "BudgetedClient", "Spending", "budgeted", "opened", "spending"]

C = TypeVar("C", bound=BaseClient)


class BudgetOptions(TypedDict, total=False):
    """What else a view's budget may be told; see `edgeagent.limits.Budget`."""

    name: str
    hard: bool
    notify_at: Sequence[float]
    on_share: Callable[[BudgetEvent], object]


class Spending(NamedTuple):
    """How a budget stands. Dollars are exact; what calls under way hold is taken off what remains.

    What remains is None where the budget does not limit it.
    """

    spent: Decimal
    remaining: Decimal | None
    spent_tokens: int
    remaining_tokens: int | None

    @classmethod
    def of(cls, budget: Budget, balance: Balance) -> Spending:
        """What an account's balance means under a budget."""
        usd, tokens = budget.usd_limit, budget.tokens
        return cls(
            dollars(balance.usd),
            None if usd is None else dollars(max(0, usd - balance.usd - balance.held_usd)),
            balance.tokens,
            None if tokens is None else max(0, tokens - balance.tokens - balance.held_tokens),
        )


def opened(
    options: CallOptions, usd: Any, tokens: int | None, tags: Sequence[str], rest: Mapping[str, Any]
) -> CallOptions:
    """The options of a view with one more budget. Raises `ConfigurationError`."""
    unknown = rest.keys() - BudgetOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"budget() got an unexpected keyword argument {min(unknown)!r}")
    own = {"name": f"view-{uuid4().hex[:8]}", **rest}
    budget = Budget(usd=usd, tokens=tokens, tags=tags, **own)
    budget = replace(budget, tags=())  # its calls carry them; more is not asked of them
    purse = Purse(budget, MemoryAccounts())
    both = tuple(dict.fromkeys((*options.tags, *tags)))
    return replace(options, tags=both, budgets=(*options.budgets, purse))


def budgeted(
    client: Any, kind: type[C], usd: Any, tokens: int | None, tags: Sequence[str], rest: Mapping[str, Any]
) -> C:
    """A view of the client with one more budget. Raises `ConfigurationError`."""
    client._engine.admission()
    view: C = client._view(kind, opened(client.options, usd, tokens, tags, rest))
    return view


def spending(client: Any, name: str, key: Sequence[str]) -> Spending:
    """How one of a client's budgets stands. May block. Raises `ConfigurationError`."""
    engine: Engine = client._engine.here()
    admission = engine.pipeline.admission
    budgets = () if admission is None else admission.purses.budgets
    budget = next((budget for budget in budgets if budget.name == name), None)
    if admission is None or budget is None:
        known = ", ".join(repr(budget.name) for budget in budgets) or "none"
        raise ConfigurationError(f"There is no budget {name!r}; this client has {known}.")
    if len(key) != len(budget.parts):
        raise ConfigurationError(
            f"Budget {name!r} keeps accounts by {budget.by!r}: {len(budget.parts)} values name one."
        )
    account = account_of(budget.name, budget.span(engine.runtime.wall())[0], tuple(key))
    return Spending.of(budget, admission.purses.balance(account))


class _Budgeted(BaseClient):
    """What both kinds of view have."""

    @property
    def _purse(self) -> Purse:
        return self.options.budgets[-1]

    def _state(self) -> Spending:
        purse = self._purse
        return Spending.of(purse.budget, purse.accounts.balance(account_of(purse.budget.name, "", ())))

    @property
    def spent(self) -> Decimal:
        """Dollars that its calls have cost; where no price is known, nothing."""
        return self._state().spent

    @property
    def remaining(self) -> Decimal | None:
        """Dollars that are left, without what calls under way may use; None if there is no limit of money."""
        return self._state().remaining

    @property
    def spent_tokens(self) -> int:
        """Tokens that its calls have used."""
        return self._state().spent_tokens

    @property
    def remaining_tokens(self) -> int | None:
        """Tokens that are left, without what calls under way may use; None if there is no limit of tokens."""
        return self._state().remaining_tokens

    def __reduce__(self) -> tuple[Any, ...]:
        raise ConfigurationError(
            "A client's view with a budget cannot be pickled: it counts in this process. Give the client a Budget and "
            "state= a path or a redis:// URL."
        )


class BudgetedClient(_Budgeted, EdgeClient):
    """An `EdgeClient` whose calls are counted."""

    def to_async(self) -> AsyncBudgetedClient:
        """The async kind of this view, with the same budget."""
        return self._view(AsyncBudgetedClient)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close nothing: connections and caches are the client's."""


class AsyncBudgetedClient(_Budgeted, AsyncEdgeClient):
    """An `AsyncEdgeClient` whose calls are counted."""

    def to_sync(self) -> BudgetedClient:
        """The blocking kind of this view, with the same budget."""
        return self._view(BudgetedClient)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close nothing: connections and caches are the client's."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close nothing."""
