"""What the demo writes to a terminal, and what to anything else."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.demo.screen import MARGIN, Screen


class Terminal(io.StringIO):
    """Standard output, as a terminal has it."""

    def isatty(self) -> bool:
        return True


def written(text: str, out: io.StringIO | None = None, environment: Mapping[str, str] | None = None) -> str:
    out = out or io.StringIO()
    screen = Screen(out, environment or {})
    screen.title(text)
    screen.step(1, text)
    screen.say(text, "good")
    screen.note("name", text)
    screen.checked(text, held=True)
    screen.checked(text, held=False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_only_where_they_are_wanted(terminal: bool, environment: dict[str, str], coloured: bool) -> None:
    """A file, a pipe, NO_COLOR and a dumb terminal get plain text."""
    text = written("words", Terminal() if terminal else io.StringIO(), environment)
    assert ("\x1b[" in text) is coloured


def test_a_claim_that_does_not_hold_is_easy_to_find() -> None:
    """The two marks are words, so that they are seen without colours."""
    assert "[ok] words" in written("words")
    assert "[FAILED] words" in written("words")


def test_an_answer_cannot_steer_the_terminal() -> None:
    """Control characters of a model's text are not written."""
    out = io.StringIO()
    screen = Screen(out, {})
    screen.say("a\x1b[2Jb\x07c")
    text = screen.stream()
    text.add("d\x1b]0;title\x07e")
    text.end()
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_an_encoding_that_lacks_a_character_does_not_stop_the_demo() -> None:
    """What ASCII does not have becomes a question mark."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Screen(out, {}).say("36 µs")
    assert raw.getvalue() == b"   36 ? s\n".replace(b"? s", b"?s")


def test_code_is_not_wrapped_and_empty_paragraphs_are_lines() -> None:
    """Source keeps its lines, however long."""
    out = io.StringIO()
    screen = Screen(out, {})
    screen.code("x = 1\n\n" + "y" * 200)
    screen.say("")
    assert out.getvalue() == f"{MARGIN}x = 1\n\n{MARGIN}{'y' * 200}\n\n"


@given(st.lists(st.text(st.sampled_from("ab  \n"), max_size=12), max_size=60))
def test_a_streamed_text_keeps_its_words_and_the_margin(pieces: list[str]) -> None:
    """However a text is cut, its words and line breaks are all there, and no line is wider than the screen allows."""
    out = io.StringIO()
    screen = Screen(out, {})
    text = screen.stream()
    for piece in pieces:
        text.add(piece)
    text.end()
    said, lines = "".join(pieces), out.getvalue().split("\n")
    assert out.getvalue().replace(" ", "").replace("\n", "") == said.replace(" ", "").replace("\n", "")
    assert all(not line or line.startswith(MARGIN) for line in lines)
    longest = max((len(piece) for piece in pieces), default=0)
    assert all(len(line) <= screen._width + longest for line in lines)
