"""Dates of birth: a date in any usual way of writing, where a word says that somebody was born."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.labels import Label, label_after

__all__ = ["birth", "is_date", "is_span"]

_NUMERIC: Final = re.compile(r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d\d))")
_YEARS: Final = re.compile(r"(?:19|20)\d\d ?- ?(?:19|20)\d\d")
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|jän|mär|mai|okt|dez|ene|abr|ago|dic|janv|fév|févr|avr|juin|juil|août|sept|déc|gen|"
    r"mag|giu|"
    r"lug|set|ott|fev|out|maa|mei|mrt|sty|lut|kwi|maj|cze|lip|sie|wrz|paź|lis|gru|tam|hel|huh|tou|kes|hei|elo|syy|lok|mar|jou|oca|şub|nis|may|haz|tem|"
    r"ağu|eyl|eki|kas|ara|янв|фев|мар|апр|мая|май|июн|июл|авг|сен|окт|ноя|дек)[^\W\d_]*\.?"
)
_WRITTEN: Final = re.compile(
    rf"(?<![0-9A-Za-z])(?:\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?[ -](?:de |of )?{_MONTH}[ ,-]{{1,2}}"
    rf"(?:de |del )?(?:19|20)\d\d"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|(?:19|20)\d\d[ -]{_MONTH}[ -]\d{{1,2}})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_EAST_ASIAN: Final = re.compile(r"(?:19|20)\d\d ?[年년] ?\d{1,2} ?[月월] ?\d{1,2} ?[日일]?")
_ABBREVIATED: Final = re.compile(r"(?<![^\W_])(?:ur|b)\.:? ?\Z|[,(] ?\* ?\Z", re.IGNORECASE)
"""Polish and English for "born": without the full stop they are other words; or the sign of genealogists."""
_OF_BIRTH: Final = re.compile(r" ?г\. ?р\.")
"""What Russian has behind the date."""
_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def is_date(value: str) -> bool:
    """Whether a value is a date in digits."""
    return _NUMERIC.fullmatch(value) is not None


def is_span(value: str) -> bool:
    """Whether a value is from one year to another."""
    return _YEARS.fullmatch(value) is not None


def birth(
    text: str,
    start: int,
    end: int,
    before: Callable[[int], Label | None],
    column: Callable[[int], str | None],
) -> Match | None:
    """The date of birth that `text[start:end]`, digits that may be a date or its year, is or is part of.

    `before` tells the label before a place, `column` what the column is about that a place stands in.
    """
    span = _span(text, start, end)
    if span is None:
        return None
    start, end = span
    label = before(start)
    if (
        (label is not None and label.kind == "DOB")
        or column(start) == "DOB"
        or _ABBREVIATED.search(text, max(0, start - 6), start)
        or _OF_BIRTH.match(text, end)
    ):
        return Match("DATE_TIME", start, end, 0.85, "date of birth")
    if label is None or label.distance > 20:
        after = label_after(text, end)
        if after is not None and after.kind == "DOB" and after.distance <= 12:
            return Match("DATE_TIME", start, end, 0.75, "date of birth")
    return None


def _span(text: str, start: int, end: int) -> tuple[int, int] | None:
    if _NUMERIC.fullmatch(text, start, end):
        return start, end
    found = _NUMERIC.match(text, start, end)
    if (
        found is not None
        and not text[found.end() : found.end() + 1].isdigit()
        and end - found.end() >= 2
        and text[found.end()] == " "
    ):
        return found.span()
    if end - start == 4 and _YEAR.fullmatch(text, start, end):
        before = text[max(0, start - 2) : start].strip(" ,.-")
        if (
            text[end : end + 2].strip()[:1] not in ("年", "년")
            and not (before and before.isalpha())
            and text[start - 2 : start] != ", "
        ):
            return None
        for pattern in (_WRITTEN, _EAST_ASIAN):
            found = pattern.search(text, max(0, start - 22), end + 12)
            if found is not None and found.start() <= start and found.end() >= end:
                return found.span()
    elif _YEAR.match(text, start, end):
        found = _WRITTEN.match(text, start) or _EAST_ASIAN.match(text, start)
        return None if found is None else found.span()
    elif text[end - 4 : end].isdigit():
        found = _WRITTEN.search(text, max(0, end - 24), end + 1)
        return None if found is None or found.end() < end else found.span()
    return None
