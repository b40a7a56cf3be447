"""Vectors from a local model: a second instance of it, loaded for embedding when first asked.

llama.cpp decides when it loads a model whether and how it pools, and a batch must then hold a whole input: an engine
that generates is left as it is. The weights are mapped from the same file, so the second instance costs its context.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from struct import unpack_from
from typing import Any, Final, Literal

from pydantic_core import from_json

from edgeagent.errors import ConfigurationError, RequestValidationError
from edgeagent.providers.embeddings.openai import OpenAIEmbeddingCodec, Shape
from edgeagent.providers.local import gguf
from edgeagent.providers.local.answer import refusal
from edgeagent.providers.local.engine import Engine, EngineOptions, RefusedError
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["POOLINGS", "PooledModel", "asked", "checked_pooling", "embed", "own_pooling", "response_of"]

POOLINGS: Final = ("mean", "cls", "last", "rank")
"""How the vectors of all tokens become one; `rank`: a score, which only models made for reranking have."""

_CODEC: Final = OpenAIEmbeddingCodec(Shape("llama.cpp", dropped=("user",)))
_KEY: Final = b".pooling_type"
_UINT32: Final = 4
_OWN: Final[Mapping[int, str]] = {1: "mean", 2: "cls", 3: "last", 4: "rank"}


def own_pooling(path: Path) -> str | None:
    """The pooling that the model was trained with, by the file's metadata; None where it does not say.

    Raises:
        ConfigurationError: there is no such file, or it is no GGUF file.
    """
    gguf.check(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_KEY + _UINT32.to_bytes(4, "little"), 0, gguf.METADATA_LIMIT)
        start = at + len(_KEY) + 4
        if at < 0 or start + 4 > len(data):
            return None
        (number,) = unpack_from("<I", data, start)
        return _OWN.get(number)


class PooledModel:
    """An engine for one kind of pooling, loaded by the first request and kept until `close()`. Thread-safe."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._finalizer: weakref.finalize[[], PooledModel] | None = None

    def engine(self) -> Engine:
        """The loaded engine. Raises `ConfigurationError` if it cannot be loaded."""
        if self._pid != os.getpid():  # a forked child: the threads are gone, and a lock may be held by one of them
            self._reset()
        engine = self._engine
        if engine is not None and engine.usable:
            return engine
        with self._lock:
            if self._engine is None or not self._engine.usable:
                gguf.check(self._options.path)
                self._engine = Engine(self._options)
                self._finalizer = weakref.finalize(self, self._engine.close)
            return self._engine

    def close(self) -> None:
        """Give the memory back. Idempotent; a later request loads the model again."""
        if self._pid != os.getpid():
            self._reset()
        with self._lock:
            finalizer, self._engine, self._finalizer = self._finalizer, None, None
        if finalizer is not None:
            finalizer()


def embed(model: PooledModel, request: EmbeddingRequest, name: str) -> CreateEmbeddingResponse:
    """One vector for each input of `request`; it cannot be stopped before its end.

    Raises:
        RequestValidationError: `dimensions`, which llama.cpp would silently ignore; pictures; another format.
        ContextWindowExceededError: an input is longer than the context.
        BadRequestError: llama.cpp refuses the request.
        ConfigurationError: the model cannot be loaded.
    """
    if request.dimensions is not None:
        raise RequestValidationError("dimensions: a local model gives all that it has.", param="dimensions")
    if request.encoding_format not in (None, "float", "base64"):
        raise RequestValidationError("encoding_format: must be 'float' or 'base64'.", param="encoding_format")
    body = _CODEC.encode_request(request, model=name).body
    response = asked(model, "embeddings", body)
    if response.status_code != 200:
        raise _CODEC.decode_error(response)
    return _CODEC.decode_response(response, request)


def asked(model: PooledModel, kind: Literal["embeddings", "rerank"], body: Mapping[str, Any]) -> HTTPResponse:
    """What the engine answers. Raises `BadRequestError` if it refuses without an answer."""
    try:
        return response_of(model.engine().ask(kind, dump_json(body).decode()))
    except RefusedError as error:
        raise refusal(str(error), begun=error.begun) from error


def response_of(text: str) -> HTTPResponse:
    """What the engine says, with the status that its HTTP server would send."""
    try:
        data: Any = from_json(text)
    except ValueError:
        data = None
    error = data.get("error") if isinstance(data, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500 if error else 200
    return HTTPResponse(status, content=text.encode())


def checked_pooling(pooling: str | None) -> str | None:
    """`pooling`, if there is such. Raises `ConfigurationError`."""
    if pooling is not None and pooling not in POOLINGS:
        raise ConfigurationError(f"Local: pooling must be one of {', '.join(POOLINGS)}; got {pooling!r}.")
    return pooling
