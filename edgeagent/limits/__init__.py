"""Rate limits and budgets: what may be asked, and what may be spent."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgeagent.limits.accounts import Accounts, Balance, Charge, Hold, MemoryAccounts, Refusal
    from edgeagent.limits.budget import Budget, BudgetEvent
    from edgeagent.limits.keys import Facts
    from edgeagent.limits.limit import Limit
    from edgeagent.limits.meters import MemoryMeters, Meters
    from edgeagent.limits.redis import RedisState
    from edgeagent.limits.sqlite import SQLiteAccounts

__all__ = [
    "Accounts",
    "Balance",
    "Budget",
    "BudgetEvent",
    "Charge",
    "Facts",
    "Hold",
    "Limit",
    "MemoryAccounts",
    "MemoryMeters",
    "Meters",
    "RedisState",
    "Refusal",
    "SQLiteAccounts",
]

_HOMES: Final = {
    "accounts": ("Accounts", "Balance", "Charge", "Hold", "MemoryAccounts", "Refusal"),
    "budget": ("Budget", "BudgetEvent"),
    "keys": ("Facts",),
    "limit": ("Limit",),
    "meters": ("MemoryMeters", "Meters"),
    "redis": ("RedisState",),
    "sqlite": ("SQLiteAccounts",),
}
_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return __all__
