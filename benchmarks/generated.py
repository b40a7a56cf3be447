"""How many made-up values are found in sentences of our own: `python -m benchmarks.generated [--missed]`.

The values are Faker's (https://faker.readthedocs.io), from a seed, in the formats of each country; the sentences are
how people may say them. Those of `SEEN` were written without a look at the vocabulary, which was then extended by the
words that they showed to be missing. Those of `UNSEEN` were written afterwards, with what is said less often, and
nothing was changed for them but that compound words are known by their end (`hjemmetelefon`): they say how often a word
is still missing. A value is found when matches cover all its letters and digits.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from edgeagent.shield import Standard

__all__ = ["found", "main"]

EACH: Final = 20
"""Values for each sentence."""

SEEN: Final = """
phone de_DE: Ruf mich bitte unter {} an. | Erreichbar bin ich tagsüber auf {}. | Rückruf an {} erbeten | Durchwahl: {}
phone de_AT: Sie erreichen mich unter der Nummer {}. | Tel. {} | Handy: {}
phone fr_FR: Tu peux me joindre au {} après 18 h. | Mon portable : {} | Appelez le {} pour confirmer | tél. fixe {}
phone es_ES: Llámame al {} cuando puedas | Mi móvil es {} | Tlf: {} | mándame un whatsapp al {}
phone es_MX: Mi celular es {} | Marca al {} por favor | Teléfono de casa: {}
phone it_IT: Chiamami al {} | Il mio cellulare è {} | Recapito telefonico: {} | scrivimi su whatsapp {}
phone pt_BR: Meu celular é {} | Me liga no {} | Telefone para contato: {} | zap {}
phone pt_PT: O meu telemóvel é o {} | Ligue para {} | Contacto: {}
phone nl_NL: Bel me op {} | Mijn mobiele nummer is {} | Telefoonnummer: {} | 06-nummer {}
phone pl_PL: Proszę dzwonić pod numer {} | Mój telefon to {} | tel. kom. {} | Kontakt: {}
phone sv_SE: Ring mig på {} | Mitt mobilnummer är {} | Telefon: {} | nås på {}
phone fi_FI: Soita minulle numeroon {} | Puhelinnumeroni on {} | puh. {} | Tavoitat minut numerosta {}
phone da_DK: Ring til mig på {} | Mit mobilnummer er {} | Tlf. {}
phone no_NO: Ring meg på {} | Mobilnummeret mitt er {} | Tlf: {}
phone tr_TR: Beni {} numarasından arayın | Cep telefonum {} | Tel: {} | GSM: {}
phone ru_RU: Позвоните мне по номеру {} | Мой мобильный: {} | тел. {} | Контактный телефон {}
phone he_IL: תתקשר אליי בטלפון {} | הנייד שלי {} | טל' {}
phone hi_IN: मुझे {} पर कॉल करें | मेरा मोबाइल नंबर {} है | फ़ोन: {}
phone th_TH: โทรหาฉันที่เบอร์ {} | เบอร์มือถือ {} | โทร. {}
phone ja_JP: 電話番号は{}です | 携帯 {} | {}までお電話ください | TEL：{}
phone ko_KR: 제 번호는 {}입니다 | 휴대폰 {} | {}로 전화 주세요 | 연락처: {}
phone zh_CN: 我的手机号是{} | 请拨打{}联系我 | 电话：{} | 联系方式 {}
phone zh_TW: 我的手機是{} | 請撥{} | 電話：{}
phone en_US: Give me a ring at {} tonight | My cell is {} | ph: {} | text me on {} | my number is {}
phone en_US: Best contact number {}
phone en_GB: Give me a bell on {} | Mobile {} | My landline's {} | contact no. {}
birth en_US: I was born on {} | DOB {} | my birthday is {}
birth de_DE: Ich bin am {} geboren | geb. am {} | Geburtstag: {}
birth fr_FR: Je suis né le {} | date de naissance {} | née le {} à Lyon
birth es_ES: Nací el {} | fecha de nacimiento: {}
birth it_IT: Sono nato il {} | data di nascita {}
birth pt_BR: Nasci em {} | data de nascimento: {}
birth pl_PL: Urodziłem się {} | Anna Nowak, ur. {} | data urodzenia: {}
birth fi_FI: Olen syntynyt {} | syntymäaika: {}
birth tr_TR: {} tarihinde doğdum | doğum tarihi: {} | Doğum tarihim {}
birth ru_RU: Я родился {} | дата рождения: {} | д.р. {}
person es_ES: Mi DNI es {} | con documento {} | titular del NIF {}
person it_IT: Il mio codice fiscale è {} | C.F. {} | cod. fisc.: {}
person fr_FR: Mon numéro de sécu est le {} | n° de sécurité sociale {} | NIR {}
person pt_BR: Meu CPF é {} | cpf do titular: {} | inscrito no CPF sob o nº {}
person pl_PL: Mój PESEL to {} | nr PESEL {}
person sv_SE: Mitt personnummer är {} | pnr {} | personnr: {}
person no_NO: Personnummeret mitt er {} | fødselsnr {}
person nl_NL: Mijn BSN is {} | burgerservicenummer: {}
person tr_TR: TC kimlik numaram {} | T.C. No: {} | kimlik no {}
person ko_KR: 주민등록번호는 {}입니다 | 주민번호: {}
person zh_CN: 我的身份证号是{} | 身份证：{}
person en_US: My social is {} | SSN on file: {} | {} is my SSN
person en_CA: My SIN is {} | Social Insurance Number: {}
postcode en_GB: my postcode is {} | I live at 12 High Street, {}
postcode en_CA: postal code {}
postcode nl_NL: postcode {}
postcode pl_PL: kod pocztowy {}
postcode ja_JP: 郵便番号{}
postcode fr_FR: code postal {}
plate de_DE: Mein Kennzeichen ist {}
plate en_GB: my car reg is {} | number plate {}
plate it_IT: la mia targa è {}
plate pl_PL: nr rejestracyjny {}
plate nl_NL: kenteken {}
plate no_NO: bilens regnr er {}
phone de_DE: Meine Rufnummer: {} | Handynr. {} | Bitte unter {} melden | Fax {}
phone fr_FR: contactez-moi au {} | numéro de portable {} | Tél. domicile : {}
phone es_ES: contáctame en el {} | Número de teléfono {} | apunta mi número: {}
phone it_IT: contattatemi al {} | n. di telefono {} | Tel. ufficio {}
phone pt_BR: fale comigo no {} | Fone: {} | WhatsApp {}
phone nl_NL: je kunt me bereiken op {} | telefoonnr. {} | stuur een appje naar {}
phone pl_PL: numer telefonu: {} | zadzwoń na {} | kom.: {}
phone sv_SE: mobil {} | du når mig på {} | telnr {}
phone da_DK: mobil: {} | du kan fange mig på {} | telefonnummer {}
phone no_NO: mobil {} | du når meg på {} | telefonnr. {}
phone fi_FI: matkapuhelin: {} | soittakaa {} | puhelin {}
phone tr_TR: telefon numaram {} | cep: {} | bana {} üzerinden ulaşın
phone ru_RU: номер телефона {} | звоните {} | моб. {}
phone he_IL: מספר הטלפון שלי הוא {} | פלאפון: {}
phone hi_IN: मेरा नंबर {} है | संपर्क: {}
phone zh_CN: 手机：{} | 我的联系电话是{} | 打我电话{}
phone ja_JP: 携帯番号は{}です | 連絡先は{} | ご連絡は{}へ
phone ko_KR: 휴대폰 번호: {} | 전화번호 {} | {}로 연락주세요
phone en_US: phone number is {} | dial {} | reach out at {} | my digits: {}
phone en_GB: tel no {} | drop me a text on {} | give us a call, {}
birth en_US: birth date: {} | she was born {} | d.o.b. {}
birth de_DE: Geburtsdatum {} | geboren: {} | Geb.-Dat. {}
birth fr_FR: Née le {} | date de naiss. {}
birth es_ES: nacido el {} | F. nac.: {}
birth it_IT: nata a Roma il {} | nato il {}
birth pt_BR: nascido em {} | nasc. {}
birth pl_PL: urodzony {} | ur. {} w Krakowie
birth fi_FI: syntynyt {} | s. {}
birth tr_TR: doğum günüm {} | D.T. {}
birth ru_RU: родилась {} | Дата рожд. {}
person es_ES: DNI/NIE {} | NIF del cliente: {}
person it_IT: codice fiscale: {} | CF {}
person fr_FR: numéro INSEE {} | sécu : {}
person pt_BR: CPF: {} | CPF do cliente {}
person pl_PL: numer PESEL: {} | pesel {}
person sv_SE: personnummer {} | pers.nr {}
person no_NO: fødselsnummer {} | fnr {}
person nl_NL: BSN-nummer {} | sofinummer {}
person tr_TR: T.C. kimlik no: {} | TCKN {}
person ko_KR: 주민등록번호 {} | 주민등록 번호: {}
person zh_CN: 身份证号码：{} | 居民身份证 {}
person en_US: Social Security Number: {} | soc sec no {}
person en_CA: SIN number {} | my S.I.N. is {}
postcode en_GB: Postcode: {} | 3 Church Road, {}
postcode en_CA: Postal Code: {} | post code {}
postcode nl_NL: mijn postcode: {} | pc {}
postcode pl_PL: kod poczt. {} | kod pocztowy: {}
postcode ja_JP: 〒{} | 郵便番号：{}
postcode fr_FR: CP {} | code postal : {}
plate de_DE: Kfz-Kennzeichen: {} | Auto: {}
plate en_GB: Vehicle registration {} | reg plate {}
plate it_IT: auto targata {} | targa: {}
plate pl_PL: numer rejestracyjny {} | rejestracja {}
plate nl_NL: mijn kenteken is {} | auto met kenteken {}
plate no_NO: registreringsnummer {} | skiltnummer {}
"""

UNSEEN: Final = """
phone de_DE: Sie können mich telefonisch erreichen: {} | Unsere Nummer hat sich geändert, neu: {}
phone fr_FR: mon num c'est {} | laissez un message au {}
phone es_ES: déjame un mensaje en el {} | el fijo es {}
phone it_IT: lasciate un messaggio al {} | il numero di casa è {}
phone pt_BR: deixe recado no {} | meu número novo: {}
phone nl_NL: laat een bericht achter op {} | mijn nieuwe nummer is {}
phone pl_PL: proszę o telefon: {} | oddzwonię z numeru {}
phone sv_SE: lämna ett meddelande på {} | mitt nya nummer är {}
phone da_DK: læg en besked på {} | hjemmenummer {}
phone no_NO: legg igjen en beskjed på {} | hjemmetelefon {}
phone fi_FI: jätä viesti numeroon {} | kotipuhelin {}
phone tr_TR: şu numaradan arayın: {} | ev telefonu {}
phone ru_RU: перезвоните на {} | домашний {}
phone zh_CN: 请打{}找我 | 我的新号码：{}
phone ja_JP: 自宅は{}です | 新しい番号：{}
phone ko_KR: 집 전화는 {} | 새 번호: {}
phone en_US: leave a message at {} | new number, {} | home: {} | work {}
phone en_GB: leave us a voicemail on {} | home number {}
birth en_US: birthdate={} | born {} in Ohio
birth de_DE: Geburtsdaten: {} | sie wurde am {} geboren
birth fr_FR: elle est née le {} | anniversaire : {}
birth es_ES: cumple años el {} | nacida el {}
birth it_IT: compleanno {} | nascita: {}
birth pl_PL: dzień urodzin: {} | rocznik, ur. {}
birth ru_RU: день рождения {} | г.р. {}
person es_ES: mi NIF: {} | N.I.F. {}
person it_IT: il c.f. della signora è {} | codfisc {}
person pl_PL: PESEL pacjenta: {} | p. {}
person sv_SE: kundens personnummer: {} | född {}
person nl_NL: BSN van patiënt: {} | bsnnr {}
person ko_KR: 주민등록번호 뒷자리까지 {} | 신분증 번호 {}
person zh_CN: 证件号：{} | 身份证号为{}
person en_US: social security card says {} | SS# {}
postcode en_GB: 5 Mill Lane, Leeds {} | our postcode's {}
postcode en_CA: mail it to {} | postal: {}
postcode nl_NL: Dorpsstraat 5, {} Utrecht | postcode is {}
plate de_DE: das Auto mit dem Nummernschild {} | KFZ {}
plate en_GB: the car, {}, was parked there | registration: {}
plate it_IT: targato {} | veicolo {}
"""

DATES: Final = {
    "en_US": "%m/%d/%Y",
    "fr_FR": "%d/%m/%Y",
    "es_ES": "%d/%m/%Y",
    "it_IT": "%d/%m/%Y",
    "pt_BR": "%d/%m/%Y",
}
NUMBERS: Final = {"es_ES": "nif", "pt_BR": "cpf", "pl_PL": "pesel"}


def sentences(table: str) -> Iterator[tuple[str, str, str]]:
    """Kind, locale and sentence."""
    for line in table.strip().splitlines():
        heading, _, said = line.partition(": ")
        kind, _, locale = heading.partition(" ")
        for sentence in said.split(" | "):
            yield kind, locale, sentence


def maker(kind: str, locale: str, fake: Any) -> Callable[[], str]:
    """What makes one more value."""
    if kind == "birth":
        form = DATES.get(locale, "%d.%m.%Y")
        return lambda: str(fake.date_of_birth(minimum_age=18, maximum_age=90).strftime(form))
    if kind == "person":
        return getattr(fake, NUMBERS.get(locale, "ssn"))  # type: ignore[no-any-return]  # Faker's own
    return getattr(fake, {"phone": "phone_number", "plate": "license_plate"}.get(kind, kind))  # type: ignore[no-any-return]


def found(table: str) -> tuple[dict[str, Counter[str]], dict[str, list[str]]]:
    """For each kind, the values and those that were found; and for each sentence, the texts in which one was missed."""
    from faker import Faker

    Faker.seed(7)
    random, find = Random(7), Standard().find
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    missed: dict[str, list[str]] = defaultdict(list)
    fakes: dict[str, Any] = {}
    for kind, locale, sentence in sentences(table):
        fake = fakes.setdefault(locale, Faker(locale))
        make = maker(kind, locale, fake)
        for _ in range(EACH):
            value = make()
            text = sentence.replace("{}", value)
            start = sentence.index("{}")
            covered = {i for match in find(text) for i in range(match.start, match.end)}
            counts[kind]["values"] += 1
            if {i for i, char in enumerate(value, start) if char.isalnum()} <= covered:
                counts[kind]["found"] += 1
            else:
                missed[f"{kind} {locale}: {sentence}"].append(text)
    return counts, {said: random.sample(texts, 1) for said, texts in missed.items()}


def main() -> None:
    """Print a table; with `--missed` the sentences in which values were missed, too, each with one of its texts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generated")
    parser.add_argument("--missed", action="store_true")
    shows = parser.parse_args().missed
    print("| sentences | values | " + "phone | birth | person | postcode | plate |")
    print("| --- | ---: |" + " ---: |" * 5)
    for name, table in (("seen", SEEN), ("unseen", UNSEEN)):
        counts, missed = found(table)
        rates = [f"{counts[kind]['found'] / counts[kind]['values']:.1%}" for kind in counts]
        print(f"| {name} | {sum(row['values'] for row in counts.values())} | " + " | ".join(rates) + " |")
        for said, texts in missed.items() if shows else ():
            print(f"    {said}    {texts[0]}")


if __name__ == "__main__":
    main()
