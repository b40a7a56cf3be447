"""Every example runs as it is: without a key, and with the keys of (made-up) vendors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import Block, run_page
from tests.support.children import bare_environment
from tests.support.local_model import missing
from tests.support.loopback import Loopback

__all__: list[str] = []

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
NEEDS_MODEL = [pytest.mark.local_model, pytest.mark.skipif(missing() is not None, reason=str(missing()))]
SILENT = {"who.py"}


def run(program: Path, directory: Path) -> str:
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if program.name.startswith("test_") else []
    result = subprocess.run(
        [sys.executable, "-W", "error", *command, str(program)],
        cwd=directory,
        env=bare_environment(TMPDIR=str(directory)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    return result.stdout


def param(program: Path) -> object:
    return pytest.param(program, id=program.name, marks=NEEDS_MODEL if program.name == "local_model.py" else [])


@pytest.mark.parametrize("program", [param(program) for program in PROGRAMS])
def test_an_example_runs_without_keys(program, keyless):
    """It ends well, says something, and warns of nothing."""
    assert bool(run(program, keyless)) is (program.name not in SILENT)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if "from who import" in p.read_text(encoding="utf-8")])
def test_an_example_asks_the_vendors_whose_keys_are_there(program, reader, vendors: Loopback):
    """With keys it asks them, and runs all the same."""
    before = len(vendors.requests)
    assert "(No key" not in run(program, reader)
    assert len(vendors.requests) > before


def test_every_example_is_listed():
    """The list of examples names all of them."""
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    there = [*PROGRAMS, *EXAMPLES.glob("*.ipynb")]
    assert [path.name for path in there if f"]({path.name})" not in listed] == []


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_runs_from_top_to_bottom(notebook, keyless):
    """Its cells run in order in one session, without keys. (A kernel runs them in CI.)"""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    assert code
    run_page([Block(notebook, 1, "python", "".join(source)) for source in code])


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_shows_its_results(notebook):
    """It is kept with its outputs, none of them an error, and without a trace of the machine that ran it."""
    text = notebook.read_text(encoding="utf-8")
    outputs = [output for cell in json.loads(text)["cells"] for output in cell.get("outputs", [])]
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert "/home/" not in text
    assert "/tmp/" not in text
