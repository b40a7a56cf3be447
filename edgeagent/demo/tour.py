"""The steps of the demo. Each claims something and checks it; what does not hold makes the exit code 1."""

from __future__ import annotations

import inspect
import json
import os
import platform
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from edgeagent._version import __version__
from edgeagent.client import EdgeClient
from edgeagent.demo.models import UNASKED, VENDORS, Answerer, answerer, vendors
from edgeagent.demo.screen import Screen
from edgeagent.errors import EdgeAgentError
from edgeagent.telemetry import Ledger
from edgeagent.types import ChatCompletion
from edgeagent.types.display import duration_text, money_text

__all__ = ["Tour", "run"]

HITS: Final = 50
BOOK: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 40},
        "year": {"type": "integer", "minimum": 1900, "maximum": 2025},
        "genre": {"enum": ["novel", "poetry", "science"]},
    },
    "required": ["title", "year", "genre"],
    "additionalProperties": False,
}


def run(*, quick: bool = False, out: TextIO | None = None) -> int:
    """The whole tour; 0 if every step did what it says, else 1.

    Args:
        quick: answer by rules, even where there is a model.
        out: where to write; default: standard output.
    """
    screen = Screen(out or sys.stdout)
    screen.title(f"edgeagent {__version__} on Python {platform.python_version()}: an LLM gateway inside this process")
    chosen = answerer(quick=quick)
    screen.note("model", chosen.description)
    tour = Tour(screen, chosen)
    try:
        return tour.run()
    finally:
        tour.close()


class Tour:
    """One run of the demo, on one answerer."""

    def __init__(self, screen: Screen, chosen: Answerer) -> None:
        self._screen = screen
        self._chosen = chosen
        self._ledger = Ledger()
        self._client = EdgeClient(providers=[chosen.provider], observers=[self._ledger])
        self._first: ChatCompletion | None = None
        self._failures = 0

    def run(self) -> int:
        """Run every step, also after one that failed; the result is the exit code."""
        started = time.perf_counter()
        configured = list(self._vendors())
        steps: list[tuple[str, Callable[[], None]]] = [
            ("A first call", self.first_call),
            ("The same call again: from the cache", self.cache_hit),
            ("A stream, as it arrives", self.stream),
            ("A provider that is down, and one that is not", self.failover),
            ("Structured output", self.structured),
            ("A fake in a test of yours", self.fake),
            *((f"The same code, {name}", lambda p=p, m=m: self.vendor(p, m)) for name, p, m in configured),
        ]
        for number, (title, step) in enumerate(steps, 1):
            self._screen.step(number, title)
            self._attempt(step)
        self._screen.step(len(steps) + 1, "In total")
        self._totals()
        took = duration_text((time.perf_counter() - started) * 1000)
        if self._failures:
            self._screen.say(f"{self._failures} of the claims above did not hold. It took {took}.", "bad")
        else:
            self._screen.say(f"Every claim above was checked and held. It took {took}.", "good")
        return 1 if self._failures else 0

    def close(self) -> None:
        """Give everything back."""
        self._client.close()
        close = getattr(self._chosen.provider, "close", None)
        if close is not None:
            close()

    def _totals(self) -> None:
        rows = dict(self._ledger.rows)
        if len(rows) > 1:
            rows["total"] = self._ledger.total
        for name, row in rows.items():
            hits = sum(row.hits.values())
            unpriced = f" and {row.unpriced} calls without a known price" if row.unpriced else ""
            self._screen.note(
                name.partition("/")[0],
                f"{row.calls} calls, {hits} of them from the cache, {row.retries} retried, {row.errors} failed; "
                f"{row.input_tokens} tokens in, {row.output_tokens} out; {money_text(row.cost_usd)}{unpriced}, "
                f"{money_text(row.saved_usd)} saved",
            )

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  # told, counted, and the tour goes on
            self._check(f"{type(error).__name__}: {error}", held=False)

    def _check(self, claim: str, *, held: bool) -> None:
        self._screen.checked(claim, held=held)
        self._failures += not held

    def _vendors(self) -> Iterator[tuple[str, Any, str]]:
        found = False
        try:
            for variable, provider, model in vendors():
                found = True
                yield f"asked of {provider.name}", provider, f"{provider.name}/{model}"
                self._screen.note("key", f"{variable} is set, so {model} is asked one short question at the end")
        except EdgeAgentError as error:
            self._screen.note("key", str(error))
        for variable, reason in UNASKED.items():
            if os.environ.get(variable):
                self._screen.note("key", f"{variable} is set; {reason}")
        if not found:
            variables = " and no ".join(names[0] for _, names, _ in VENDORS)
            self._screen.note("keys", f"no {variables} in the environment, so no vendor is asked")

    # the steps

    def first_call(self) -> None:
        """Ask, and show what came and what it took."""
        self._first = self._ask(self._client, "Name the capital of Japan.")
        self._check("an answer in OpenAI's shape", held=bool(self._first.choices[0].message.content))

    def cache_hit(self) -> None:
        """Ask the same again, many times."""
        first = self._first
        assert first is not None, "there was no first answer"
        times: list[float] = []
        for _ in range(HITS):
            started = time.perf_counter()
            again = self._create(self._client, "Name the capital of Japan.")
            times.append(time.perf_counter() - started)
        hit, miss = statistics.median(times) * 1e3, first.edge.latency_ms
        self._screen.say(again.choices[0].message.content or "")
        self._screen.note("time", f"{hit * 1000:.0f} µs (median of {HITS}) instead of {duration_text(miss)}")
        self._check(
            f"from {again.edge.cache_tier}: {miss / hit:,.0f} times as fast", held=again.edge.cached and hit < miss
        )
        self._check("an equal answer, and an object of its own", held=again == first and again is not first)

    def stream(self) -> None:
        """Show each piece when it comes."""
        question = "Write a poem of four lines about the sea."
        self._screen.say(f"> {question}", "dim")
        started = time.perf_counter()
        times: list[float] = []
        text = self._screen.stream()
        request = self._arguments(question, max_tokens=120)
        with self._client.chat.completions.create(stream=True, **request) as stream:
            for chunk in stream:
                piece = "".join(choice.delta.content or "" for choice in chunk.choices)
                if piece:
                    times.append((time.perf_counter() - started) * 1e3)
                    text.add(piece)
        text.end()
        first, last = duration_text(times[0]), duration_text(times[-1])
        self._screen.note("time", f"the first of {len(times)} pieces after {first}, the last after {last}")
        spread = times[-1] - times[0]  # pieces that had waited for the end would come all at once
        self._check("shown while it was being generated", held=len(times) > 3 and spread > times[-1] / 10)
        usage = stream.usage
        self._check("usage known at the end", held=usage is not None and usage.completion_tokens > 0)

    def failover(self) -> None:
        """Ask a provider that nobody listens for; the next one answers."""
        from edgeagent.providers import OpenAI

        with _nobody_listens() as url:
            broken = OpenAI(name="broken", base_url=f"{url}/v1", api_key="none")
            group = {"any": ["broken/gpt-4o-mini", self._chosen.model]}
            providers = [broken, self._chosen.provider]
            with EdgeClient(providers=providers, models=group, retry=1, observers=[self._ledger]) as client:
                answer = self._ask(client, "Say hello to a Python programmer in one sentence.", model="any")
        for attempt in answer.edge.attempts:
            self._screen.note("attempt", f"{attempt.target}: {attempt.outcome}, {duration_text(attempt.duration_ms)}")
        outcomes = [attempt.outcome for attempt in answer.edge.attempts]
        self._check("the connection was refused, twice", held=outcomes[:-1] == ["APIConnectionError"] * 2)
        self._check(
            f"{answer.edge.provider} answered in its place",
            held=outcomes[-1] == "ok" and answer.edge.provider == self._chosen.provider.name,
        )

    def structured(self) -> None:
        """Ask for JSON of a schema."""
        form = {"type": "json_schema", "json_schema": {"name": "book", "strict": True, "schema": BOOK}}
        self._screen.note("schema", "title: text of at most 40, year: 1900 to 2025, genre: novel, poetry or science")
        answer = self._ask(self._client, "Invent a book about the sea.", response_format=form)
        book = json.loads(answer.choices[0].message.content or "")
        self._check("it is JSON with the fields of the schema", held=book.keys() == BOOK["properties"].keys())
        self._check(
            "each of its type and in its range",
            held=isinstance(book["title"], str)
            and len(book["title"]) <= 40
            and type(book["year"]) is int
            and 1900 <= book["year"] <= 2025
            and book["genre"] in BOOK["properties"]["genre"]["enum"],
        )

    def fake(self) -> None:
        """Show code and its test, and run them."""
        from edgeagent.demo import example

        sources = (inspect.getsource(function) for function in (example.summary, example.test_summary))
        self._screen.code("\n".join(sources))
        started = time.perf_counter()
        example.test_summary()
        took = duration_text((time.perf_counter() - started) * 1e3)
        self._check(f"the test passes, in {took}, without a network", held=True)

    def vendor(self, provider: Any, model: str) -> None:
        """Ask a vendor whose key is in the environment."""
        with EdgeClient(providers=[provider], observers=[self._ledger]) as client:
            answer = self._ask(client, "Name the capital of Japan.", model=model)
        self._check(f"{provider.name} answered", held=bool(answer.choices[0].message.content))

    # asking

    def _arguments(self, question: str, **params: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": question}]
        return {"model": self._chosen.model, "messages": messages, "temperature": 0, "max_tokens": 200, **params}

    def _create(self, client: EdgeClient, question: str, **params: Any) -> ChatCompletion:
        answer: ChatCompletion = client.chat.completions.create(**self._arguments(question, **params))
        return answer

    def _ask(self, client: EdgeClient, question: str, **params: Any) -> ChatCompletion:
        """Ask, and show question, answer and what it took."""
        self._screen.say(f"> {question}", "dim")
        answer = self._create(client, question, **params)
        self._screen.say(answer.choices[0].message.content or "")
        edge, usage = answer.edge, answer.usage
        facts = [f"{edge.provider}/{edge.model}", duration_text(edge.latency_ms)]
        if usage is not None:
            facts.append(f"{usage.prompt_tokens} tokens in, {usage.completion_tokens} out")
        facts.append("no price known" if edge.cost_usd is None else money_text(edge.cost_usd))
        self._screen.note("answered", ", ".join(facts))
        return answer


@contextmanager
def _nobody_listens() -> Iterator[str]:
    """An address of this machine that refuses connections: taken, so that nobody else gets it, and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
