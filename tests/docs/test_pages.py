"""Every code block of README.md and docs/ runs, in order, as a reader would type it; every command exists."""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks_of, commands_of, run_page
from tests.support.local_model import missing
from tests.support.redis_server import RedisServer, needs_redis

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__: list[str] = []

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCAL = ROOT / "docs" / "local.md"
NEEDS_MODEL = [pytest.mark.local_model, pytest.mark.skipif(missing() is not None, reason=str(missing()))]
SHARED = ROOT / "docs" / "shared-cache.md"
OTHERS = {"cd", "git", "export", "source", "curl", "mkdir"}
"""Commands of a reader's own machine."""


def title(path: Path) -> str:
    return str(path.relative_to(ROOT))


MARKS = {LOCAL: NEEDS_MODEL, SHARED: [needs_redis]}


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server for the page that needs one."""
    if request.node.callspec.params["page"] != SHARED:
        yield
        return
    with RedisServer() as server:
        monkeypatch.setenv("REDIS_URL", server.url)
        yield


@pytest.mark.parametrize("page", [pytest.param(page, marks=MARKS.get(page, []), id=title(page)) for page in PAGES])
def test_the_python_of_a_page_runs(page, reader, redis_url):
    """The Python blocks run and print what they say; the TOML blocks parse; nothing is left open."""
    blocks = blocks_of(page)
    for block in blocks:
        if block.language == "toml":
            tomllib.loads(block.source)
    run_page(blocks)
    gc.collect()  # what a page forgot to close warns now, and a warning is an error


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_the_code_of_a_page_fits_its_column(page):
    """No line of code must be scrolled to; what a program prints may be long."""
    lines = [(block, line) for block in blocks_of(page) for line in block.source.splitlines()]
    wide = [f"{block.where}: {line}" for block, line in lines if len(line) > 92 and not line.lstrip().startswith("#> ")]
    assert wide == []


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_the_commands_of_a_page_exist(page):
    """Every command in a shell block is one of ours that is there, or one of the few that any reader has."""
    for block, words in commands_of(blocks_of(page)):
        assert exists(words), f"{block.where}: {' '.join(words)}"


def exists(words: list[str]) -> bool:
    while re.match(r"[A-Z_]+=", words[0]) and len(words) > 1:
        words = words[1:]
    command, *rest = words
    if command.startswith(("./", ".ci/", "scripts/", "benchmarks/")):
        return os.access(ROOT / command, os.X_OK)
    if command in {"python", "python3"}:
        return _python(rest)
    if command in {"pip", "uv"} or words[:2] == ["uv", "pip"]:
        return _install(words[words.index("install") :])
    return command in OTHERS or re.match(r"[A-Z_]+=", command) is not None


def _python(words: list[str]) -> bool:
    if words[:2] == ["-m", "pip"]:
        return _install(words[2:])
    if words[0] == "-m":
        return importlib.util.find_spec(words[1]) is not None
    return words[0] == "-c" or (ROOT / words[0]).is_file()


def _install(words: list[str]) -> bool:
    """Whether the extras and groups that a `pip install` names are in pyproject.toml."""
    extras = [name for word in words if (m := re.search(r"\[(.+)]", word)) for name in m[1].split(",")]
    groups = [words[i + 1] for i, word in enumerate(words) if word == "--group"]
    known = PROJECT["project"]["optional-dependencies"].keys(), PROJECT["dependency-groups"].keys()
    return words[0] == "install" and set(extras) <= known[0] and set(groups) <= known[1]


LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CHANGELOG.md"], ids=title)
def test_the_links_of_a_page_lead_somewhere(page):
    """Every relative link names a file of the repository. (Those of docs/ are checked by the strict build.)"""
    targets = [match["target"].partition("#")[0] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [one for one in targets if one and "://" not in one and not (page.parent / one).exists()] == []


# the machinery itself


def page_of(tmp_path: Path, text: str) -> list[Block]:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return blocks_of(path)


def test_blocks_share_their_names_and_may_await(tmp_path):
    """A later block sees what an earlier one defined, also across `await`, and a hidden one is run in its place."""
    text = "```python\nx = 1\n```\n<!-- run first\n```python\nx += 1\n```\n-->\n"
    text += "```python\nimport asyncio\nawait asyncio.sleep(0)\nprint(x)\n#> 2\n```\n"
    run_page(page_of(tmp_path, text))


def test_a_block_must_print_what_it_says(tmp_path):
    """Other output than stated fails, with the page and the line; `…` stands for anything within a line."""
    run_page(page_of(tmp_path, "```python\nprint('took 5 ms')\n#> took … ms\n```\n"))
    with pytest.raises(AssertionError, match=r"page\.md:2 says:\nb\nbut printed:\na"):
        run_page(page_of(tmp_path, "```python\nprint('a')\n#> b\n```\n"))


def test_an_error_is_told_with_the_line_of_the_page(tmp_path):
    """The traceback of a failing block points into the page."""
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(page_of(tmp_path, "# Title\n\n```python\nx = 0\n1 / x\n```\n"))
    assert caught.traceback[-1].lineno + 1 == 5
    assert caught.traceback[-1].path.name == "page.md"


@pytest.mark.parametrize("text", ["```\nx\n```\n", "```pyhton\nx\n```\n", "```python\nx\n"])
def test_no_block_escapes(tmp_path, text):
    """A fence without a known language, or one that is never closed, is an error."""
    with pytest.raises(ValueError, match=r"page\.md:1"):
        page_of(tmp_path, text)


@pytest.mark.parametrize(
    ("command", "there"),
    [
        ("./scripts/test -x", True),
        ("./scripts/nothing", False),
        ("PYTHON=python3.10 ./scripts/test", True),
        ("python -m edgeagent demo", True),
        ("python -m edgeagent_not_there", False),
        ("python examples/nothing.py", False),
        ("pip install 'edgeagent[local]'", True),
        ("pip install 'edgeagent[nothing]'", False),
        ("pip install --group docs", True),
        ("pip install --group nothing", False),
        ("rm -rf", False),
    ],
)
def test_commands_are_looked_up(tmp_path, command, there):
    """The check of shell blocks knows what exists and what does not."""
    ((_, words),) = commands_of(page_of(tmp_path, f"```bash\n# a comment\n{command}  # and another\n```\n"))
    assert exists(words) is there
