"""Numbers that states, registries and health systems give to persons and businesses: form, check, what else they need.

A form is a string of classes: `9` a digit, `A` a letter, others stand for themselves. Separators are not part of it. A
scheme is `evident` when its form and check are evidence enough without a word that names it; `written` gives the way of
writing (with its separators) that is evident although the plain digits are not.

Sources: python-stdnum's modules cite the issuing authorities of the schemes that they check; `national` cites its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from edgeagent.shield.detect.checks import Check, luhn, stdnum
from edgeagent.shield.detect.national import (
    DVLA,
    GSTIN,
    MBI,
    PAN,
    ahv,
    both,
    cpr,
    curp,
    date6,
    dea,
    fiscal,
    fits,
    frn,
    german_health,
    german_insurance,
    hetu,
    hkid,
    hungarian_tax,
    iberian,
    itin,
    letters_in,
    medicare,
    nino,
    nir,
    npi,
    nric,
    personnummer,
    polish_card,
    resident,
    rfc,
    routing,
    rrn,
    ssn,
    taiwan,
    taj,
)

__all__ = ["GROUPS", "SCHEMES", "Scheme", "by_type", "evident", "shape", "shaped", "speaking"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the numbers of one type look, and how they are checked. `check` takes the value without separators."""

    type: str
    forms: tuple[str, ...]
    check: Check | None = None
    evident: bool = False
    written: re.Pattern[str] | None = None
    """A pattern of the value as written; where it fits, the value is evident."""
    telling: bool = False
    """Whether its check (two digits, or a date and one) leaves so little to chance that a cell of its own will do."""
    whole: bool = True
    """Whether the label `ID` may mean it."""


_RECORDS: Final = frozenset(
    {"INC", "REQ", "CHG", "PRB", "RIT", "TKT", "REF", "ORD", "INV", "SKU", "DOC", "TXN", "ISO", "RMA", "LOT"}
)
"""Letters that tickets, orders and documents are numbered with."""

SCHEMES: Final = (
    # evident: the form, a check digit or both leave little to chance
    Scheme("CN_RESIDENT_ID", ("9" * 18, "9" * 17 + "A"), resident, evident=True),
    Scheme(
        "IN_GSTIN",
        ("99AAAAA9999A9A9", "99AAAAA9999A9AA", "99AAAAA9999AAA9", "99AAAAA9999AAAA"),
        fits(GSTIN),
        evident=True,
    ),
    Scheme("IT_FISCAL_CODE", ("AAAAAA99A99A999A",), fiscal, evident=True),
    Scheme(
        "MX_RFC",
        tuple("AAAA999999" + tail for tail in ("AA9", "A99", "9A9", "999", "AAA", "A9A", "9AA", "99A")),
        rfc,
        evident=True,
    ),
    Scheme("EU_VAT_ID", ("AAA99999999",), lambda v: v[:3] == "ATU" and stdnum("at.uid")(v[2:]), evident=True),
    Scheme("EU_VAT_ID", ("AA999999999A99",), lambda v: v[:2] == "NL" and stdnum("nl.btw")(v), evident=True),
    Scheme("EU_VAT_ID", ("AA99999999999",), lambda v: v[:2] == "FR" and stdnum("fr.tva")(v), evident=True),
    Scheme("EU_VAT_ID", ("AA9999999999",), lambda v: v[:2] == "BE" and stdnum("be.vat")(v), evident=True),
    Scheme("MX_CURP", ("AAAA999999AAAAAAA9", "AAAA999999AAAAAA99"), curp, evident=True),
    Scheme("ES_NIE", ("A9999999A",), both(letters_in("XYZ"), iberian), evident=True),
    Scheme("SG_NRIC_FIN", ("A9999999A",), nric, evident=True),
    Scheme("ES_NIF", ("99999999A", "9999999A"), iberian, evident=True),
    Scheme("IN_PAN", ("AAAAA9999A",), fits(PAN), evident=True),
    Scheme("FI_PERSONAL_IDENTITY_CODE", ("999999A999A", "999999A9999", "999999999A"), hetu, evident=True),
    Scheme("FI_PERSONAL_IDENTITY_CODE", ("9" * 10,), hetu, written=re.compile(r"\d{6}[-+]\d{4}")),
    Scheme("DE_SOCIAL_SECURITY", ("99999999A999",), german_insurance, evident=True),
    Scheme("UK_NINO", ("AA999999A",), nino, evident=True),
    Scheme("FR_NIR", ("9" * 15, "99999" + "9A" + "9" * 8), nir, evident=True),
    Scheme("TW_NATIONAL_ID", ("A999999999",), taiwan, evident=True),
    Scheme(
        "HK_HKID",
        ("A9999999", "AA9999999", "A999999A", "AA999999A"),
        hkid,
        written=re.compile(r"[A-Z]{1,2}\d{6}\([0-9A]\)"),
    ),
    Scheme("IE_PPSN", ("9999999A", "9999999AA"), stdnum("ie.pps"), evident=True),
    Scheme("IN_VOTER", ("AAA9999999",), lambda v: v[:3] not in _RECORDS, evident=True),
    Scheme("MEDICAL_LICENSE", ("AA9999999", "A99999999"), lambda v: v[1].isalpha() and dea(v), evident=True),
    # written so that the separators are the evidence
    Scheme("US_ITIN", ("9" * 9,), itin, written=re.compile(r"9\d\d([- ])\d\d\1\d{4}")),
    Scheme("US_SSN", ("9" * 9,), ssn, written=re.compile(r"\d{3}([- ])\d\d\1\d{4}")),
    Scheme("BR_CPF", ("9" * 11,), stdnum("br.cpf"), written=re.compile(r"\d{3}\.\d{3}\.\d{3}-\d\d")),
    Scheme("BR_CNPJ", ("9" * 14,), stdnum("br.cnpj"), written=re.compile(r"\d\d\.?\d{3}\.?\d{3}/\d{4}-?\d\d")),
    Scheme("CH_AHV", ("9" * 13,), ahv, written=re.compile(r"756\.\d{4}\.\d{4}\.\d\d")),
    Scheme("KR_RRN", ("9" * 13,), rrn, written=re.compile(r"\d{6}-\d{7}")),
    Scheme("KR_FRN", ("9" * 13,), frn, written=re.compile(r"\d{6}-\d{7}")),
    Scheme("SE_PERSONNUMMER", ("9" * 10, "9" * 12), personnummer, written=re.compile(r"(?:\d\d)?\d{6}[-+]\d{4}")),
    Scheme(
        "BE_NATIONAL_NUMBER",
        ("9" * 11,),
        stdnum("be.nn"),
        telling=True,
        written=re.compile(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    ),
    Scheme(
        "CL_RUT",
        ("9" * 8, "9" * 9, "99999999A", "9999999A"),
        stdnum("cl.rut"),
        written=re.compile(r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]"),
    ),
    Scheme("AR_CUIT", ("9" * 11,), stdnum("ar.cuit"), written=re.compile(r"\d\d-\d{8}-\d")),
    Scheme("TH_TNIN", ("9" * 13,), stdnum("th.pin"), written=re.compile(r"\d-\d{4}-\d{5}-\d\d-\d")),
    # named by a word near them
    Scheme("PL_PESEL", ("9" * 11,), stdnum("pl.pesel"), telling=True),
    Scheme("TR_NATIONAL_ID", ("9" * 11,), stdnum("tr.tckimlik"), telling=True),
    Scheme("NO_FNR", ("9" * 11,), stdnum("no.fodselsnummer"), telling=True),
    Scheme("DE_TAX_ID", ("9" * 11,), stdnum("de.idnr")),
    Scheme("IT_VAT_CODE", ("9" * 11, "AA" + "9" * 11), lambda v: luhn(v[-11:]) and v[0:2] in ("IT", v[-11:][:2])),
    Scheme("AU_ABN", ("9" * 11,), stdnum("au.abn")),
    Scheme("ZA_ID_NUMBER", ("9" * 13,), lambda v: date6(v[:6]) and luhn(v), telling=True),
    Scheme("JP_MY_NUMBER", ("9" * 12,), stdnum("jp.in_")),
    Scheme("IN_AADHAAR", ("9" * 12,), stdnum("in_.aadhaar")),
    Scheme("AU_TFN", ("9" * 9, "9" * 8), stdnum("au.tfn")),
    Scheme("AU_ACN", ("9" * 9,), stdnum("au.acn")),
    Scheme("AU_MEDICARE", ("9" * 10, "9" * 11), medicare),
    Scheme("CA_SIN", ("9" * 9,), lambda v: v[0] not in "08" and luhn(v)),
    Scheme("NL_BSN", ("9" * 9,), stdnum("nl.bsn")),
    Scheme("PT_NIF", ("9" * 9,), stdnum("pt.nif")),
    Scheme("IL_ID_NUMBER", ("9" * 9, "9" * 8), lambda v: luhn(v)),
    Scheme("ABA_ROUTING_NUMBER", ("9" * 9,), routing),
    Scheme("GR_AFM", ("9" * 9,), stdnum("gr.vat"), whole=False),
    Scheme("HU_TAJ", ("9" * 9,), taj),
    Scheme("UK_NHS", ("9" * 10,), stdnum("gb.nhs")),
    Scheme("UA_RNOKPP", ("9" * 10,), stdnum("ua.rntrc"), whole=False),
    Scheme("HU_TAX_ID", ("9" * 10,), hungarian_tax, whole=False),
    Scheme("US_NPI", ("9" * 10,), npi),
    Scheme("DK_CPR", ("9" * 10,), cpr),
    Scheme(
        "SE_ORGANISATIONSNUMMER", ("9" * 10,), lambda v: v[2] >= "2" and luhn(v), written=re.compile(r"\d{6}-\d{4}")
    ),
    Scheme("KR_BRN", ("9" * 10,), stdnum("kr.brn"), written=re.compile(r"\d{3}-\d\d-\d{5}")),
    Scheme(
        "DE_TAX_NUMBER", ("9" * 10, "9" * 11, "9" * 12, "9" * 13), None, written=re.compile(r"\d{3}/\d{3,4}/\d{4,5}")
    ),
    Scheme("GR_AMKA", ("9" * 11,), stdnum("gr.amka"), telling=True),
    Scheme("BR_RG", ("9" * 8, "9" * 9, "99999999A"), lambda v: v[-1] in "0123456789X", whole=False),
    Scheme("DE_LANR", ("9" * 9,), None, whole=False),
    Scheme("DE_BSNR", ("9" * 9,), None, whole=False),
    Scheme("PH_TIN", ("9" * 9, "9" * 12), None, whole=False),
    Scheme("NG_NIN", ("9" * 11,), None, whole=False),
    Scheme("US_MBI", (), fits(MBI), evident=True),
    Scheme("UK_DRIVING_LICENCE", (), fits(DVLA), evident=True),
    Scheme("DE_VAT_ID", ("AA999999999",), lambda v: v[:2] == "DE", evident=True),
    Scheme("PL_ID_CARD", ("AAA999999",), polish_card),
    Scheme("IMEI", ("9" * 15,), luhn, whole=False),
    Scheme("IT_IDENTITY_CARD", ("AA99999AA", "AA9999999", "9999999AA"), None),
    Scheme("IT_DRIVER_LICENSE", ("AA9999999A", "A9A999999A"), None, whole=False),
    Scheme("DE_HEALTH_INSURANCE", ("A999999999",), german_health),
    Scheme("DE_FUEHRERSCHEIN", ("AA" + "9" * 8 + "A", "AA" + "9" * 9), None, whole=False),
    Scheme(
        "DE_HANDELSREGISTER",
        tuple("AAA" + "9" * n for n in range(3, 7)),
        lambda v: v[:3] in ("HRA", "HRB"),
        evident=True,
    ),
    Scheme("SG_UEN", ("99999999A", "999999999A", "A99AA9999A"), None, whole=False),
    Scheme("KR_DRIVER_LICENSE", ("9" * 12,), None, whole=False),
)
"""Every scheme, the more telling ones first."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "TAX": (
        "DE_TAX_ID",
        "IT_VAT_CODE",
        "PT_NIF",
        "PL_PESEL",
        "AU_TFN",
        "AU_ABN",
        "US_ITIN",
        "US_SSN",
        "DE_VAT_ID",
        "DE_TAX_NUMBER",
        "BR_CNPJ",
        "BR_CPF",
        "IN_GSTIN",
        "IN_PAN",
        "ES_NIF",
        "PH_TIN",
    ),
}


def shape(value: str) -> str:
    """The form of a value: digits as `9`, letters as `A`."""
    return value.translate(_SHAPE)


_SHAPE: Final = str.maketrans(
    {**dict.fromkeys("0123456789", "9"), **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "A")}
)


@cache
def _by_form() -> dict[str, tuple[Scheme, ...]]:
    forms: dict[str, tuple[Scheme, ...]] = {}
    for scheme in SCHEMES:
        for form in scheme.forms:
            forms[form] = (*forms.get(form, ()), scheme)
    return forms


def shaped(form: str) -> tuple[Scheme, ...]:
    """The schemes that may have this form."""
    return _by_form().get(form) or _OF_LENGTH.get(len(form), ())


def speaking(form: str) -> tuple[Scheme, ...]:
    """Those among them that may be evident without a word."""
    return _speaking().get(form) or _OF_LENGTH.get(len(form), ())


def evident(form: str) -> tuple[Scheme, ...]:
    """Those that may be evident without a word and without separators."""
    return _evident().get(form) or _OF_LENGTH.get(len(form), ())


@cache
def _evident() -> dict[str, tuple[Scheme, ...]]:
    return {form: tuple(scheme for scheme in schemes if scheme.evident) for form, schemes in _by_form().items()}


@cache
def _speaking() -> dict[str, tuple[Scheme, ...]]:
    return {
        form: tuple(scheme for scheme in schemes if scheme.evident or scheme.written is not None)
        for form, schemes in _by_form().items()
    }


_OF_LENGTH: Final = {
    length: tuple(scheme for scheme in SCHEMES if scheme.type == type_)
    for length, type_ in ((11, "US_MBI"), (16, "UK_DRIVING_LICENCE"))
}
"""Schemes whose forms are too many to list."""


def by_type(type_: str) -> Scheme | None:
    """The scheme of a type."""
    return _by_type().get(type_)


@cache
def _by_type() -> dict[str, Scheme]:
    return {scheme.type: scheme for scheme in reversed(SCHEMES)}
