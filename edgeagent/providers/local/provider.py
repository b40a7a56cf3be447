"""The `Local` provider: a GGUF file, loaded when first asked, shared by every thread of the process."""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from edgeagent.errors import ConfigurationError, RequestValidationError
from edgeagent.providers.base import Capabilities, Feature
from edgeagent.providers.local import gguf
from edgeagent.providers.local.answer import Answer, payload
from edgeagent.providers.local.embeddings import PooledModel, checked_pooling, embed, own_pooling
from edgeagent.providers.local.engine import Engine, EngineOptions
from edgeagent.providers.local.stream import AnswerStream
from edgeagent.providers.vendor import identity_of
from edgeagent.types import (
    ChatCompletion,
    ChatRequest,
    CreateEmbeddingResponse,
    EmbeddingRequest,
    RerankRequest,
    RerankResponse,
)
from edgeagent.types.assembly import assemble

__all__ = ["Local"]

FEATURES: Final[frozenset[Feature]] = frozenset({"json_schema", "logprobs", "stop", "streaming"})
"""What llama.cpp does with any text model."""


class Local:
    """A model in this process, run by llama.cpp.

    The file is loaded by the first request (not by the constructor) and stays loaded until `close()`. Requests may come
    from any number of threads; up to `slots` are worked on at once, the others wait. Closing the iterator of a stream
    stops its generation. A pickle holds the path, not the model; a forked child loads the model for itself.

    What the caller leaves unsaid is llama.cpp's default: temperature 0.8, no limit of output but the context.

    Args:
        path: the GGUF file.
        name: how model names and `edge.provider` call it; the model's own name is that of the file.
        context: the longest prompt and answer together, in tokens, for each request.
        slots: how many requests are worked on at once; each takes memory for its own context.
        threads: threads of the processor that generate; default: as many as it has cores.
        chat_template: a Jinja template instead of the file's own.
        pooling: how the vectors of all tokens become one embedding: `mean`, `cls`, `last`, or `rank` (a score, of a
            model made for reranking); default: what the file says, else `mean`.

    Raises:
        ConfigurationError: there is no such file, it is no GGUF file, or the extra `local` is not installed.
    """

    vendor: Final = "llama.cpp"
    continues: Final = True
    prefers_stream: Final = True
    """A deadline or a cancelled task ends the generation, also of an answer that is not streamed."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str = "local",
        context: int = 4096,
        slots: int = 1,
        threads: int | None = None,
        chat_template: str | None = None,
        pooling: str | None = None,
    ) -> None:
        for argument, value in (("context", context), ("slots", slots), ("threads", threads)):
            if value is not None and value < 1:
                raise ConfigurationError(f"Local: {argument} must be at least 1; got {value}.")
        file = Path(path).expanduser().absolute()
        gguf.check(file)
        if find_spec("xllamacpp") is None:
            raise ConfigurationError("Local needs llama.cpp: pip install 'edgeagent[local]'.")
        self.name = name
        self.path = file
        self.models = (file.stem,)
        self._pooling = checked_pooling(pooling)
        self._options = EngineOptions(file, file.stem, context, slots, threads, chat_template)
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._finalizer: weakref.finalize[[], Local] | None = None
        self._pooled: PooledModel | None = None

    @property
    def cache_identity(self) -> str:
        """Stands for the file (name, size, time of last change) and for what else changes its answers."""
        try:
            state = self.path.stat()
        except OSError as error:
            raise ConfigurationError(f"The model file {self.path} cannot be read: {error.strerror}.") from error
        options = self._options
        return identity_of(
            self.path.name,
            str(state.st_size),
            str(state.st_mtime_ns),
            str(options.context),
            options.chat_template or "",
            *([self._pooling] if self._pooling is not None else []),
        )

    def capabilities(self, model: str) -> Capabilities:
        """Tools only if the chat template has a place for them, since llama.cpp drops them silently otherwise."""
        features: set[Feature] = set(FEATURES)
        if self._takes_tools:
            features.add("tools")
        if self._options.slots > 1:
            features.add("n")
        return Capabilities(frozenset(features), context_window=self._options.context)

    @cached_property
    def _takes_tools(self) -> bool:
        own = self._options.chat_template
        templates = (own,) if own is not None else gguf.chat_templates(self.path)
        return any("tools" in template for template in templates)

    def complete(self, request: ChatRequest) -> ChatCompletion:
        """Answer.

        Raises:
            ContextWindowExceededError: the prompt does not fit the context.
            BadRequestError: llama.cpp refuses the request.
            APIConnectionError: the provider was closed meanwhile.
            ConfigurationError: the model cannot be loaded.
        """
        return assemble(self.stream(request))

    def stream(self, request: ChatRequest) -> AnswerStream:
        """An iterator over the chunks of the answer, as they are generated; its `close()` stops the generation.

        It raises like `complete`, from `next`.
        """
        if request.functions or request.function_call:
            raise RequestValidationError("functions: a local model takes tools instead.", param="functions")
        return AnswerStream(self._loaded, payload(request, self._options.name), Answer(request))

    def embed(self, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """One vector for each input, of a second instance of the model; see `local.embeddings.embed`.

        Raises:
            ConfigurationError: the model gives scores instead; or like `embeddings.embed`.
        """
        if self._pools_by == "rank":
            raise ConfigurationError(f"{self.name!r} is a model for reranking: it gives scores, not embeddings.")
        return embed(self._pooled_model(), request, self._options.name)

    def rerank(self, request: RerankRequest) -> RerankResponse:
        """The documents, the most relevant first; see `local.rerank.rerank`.

        Raises:
            ConfigurationError: the model was not made for reranking; or like `rerank.rerank`.
        """
        if self._pools_by != "rank":
            raise ConfigurationError(
                f"{self.name!r} is no model for reranking, by its file: its scores would mean nothing. If it is one, "
                "say so with pooling='rank'."
            )
        from edgeagent.providers.local.rerank import rerank

        return rerank(self._pooled_model(), request, self._options.name)

    @cached_property
    def _pools_by(self) -> str:
        return self._pooling or own_pooling(self.path) or "mean"

    def _pooled_model(self) -> PooledModel:
        self._heed_fork()
        with self._lock:
            if self._pooled is None:
                self._pooled = PooledModel(replace(self._options, pooling=self._pools_by))
            return self._pooled

    def _loaded(self) -> Engine:
        self._heed_fork()
        engine = self._engine
        if engine is not None and engine.usable:
            return engine
        with self._lock:
            if self._engine is None or not self._engine.usable:
                gguf.check(self.path)
                self._engine = Engine(self._options)
                self._finalizer = weakref.finalize(self, self._engine.close)
            return self._engine

    def _heed_fork(self) -> None:
        """In a forked child the engine's threads are gone, and the lock may be held by one that is."""
        if self._pid != os.getpid():
            self._reset()

    def busy(self) -> int:
        """How many requests are being worked on or wait; 0 when the model is not loaded."""
        engine = self._engine
        return engine.busy() if engine is not None and engine.usable else 0

    def close(self) -> None:
        """Stop every generation and give the memory back. Idempotent; a later request loads the model again."""
        self._heed_fork()
        with self._lock:
            finalizer, self._engine, self._finalizer = self._finalizer, None, None
            pooled, self._pooled = self._pooled, None
        if finalizer is not None:
            finalizer()
        if pooled is not None:
            pooled.close()

    def __getstate__(self) -> dict[str, Any]:
        kept = ("name", "path", "models", "_options", "_pooling")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def __repr__(self) -> str:
        return f"Local({str(self.path)!r}, name={self.name!r})"
