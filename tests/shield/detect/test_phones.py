"""Telephone numbers of every region that libphonenumber knows."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from edgeagent.shield import PersonalData

FIND = PersonalData().find
EXAMPLES = [
    number
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


def share(style: int, template: str) -> float:
    """The share of the examples that are found exactly in the template's text."""
    exact = 0
    for number in EXAMPLES:
        written = phonenumbers.format_number(number, style)
        text = template.format(written)
        exact += any(text[match.start : match.end] == written for match in FIND(text))
    return exact / len(EXAMPLES)


@pytest.mark.parametrize(
    ("style", "template", "least"),
    [
        (PhoneNumberFormat.INTERNATIONAL, "write to me at {} please", 0.98),
        (PhoneNumberFormat.E164, "x {}.", 0.98),
        (PhoneNumberFormat.NATIONAL, "my phone number is {}, thanks", 0.95),
        (PhoneNumberFormat.NATIONAL, '{{"mobile": "{}"}}', 0.95),
        (PhoneNumberFormat.NATIONAL, "Telefon: {}", 0.95),
        (PhoneNumberFormat.NATIONAL, "电话：{}", 0.95),
    ],
)
def test_numbers_of_all_regions(style: int, template: str, least: float) -> None:
    """Mobile and fixed numbers of all regions are found exactly, but for those with fewer digits than are evidence."""
    assert share(style, template) >= least


@pytest.mark.parametrize("text", ["call +123", "+0123456789", "x+4915112345678", "a +99912345678 b", "1+12345678901"])
def test_a_plus_is_not_enough(text: str) -> None:
    """An unassigned country code, too few digits, or a sum is no number."""
    assert FIND(text) == []
