"""Markdown → its code blocks, and how a page of them is run.

Every fence names its language. The Python blocks of a page run in order and share their names, as if typed into one
session; `await` may stand at top level. Lines that begin with `#> ` say what the block prints: all of it, in order,
with `…` for what differs from run to run. A Python block inside an HTML comment that begins with `run first` is run in
its place but not shown: it makes a file that the page speaks of, or a fault. One that begins with `# pip install
edgeagent …` is a program by itself, and runs in an environment that has what it names (`scripts/frameworks`).
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["LANGUAGES", "Block", "blocks_of", "commands_of", "run_elsewhere", "run_page"]

_ELSEWHERE = "# pip install edgeagent "

LANGUAGES = {"python", "bash", "toml", "text", "json"}
"""The languages that a fence may name; another one is an error, so that nothing escapes being run by a typing slip."""

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<language>[\w+-]*)(?P<rest>.*)$")
_EXPECTED = re.compile(r"^ *#> ?(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: `line` is the line of its first line of code, from 1."""

    path: Path
    line: int
    language: str
    source: str

    @property
    def elsewhere(self) -> list[str]:
        """What its first line says to install: it runs in an environment of its own, by `scripts/frameworks`."""
        first = self.source.partition("\n")[0]
        return first.removeprefix(_ELSEWHERE).split() if first.startswith(_ELSEWHERE) else []

    @property
    def where(self) -> str:
        """As an editor can open it."""
        return f"{self.path}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """Every fenced block of a Markdown file.

    Raises:
        ValueError: a fence without a known language, or one that is not closed.
    """
    blocks: list[Block] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    numbered = iter(enumerate(lines, 1))
    for number, line in numbered:
        opening = _FENCE.match(line)
        if opening is None:
            continue
        if opening["language"] not in LANGUAGES:
            raise ValueError(f"{path}:{number}: a fence must name one of {', '.join(sorted(LANGUAGES))}: {line!r}")
        indent, code = len(opening["indent"]), []
        for _, inner in numbered:
            if inner.strip() == opening["ticks"]:
                break
            code.append(inner[indent:])
        else:
            raise ValueError(f"{path}:{number}: this fence is not closed")
        blocks.append(Block(path, number + 1, opening["language"], "\n".join(code) + "\n"))
    return blocks


def commands_of(blocks: list[Block]) -> Iterator[tuple[Block, list[str]]]:
    """The commands of the shell blocks, each as its words; comments and what follows `&&` or `|` apart."""
    for block in blocks:
        if block.language == "bash":
            for line in block.source.replace("\\\n", " ").splitlines():
                for command in re.split(r"&&|\|\|?|;", line.partition(" #")[0]):
                    words = [word for word in command.split() if word]
                    if words and not words[0].startswith("#"):
                        yield block, words


def run_page(blocks: list[Block]) -> None:
    """Run the Python blocks of one page in order.

    Raises:
        AssertionError: a block printed something else than it says.
        Exception: whatever a block raises, with the page's own line numbers in its traceback.
    """
    names: dict[str, Any] = {"__name__": "__main__", "__page__": str(blocks[0].path) if blocks else ""}
    loop = asyncio.new_event_loop()
    try:
        for block in blocks:
            if block.language == "python" and not block.elsewhere:
                _check(block, _run(block, names, loop))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def run_elsewhere(block: Block) -> None:
    """Run a block that is a program by itself, in the environment made for it. Raises like `run_page`."""
    loop = asyncio.new_event_loop()
    try:
        _check(block, _run(block, {"__name__": "__main__"}, loop))
    finally:
        loop.close()


def _run(block: Block, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> str:
    source = "\n" * (block.line - 1) + block.source
    code = compile(source, str(block.path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    linecache.checkcache(str(block.path))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if code.co_flags & inspect.CO_COROUTINE:
            loop.run_until_complete(eval(code, names))
        else:
            exec(code, names)
    return printed.getvalue()


def _check(block: Block, printed: str) -> None:
    expected = _EXPECTED.findall(block.source)
    if expected:
        pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in expected)
        says = "\n".join(expected)
        assert re.fullmatch(pattern, printed.rstrip("\n")), f"{block.where} says:\n{says}\nbut printed:\n{printed}"
