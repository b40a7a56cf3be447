"""`client.cache`: forgetting, counts, explanations, export and import; for hands, not for calls."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeAlias, TypeVar

from edgeagent.core.catalogue import CacheStats, Catalogue, Imported, Selection
from edgeagent.effects import Flow, Scope, invoke
from edgeagent.errors import RequestValidationError
from edgeagent.resources.chat import prepared
from edgeagent.resources.options import streams

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.peek import Peek
    from edgeagent.types.params import ChatParams

__all__ = ["AsyncCacheControl", "CacheControl"]

T = TypeVar("T")

FLUSH_SECONDS: Final = 30.0
"""How long it is waited for writes under way, which would come after what is forgotten."""

File: TypeAlias = str | os.PathLike[str] | TextIO


class _Control:
    """What both kinds have."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def _catalogue(self) -> Catalogue:
        engine = self._client._engine.here()
        written = partial(engine.runtime.flush, FLUSH_SECONDS)
        return Catalogue(engine.pipeline.layers, engine.runtime.wall, written)

    def _peek(self, params: dict[str, Any], scope: Scope) -> Flow[Peek]:
        request, options, _ = prepared(self._client, params, streams(self._client, params.pop("stream", None)))
        flow: Flow[Peek] = self._client._engine.here().pipeline.peek(request, options, scope)
        return flow


class CacheControl(_Control):
    """`client.cache` of a client that blocks."""

    _client: EdgeClient

    def clear(
        self,
        *,
        key: str | Sequence[str] | None = None,
        model: str | None = None,
        namespace: str | None = None,
        tag: str | None = None,
        older_than: float | None = None,
    ) -> int | None:
        """Forget entries in every tier: those that all that is given is true of; with nothing given, all.

        Args:
            key: as `peek` tells it, or several.
            model: as callers name it, as the provider calls it, or `provider/model`.
            namespace: of the calls that stored them.
            tag: one that these calls had.
            older_than: seconds since the answer was made.

        Returns:
            How many entries of tiers were forgotten (an answer may be in several); None if a tier does not say.

        Raises:
            RequestValidationError: an argument has the wrong type; `.param` names it.
            TimeoutError: writes are still under way, and come after what was forgotten.
            Exception: whatever a tier raises that could not forget, after the others have.
        """
        selection = selected(key, model, namespace, tag, older_than)
        self._catalogue.bar(selection)
        return self._run(partial(self._catalogue.clear, selection))

    def stats(self) -> CacheStats:
        """What each tier holds and has seen since the client was made, and what was renewed in the background."""
        return self._run(self._catalogue.stats)

    def peek(self, **params: Unpack[ChatParams]) -> Peek:
        """What `chat.completions.create` would do with these arguments, and why; nobody is asked.

        Raises:
            RequestValidationError: as `create` does.
            NoTargetError: no configured provider can serve it.
        """
        scope = Scope()
        return self._client._engine.here().runtime.sync_driver.run(self._peek(dict(params), scope), scope)

    def export(self, file: File, *, model: str | None = None, namespace: str | None = None) -> int:
        """Write entries as lines of JSON to a path or an open text file → how many.

        Only masked answers: of tiers that hold others, nothing is written. A file that is made is its owner's alone.

        Raises:
            RequestValidationError: an argument has the wrong type.
            OSError: the file cannot be written.
            Exception: whatever a tier raises.
        """
        selection = selected(None, model, namespace, None, None)
        self._client.flush(FLUSH_SECONDS)
        return self._run(partial(write, file, partial(self._catalogue.export, selection)))

    def import_(self, file: File) -> Imported:
        """Store the entries of such a file in the tiers, each for the time that it has left.

        Raises:
            RequestValidationError: this is no such file, or one of another version.
            OSError: the file cannot be read.
            Exception: whatever a tier raises.
        """
        return self._run(partial(read, file, self._catalogue.import_))

    def _run(self, call: Callable[[], T]) -> T:
        scope = Scope()
        return self._client._engine.here().runtime.sync_driver.run(invoke(call, None), scope)


class AsyncCacheControl(_Control):
    """`client.cache` of an async client; nothing of it blocks the event loop."""

    _client: AsyncEdgeClient

    async def clear(
        self,
        *,
        key: str | Sequence[str] | None = None,
        model: str | None = None,
        namespace: str | None = None,
        tag: str | None = None,
        older_than: float | None = None,
    ) -> int | None:
        """Forget entries in every tier; see `CacheControl.clear`."""
        selection = selected(key, model, namespace, tag, older_than)
        self._catalogue.bar(selection)
        return await self._run(partial(self._catalogue.clear, selection))

    async def stats(self) -> CacheStats:
        """What each tier holds and has seen; see `CacheControl.stats`."""
        return await self._run(self._catalogue.stats)

    async def peek(self, **params: Unpack[ChatParams]) -> Peek:
        """What a call would do, and why; see `CacheControl.peek`."""
        scope = Scope()
        return await self._client._engine.here().runtime.async_driver.run(self._peek(dict(params), scope), scope)

    async def export(self, file: File, *, model: str | None = None, namespace: str | None = None) -> int:
        """Write entries as lines of JSON; see `CacheControl.export`."""
        selection = selected(None, model, namespace, None, None)
        await self._client.flush(FLUSH_SECONDS)
        return await self._run(partial(write, file, partial(self._catalogue.export, selection)))

    async def import_(self, file: File) -> Imported:
        """Store the entries of such a file; see `CacheControl.import_`."""
        return await self._run(partial(read, file, self._catalogue.import_))

    async def _run(self, call: Callable[[], T]) -> T:
        scope = Scope()
        return await self._client._engine.here().runtime.async_driver.run(invoke(call, None), scope)


def selected(key: object, model: object, namespace: object, tag: object, older_than: object) -> Selection:
    """Which entries the arguments mean. Raises `RequestValidationError`."""
    for name, value in (("model", model), ("namespace", namespace), ("tag", tag)):
        if value is not None and not isinstance(value, str):
            raise RequestValidationError(f"{name}: must be a text, not {type(value).__name__}.", param=name)
    if older_than is not None and (
        isinstance(older_than, bool) or not isinstance(older_than, int | float) or not older_than >= 0
    ):
        raise RequestValidationError("older_than: must be a number of seconds, 0 or more.", param="older_than")
    return Selection(_keys(key), model, namespace, tag, older_than)  # type: ignore[arg-type]  # checked above


def _keys(key: object) -> frozenset[bytes] | None:
    if key is None:
        return None
    given = [key] if isinstance(key, str) else key
    try:
        return frozenset(bytes.fromhex(one) for one in given)  # type: ignore[attr-defined]  # told below
    except (TypeError, ValueError):
        raise RequestValidationError("key: must be a key as peek tells it, or several.", param="key") from None


def write(file: File, lines: Callable[[], Iterable[str]]) -> int:
    """Write lines → how many after the first."""
    number = -1
    with _opened(file, "w") as out:
        for number, line in enumerate(lines()):  # noqa: B007  # counted
            out.write(line + "\n")
    return number


def read(file: File, store: Callable[[Iterable[str]], Imported]) -> Imported:
    """Have the lines stored."""
    with _opened(file, "r") as lines:
        return store(lines)


def _opened(file: File, mode: str) -> AbstractContextManager[TextIO]:
    if not isinstance(file, str | os.PathLike):
        if not _is_text_file(file, mode):
            raise RequestValidationError("file: must be a path or an open text file.", param="file")
        return nullcontext(file)
    faults = "surrogateescape"  # what is no text damages the line in which it stands, and no other
    return open(Path(file), mode, encoding="utf-8", errors=faults, newline="\n", opener=_private)  # type: ignore[return-value]  # Path.open has no opener


def _is_text_file(file: object, mode: str) -> bool:
    binary = isinstance(file, bytes | io.RawIOBase | io.BufferedIOBase)
    return not binary and hasattr(file, "write" if mode == "w" else "__iter__")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
