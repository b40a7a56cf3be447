"""What a type checker tells a user of the package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.children import bare_environment

__all__: list[str] = []

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[int, str]]]:
    """mypy's errors for the programs of this folder: file → (line, code)."""
    swapped = tmp_path_factory.mktemp("programs") / "edgeagent_program.py"
    source = (HERE / "openai_program.py").read_text(encoding="utf-8")
    swapped.write_text(source.replace("\nfrom openai", "\nfrom edgeagent"), encoding="utf-8")
    programs = [*(str(HERE / name) for name in ("accepted.py", "rejected.py", "openai_program.py")), str(swapped)]
    cache = tmp_path_factory.getbasetemp().parent / "mypy-cache"
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--no-pretty"]
    command += ["--config-file=", f"--cache-dir={cache}", "--allow-untyped-globals"]
    command += ["--disable-error-code=import-untyped"]  # of libraries that the package is built on
    command += ["--disable-error-code=import-not-found", *programs]  # of extras that are not installed here
    result = subprocess.run(command, cwd=ROOT, env=bare_environment(), capture_output=True, text=True, check=False)
    assert result.returncode in {0, 1}, result.stdout + result.stderr
    found: dict[str, set[tuple[int, str]]] = {}
    for line in result.stdout.splitlines():
        match = re.match(r"(.+?):(\d+): error: .*?(?:\[([\w-]+)\])?$", line)
        if match:
            found.setdefault(Path(match[1]).name, set()).add((int(match[2]), match[3] or line))
        else:
            assert ": note: " in line, line
    return found


def test_a_users_program_has_the_types_that_it_expects(complaints):
    """`stream=` decides between a completion and a stream, sync and async, and every attribute has its type."""
    assert complaints.get("accepted.py", set()) == set()


def test_mistakes_are_type_errors(complaints):
    """An unknown option, a misspelt parameter, a wrong type: each is told at its line, and nothing else is."""
    lines = (HERE / "rejected.py").read_text(encoding="utf-8").splitlines()
    marked = {
        (number, match[1]) for number, line in enumerate(lines, 1) if (match := re.search(r"# error: (\S+)$", line))
    }
    assert len(marked) > 15
    assert complaints.get("rejected.py", set()) == marked


@pytest.mark.parametrize("program", ["openai_program.py", "edgeagent_program.py"])
def test_a_program_typed_against_openai(complaints, program):
    """It is right with openai itself, and with nothing but its imports changed."""
    assert complaints.get(program, set()) == set()


def test_no_error_lies_in_the_package_itself(complaints):
    """Only the programs are complained about."""
    assert complaints.keys() <= {"accepted.py", "rejected.py", "openai_program.py", "edgeagent_program.py"}
