"""Who calls: threads, tasks of asyncio, tasks of trio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import anyio
import trio  # noqa: F401  # before there are threads: importing is not what is to be tried

from benchmarks.chaos.script import Step, answer_to
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.errors import EdgeAgentError, StreamInterruptedError

__all__ = ["Outcome", "begun", "call_in_tasks", "call_in_thread"]

GAVE_UP = "given up by the caller"
LEFT = {"closed", "dropped"}
TASKS_END = 5.0
"""How long tasks of the client's own may go on after the callers', in seconds."""


@dataclass(frozen=True)
class Outcome:
    """How one call ended (`answer`, an error's name, …), when it began and ended, and what was wrong with it.

    Times are of `time.monotonic`.
    """

    step: Step
    end: str
    began: float
    ended: float
    wrong: str | None = None

    @property
    def late(self) -> float:
        """Seconds past its deadline; negative if it was in time."""
        return self.ended - self.began - self.step.deadline


Judge = Callable[[Outcome], None]


def call_in_thread(client: EdgeClient, steps: Iterable[Step], told: Judge) -> None:
    """Make these calls, one after the other."""
    for step in steps:
        started = time.monotonic()
        try:
            end, wrong = _called(client, step)
        except BaseException as error:
            end, wrong = _ended(step, error)
        told(Outcome(step, end, started, time.monotonic(), wrong))


def call_in_tasks(client: AsyncEdgeClient, hands: list[list[Step]], told: Judge, backend: str) -> list[str]:
    """The same in a loop of its own, one task a hand. Tells which tasks were left."""
    return anyio.run(_tasks, client, hands, told, backend=backend)


async def _tasks(client: AsyncEdgeClient, hands: list[list[Step]], told: Judge) -> list[str]:
    before = _living()
    async with anyio.create_task_group() as group:
        for hand in hands:
            group.start_soon(_task, client, hand, told)
    until = time.monotonic() + TASKS_END
    while (left := _living() - before) and time.monotonic() < until:  # noqa: ASYNC110  # nobody tells of their end
        await anyio.sleep(0.01)
    return sorted(left)


def _living() -> set[str]:
    """The tasks of this loop, by name and number."""
    return {f"{task.name} ({task.id})" for task in anyio.get_running_tasks()}


async def _task(client: AsyncEdgeClient, steps: Iterable[Step], told: Judge) -> None:
    for step in steps:
        started = time.monotonic()
        end: tuple[str, str | None] = (GAVE_UP, None)
        try:
            if step.way == "cancelled":
                with anyio.move_on_after(step.patience):
                    end = await _acalled(client, step)
            else:
                end = await _acalled(client, step)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            end = _ended(step, error)
        told(Outcome(step, end[0], started, time.monotonic(), end[1]))


def _arguments(step: Step) -> dict[str, Any]:
    return {
        "model": step.model,
        "messages": [{"role": "user", "content": step.prompt}],
        "max_tokens": 64,
        "edge": {"deadline": step.deadline, "tags": [step.tag]},
    }


def _called(client: EdgeClient, step: Step) -> tuple[str, str | None]:
    create: Any = client.chat.completions.create
    if step.way in {"whole", "shared", "cancelled"}:  # a thread cannot be cancelled
        return _judged(step, create(**_arguments(step)).choices[0].message.content)
    stream = create(**_arguments(step), stream=True)
    if step.way in LEFT:
        next(stream, None)
        if step.way == "closed":
            stream.close()
        return GAVE_UP, None
    return _judged(step, "".join(map(_text, stream)))


async def _acalled(client: AsyncEdgeClient, step: Step) -> tuple[str, str | None]:
    create: Any = client.chat.completions.create
    if step.way in {"whole", "shared"} or (step.way == "cancelled" and step.patience < 0.05):
        return _judged(step, (await create(**_arguments(step))).choices[0].message.content)
    stream = await create(**_arguments(step), stream=True)
    if step.way in LEFT:
        await anext(stream, None)
        if step.way == "closed":
            await stream.close()
        return GAVE_UP, None
    return _judged(step, "".join([_text(chunk) async for chunk in stream]))


def _text(chunk: Any) -> str:
    return "".join(choice.delta.content or "" for choice in chunk.choices)


def _judged(step: Step, text: str | None) -> tuple[str, str | None]:
    return "answer", None if text == answer_to(step.prompt) else f"a wrong answer: {text!r}"


def _ended(step: Step, error: BaseException) -> tuple[str, str | None]:
    name = type(error).__name__
    if not isinstance(error, EdgeAgentError):
        return name, f"an error without a type of ours: {error!r}"
    if isinstance(error, StreamInterruptedError):
        text = error.partial.choices[0].message.content or "" if error.partial.choices else ""
        if not answer_to(step.prompt).startswith(text):
            return name, f"a part of another answer: {text!r}"
    return name, None


def begun(work: Callable[..., object], *arguments: object) -> threading.Thread:
    """Run it in a thread."""
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    return thread
