"""`client.probe`: each target is asked for a word, so that what is known of it is not known from callers' failures.

A probe is a call like any other: it has a breaker's admission, limits, budgets, a span, and the tags of the view that
it is made through, with `probe` besides. It is never answered from a cache, tried again, or sent elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from edgeagent.io.together import atogether, together
from edgeagent.resources.options import telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeagent.client import AsyncEdgeClient, EdgeClient

__all__ = ["aprobed", "probed"]

C = TypeVar("C", "EdgeClient", "AsyncEdgeClient")

AT_ONCE: Final = 8
"""How many targets are asked at a time."""

_QUESTION: Final[dict[str, Any]] = {
    "messages": [{"role": "user", "content": "Say OK."}],
    "max_completion_tokens": 16,  # the least that OpenAI's Responses API takes
    "edge": {"cache": "off", "fallbacks": []},
}


def probed(client: EdgeClient, models: Sequence[str], timeout: float) -> dict[str, Exception | None]:
    """What became of each: None where it answered. Raises `NoTargetError` for a name that means nobody."""
    view = _asking(client, timeout)

    def ask(model: str) -> Exception | None:
        try:
            view.chat.completions.create(model=model, **_QUESTION)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what the target does
            return error
        return None

    models = _targets(client, models)
    return dict(zip(models, together(ask, models, most=AT_ONCE), strict=True))


async def aprobed(client: AsyncEdgeClient, models: Sequence[str], timeout: float) -> dict[str, Exception | None]:
    """The same for code that awaits."""
    view = _asking(client, timeout)

    async def ask(model: str) -> Exception | None:
        try:
            await view.chat.completions.create(model=model, **_QUESTION)
        except Exception as error:  # noqa: BLE001  # as above
            return error
        return None

    models = _targets(client, models)
    return dict(zip(models, await atogether(ask, models, most=AT_ONCE), strict=True))


def _asking(client: C, timeout: float) -> C:
    tags: tuple[str, ...] = (*client.options.tags, "probe")  # limits and budgets by tag count it as the view's own
    return client.with_options(max_retries=0, deadline=timeout, tags=[*dict.fromkeys(tags)])


@telling
def _targets(client: EdgeClient | AsyncEdgeClient, models: Sequence[str]) -> list[str]:
    return [*map(str, client._engine.here().pipeline.targets.named(models))]
