"""Stand-ins: of the same form, nobody's, all different, and back again."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.shield.labels import canonical, label_of
from edgeagent.shield.standins import shifted, standin


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("EMAIL_ADDRESS", "a@b.com", "robin.marsh1@example.org"),
        ("CREDIT_CARD", "4111-1111-1111-1111", "4000-0000-0000-0019"),
        ("PHONE_NUMBER", "+1 (415) 867-5309", "+1 (415) 555-0101"),
        ("PHONE_NUMBER", "+49 30 123456", "+49 30 100001"),
        ("PHONE_NUMBER", "030/1234567", "030/1200001"),
        ("IBAN_CODE", "DE89 3704 0044 0532 0130 00", "DE99 0000 0000 0000 0000 01"),
        ("IP_ADDRESS", "10.0.0.7", "192.0.2.1"),
        ("IP_ADDRESS", "fe80::1", "2001:db8::1"),
        ("MAC_ADDRESS", "AA-BB-CC-DD-EE-FF", "00-00-5E-00-53-01"),
        ("MAC_ADDRESS", "aabb.ccdd.eeff", "0000.5e00.5301"),
        ("PERSON", "Ada Lovelace", "Robin Marsh"),
        ("PERSON", "Lovelace", "Marsh1"),
        ("URL", "https://u:p@host/x", "https://example.com/1"),
        ("US_SSN", "123", None),
        ("US_SSN", "536-22-4111", "000-12-0001"),
        ("OTHER", "…—…—", None),
    ],
)
def test_forms(kind: str, value: str, wanted: str | None) -> None:
    """Each type has its own form; what is too short to be found again has none."""
    if kind == "CREDIT_CARD":
        made = standin(kind, value, 1) or ""
        assert made[:18] == "4000-0000-0000-001"[:18]
    else:
        assert standin(kind, value, 1) == wanted


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("0x52908400098527886E0F7030069857D2E4169EE7", r"0x[0-9a-f]{40}"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", r"bc1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{39}"),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", r"BC1[0-9A-Z]{39}"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", r"1[1-9A-HJ-NP-Za-km-z]{33}"),
        ("cosmos1hsk6jryyqjfhp5dhc55tc9jtckygx0eph6dd02", r"cosmos1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{38}"),
        ("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", r"G[A-Z2-7]{55}"),
    ],
)
def test_wallets_keep_their_form(value: str, form: str) -> None:
    """A stand-in for an address starts as it does and has its alphabet; two are two."""
    made = {standin("CRYPTO", value, number) or "" for number in range(1, 50)}
    assert len(made) == 49
    assert all(re.fullmatch(form, each) for each in made)


@given(st.integers(1, 5000))
def test_cards_fail_their_check(number: int) -> None:
    """A stand-in for a card has its length and its issuer's digit, and is no card."""
    made = standin("CREDIT_CARD", "4111 1111 1111 1111", number) or ""
    digits = [int(c) for c in made if c.isdigit()]
    total = sum(d if at % 2 else d * 2 - 9 * (d > 4) for at, d in enumerate(digits))
    assert len(digits) == 16
    assert digits[0] == 4
    assert total % 10


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("EMAIL_ADDRESS", "a@b.com"),
        ("CREDIT_CARD", "4111111111111111"),
        ("PHONE_NUMBER", "+49 30 1234567"),
        ("IBAN_CODE", "DE89370400440532013000"),
        ("IP_ADDRESS", "10.0.0.1"),
        ("PERSON", "Ada Lovelace"),
        ("PERSON", "Ada"[:3] + "line"),
        ("OTHER", "Ab-12345-cd"),
    ],
)
def test_all_are_different(kind: str, value: str) -> None:
    """Many values of one form have as many stand-ins."""
    made = [standin(kind, value, number) for number in range(1, 701)]
    assert len(set(made)) == 700


@pytest.mark.parametrize("kind", ["IP_ADDRESS", "MAC_ADDRESS", "PHONE_NUMBER"])
def test_room_ends(kind: str) -> None:
    """Where a form has no more room there is no stand-in, and a placeholder is used."""
    value = {"IP_ADDRESS": "10.0.0.1", "MAC_ADDRESS": "aa:bb:cc:dd:ee:ff", "PHONE_NUMBER": "(415) 867-5309"}[kind]
    assert standin(kind, value, 100000) is None


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2024-02-28", "2024-03-01"),
        ("2024/2/28", "2024/3/01"),
        ("28.02.2024", "01.03.2024"),
        ("02/28/2024", "03/01/2024"),
        ("28/02/2024", "01/03/2024"),
        ("28 February 2024", "01 March 2024"),
        ("28-Feb-2024", "01-Mar-2024"),
        ("FEB 28, 2024", "MAR 01, 2024"),
        ("february 28 2024", "march 01 2024"),
        ("yesterday", None),
        ("2024-13-45", None),
        ("28 Fevrier 2024", None),
    ],
)
def test_dates(value: str, wanted: str | None) -> None:
    """A date keeps its form; what is none that can be read has no other."""
    assert shifted(value, 2) == wanted


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 5000), st.integers(-1000, 1000))
def test_intervals_stay(day: date, later: int, days: int) -> None:
    """The interval between two dates is that between their stand-ins."""
    other = date.fromordinal(day.toordinal() + later)
    one, two = (date.fromisoformat(shifted(each.isoformat(), days) or "") for each in (day, other))
    assert (two - one).days == later


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("EMAIL_ADDRESS", "A@x.com", "a@X.com"),
        ("CREDIT_CARD", "4111 1111-1111 1111", "4111111111111111"),
        ("PHONE_NUMBER", "+44 (0)20 7946 0958", "0044 20 7946-0958"),
        ("IBAN_CODE", "de89 3704", "DE893704"),
        ("MAC_ADDRESS", "AA:BB", "aa-bb"),
        ("PERSON", "Ada  Lovelace", "ada lovelace"),
        ("PERSON", "Nikos \u03a3\u03bf\u03c6\u03cc\u03c2", "NIKOS \u03a3\u039f\u03a6\u038c\u03a3"),
        ("PERSON", "Jose\u0301 Ruiz", "Jos\u00e9 Ruiz"),
        ("EMAIL_ADDRESS", "ann\u200ba@x.com", "\uff41nna\u200e@x.com"),
        ("CREDIT_CARD", "\uff14111 1111 1111 1111", "4111111111111111"),
        ("IP_ADDRESS", "2001:0DB8:0:0::1", "2001:db8::1"),
        ("IP_ADDRESS", "FE80::1/x", "fe80::1/x"),
        ("PHONE_NUMBER", "826-801-8159 ext. 12", "(826) 801-8159x12"),
        ("PHONE_NUMBER", "+49 30 1234567, Durchwahl 8", "0049 30 1234567 DW. 8"),
        ("PHONE_NUMBER", "03-1234-5678 \u5185\u7dda 12", "0312345678\u5185\u7dda12"),
        ("PL_PESEL", "44051401359", "440514 01359"),
        ("BR_CPF", "529.982.247-25", "52998224725"),
        ("UK_NINO", "JG 10 37 59 A", "jg103759a"),
        ("BR_CNPJ", "11.222.333/0001-81", "11222333000181"),
        ("HK_HKID", "A123456(3)", "a1234563"),
        ("DE_PASSPORT", "C01X 00T47", "C01X00T47"),
        ("NATIONAL_ID", "750101-1234", "7501011234"),
        ("CRYPTO", "0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7"),
        ("CRYPTO", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("OTHER", " x ", "x"),
    ],
)
def test_spellings(kind: str, one: str, two: str) -> None:
    """Spellings of one value are one value."""
    assert canonical(kind, one) == canonical(kind, two)


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("PHONE_NUMBER", "+49 30 1234567 ext. 8", "+49 30 12345678"),
        ("PHONE_NUMBER", "+49 30 1234567 ext. 8", "+49 30 1234567"),
        ("PHONE_NUMBER", "+49 30 1234567 ext. 8", "+49 30 1234567 ext. 08"),
        ("PHONE_NUMBER", "+49 30 1234567", "+49 30 1234567=abc"),
        ("CREDIT_CARD", "4111 1111 1111 1111", "4111 1111 1111 1111-abc"),
        ("US_SSN", "123-45-6789", "123-45-6789=="),
        ("PERSON", "Ann Wei\u00df", "Ann Weiss"),
        ("FI_PERSONAL_IDENTITY_CODE", "131052-308T", "131052+308T"),
        ("CRYPTO", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1BVBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
        ("DE_KFZ", "B-AB 1", "BA-B 1"),
        ("DE_TAX_NUMBER", "151/815/08156", "151/8150/8156"),
        ("EMPLOYEE_ID", "A-1", "A1"),
        ("API_KEY", "sk-aB", "sk-ab"),
    ],
)
def test_other_values(kind: str, one: str, two: str) -> None:
    """What is no spelling of a value is another: it would come back as what it was not."""
    assert canonical(kind, one) != canonical(kind, two)


def test_labels() -> None:
    """A label is capital letters and single underscores, whatever a type is called."""
    told = ["EMAIL_ADDRESS", "my type-2", "123", "ß"]
    assert [label_of(kind) for kind in told] == ["EMAIL", "MY_TYPE", "VALUE", "SS"]
