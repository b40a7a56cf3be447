"""Check digits against python-stdnum's, over numbers that are right and numbers that are nearly right."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.shield.detect import national
from edgeagent.shield.detect.checks import base58, bech32, iban, iban_length, luhn, ss58, strkey
from edgeagent.shield.detect.identifiers import SCHEMES, shape, shaped

DIGITS = st.text("0123456789", min_size=2, max_size=20)


@given(DIGITS)
def test_luhn(digits: str) -> None:
    """Luhn is python-stdnum's."""
    assert luhn(digits) == import_module("stdnum.luhn").is_valid(digits)


@given(st.sampled_from(("DE", "FR", "GB", "NO", "MT", "XX")), st.text("0123456789ABCXYZ", min_size=11, max_size=30))
def test_only_right_ibans_pass(country: str, rest: str) -> None:
    """An IBAN has its country's length and two right digits: the two that are computed pass, all others fail."""
    right = import_module("stdnum.iso7064.mod_97_10").calc_check_digits(rest + country)
    assert iban(f"{country}{right}{rest}") == (iban_length(country) == len(rest) + 4)
    assert not iban(f"{country}{(int(right) + 1) % 97 + 2:02d}{rest}")


def test_letters_may_be_small() -> None:
    """They count as the large ones; how a country is written is not for the check digits to forgive."""
    assert iban("GB82West12345698765432")
    assert not iban("gb82WEST12345698765432")


PAIRS: list[tuple[str, Callable[[str], bool], str, str]] = [
    ("cn.ric", national.resident, "11010519491231002X", "0123456789"),
    ("ch.ssn", national.ahv, "7569217076985", "0123456789"),
    ("fr.nir", national.nir, "295109912611193", "0123456789"),
    ("es.dni", national.iberian, "54362315K", "0123456789KLX"),
    ("es.nie", lambda v: v[0] in "XYZ" and national.iberian(v), "X2482300W", "0123456789XYZW"),
    ("us.itin", national.itin, "912902456", "0123456789"),
    ("us.ssn", lambda v: v not in ("457555462", "219099999") and national.ssn(v), "536904399", "0123456789"),
    ("fi.hetu", lambda v: national.hetu(v[:6] + v[7:]), "131052-308T", "0123456789T"),
    ("us.rtn", national.routing, "111000025", "0123456789"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "ours", "right", "alphabet"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_national_checks_are_no_looser_than_the_librarys(
    module: str, ours: Callable[[str], bool], right: str, alphabet: str
) -> None:
    """What python-stdnum accepts passes here; of what it rejects, few pass (dates that cannot be, reserved blocks)."""
    library = import_module(f"stdnum.{module}")
    compact = library.compact(right)
    assert library.is_valid(right)
    assert ours(compact)
    random = Random(7)
    wrong = loose = 0
    for _ in range(3000):
        place = random.randrange(len(right))
        if not right[place].isalnum():
            continue
        changed = right[:place] + random.choice(alphabet) + right[place + 1 :]
        accepted = library.is_valid(changed)
        if accepted:
            assert _passes(ours, library.compact(changed))
        else:
            wrong += 1
            loose += _passes(ours, changed)
    assert loose <= wrong * 0.35


def _passes(check: Callable[[str], bool], value: str) -> bool:
    try:
        return check(value)
    except (ValueError, IndexError):
        return False  # forms keep such values from the checks


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (national.nric, "S1234567D", "S1234567A"),
        (national.hkid, "A1234563", "A1234564"),
        (national.taiwan, "A123456789", "A123456788"),
        (national.dea, "BB1388568", "BB1388569"),
        (national.npi, "1234567893", "1234567894"),
        (national.medicare, "2123456701", "2123456711"),
        (national.german_insurance, "15070649C103", "15070649C104"),
        (national.german_health, "A123456780", "A123456781"),
        (national.rrn, "9601211021413", "9613211021413"),
        (national.frn, "9111245678906", "9111241678906"),
        (national.personnummer, "8803200016", "8803200017"),
        (national.personnummer, "8803200016", "8813200016"),
        (national.cpr, "2805721453", "2813721453"),
        (national.taj, "131540035", "131540036"),
        (national.taj, "123456788", "000000000"),
        (national.rfc, "GODE561231GR8", "GODE561231GR7"),
        (national.polish_card, "ABA300000", "ABA300001"),
        (national.hungarian_tax, "8071592153", "8071592154"),
        (national.hungarian_tax, "8071592153", "9071592153"),
        (national.curp, "BOXW310820HNERXN09", "BOXW319920HNERXN09"),
        (national.fiscal, "RSSMRA85T10A562S", "RSSMRA85Z10A562S"),
        (national.nino, "AB123456C", "BG123456C"),
        (base58, "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"),
        (base58, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWN0y"),
        (base58, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "z" * 35),
        (bech32, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
        (bech32, "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
        (
            strkey,
            "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",
            "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGA",
        ),
        (strkey, "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", "G1"),
        (ss58, "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp6"),
        (bech32, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "bc1pboooo"),
    ],
)
def test_schemes_without_a_module(check: Callable[[str], bool], right: str, wrong: str) -> None:
    """Published examples pass, and fail with one character changed."""
    assert check(right)
    assert not check(wrong)


def test_every_form_leads_to_its_scheme() -> None:
    """A scheme is among those that its forms lead to, and a form is made of digits and letters alone."""
    for scheme in SCHEMES:
        for form in scheme.forms:
            assert scheme in shaped(form)
            assert set(form) <= {"9", "A"}
    assert shape("ab12-C") == "AA99-A"


@pytest.mark.parametrize("scheme", [s for s in SCHEMES if s.check is not None], ids=lambda scheme: scheme.type)
def test_checks_take_any_value_of_their_forms(scheme: object) -> None:
    """No check raises for a value of the scheme's forms."""
    random = Random(11)
    forms = scheme.forms or ("9" * 11, "A" * 16)  # type: ignore[attr-defined]
    for form in forms:
        for _ in range(40):
            value = "".join(random.choice("0123456789" if c == "9" else "ABCDEFGHIJKLMNOPQRSTUVWXYZ") for c in form)
            assert scheme.check(value) in (True, False)  # type: ignore[attr-defined]
