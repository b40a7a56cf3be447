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


def exact(numbers: list[str], template: str) -> float:
    """The share of the numbers that are found exactly in the template's text."""
    texts = [(template.format(number), number) for number in numbers]
    hits = [any(text[match.start : match.end] == number for match in FIND(text)) for text, number in texts]
    return sum(hits) / len(hits)


@pytest.mark.parametrize("template", ["write to {} please", "Telefon: {}", '{{"mobile": "{}"}}'])
def test_two_zeros_are_a_plus(template: str) -> None:
    """An international number as it is dialled from most countries; found to its last group."""
    written = [phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) for number in EXAMPLES]
    assert exact([number.replace("+", "00") for number in written], template) >= 0.95


@pytest.mark.parametrize("extension", ["x4", "x08301", " x123", " ext. 4711", " ext 12", ", ext. 9", " extension 77"])
@pytest.mark.parametrize("style", [PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL])
def test_extensions_belong_to_the_number(style: int, extension: str) -> None:
    """What is dialled behind it is found with it, and keeps it from nothing."""
    written = [phonenumbers.format_number(number, style) + extension for number in EXAMPLES]
    assert exact(written, "my phone number is {}, thanks") >= 0.95


@pytest.mark.parametrize("text", ["1920x1080", "call 1920x1080", "phone 4x100", "0x1234", "a 12345x678 b"])
def test_no_extension_makes_a_number(text: str) -> None:
    """Sizes and hexadecimal numbers are none."""
    assert FIND(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "call me at 826-801-8159x08301.",
        "(463)621-2233x079",
        "001-831-494-8757x49118",
        "Zavolejte mi na 00420 728 328 757.",
        "Hívjon a 46/301 8224 számon.",
        "Τηλέφωνο: 6946987002",
        "Κινητό 6985 586655",
        "Nomor telepon saya 0897591276.",
        "Sunați-mă la 0721345678",
        "Зателефонуйте мені за номером 067 123 45 67",
        "Số điện thoại của tôi là 0912345678.",
        "Zavolej mi na 728328757",
    ],
)
def test_other_languages_and_ways_of_writing(text: str) -> None:
    """The number is found whole."""
    digits = "".join(character for character in text if character.isdigit() or character == "x")
    covered = {text[match.start : match.end] for match in FIND(text)}
    assert any("".join(c for c in one if c.isdigit() or c == "x") == digits for one in covered)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 3_2_2 like Mac OS X) AppleWebKit/535.1 (KHTML) CriOS/43.0.849.0 Mobile/1",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML) Chrome/126.0.6478.787 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:1.9.6.20) Gecko/7844-01-09 14:39:48 Firefox/3.8",
        "Mozilla/5.0 (iPad; CPU iPad OS 9_3_6 like Mac OS X) FxiOS/9.2z9125.0 Mobile/16Y407 Safari/536.1",
    ],
)
def test_versions_in_the_name_of_a_browser_stay(agent: str) -> None:
    """A telephone that a browser runs on is no word for a number."""
    assert FIND(agent) == []


@pytest.mark.parametrize("text", ["call +123", "+0123456789", "x+4915112345678", "a +99912345678 b", "1+12345678901"])
def test_a_plus_is_not_enough(text: str) -> None:
    """An unassigned country code, too few digits, or a sum is no number."""
    assert FIND(text) == []
