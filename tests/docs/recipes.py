"""The blocks of `docs/transports.md` that are programs by themselves, each in an environment that has what it names.

python -m tests.docs.recipes              what there is to run: one line of requirements each
python -m tests.docs.recipes langchain-openai     runs the block that needs this, in this environment
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edgeagent.transports import Transport
from tests.docs import vendor
from tests.docs.blocks import Block, blocks_of, run_elsewhere
from tests.support.loopback import Loopback

__all__ = ["recipes", "run"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "transports.md"


def recipes() -> dict[str, Block]:
    """The blocks by their requirements, as one text."""
    return {" ".join(block.elsewhere): block for block in blocks_of(PAGE) if block.elsewhere}


def run(block: Block) -> None:
    """Run one against the vendors of the documentation, without any other key or address."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "ANTHROPIC_")) or name.endswith(("_KEY", "_TOKEN")):
            del os.environ[name]
    with Loopback(vendor.answer) as server:
        os.environ.update(
            OPENAI_API_KEY="sk-of-a-reader",
            OPENAI_BASE_URL=f"{server.url}/v1",
            ANTHROPIC_API_KEY="sk-ant-of-a-reader",
            ANTHROPIC_BASE_URL=server.url,
            NO_PROXY="127.0.0.1",
        )
        with counted() as calls:
            run_elsewhere(block)
        assert calls, "nothing went through the transport"


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every request that a transport answers meanwhile, by its URL."""
    calls: list[str] = []
    originals = Transport.handle_request, Transport.handle_async_request

    def handle(self: Transport, request: Any) -> Any:
        calls.append(str(request.url))
        return originals[0](self, request)

    async def handle_async(self: Transport, request: Any) -> Any:
        calls.append(str(request.url))
        return await originals[1](self, request)

    Transport.handle_request, Transport.handle_async_request = handle, handle_async  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        Transport.handle_request, Transport.handle_async_request = originals  # type: ignore[method-assign]


def _versions(names: list[str]) -> str:
    told = []
    for name in (*names, "openai", "anthropic"):
        try:
            told.append(f"{name} {version(name.partition('[')[0])}")
        except PackageNotFoundError:
            continue
    return ", ".join(dict.fromkeys(told))


if __name__ == "__main__":
    if not sys.argv[1:]:
        print("\n".join(recipes()))
    else:
        chosen = recipes()[" ".join(sys.argv[1:])]
        run(chosen)
        print(f"{_versions(chosen.elsewhere)}: the recipe works over the transport")
