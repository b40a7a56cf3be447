"""How a completion looks in a notebook: its text first, then in one small line what it took.

Nothing in an answer is trusted. In HTML everything is escaped and no markup of the answer survives; in Markdown the
text stands in a fence longer than any in it. Colours are the notebook theme's own (inherited, with opacity and neutral
greys), so light and dark themes both work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgeagent.types.completion import (
        ChatCompletion,
        ChatCompletionMessage,
        ChatCompletionMessageToolCall,
        Choice,
    )

__all__ = ["completion_html", "completion_markdown", "duration_text", "money_text"]

_BOX: Final = "border:1px solid rgba(128,128,128,.35);border-radius:6px;padding:.6em .9em;margin:.2em 0;max-width:60em"
_PLAIN: Final = (
    "white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;line-height:1.5;color:inherit;"
    "background:none;border:0;margin:0;padding:0"
)
_CODE: Final = (
    "white-space:pre-wrap;overflow-wrap:anywhere;font-size:.92em;line-height:1.45;color:inherit;"
    "background:rgba(128,128,128,.12);border:0;border-radius:4px;margin:.45em 0 0;padding:.45em .65em"
)
_LABEL: Final = "font-size:.82em;opacity:.65;margin:.55em 0 .1em"
_FOOT: Final = "font-size:.82em;opacity:.7;margin-top:.7em;padding-top:.45em;border-top:1px solid rgba(128,128,128,.25)"


def completion_html(completion: ChatCompletion) -> str:
    """The completion as HTML, everything in it escaped."""
    several = len(completion.choices) > 1
    body = "".join(_choice_html(choice, numbered=several) for choice in completion.choices)
    foot = " · ".join(_escaped(fact).replace(" ", "&nbsp;") for fact in _facts(completion))
    return f'<div style="{_BOX}">{body}<div style="{_FOOT}">{foot}</div></div>'


def completion_markdown(completion: ChatCompletion) -> str:
    """The completion as Markdown (CommonMark): texts in fenced blocks, facts in code spans."""
    several = len(completion.choices) > 1
    blocks = [block for choice in completion.choices for block in _choice_markdown(choice, numbered=several)]
    return "\n\n".join([*blocks, " · ".join(_span(fact) for fact in _facts(completion))])


def duration_text(milliseconds: float) -> str:
    """A time for people: `0.03 ms`, `12 ms`, `1.25 s`."""
    if milliseconds >= 999.5:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 9.995 else f"{milliseconds:.2f} ms"


def money_text(usd: Decimal) -> str:
    """An amount of US dollars for people: whole cents from a dollar on, three digits below: `$0.000123`."""
    if usd >= 1:
        return f"${usd:,.2f}"
    return f"${Decimal(f'{usd:.3g}').normalize():f}"


# what there is to tell


def _facts(completion: ChatCompletion) -> Iterator[str]:
    """One line: who, from where, how long, how many tokens, how much money, why it ended if not by itself."""
    edge = completion.edge
    yield f"{edge.provider}/{edge.model or completion.model}" if edge.provider else completion.model
    if edge.cached:
        yield f"{edge.cache_tier} hit"
    elif edge.coalesced:
        yield "shared with an identical call"
    if edge.latency_ms:
        yield duration_text(edge.latency_ms)
    if completion.usage is not None:
        yield f"{completion.usage.prompt_tokens:,} in + {completion.usage.completion_tokens:,} out tokens"
    if edge.saved_usd is not None:
        yield f"{money_text(edge.saved_usd)} saved"
    elif edge.cost_usd is not None:
        yield money_text(edge.cost_usd)
    if len(edge.attempts) > 1:
        yield f"{len(edge.attempts)} attempts"
    reasons = {choice.finish_reason for choice in completion.choices} - {None, "stop", "tool_calls", "function_call"}
    yield from sorted(f"ended by {reason}" for reason in reasons)


def _calls(message: ChatCompletionMessage) -> Iterator[str]:
    """Tool calls as they would be written."""
    calls: Sequence[ChatCompletionMessageToolCall] = message.tool_calls or ()
    for call in calls:
        if call.function is not None:
            yield f"{call.function.name}({call.function.arguments})"
        elif call.custom is not None:
            yield f"{call.custom.name}({call.custom.input})"
        else:
            yield f"{call.type} {call.id}"
    if message.function_call is not None:
        yield f"{message.function_call.name}({message.function_call.arguments})"


# HTML


def _choice_html(choice: Choice, *, numbered: bool) -> str:
    message = choice.message
    parts = [f'<div style="{_LABEL}">choice {choice.index}</div>'] if numbered else []
    if message.reasoning_content:
        inner = f'<pre style="{_PLAIN};opacity:.75">\n{_escaped(message.reasoning_content)}</pre>'
        parts.append(
            f'<details style="margin-bottom:.4em"><summary style="{_LABEL}">reasoning</summary>{inner}</details>'
        )
    if message.content:
        parts.append(f'<pre style="{_PLAIN}">\n{_escaped(message.content)}</pre>')
    if message.refusal:
        parts.append(f'<div style="{_LABEL}">refusal</div><pre style="{_PLAIN}">\n{_escaped(message.refusal)}</pre>')
    if message.audio is not None:
        transcript = _escaped(message.audio.transcript or "")
        parts.append(f'<div style="{_LABEL}">audio</div><pre style="{_PLAIN}">\n{transcript}</pre>')
    parts += [f'<pre style="{_CODE}">\n{_escaped(call)}</pre>' for call in _calls(message)]
    return "".join(parts) or f'<div style="{_LABEL}">no content</div>'


def _escaped(text: str) -> str:
    return escape(_encodable(text))


def _encodable(text: str) -> str:
    """Half of a surrogate pair, as a cut answer may end with, cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


# Markdown


def _choice_markdown(choice: Choice, *, numbered: bool) -> Iterable[str]:
    message = choice.message
    blocks = [f"choice {choice.index}:"] if numbered else []
    labelled = {
        "reasoning": message.reasoning_content,
        "": message.content,
        "refusal": message.refusal,
        "audio": message.audio.transcript if message.audio is not None else None,
    }
    for label, text in labelled.items():
        if text:
            blocks += [f"{label}:", _fenced(text)] if label else [_fenced(text)]
    blocks += [_fenced(call) for call in _calls(message)]
    return blocks or ["no content"]


def _fenced(text: str) -> str:
    """A fenced block (CommonMark §4.5): only a line with as many backticks as its first one ends it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = _encodable(text).replace("\r\n", "\n").replace("\r", "\n")
    return f"{fence}text\n{lines}\n{fence}"


def _span(text: str) -> str:
    """A code span (CommonMark §6.1), delimited by more backticks than are in it, on one line."""
    line = " ".join(_encodable(text).split()) or "-"
    ticks = "`" * (_longest_run(line) + 1)
    return f"{ticks} {line} {ticks}" if len(ticks) > 1 else f"`{line}`"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
