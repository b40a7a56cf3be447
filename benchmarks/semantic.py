"""How often the semantic cache is right, and how often it is wrong: `python -m benchmarks.semantic`.

Each row of `QUESTIONS` is a question, another way to ask it (the stored answer serves), and one that looks like it and
wants another answer (a hit there is a wrong answer). They were written by hand to be what users ask, and the third ones
to be hard: a number, a negation, a name, a direction changed. All the questions are stored at once, as in a real cache.
Needs the packages of `requirements-semantic.txt`; takes seconds.
"""

from __future__ import annotations

import time
from typing import Any

from edgeagent.cache import SemanticCache

__all__: list[str] = []

THRESHOLDS = (0.70, 0.75, 0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)
GROUP = b"g" * 32

QUESTIONS = (
    ("What is the capital of France?", "Which city is France's capital?", "What is the capital of Spain?"),
    ("How do I reset my password?", "I forgot my password, how can I set a new one?", "How do I reset my router?"),
    ("Is 7 a prime number?", "Is the number 7 prime?", "Is 9 a prime number?"),
    ("Convert 10 miles to kilometres.", "How many kilometres are 10 miles?", "Convert 10 kilometres to miles."),
    ("Translate 'good morning' into German.", "How do you say 'good morning' in German?",
     "Translate 'good morning' into Dutch."),
    ("Who wrote Hamlet?", "Who is the author of Hamlet?", "Who played Hamlet?"),
    ("Can I take ibuprofen with alcohol?", "Is it safe to drink alcohol while on ibuprofen?",
     "Can I take paracetamol with alcohol?"),
    ("Which foods are high in iron?", "What should I eat to get more iron?", "Which foods are low in iron?"),
    ("How do I sort a list in Python?", "What's the way to order a Python list?", "How do I reverse a list in Python?"),
    ("How do I delete a branch in git?", "What command removes a git branch?", "How do I create a branch in git?"),
    ("What time zone is Tokyo in?", "Which time zone does Tokyo use?", "What time zone is Toronto in?"),
    ("When did World War II end?", "In what year was World War II over?", "When did World War II begin?"),
    ("What is the boiling point of water?", "At what temperature does water boil?",
     "What is the freezing point of water?"),
    ("Is my order refundable?", "Can I get my money back for my order?", "Is my order not refundable?"),
    ("Cancel my subscription.", "I want to end my subscription.", "Renew my subscription."),
    ("How do I enable dark mode?", "Where can I turn on dark mode?", "How do I disable dark mode?"),
    ("What is the tallest mountain in Africa?", "Which African mountain is the highest?",
     "What is the tallest mountain in Asia?"),
    ("Explain recursion to a child.", "Explain recursion as if I were a kid.", "Explain recursion to an expert."),
    ("What is 15% of 80?", "How much is fifteen percent of 80?", "What is 15% of 90?"),
    ("Summarise the plot of Dracula.", "Give me a short summary of Dracula's story.",
     "Summarise the plot of Frankenstein."),
    ("How long should I boil an egg?", "What's the boiling time for an egg?", "How long should I fry an egg?"),
    ("Does this laptop have a touchscreen?", "Is the screen of this laptop touch sensitive?",
     "Does this laptop have a fingerprint reader?"),
    ("What is the population of Canada?", "How many people live in Canada?", "What is the area of Canada?"),
    ("Show flights from London to Rome.", "Which flights go from London to Rome?", "Show flights from Rome to London."),
    ("Why is the sky blue?", "What makes the sky look blue?", "Why is the sea blue?"),
    ("How do I increase the font size?", "How can I make the text bigger?", "How do I decrease the font size?"),
    ("What is the safe dose of vitamin D for adults?", "How much vitamin D may adults take safely?",
     "What is the safe dose of vitamin D for infants?"),
    ("Open a ticket for a billing problem.", "I have an issue with my bill, please create a ticket.",
     "Close the ticket for a billing problem."),
    ("What is the difference between TCP and UDP?", "How do TCP and UDP differ?",
     "What is the difference between TCP and IP?"),
    ("List all employees who joined after 2020.", "Which employees started after 2020?",
     "List all employees who joined before 2020."),
    ("How do I install numpy with pip?", "What's the pip command to get numpy?", "How do I install numpy with conda?"),
    ("Is it legal to record a call in Germany?", "May I record a phone call in Germany?",
     "Is it legal to record a call in the USA?"),
    ("What are the side effects of aspirin?", "Which side effects does aspirin have?",
     "What are the benefits of aspirin?"),
    ("Write a haiku about winter.", "Compose a winter haiku.", "Write a haiku about summer."),
    ("How do I connect to the office VPN on a Mac?", "How can I use the office VPN from my Mac?",
     "How do I connect to the office VPN on Windows?"),
    ("What does HTTP status 404 mean?", "What is the meaning of a 404 response?", "What does HTTP status 403 mean?"),
    ("Who is the CEO of Microsoft?", "Who runs Microsoft?", "Who founded Microsoft?"),
    ("Should I water a cactus every day?", "Does a cactus need water daily?", "Should I water a fern every day?"),
    ("What is my account balance in euros?", "How many euros are in my account?",
     "What is my account balance in dollars?"),
    ("Remind me to call Anna tomorrow at 9.", "Set a reminder for calling Anna at 9 tomorrow.",
     "Remind me to call Anna tomorrow at 10."),
)  # fmt: skip


def rates(embedder: Any, threshold: float) -> tuple[float, float, float]:
    """Of the paraphrases: right hits, and hits on another question; of the look-alikes: hits, which are wrong."""
    cache = SemanticCache(embedder, threshold=threshold)
    for question, _, _ in QUESTIONS:
        cache.put(GROUP, question, embedder.embed([question])[0], question.encode())
    right = astray = wrong = 0
    for question, paraphrase, other in QUESTIONS:
        found = cache.nearest(GROUP, embedder.embed([paraphrase])[0])
        right += found is not None and found.text == question
        astray += found is not None and found.text != question
        wrong += cache.nearest(GROUP, embedder.embed([other])[0]) is not None
    return right / len(QUESTIONS), astray / len(QUESTIONS), wrong / len(QUESTIONS)


class Remembering:
    """Embeds each text once."""

    def __init__(self, embedder: Any) -> None:
        self.embedder = embedder
        self.known: dict[str, Any] = {}

    def embed(self, texts: Any, /) -> list[Any]:
        return [self.known.setdefault(text, None) or self._made(text) for text in texts]

    def _made(self, text: str) -> Any:
        self.known[text] = [float(number) for number in self.embedder.embed([text])[0]]
        return self.known[text]


def look_up_cost(entries: int, width: int = 384) -> float:
    """Milliseconds of one look among so many vectors, the best of ten."""
    import numpy as np

    cache = SemanticCache(Remembering(None), max_bytes=2**40)
    vectors = np.random.default_rng(1).normal(size=(entries, width)).astype(np.float32)
    for number, vector in enumerate(vectors):
        cache.put(GROUP, str(number), vector, b"")  # type: ignore[arg-type]
    best = float("inf")
    for number in range(10):
        began = time.perf_counter()
        assert cache.nearest(GROUP, vectors[number]) is not None  # type: ignore[arg-type]
        best = min(best, time.perf_counter() - began)
    return best * 1e3


def main() -> None:
    from benchmarks.minilm import MiniLM

    embedder = Remembering(MiniLM())
    print(f"{len(QUESTIONS)} questions, all-MiniLM-L6-v2")
    print(f"{'threshold':>10}{'hit rate':>10}{'false hits':>12}   (paraphrases answered; look-alikes answered wrongly)")
    for threshold in THRESHOLDS:
        right, astray, wrong = rates(embedder, threshold)
        print(f"{threshold:10.2f}{right:10.1%}{wrong:12.1%}" + (f"   {astray:.1%} astray" if astray else ""))
    for entries in (1_000, 10_000, 100_000):
        print(f"a look among {entries:,} vectors of 384 numbers: {look_up_cost(entries):.2f} ms")


if __name__ == "__main__":
    main()
