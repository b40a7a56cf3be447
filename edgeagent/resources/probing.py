"""`client.probe`: each target is asked for a word, so that what is known of it is not known from callers' failures.

A probe is a call like any other: it has a breaker's admission, limits, budgets, a span. It is never answered from a
cache, tried again, or sent elsewhere.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from edgeagent.resources.options import telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.types import Target

__all__ = ["aprobed", "probed"]

AT_ONCE: Final = 8
"""How many targets are asked at a time."""

_QUESTION: Final[dict[str, Any]] = {
    "messages": [{"role": "user", "content": "Say OK."}],
    "max_completion_tokens": 16,  # the least that OpenAI's Responses API takes
    "edge": {"cache": "off", "fallbacks": [], "tags": ["probe"]},
}


def probed(client: EdgeClient, models: Sequence[str], timeout: float) -> dict[str, Exception | None]:
    """What became of each: None where it answered. Raises `NoTargetError` for a name that means nobody."""
    targets = _targets(client, models)
    if not targets:
        return {}
    view = _view(client, timeout)

    def ask(target: Target) -> Exception | None:
        try:
            view.chat.completions.create(model=str(target), **_QUESTION)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what the target does
            return error
        return None

    with ThreadPoolExecutor(min(AT_ONCE, len(targets)), thread_name_prefix="edgeagent-probe") as pool:
        return dict(zip(map(str, targets), pool.map(ask, targets), strict=True))


async def aprobed(client: AsyncEdgeClient, models: Sequence[str], timeout: float) -> dict[str, Exception | None]:
    """The same for code that awaits."""
    import anyio

    targets = _targets(client, models)
    view = _view(client, timeout)
    found: dict[str, Exception | None] = dict.fromkeys(map(str, targets))
    free = anyio.CapacityLimiter(AT_ONCE)

    async def ask(name: str) -> None:
        async with free:
            try:
                await view.chat.completions.create(model=name, **_QUESTION)
            except Exception as error:  # noqa: BLE001
                found[name] = error

    async with anyio.create_task_group() as group:
        for name in found:
            group.start_soon(ask, name)
    return found


@telling
def _targets(client: EdgeClient | AsyncEdgeClient, models: Sequence[str]) -> Sequence[Target]:
    return client._engine.here().pipeline.targets.named(models)


def _view(client: Any, timeout: float) -> Any:
    return client.with_options(max_retries=0, deadline=timeout)
