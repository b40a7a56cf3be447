"""What all views of one client share."""

from __future__ import annotations

from collections.abc import Mapping
from os import getpid
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.core.admission import Admission
    from edgeagent.core.calls import Calls
    from edgeagent.core.pipeline import Pipeline
    from edgeagent.io.runtime import Runtime

__all__ = ["Engine"]

F = TypeVar("F", bound="Calls")


class Engine:
    """What all views of one client share: the settings, the pipeline, the runtime."""

    def __init__(self, arguments: dict[str, Any], *, proxies: Mapping[str, str] | None = None) -> None:
        from edgeagent.config import Settings, build_pipeline
        from edgeagent.io.runtime import Runtime

        self.arguments = arguments
        self.settings = Settings(**arguments)
        self.runtime: Runtime = Runtime(http_client=self.settings.http_client, proxies=proxies)
        self.pipeline: Pipeline = build_pipeline(self.settings, self.runtime)
        self._others: dict[type[Any], Any] = {}
        if self.settings.errors == "openai":
            from edgeagent.resources.openai_errors import raise_as_openai

            raise_as_openai(self.runtime)
        self._pid = getpid()
        self._forked = Lock()
        self.closed = False
        """Whether it was closed and not used since."""
        self.arguments_of_dropin: Mapping[str, Any] | None = None
        """What a constructor of `edgeagent.dropin` was given, for copies of its client."""

    def here(self) -> Self:
        """This engine, in this process: after a fork the child begins with locks, flights and pools of its own."""
        if self._pid != getpid():
            with self._forked:  # the child's first calls may come from several threads at once
                if self._pid != getpid():
                    self.runtime.after_fork()
                    self.pipeline.after_fork()
                    self._others = {}
                    self._pid = getpid()
        self.closed = False
        return self

    def flows(self, kind: type[F]) -> F:
        """The steps of another kind of call, over the same rooms; made when first needed."""
        found: F | None = self._others.get(kind)
        if found is None:
            found = self._others.setdefault(kind, kind.beside(self.pipeline))
        return found

    def admission(self) -> Admission:
        """The limits and budgets; made when first needed, if the client itself has none."""
        found = self.pipeline.admission
        if found is None:
            with self._forked:
                found = self.pipeline.admission
                if found is None:
                    from edgeagent.config import admission_of

                    found = self.pipeline.admission = admission_of(self.settings, self.runtime, self.pipeline)
        return found

    def close(self) -> None:
        """Flush, then close pools and tiers. Idempotent; what is used afterwards opens them again."""
        self.here().runtime.close()
        self.pipeline.close()
        self.closed = True

    async def aclose(self) -> None:
        """The same for an async client: connections of the running loop are closed in it."""
        await self.here().runtime.aclose()
        self.pipeline.close()
        self.closed = True
