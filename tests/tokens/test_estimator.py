"""Estimates, corrected by what providers report."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import ConfigurationError
from edgeagent.tokens import OutputLengths, TokenEstimator, size_of
from edgeagent.tokens.calibration import Calibration
from edgeagent.tokens.estimator import EVERY, REMEMBERED, SETTLED
from edgeagent.types import ChatRequest
from tests.support.corpus import SELECTION


def chat(words: int, **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=[{"role": "user", "content": "word " * words}], **more)


@given(st.floats(0.5, 2.0), st.floats(0, 200), st.lists(st.floats(50, 5000), min_size=30, max_size=60))
def test_a_line_is_learned(slope: float, offset: float, estimates: Sequence[float]) -> None:
    """A model that counts so many times our tokens, and adds so many of its own, is estimated right."""
    calibration = Calibration(0.25)
    for estimate in estimates:
        calibration.observe(estimate, offset + slope * estimate)
    middle = sorted(estimates)[len(estimates) // 2]
    true = offset + slope * middle
    assert abs(calibration(middle) - true) / true < 0.35
    assert calibration.seen == len(estimates)


def test_equal_requests_are_learned_exactly() -> None:
    """The same request over and over leads to its own count, and to an error of nothing."""
    calibration = Calibration(0.25)
    for _ in range(200):
        calibration.observe(100, 180)
    assert abs(calibration(100) - 180) < 4
    assert calibration.error < 0.04


def test_one_odd_request_bends_nothing() -> None:
    """A request to which the vendor added a page of its own changes later estimates little."""
    calibration = Calibration(0.1)
    for estimate in range(50, 100):
        calibration.observe(estimate, estimate)
    calibration.observe(60, 20_000)
    assert abs(calibration(60) - 60) < 6


def test_families() -> None:
    """Before any answer, what a vendor is known to add for tools is in the estimate."""
    estimator = TokenEstimator()
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    size = size_of(chat(10, tools=tools))
    claude, gpt = (estimator.estimate(size, model).tokens for model in ("anthropic/claude-x", "openai/gpt-x"))
    assert claude > gpt + 300


def test_calibrated_per_model() -> None:
    """What one model reports changes its own estimates; those with tools or media are learned apart."""
    estimator = TokenEstimator()
    size = estimator.size(chat(100), "v/a")
    before = estimator.estimate(size, "v/a")
    for _ in range(50):
        estimator.observe(size, "v/a", before.tokens * 2)
    after = estimator.estimate(size, "v/a")
    assert abs(after.tokens - 2 * before.tokens) < 0.1 * before.tokens
    assert after.error < before.error
    assert estimator.estimate(size, "v/b") == before
    picture = chat(100).model_copy(update={"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})
    assert estimator.estimate(size_of(picture), "v/a").error > after.error


def test_bounds() -> None:
    """The bound for budgets lies above the estimate, and at what the bytes allow for short texts at most."""
    estimator = TokenEstimator()
    for words in (0, 1, 10, 10_000):
        estimate = estimator.estimate(size_of(chat(words)), "v/a")
        assert estimate.at_least <= estimate.tokens <= estimate.at_most
    assert estimate.at_most <= 4 * 50_000 + 100


def test_nonsense_is_not_learned() -> None:
    """A provider that reports no tokens teaches nothing."""
    estimator = TokenEstimator()
    size = size_of(chat(10))
    before = estimator.estimate(size, "v/a")
    for reported in (0, -5):
        estimator.observe(size, "v/a", reported)
    assert estimator.estimate(size, "v/a") == before


class Words:
    """A tokenizer like tiktoken's."""

    def encode(self, text: str) -> list[str]:
        return text.split()


def test_counters() -> None:
    """A caller's tokenizer or function counts in place of the estimate, for the models that its pattern names."""
    estimator = TokenEstimator({"v/a*": Words(), "v/b": len})
    assert not estimator.alike
    assert TokenEstimator().alike
    request = chat(100)
    assert estimator.size(request, "v/abc").text == 100
    assert estimator.size(request, "v/b").text == 500
    assert estimator.size(request, "w/c").text == TokenEstimator().size(request, "w/c").text
    assert TokenEstimator(Words()).size(request, "any").text == 100
    assert estimator.estimate(estimator.size(request, "v/b"), "v/b").error < 0.2
    with pytest.raises(ConfigurationError, match="encode"):
        TokenEstimator(3)  # type: ignore[arg-type]


def test_tokenizers_of_the_library_of_that_name() -> None:
    """`Tokenizer` of `tokenizers` is taken as it is."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel({"word": 0, "?": 1}, "?"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    assert TokenEstimator(model).size(chat(7), "v/a").text == 7


def test_memory_is_bounded() -> None:
    """Names of models come from callers; only so many are remembered."""
    estimator, lengths = TokenEstimator(), OutputLengths()
    size = size_of(chat(1))
    for number in range(REMEMBERED + 10):
        estimator.observe(size, f"v/{number}", 5)
        estimator.wants(f"v/{number}")
        lengths.observe(f"v/{number}", 5)
    assert len(estimator._models) <= REMEMBERED
    assert len(estimator._answers) <= REMEMBERED
    assert len(lengths._means) <= REMEMBERED


def test_measuring_becomes_rare() -> None:
    """The first answers of a model are all learned from, later ones now and then."""
    estimator = TokenEstimator()
    wanted = [estimator.wants("v/a") for _ in range(SETTLED + 10 * EVERY)]
    assert all(wanted[:SETTLED])
    assert sum(wanted[SETTLED:]) == 10


def test_threads() -> None:
    """Threads may learn at once."""
    estimator = TokenEstimator()
    size = size_of(chat(50))

    def learn() -> None:
        for _ in range(500):
            estimator.observe(size, "v/a", 60)

    threads = [Thread(target=learn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert abs(estimator.estimate(size, "v/a").tokens - 60) <= 1
    estimator.after_fork()
    estimator.observe(size, "v/a", 60)


def test_output_lengths() -> None:
    """The expected output is that of the model's answers so far, and never more than was asked for."""
    lengths = OutputLengths()
    assert lengths.expected("v/a", 50) == 50
    first = lengths.expected("v/a")
    for _ in range(100):
        lengths.observe("v/a", 1000)
        lengths.observe("v/b", 10)
    assert (lengths.expected("v/a"), lengths.expected("v/b")) == (1000, 10)
    assert lengths.expected("v/a", 20) == 20
    lengths.observe("v/b", 100_000)
    assert lengths.expected("v/b") < 40
    assert first == lengths.expected("v/c")


def test_recorded_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the recorded requests of OpenAI the median error of plain text is below a tenth after calibration."""
    from benchmarks import tokens

    monkeypatch.setattr("tests.support.corpus.WHOLE", SELECTION)
    seen = tokens.measure("openai.chat")["text"]
    errors = sorted(one.missed for one in seen)
    assert len(errors) > 20
    assert errors[len(errors) // 2] < 0.12
    assert sum(one.true <= one.at_most for one in seen) / len(seen) > 0.9
