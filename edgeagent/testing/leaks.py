"""An assertion: nothing of what must not leave is in what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from edgeagent.testing.fake import FakeProvider

if TYPE_CHECKING:
    from edgeagent.shield.shield import Shield

__all__ = ["assert_leaks_nothing"]


def assert_leaks_nothing(sent: Any, *, values: Iterable[str] = (), shield: Shield | None = None) -> None:
    """Assert that what was sent to a provider holds nothing that a shield finds, and none of some values.

    Args:
        sent: a `FakeProvider` (all that it was asked), a request, a text, bytes, or JSON values; or several of them.
        values: texts that must not be in it, in whatever case, as they are or as JSON has them.
        shield: finds what must not be in it; default: `Shield.default()`. Stand-ins look real: give a shield whose
            detectors do not look for them (`Shield([])`) where they are used.

    Raises:
        AssertionError: something is there; the message says what type it has and where, and not what it is.
    """
    from edgeagent.shield.shield import Shield

    finder = Shield.default() if shield is None else shield
    values = tuple(values)
    for number, part in enumerate(_parts(sent)):
        text = json.dumps(part, ensure_ascii=False) if not isinstance(part, str) else part
        masking = finder.with_actions({}).dry().masking()
        masking.run({f"sent[{number}]": part})
        places = [f"{kind} in {where} [{start}:{end}]" for kind, where, start, end in masking.findings]
        low = "\n".join(_said(text)).lower()
        for at, value in enumerate(values):
            forms = {
                value.lower(),
                json.dumps(value)[1:-1].lower(),
                json.dumps(value, ensure_ascii=False)[1:-1].lower(),
            }
            if any(form in low for form in forms):
                places.append(f"values[{at}] in sent[{number}]")
        if places:
            raise AssertionError(f"What was sent leaks: {'; '.join(places)}.")


def _parts(sent: Any) -> Iterator[Any]:
    """Each piece as a text or a JSON value."""
    if isinstance(sent, FakeProvider):
        sent = sent.requests
    if isinstance(sent, bytes):
        yield sent.decode(errors="replace")
    elif isinstance(sent, BaseModel):
        yield sent.model_dump(mode="json", exclude_none=True)
    elif isinstance(sent, str | dict):
        yield sent
    else:
        for part in sent:
            yield from _parts(part)


def _said(text: str) -> Iterator[str]:
    """A text, and if it is JSON what its strings say that are written with escapes: JSON text, for one."""
    from edgeagent.shield.json_text import is_json, tokens

    yield text
    for token in tokens(text) if is_json(text) else ():
        if not token.is_plain:
            yield from _said(token.value)
