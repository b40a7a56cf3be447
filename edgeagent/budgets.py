"""`client.budget(…)` and `client.spending(…)`, for both kinds of client."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

    from typing_extensions import Unpack

    from edgeagent.budgeted import AsyncBudgetedClient, BudgetedClient, BudgetOptions, Spending

__all__ = ["AsyncBudgets", "Budgets"]


class Budgets:
    """What a blocking client has of budgets."""

    def budget(
        self,
        *,
        usd: Decimal | float | str | None = None,
        tokens: int | None = None,
        tags: Sequence[str] = (),
        **options: Unpack[BudgetOptions],
    ) -> BudgetedClient:
        """A view of this client whose calls, and no others, may together spend so much.

        Use it as a context manager or as it is; it may be handed to other threads and tasks. Budgets of views within
        views all count. Leaving it closes nothing.

        Args:
            usd: dollars.
            tokens: input and output tokens together.
            tags: given to its calls, beside this client's.
            **options: `name`, `hard`, `notify_at`, `on_share`, with the meaning of `edgeagent.limits.Budget`.

        Raises:
            ConfigurationError: a value is not what it can be.
        """
        from edgeagent.budgeted import BudgetedClient, budgeted

        return budgeted(self, BudgetedClient, usd, tokens, tags, options)

    def spending(self, budget: str, *key: str) -> Spending:
        """What has been spent of one of the client's `budgets`, by its name, in the time that is running.

        Args:
            budget: its name.
            *key: whose account, where it has several: a value for each part of its `by`, in their order.

        Raises:
            ConfigurationError: there is no such budget, or its accounts have more parts.
        """
        from edgeagent.budgeted import spending

        return spending(self, budget, key)


class AsyncBudgets:
    """What an async client has of budgets."""

    def budget(
        self,
        *,
        usd: Decimal | float | str | None = None,
        tokens: int | None = None,
        tags: Sequence[str] = (),
        **options: Unpack[BudgetOptions],
    ) -> AsyncBudgetedClient:
        """A view of this client whose calls, and no others, may together spend so much; see `Budgets.budget`."""
        from edgeagent.budgeted import AsyncBudgetedClient, budgeted

        return budgeted(self, AsyncBudgetedClient, usd, tokens, tags, options)

    async def spending(self, budget: str, *key: str) -> Spending:
        """What has been spent of one of the client's `budgets`; see `EdgeClient.spending`."""
        from edgeagent.budgeted import spending

        client: Any = self
        told: Spending = await client._engine.here().runtime.in_thread(partial(spending, self, budget, key))
        return told
