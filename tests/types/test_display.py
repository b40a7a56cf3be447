"""How a completion looks in a notebook: everything is shown, and nothing in it can break out of its place."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from edgeagent.types import Attempt, ChatCompletion, ResponseMetadata, Target
from edgeagent.types.display import duration_text, money_text

ATTEMPT = Attempt(Target("openai", "gpt-4o-mini"), "ok", 200, 812.5)


def completion(*messages: dict[str, Any], edge: ResponseMetadata | None = None, **fields: Any) -> ChatCompletion:
    choices = [{"index": i, "message": message, "finish_reason": "stop"} for i, message in enumerate(messages)]
    body = {"id": "c", "created": 1, "model": "gpt-4o-mini-2024-07-18", "choices": choices, **fields}
    made = ChatCompletion.model_validate(body)
    made._edge = edge
    return made


class Page(HTMLParser):
    """The tags, with their attributes, and the texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.markup: list[Any] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.markup.append((tag, attrs))
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.markup.append(("/", tag))
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data

    def unknown_decl(self, data: str) -> None:
        self.markup.append(("declaration", data))

    handle_comment = handle_decl = handle_pi = unknown_decl

    @property
    def shown(self) -> list[str]:
        """The texts; a browser leaves out the first line end after `<pre>`."""
        return [text.removeprefix("\n") for text in self.texts if text]


def tree(text: str) -> tuple[list[str], list[str]]:
    """The kinds and the contents of all tokens of a Markdown text."""
    tokens: list[Token] = []
    for token in MarkdownIt("commonmark").parse(text):
        tokens += [token, *(token.children or ())]
    return [f"{token.type} {token.tag} {token.level} {token.info}" for token in tokens], [t.content for t in tokens]


FULL = [
    pytest.param({"content": "Paris."}, ["Paris."], id="text"),
    pytest.param({"refusal": "No."}, ["refusal", "No."], id="refusal"),
    pytest.param({"reasoning_content": "Hm.", "content": "A"}, ["reasoning", "Hm.", "A"], id="reasoning"),
    pytest.param({"audio": {"id": "a", "transcript": "Hello."}}, ["audio", "Hello."], id="audio"),
    pytest.param(
        {
            "content": "A",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}},
                {"id": "2", "type": "custom", "custom": {"name": "sql", "input": "select 1"}},
                {"id": "3", "type": "web_search"},
            ],
        },
        ["A", 'look({"a":1})', "sql(select 1)", "web_search 3"],
        id="tool calls",
    ),
    pytest.param({"function_call": {"name": "look", "arguments": "{}"}}, ["look({})"], id="older function call"),
    pytest.param({"content": None}, ["no content"], id="nothing"),
    pytest.param({"content": ""}, ["no content"], id="empty text"),
]


@pytest.mark.parametrize(("message", "shown"), FULL)
def test_messages(message: dict[str, Any], shown: list[str]) -> None:
    """Text, reasoning, refusal, audio and tool calls are all there, in HTML and in Markdown."""
    made = completion(message)
    assert Page(made._repr_html_()).shown == [*shown, "gpt-4o-mini-2024-07-18"]
    _, contents = tree(made._repr_markdown_())
    for text in shown:
        assert any(text in content for content in contents)


def test_audio_without_a_transcript() -> None:
    """Audio that was not transcribed is mentioned in HTML."""
    assert Page(completion({"audio": {"id": "a", "data": "UklG"}})._repr_html_()).shown[0] == "audio"


def test_choices() -> None:
    """Several choices are numbered."""
    made = completion({"content": "A"}, {"content": "B"})
    assert Page(made._repr_html_()).shown[:4] == ["choice 0", "A", "choice 1", "B"]
    assert made._repr_markdown_().startswith("choice 0:\n\n```text\nA\n```\n\nchoice 1:\n\n```text\nB\n```\n\n")


USAGE = {"prompt_tokens": 1234, "completion_tokens": 56, "total_tokens": 1290}
PRICE = Decimal("0.0002187")


@pytest.mark.parametrize(
    ("edge", "facts"),
    [
        (None, ["gpt-4o-mini-2024-07-18"]),
        (ResponseMetadata(provider="openai"), ["openai/gpt-4o-mini-2024-07-18"]),
        (
            ResponseMetadata("openai", "gpt-4o-mini", latency_ms=812.4, cost_usd=PRICE, attempts=(ATTEMPT,)),
            ["openai/gpt-4o-mini", "812 ms", "$0.000219"],
        ),
        (
            ResponseMetadata("openai", "m", True, "disk", 0.05, cost_usd=Decimal(0), saved_usd=PRICE),
            ["openai/m", "disk hit", "0.05 ms", "$0.000219 saved"],
        ),
        (
            ResponseMetadata("openai", "m", latency_ms=2000, coalesced=True, cost_usd=Decimal(0), saved_usd=PRICE),
            ["openai/m", "shared with an identical call", "2.00 s", "$0.000219 saved"],
        ),
        (ResponseMetadata("openai", "m", attempts=(ATTEMPT, ATTEMPT)), ["openai/m", "2 attempts"]),
    ],
)
def test_facts(edge: ResponseMetadata | None, facts: list[str]) -> None:
    """One line says who answered, from where, how long it took and what it cost, as far as that is known."""
    made = completion({"content": "A"}, edge=edge)
    assert Page(made._repr_html_()).shown[-1].replace("\u00a0", " ").split(" · ") == facts
    assert made._repr_markdown_().rpartition("\n")[2] == " · ".join(f"`{fact}`" for fact in facts)


def test_usage_and_end() -> None:
    """Tokens are told where they are known, and an end that is not the model's own."""
    choices = [{"index": i, "message": {"content": "A"}, "finish_reason": r} for i, r in enumerate(["length", "stop"])]
    foot = Page(completion(choices=choices, usage=USAGE)._repr_html_()).shown[-1].replace("\u00a0", " ")
    assert foot == "gpt-4o-mini-2024-07-18 · 1,234 in + 56 out tokens · ended by length"


def everywhere(text: str) -> ChatCompletion:
    """A completion with `text` wherever a provider or caller can put any."""
    message = {
        "content": text,
        "refusal": text,
        "reasoning_content": text,
        "audio": {"id": "a", "transcript": text},
        "tool_calls": [
            {"id": text, "type": "function", "function": {"name": text, "arguments": text}},
            {"id": text, "type": text},
        ],
    }
    return completion(message, edge=ResponseMetadata(provider=text, model=text), model=text)


ATTACKS = [
    "<script>alert(1)</script>",
    "</pre></div><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "&lt;b&gt; &amp; &#60;",
    "<!-- <![CDATA[ <?php",
    "```\n# out\n```",
    "``````````\n<b>",
    "~~~\n> out",
    "`",
    "``` ",
    "\n\n---\n| a |\n|---|",
    "[x](javascript:alert(1)) ![x](http://a) <http://a>",
    "$$x$$ \\(y\\)",
    "\r\n    ```\r",
    " ",
]
# Text without the characters that a browser or a Markdown parser replaces or treats as line ends of its own.
texts = st.text(min_size=1, alphabet=st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]))
hostile = st.lists(st.sampled_from([*ATTACKS, "`", "<", ">", "&", "~", "\n", "x"]), min_size=1).map("".join)


def attacked(function: Any) -> Any:
    for attack in ATTACKS:
        function = example(attack)(function)
    return given(texts | hostile)(function)


@attacked
def test_html_keeps_everything_in_its_place(text: str) -> None:
    """Whatever an answer holds: the markup is that of a harmless one, and the text is shown as it is."""
    page = Page(everywhere(text)._repr_html_())
    assert page.markup == Page(everywhere("x")._repr_html_()).markup
    assert page.shown.count(text) >= 3
    assert f"{text}({text})" in page.shown


@attacked
def test_markdown_keeps_everything_in_its_place(text: str) -> None:
    """Whatever an answer holds: the tokens are those of a harmless one, and the text is shown as it is."""
    kinds, contents = tree(everywhere(text)._repr_markdown_())
    assert kinds == tree(everywhere("x")._repr_markdown_())[0]
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert contents.count(f"{lines}\n") == 4


@pytest.mark.parametrize("show", [ChatCompletion._repr_html_, ChatCompletion._repr_markdown_])
def test_half_a_character(show: Any) -> None:
    """Half of a surrogate pair, as a cut answer may end with, does not make the result unwritable."""
    assert b"a?" in show(completion({"content": "a\ud83d"})).encode()


@pytest.mark.parametrize("colour", ["#", "rgb(", ":black", ":white"])
def test_no_fixed_colour(colour: str) -> None:
    """No colour is fixed that would vanish in a light or a dark theme: text inherits, greys are transparent."""
    assert colour not in everywhere("x")._repr_html_()


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0.0, "0.00 ms"),
        (0.0213, "0.02 ms"),
        (9.994, "9.99 ms"),
        (9.995, "10 ms"),
        (812.4, "812 ms"),
        (999.4, "999 ms"),
        (999.5, "1.00 s"),
        (61_250.0, "61.25 s"),
    ],
)
def test_duration_text(milliseconds: float, text: str) -> None:
    """Times are short, and their unit changes where the number would get long."""
    assert duration_text(milliseconds) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0"),
        ("0E-10", "$0"),
        ("0.0000000123456", "$0.0000000123"),
        ("0.0002187", "$0.000219"),
        ("0.5", "$0.5"),
        ("0.9999", "$1"),
        ("1", "$1.00"),
        ("1234.567", "$1,234.57"),
    ],
)
def test_money_text(usd: str, text: str) -> None:
    """Amounts keep three digits below a dollar, and whole cents from there on; never an exponent."""
    assert money_text(Decimal(usd)) == text
