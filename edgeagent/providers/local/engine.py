"""One loaded model: llama.cpp's server object, and the order in which it may be used and given up.

The only module that knows `xllamacpp`. What the extension needs from its user, found by trying:

- It frees itself by joining its threads, one of which all its objects share. In a forked child these do not exist, and
  joining them never returns, nor, on Linux, does a normal exit (a static destructor waits for them): such a child
  frees nothing, and leaves through `_exit` when Python has finished.
- It calls back into Python while it generates. At interpreter exit that ends in an abort: `close` stops every
  generation first, and waits.
- It must not be freed before its loop runs: the constructor waits for one answer of the loop.
- An exception in a callback is dropped, `KeyboardInterrupt` even without stopping: callbacks here let none out.
- It listens on HTTP, always: it gets a Unix socket that is unlinked at once (elsewhere: a loopback port) and a random
  key that nobody knows.
- It logs prompts: its verbosity is set to nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from edgeagent.errors import APIConnectionError, ConfigurationError

__all__ = ["Engine", "EngineOptions", "RefusedError"]

SILENT: Final = -1
HOME: Final = "_edgeagent_home"
"""An attribute of the extension: the process in which its first object was made, where their shared thread lives."""
PREFILL_BATCH: Final = 512
"""Tokens of a prompt between two looks at whether the answer is still wanted."""
CLOSE_SECONDS: Final = 10.0
"""How long `close` waits for generations to stop; each stops at its next token or batch."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a model is loaded; see `Local`."""

    path: Path
    name: str
    context: int
    slots: int
    threads: int | None
    chat_template: str | None
    pooling: str | None = None
    """How the vectors of all tokens become one; None: the engine generates and does not embed."""


class RefusedError(Exception):
    """llama.cpp did not do as asked; `begun` is whether it had begun to answer."""

    def __init__(self, reason: str, *, begun: bool) -> None:
        super().__init__(reason)
        self.begun = begun


class Engine:
    """A loaded model. Thread-safe; requests beyond its slots wait inside llama.cpp.

    Raises:
        ConfigurationError: the extra is not installed, or llama.cpp cannot load the file.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._pid = os.getpid()
        self._idle = threading.Condition()
        self._users: list[int] = []  # ids of the threads that are inside, once for each call
        self._closing = False
        extension = _extension()
        self._forked = _forked(extension)
        self._server: Any = _load(extension, options)

    @property
    def usable(self) -> bool:
        """Whether it can take requests: not closed, and not left behind by a fork."""
        return not self._closing and self._pid == os.getpid()

    def run(self, payload: str, receive: Callable[[str], bool]) -> None:
        """Generate, in this thread; `payload` is the JSON of an OpenAI chat request, each event that of a chunk.

        Args:
            payload: the request.
            receive: told each event, in order; returns whether to stop. What it raises stops the generation and is
                raised here.

        Raises:
            RefusedError: by llama.cpp.
            APIConnectionError: the engine was closed before the end.
        """
        began = cut = False
        raised: BaseException | None = None

        def callback(event: str) -> bool:
            nonlocal began, cut, raised
            began = True
            cut = cut or self._closing
            try:
                return cut or receive(event)
            except BaseException as error:  # noqa: BLE001  # the extension would drop it; it is raised below
                raised = error
                return True

        with self._using() as server:
            try:
                server.handle_chat_completions(payload, callback)
            except (ValueError, RuntimeError) as error:  # C++ exceptions
                raise RefusedError(str(error), begun=began) from error
        if raised is not None:
            raise raised
        if cut:
            raise APIConnectionError(message="The local model was closed while it was answering.")

    def ask(self, kind: Literal["embeddings", "rerank"], payload: str) -> str:
        """The engine's answer, in this thread: the JSON that its HTTP server would send, errors included.

        Raises:
            RefusedError: by llama.cpp, without an answer.
            APIConnectionError: the engine was closed.
        """
        with self._using() as server:
            try:
                return str(server.handle_embeddings(payload) if kind == "embeddings" else server.handle_rerank(payload))
            except (ValueError, RuntimeError) as error:  # C++ exceptions
                raise RefusedError(str(error), begun=False) from error

    def busy(self) -> int:
        """How many requests are being worked on or wait for a slot."""
        with self._using() as server:
            lines = [line.split() for line in str(server.handle_metrics()).splitlines()]
        names = {"llamacpp:requests_processing", "llamacpp:requests_deferred"}
        return sum(int(line[1]) for line in lines if len(line) == 2 and line[0] in names)

    def close(self) -> None:
        """Stop what is running and free the model. Idempotent; called from any thread, also by the collector."""
        if self._pid != os.getpid():
            self._leak()
            return
        with self._idle:
            self._closing = True
            if threading.get_ident() not in self._users:  # called from a callback: the last user frees
                self._idle.wait_for(lambda: not self._users, CLOSE_SECONDS)
            self._free_if_idle()

    @contextmanager
    def _using(self) -> Iterator[Any]:
        with self._idle:
            if self._closing:
                raise APIConnectionError(message="The local model was closed.")
            server = self._server
            self._users.append(threading.get_ident())
        try:
            yield server
        finally:
            del server
            with self._idle:
                self._users.remove(threading.get_ident())
                self._free_if_idle()
                self._idle.notify_all()

    def _free_if_idle(self) -> None:
        if self._closing and not self._users:
            if self._forked:
                self._leak()
            self._server = None

    def _leak(self) -> None:
        """Keep the extension's object for ever: its destructor would wait for threads that a fork did not copy."""
        if self._server is not None:
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._server))
            self._server = None


def _extension() -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise ConfigurationError(
            "A local model needs llama.cpp, which is not installed here: pip install 'edgeagent[local]'."
        ) from error
    return xllamacpp


def _forked(xllamacpp: Any) -> bool:
    """Whether the extension was in use already when this process was forked; takes note of the first use."""
    if HOME not in vars(xllamacpp):
        setattr(xllamacpp, HOME, os.getpid())
        if sys.platform == "linux":
            os.register_at_fork(after_in_child=_leave_through_exit)
    return bool(getattr(xllamacpp, HOME) != os.getpid())


def _leave_through_exit() -> None:
    """Have libc end this process by `_exit(status)` before any destructor, after Python's own end."""
    import ctypes

    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):  # glibc
        libc.on_exit(libc._exit, None)


def _load(xllamacpp: Any, options: EngineOptions) -> Any:
    params = xllamacpp.CommonParams()
    params.verbosity = SILENT  # before anything can be logged
    params.model.path = str(options.path)
    params.model_alias = {options.name}
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots  # llama.cpp shares it out evenly
    params.n_batch = PREFILL_BATCH
    params.cache_ram_mib = 0  # llama.cpp's default keeps up to 8 GB of old prompts
    params.endpoint_metrics = True
    params.endpoint_slots = params.ui = False
    params.n_threads_http = 1
    params.api_keys = [secrets.token_urlsafe(32)]
    if options.threads is not None:
        params.cpuparams.n_threads = options.threads
    if options.chat_template is not None:
        params.chat_template = options.chat_template
    if options.pooling is not None:
        params.embedding = True
        pooling = xllamacpp.llama_pooling_type
        params.pooling_type = getattr(pooling, f"LLAMA_POOLING_TYPE_{options.pooling.upper()}")
        params.n_batch = params.n_ubatch = options.context  # an input is embedded in one piece
    with _nowhere() as address:
        params.hostnames = [address]
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise ConfigurationError(
                f"llama.cpp could not load {options.path}: the file is damaged or of a kind that this version does not "
                f"know, or the memory is too small for {options.slots} times {options.context} tokens of context."
            ) from error
    server.handle_metrics()
    return server


@contextmanager
def _nowhere() -> Iterator[str]:
    """An address to listen on that nobody can reach afterwards."""
    if sys.platform == "win32":
        yield "127.0.0.1"
        return
    folder = tempfile.mkdtemp(prefix="edgeagent-")
    try:
        yield str(Path(folder) / "llama.sock")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
