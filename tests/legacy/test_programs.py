"""Programs written for openai<1 run unmodified but for the import, and print what they print with openai 0.28.1."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.legacy.server import Assistant
from tests.support.children import bare_environment
from tests.support.loopback import Loopback

__all__: list[str] = []

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = sorted((HERE / "programs").glob("*.py"))


def changed(source: str) -> str:
    """The program with nothing but its imports changed."""
    source = re.sub(r"^import openai$", "import edgeagent as openai", source, flags=re.MULTILINE)
    source = re.sub(r"^import openai\.(\w+)$", r"import edgeagent.\1", source, flags=re.MULTILINE)
    return re.sub(r"^from openai\b", "from edgeagent", source, flags=re.MULTILINE)


def output(python: str, program: Path, **more: str) -> str:
    """What the program prints, talking to a server of its own."""
    with Loopback(Assistant()) as server:
        settings = {"OPENAI_API_KEY": "sk-test", "OPENAI_API_BASE": f"{server.url}/v1", "AZURE_BASE": server.url}
        environment = bare_environment(**settings, **more, PYTHONWARNINGS="error" if more else "ignore")
        done = subprocess.run(
            [python, str(program)], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout.replace(server.url, "URL")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_prints_the_same(program: Path, peer: str, tmp_path: Path) -> None:
    """With the import changed and nothing else, not even a warning is added."""
    ours = tmp_path / program.name
    source = program.read_text(encoding="utf-8")
    ours.write_text(changed(source), encoding="utf-8")
    assert changed(source) != source
    printed = output(sys.executable, ours, PYTHONPATH=str(ROOT))
    assert printed == output(peer, program)
    assert printed.count("\n") >= 2
