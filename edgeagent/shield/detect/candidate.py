"""Digits, and what is joined to them: which type they are, by shape, check digit, way of writing, and words near."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect import dates, network, phones
from edgeagent.shield.detect.chains import Group, closes, first_behind, groups_of, opens, plus_before
from edgeagent.shield.detect.checks import luhn
from edgeagent.shield.detect.coins import coin
from edgeagent.shield.detect.identifiers import Scheme, by_type, evident, shape, shaped, speaking
from edgeagent.shield.detect.kinds import (
    ANY_DIGITS,
    CODE,
    POSTAL,
    REACH,
    SIMILAR,
    SURE,
    UUID,
    passport,
    plate,
    postcode,
    some_scheme,
)
from edgeagent.shield.detect.labels import BEFORE
from edgeagent.shield.detect.money import MORE_DIGITS, account, is_card, prefixed
from edgeagent.shield.detect.overlaps import Taken
from edgeagent.shield.detect.surroundings import Surroundings

__all__ = ["Candidates"]

_SUFFIX: Final = re.compile(r"-[A-Za-z]{3}")
"""A word joined to a number: `201-555-0199-Office`."""
_MOST_GROUPS: Final = 7


class Candidates(Surroundings):
    """What the digits of one text are."""

    __slots__ = ()

    def matches(self, start: int, end: int) -> list[Match]:
        """What the runs of groups are of the chain at `start`, from left to right."""
        text = self._text
        groups = groups_of(text, start, end)
        found: list[Match] = []
        if groups and text.count(".", start, end) >= 3:
            taken = Taken()
            for match in network.ipv4(text, groups[0][0], end):
                found.append(match)
                taken.add(match.start, match.end)
            groups = [group for group in groups if not taken.covers(group[0])]
        if len(groups) > 1:
            self._runs(groups, found)
        elif groups:
            alone = self._alone(groups)
            if alone is not None:
                found.append(self._extended(alone))
        return found

    def _runs(self, groups: list[Group], found: list[Match]) -> None:
        """Add what the longest runs of groups are."""
        closed = [closes(self._text, end) for _, end in groups]
        count = len(groups)
        i = 0
        while i < count:
            match = None
            start = groups[i][0]
            if not opens(self._text, start):
                if closed[i]:
                    match = self._year(groups[i : i + 1])
            else:
                if prefixed(self._text, start):
                    match = account(self._text, start)
                if match is None:
                    for j in range(min(count, i + _MOST_GROUPS), i, -1):
                        if closed[j - 1] and (match := self._recognised(groups[i:j])) is not None:
                            break
            if match is None:
                i += 1
            else:
                match = self._extended(match)
                found.append(match)
                i = first_behind(groups, i, match.end)

    def _alone(self, groups: list[Group]) -> Match | None:
        """What a group is that has no other beside it."""
        start, end = groups[0]
        if opens(self._text, start):
            match = account(self._text, start) if prefixed(self._text, start) else None
            if match is not None or not closes(self._text, end):
                return match
            return self._recognised(groups)
        return self._year(groups) if closes(self._text, end) else None

    def _extended(self, match: Match) -> Match:
        """A telephone number with its extension."""
        if match.type != "PHONE_NUMBER":
            return match
        end = phones.with_extension(self._text, match.end)
        return match if end == match.end else replace(match, end=end)

    def _year(self, groups: list[Group]) -> Match | None:
        """The date whose year a group is that no value may start with."""
        start = groups[0][0]
        return self._recognised(groups) if self._text[start : start + 2] in ("19", "20") else None

    def _recognised(self, groups: list[Group]) -> Match | None:
        start, end = groups[0][0], groups[-1][1]
        text = self._text
        if len(groups) > 1 and end - start > 40:
            return None
        value = text[start:end] if len(groups) == 1 else "".join([text[a:b] for a, b in groups])
        size = len(value)
        if size * 2 < len(groups) * 3:  # a row of single digits is no number
            return None
        if value.isdigit():
            if size < 4 or size > 19 or (size > 4 and not opens(self._text, start)):
                return None
            return self._digits(start, end, value, len(groups))
        if size < 5:
            return None
        if len(groups) == 1 and size > 18:
            return coin(text, start, end, value)
        if size > 18 or value.isalpha():
            return None
        return self._code(start, end, value.upper(), len(groups))

    # what the digits are

    def _digits(self, start: int, end: int, value: str, groups: int) -> Match | None:
        text = self._text
        written = text[start:end]
        if text[end : end + 1] == ")" and "(" in written and written.count("(") > written.count(")"):
            return None
        if (
            groups > 1
            and len(parts := written.split(" ")) > 1
            and (dates.is_date(parts[0]) or dates.is_date(parts[-1].lstrip("(")))
        ):
            return None
        if len(value) < 7 or (groups > 1 and dates.is_date(written)):
            return self._small(start, end, value, groups)
        if text[start + 8 : start + 9] == "-" and UUID.match(text, start) is not None:
            return None
        if groups == 2 and "." in written and "-" not in written and len(written) == len(value) + 1:
            whole, _, rest = written.partition(".")
            return self._dotted(start, end, value) if len(whole) > 2 < len(rest) else None  # no price, no latitude
        plus = plus_before(text, start) if text[start - 1 : start] in ("+", "(") else None
        if plus is not None and phones.international(value):
            return Match("PHONE_NUMBER", plus, end, 0.95, "phone")
        return (
            self._evident(start, end, value, written)
            or self._named(start, end, value)
            or (self._phone(start, end, value) if groups > 1 else None)
            or self._in_cell(start, end, value)
        )

    def _dotted(self, start: int, end: int, value: str) -> Match | None:
        """A telephone number, if a word just before says so: otherwise it is a decimal number."""
        kind = self._column(start)
        if kind is None and (label := self._label_before(start)) is not None and label.distance <= 8:
            kind = label.kind
        return self._of_kind(kind, start, end, value, 0.8) if kind == "PHONE" else None

    def _small(self, start: int, end: int, value: str, groups: int) -> Match | None:
        """A date, or few digits: a date of birth, a postcode, a short number that a word names."""
        text = self._text
        if 1 < groups <= 3 or (groups == 1 and len(value) == 4 and value[:2] in ("19", "20")):
            found = dates.birth(text, start, end, self._label_before, self._column)
            if found is not None:
                return found
        if len(value) == 5 and any(word in text[max(0, start - 24) : start].lower() for word in POSTAL):
            label = self._label_before(start)
            if label is not None and label.kind == "POSTCODE" and label.distance <= 16:
                return self._postcode(start, end, 0.5)
        label = self._label_before(start) if groups > 1 and len(value) == 6 else None
        if label is not None and label.kind == "PHONE" and label.distance <= 8:
            return Match("PHONE_NUMBER", start, end, 0.5, "phone")
        return None

    def _evident(self, start: int, end: int, value: str, written: str) -> Match | None:
        """A card, or a scheme whose check digit or way of writing is evidence enough."""
        if 14 <= len(value) <= 19 and self._is_card(start, end, value) and not self._denied(start, 16):
            return Match("CREDIT_CARD", start, end, 0.95, "card")
        form = "9" * len(value)
        for scheme in evident(form) if written == value else speaking(form):
            fits = scheme.evident or (scheme.written is not None and scheme.written.fullmatch(written))
            if fits and (scheme.check is None or scheme.check(value)) and not self._denied(start, 10):
                return Match(self._named_scheme(start, value) or scheme.type, start, end, 0.9, "identifier")
        return None

    def _named_scheme(self, start: int, value: str) -> str | None:
        """The type that a word just before names, if the value fits it: many schemes share a form."""
        label = self._label_before(start)
        scheme = by_type(label.kind) if label is not None and label.distance < 12 else None
        return scheme.type if scheme is not None and self._fits(scheme, value) else None

    def _is_card(self, start: int, end: int, value: str) -> bool:
        text = self._text
        if MORE_DIGITS.match(text, end) or (
            start > 4 and MORE_DIGITS.match(text, start - 5) and text[start - 1] == " "
        ):
            return False
        return is_card(value, text[start:end])

    def _named(self, start: int, end: int, value: str) -> Match | None:
        """What a word near the digits says that they are."""
        for kind, score in self._kinds(start, end):
            found = self._of_kind(kind, start, end, value, score)
            if found is not None or kind == "NO":
                return found
        return None

    def _kinds(self, start: int, end: int) -> Iterator[tuple[str, float]]:
        column = self._column(start)
        if column is not None:
            yield column, 0.9
            return
        label = self._label_before(start)
        if self._text[end : end + 2] == " (" or _SUFFIX.match(self._text, end) is not None:
            after = self._label_after(end)
            if after is not None and after.distance <= 3 and after.kind != "NO":
                yield after.kind, 0.85
        if label is not None and label.distance <= REACH.get(label.kind, BEFORE):
            yield label.kind, 0.9 if label.distance < 24 else 0.7
        if label is None or label.distance > 8:
            after = self._label_after(end)
            if after is not None:
                yield after.kind, 0.7

    def _of_kind(self, kind: str, start: int, end: int, value: str, score: float) -> Match | None:
        size = len(value)
        if kind == "NO" or kind == "DOB":
            return None
        if kind == "PHONE":
            most = 17 if value.startswith("00") and phones.international(value[2:]) else 13
            before = self._text[max(0, start - 2) : start]
            if before[-1:] == "#" or not 7 <= size <= most or phones.is_version(before, self._text[start:end]):
                return None
            return Match("PHONE_NUMBER", self._bracket(start, end), end, score, "phone")
        if kind == "CARD":
            least = 12 if end - start == size else 13  # Maestro's shortest
            fits = least <= size <= 19 and luhn(value) and MORE_DIGITS.match(self._text, end) is None
            return Match("CREDIT_CARD", start, end, score, "card") if fits else None
        if kind == "ACCOUNT":
            return Match("US_BANK_NUMBER", start, end, score, "account") if 6 <= size <= 17 else None
        if kind == "POSTCODE":
            return self._postcode(start, end, score)
        if kind in ANY_DIGITS:
            type_, least, most = ANY_DIGITS[kind]
            return Match(type_, start, end, score, "identifier") if least <= size <= most else None
        scheme = by_type(kind)
        if scheme is not None:
            if self._fits(scheme, value):
                return Match(kind, start, end, score, "identifier")
            if kind == "JP_MY_NUMBER" and size < 12:  # elsewhere than in Japan, "my number" is a telephone's
                return self._of_kind("PHONE", start, end, value, score - 0.2)
            other = some_scheme(SIMILAR.get(kind, ""), self._text, start, end, value, score - 0.2)
            return other or self._mistyped(scheme, start, end, value)
        if kind in ("ID", "TAX"):
            return some_scheme(kind, self._text, start, end, value, score)
        return None

    def _mistyped(self, scheme: Scheme, start: int, end: int, value: str) -> Match | None:
        """What its name says to be a person's number though its check digit is wrong."""
        if scheme.type not in SURE or shape(value) not in scheme.forms:
            return None
        label = self._label_before(start)
        near = self._column(start) is not None or (label is not None and label.distance <= 8)
        return Match(scheme.type, start, end, 0.5, "identifier") if near else None

    def _in_cell(self, start: int, end: int, value: str) -> Match | None:
        """A cell of a table without names, or a text, that holds nothing else: a scheme whose check is telling."""
        text = self._text
        if len(text) - (end - start) <= 4 and not any(map(str.isalnum, text[:start] + text[end:])):
            for scheme in shaped("9" * len(value)):
                if scheme.telling and scheme.check is not None and scheme.check(value):
                    return Match(scheme.type, start, end, 0.5, "identifier")
        if text[start - 1 : start] == ">" and text[end : end + 1] == "<" and not self._denied(start, 40):
            for scheme in shaped("9" * len(value)):
                grouped = " " in text[start:end] and len(value) in (9, 10, 12)
                if (scheme.telling or grouped) and scheme.check is not None and scheme.check(value):
                    return Match(scheme.type, start, end, 0.5, "identifier")
        return None

    def _fits(self, scheme: Scheme, value: str) -> bool:
        return shape(value) in scheme.forms and (scheme.check is None or scheme.check(value))

    def _phone(self, start: int, end: int, value: str) -> Match | None:
        begin = self._bracket(start, end)
        written = self._text[begin:end]
        dialled = value.startswith("00") and phones.dialled(written, value)
        shaped_so = dialled or phones.national_shape(written, value)
        if shaped_so and not phones.is_zip(self._text, start, end) and not self._denied(start, 30):
            return Match("PHONE_NUMBER", begin, end, 0.9 if dialled else 0.6, "phone")
        return None

    # letters and digits

    def _code(self, start: int, end: int, value: str, groups: int) -> Match | None:
        text = self._text
        written = text[start:end]
        if "(" in written and text[end : end + 1] == ")":
            end += 1
            written = text[start:end]
        form = shape(value)
        for scheme in speaking(form):
            if scheme.check is not None and not scheme.check(value):
                continue
            evident = scheme.evident or (scheme.written is not None and scheme.written.fullmatch(written) is not None)
            if (
                evident
                and (groups == 1 or scheme.check is not None)
                and (scheme.type == "MX_RFC" or not self._denied(start, 16))  # RFC is the name of other things, too
                and written == written.upper()
            ):
                return Match(scheme.type, start, end, 0.9, "identifier")
        if CODE.fullmatch(written) is None and not shaped(form):
            return None
        for kind, score in self._kinds(start, end):
            found = self._code_of_kind(kind, start, end, value, form, score)
            if found is not None or kind == "NO":
                return found
        return None

    def _code_of_kind(self, kind: str, start: int, end: int, value: str, form: str, score: float) -> Match | None:
        size = len(value)
        scheme = by_type(kind)
        digits = form.count("9")
        if scheme is not None:
            if scheme in shaped(form) and (scheme.check is None or scheme.check(value)):
                return Match(kind, start, end, score, "identifier")
            other = SIMILAR.get(kind)
            found = self._code_of_kind(other, start, end, value, form, score) if other else None
            return found or self._mistyped(scheme, start, end, value)
        if kind in ("ID", "TAX", "HEALTH"):
            for scheme in shaped(form):
                if scheme.check is None or scheme.check(value):
                    return Match(scheme.type, start, end, score, "identifier")
            return (
                Match("NATIONAL_ID", start, end, score - 0.3, "identifier") if 7 <= size <= 16 and digits >= 4 else None
            )
        if kind == "PASSPORT" or kind.endswith("_PASSPORT"):
            if 7 <= size <= 10 and digits >= (1 if kind == "DE_PASSPORT" else 3):
                return Match(passport(kind, form), start, end, score, "passport")
        elif kind == "DE_ID_CARD":
            return Match("DE_ID_CARD", start, end, score, "identifier") if 9 <= size <= 10 else None
        elif kind == "LICENSE":
            return Match("US_DRIVER_LICENSE", start, end, score, "licence") if 5 <= size <= 18 and digits >= 4 else None
        elif kind == "PLATE":
            written = 4 <= size <= 11 and self._text[start:end].isupper()
            return Match(plate(form), start, end, score, "plate") if written else None
        elif kind == "POSTCODE":
            return self._postcode(start, end, score)
        return None

    def _postcode(self, start: int, end: int, score: float) -> Match | None:
        type_ = postcode(self._text, start, end)
        return Match(type_, start, end, score, "postcode") if type_ else None

    def _bracket(self, start: int, end: int) -> int:
        return start - 1 if self._text[start - 1 : start] == "(" and ")" in self._text[start:end] else start
