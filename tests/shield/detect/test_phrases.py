"""How people say what a number is, in the languages that the vocabulary knows, and how they say that it is none."""

from __future__ import annotations

import re

import pytest

from edgeagent.shield import Standard

PHONES = """
de: Rückruf an [0236107885] erbeten | Erreichbar bin ich tagsüber auf [06404104234]. | Durchwahl: [04405598749]
de: Sie erreichen mich unter der Nummer [07515/51661605]. | Meine Nummer ist [017612345678] | Natel [0791234567]
fr: Tu peux me joindre au [0322550413] après 18 h. | Rappelez le [0386300196] | Mon numéro c'est le [0594620202]
es: Llama al [612345678] | Marca al [5512345678] por favor | Mi número es [612345678] | wasap [612345678]
pt: Contacto: [913159086] | O meu telemóvel é o [912345678] | zap [83 7205-8351] | Me liga no [1797992248]
it: Recapito: [0612345678] | Il mio numero è [3331234567] | Chiamatemi, [3331234567] | Telefonami: [0212345678]
nl: Bereikbaar op [0612345678] | Mijn nummer is [0612345678] | 06-nummer [0612345678]
pl: Proszę dzwonić pod numer [887035484] | Kontakt: [723108133] | Mój numer to [605807997]
sv: Jag nås på [08389171] | Mitt nummer är [0701234567] | tfn [0701234567]
da: Mit nummer er [20123456] | Jeg træffes på [20123456]
no: Nummeret mitt er [91234567] | tlfnr [91234567]
fi: puh. [0549660120] | Tavoitat minut numerosta [0587936798] | Soita numeroon [0401234567]
tr: Beni [05321234567] numarasından arayın | Bana [05321234567] ile ulaşabilirsiniz | Numaramdan arayın: [05321234567]
ru: Мой мобильный: [88682216315] | Наберите [84951234567] | Мобильный [89161234567]
uk: Мій мобільний [0671234567] | Телефонуйте: [0671234567]
el: Τηλεφώνησέ μου στο [2108966946]
he: טל' [085852017] | הנייד שלי [0501234567]
hi: मुझे [08691014118] पर कॉल करें
zh: 请拨打[13720800603]联系我 | 請撥[0985974487] | 致电[01012345678]
ja: 私の番号は[09012345678]です
ko: 제 번호는 [01012345678]입니다
en: WhatsApp me at [8675375290] | Give me a bell on [01164960266]
en: my landline's [01134960685] | My number is [4155550143] | reachable on [4155550143]
en: You can reach him at [4155550143]
id: Hubungi saya di [081234567890] | No HP [081234567890]
de: Diensttelefonnummer [0301234567] | Privattelefon: [0301234567] | Firmenhandy [017612345678]
da: arbejdstelefon [20123456] | privatmobil: [20123456]
no: hjemmetelefonen [29124449] | mobiltelefonnr [91234567]
sv: hemtelefon [0812345678] | arbetstelefonnummer [0812345678]
fi: kotipuhelin [0585640830] | työpuhelinnumero [0585640830] | työpuhelimeni [0401234567]
nl: huistelefoon [0201234567] | werktelefoonnummer: [0201234567]
hu: mobiltelefonszám [301234567]
pl: kom. [888 512 715] | kom.: [504628405]
ru: сот. [87568089377] | номер для связи [89596294306]
el: Το τηλέφωνό μου είναι [6911 331747]
zh: 微信同号[15712619507]
he: טל. [094115736]
en: emergency contact [01632960712] | emergency contact: Ann, [01632960712]
de: Bei Fragen: [0075002010] | Bei Rückfragen [0301234567]
"""

BIRTHS = """
es: Nací el [26-07-1992]
pt: Nasci em [09/12/1968]
fi: Olen syntynyt [19.09.1988]
pl: Jan Kowalski, ur. [04.06.1936] | Jan Kowalski (ur. [4.6.1936])
ru: Иванов И. И., д.р. [15.06.1991]
ko: [1993년 04월 06일]에 태어났습니다
cs: Narozena 4. 6. 1936: [04.06.1936]
hu: Született [1985-02-17]
ro: Născută la [17.02.1985]
el: Γεννήθηκα στις [17/02/1985]
uk: Народився [17.02.1985]
vi: Ngày sinh [17/02/1985]
id: Tanggal lahir [17-02-1985]
en: "dateOfBirth":"[05.05.1953]" | "birthDay": "[05.05.1953]" | customerDateOfBirth=[1953-05-05]
zh: 生于[1970年06月07日]
"""

PLATES = """
en: my car reg is [PD57DWL] | license plate [669 KXM]
da: nummerplade [TZ 24 535]
fi: rekisterinumero [RTV-942]
fr: immatriculé [MF-352-MS] | plaque d'immatriculation [249-OXB-14]
nl: kenteken [0-KJW-21] | kenteken [72-HD-HM]
no: bilens regnr er [YV 21597]
pl: nr rejestracyjny [HMA 5RI8] | tablica rejestracyjna [RIX 42229]
sv: regnummer [SNJ 85I]
"""

POSTCODES = """
ca: postal code [K8M3X4] | postal code [R5A 7Y3]
nl: postcode [1383 PT] | postcode [2264YP]
pl: kod pocztowy [06-159]
ja: 郵便番号[743-0166]
sv: postnummer [123 45]
us: zip code [02139-4307]
uk: I live at 12 High Street, [DN55 1PT] | 4 Mill Lane, York, [YO1 7HH]
"""

IDENTIFIERS = """
lv: Personas kods: [281101-28570]
no: fødselsnr [28087141170]
tr: T.C. No: [18868372788]
he: מספר הזהות שלי [480161017]
cs: r.č. [115616/9289]
he: ת"ז [275009413]
de: Versichertennr. [A123456780] | StNr: [0281508150123]
sv: orgnummer [2120000142]
en: social sec. [114.02.1696]
pt: RG: [12.345.678-9] | RG [24.678.131-4] SSP/SP | "rg": "[123456789]" | RG nº: [12345678]
hu: TAJ: [131540035] | TAJ [131 540 035] | "taj": "[131 540 035]"
el: AFM: [094259216] | afm=[094259216]
"""

NUMBERS = """
pl: dowód osobisty [ABA 300000] | nr dowodu [ABA300000] | seria i numer dowodu: [LLI 655260]
ru: паспорт серия [4225 137967] | Паспорт: [41 25 562558] | inn: [770708389312] | "inn": "[770708389312]"
ru: <inn>[770708389312]</inn>
bg: ЕГН [7523169263] | Моето ЕГН е [7523169263]
ar: CUIT [20-05536168-2] | [20-05536168-2] | Mi DNI es [28427293]
mx: RFC: [GODE561231GR8] | [GODE561231GR8]
at: UID: [ATU13585627] | Firma Huber, [ATU13585627]
nl: btw [NL004495445B01] | [NL004495445B01] on the invoice
fr: [FR40303265045] est notre TVA
en: MRN: [9844258] | Medical record no. [98442585] | IMEI [352092574108164]
de: Patienten-Nr. [29548706]
tr: TC: [65574807912] | TC KİMLİK NO: [18868372780] | DOĞUM TARİHİ: [01.02.1980] | İletişim: [05321234567]
en: tron [TJRabPrwbZy45sbavfcjinPJC18kjpRTv8] | pay to [LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1]
en: [ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9]
"""

PLACES = """
de: Geburtsdatum\\n[1970-10-12] | Rückfragen an Ines Jansen ([0176 3269480]) | Name: Ines\\nTelefon\\n[0306549119]
de: Emil Yilmaz, *[12.11.1951], Köln | Emil (* [12.11.1951])
en: **Phone**\\n[4155550143] | - SSN\\n[536224111] | Policy holder Ann Lee, b. [1960-01-29]
ru: Петров И., [29.03.1942] г.р., Москва | Контакты: [8-916-757-69-18] | [8-916-757-69-18] - Пётр
ko: 김 ([1961.09.05]생)
it: cell. [333.7432103] | "cellulare": "[333.7432103]"
tr: ara [0(532) 256 26 06] | [0(532) 256 26 06]
zh: 请联系[13819108175]
he: תעודת הזהות שלי [196670897]
ar: رقم هويتي [1458024823]
"""

ACCOUNTS = """
gb: Sort Code 12-34-56 Account No [12345678] | Sort code: 12-34-56, Acc No: [12345678]
gb: sort code 123456 acc no [12345678] | Acc Number [12345678], sort code 12-34-56 | sort code 20-00-00 [55779911]
gb: Bank details: 12-34-56 [12345678] | sortCode=123456&accountNumber=[12345678]
de: Girokontonummer [123456789] | Bankverbindung: [123456789]
"""

SECRETS = """
en: user: bob, pass: [Xk29-fjQ] | pass=[Ab3$Kd9!] | SetPassword("[cekZxrXVJZ]") | cfg.set_db_password('[hx8!kdQ2]')
en: {"user":"bob","pass":"[Ab3$Kd9!]","x":"y:z"} | 'pass' => '[hx8!kdQ2]', | pass is [hx8!kdQ2].
fr: motdepasse=[u5ehcu6ZM_o] | mot_de_passe: [Rk_cOR7CycXB9]
ro: parola este [LIOr!^QaPb]
vi: mật khẩu là [B+_TpbOgXYD]
en: ntn_ keys, [ntn_2hXhTgUVgpVxCV0o5z9uC5jdoUY9PQ0hTzLLfbHzNyNbuF]
en: [vcp_RBWzRb15U3TETN8auWAtWgyQLEbyul06hslHjxXVl417QvjV]
en: [sk_94099585137cb41b459c219693af22757acd7eb3c530f022]
"""

FIELDS = """
en: phonenumber=[4155550143] | phone1: [4155550143] | "tel2": "[4155550143]" | Homephone: [4155550143]
en: accountnumber: [123456789] | passportnumber=[123456789] | taxid [123456789] | socialsecuritynumber [123456789]
en: dateofbirth: [1970-02-01] | driverslicensenumber: [D1234567] | {"idnumber": "[44051401359]"}
fr: numero de telephone [612345678] | numero de securite sociale [184127645108946] | nee le [01/02/1970]
es: numero de identidad: [12345678] | llamame al [612345678]
no: foedselsdato: [01.02.1970] | fodselsdato=[01.02.1970]
sv: "fodelsedatum": "[1970-02-01]" | foedelsedatum [1970-02-01]
pl: dzwonic [887035484] | komorka: [887035484]
cs: rodne_cislo: [7501011234]
hu: szuletett [1985-02-17]
de: rueckrufnummer [0236107885] | Ruckruf: [0236107885]
it: dataNascita=[01.02.1970]
fr: Port. : [0612345678] | port. [06 12 34 56 78]
"""

NONE = """
en: * 12.11.1951 first release | a. 1960-01-29 | the phone rang\\n12345678 | Orders\\n4155550143
en: e88241f citizen_id=x | 12345678 phone=none | req=92607046-baeb-dfec-7e3a-8af8ed61ffb4, phone
en: phone of users: req 76164579-8667-d0d6-d764-821ac0f1b2c3 | mobile=none req=76164579-8667-4036-d764-821ac0f1b2c3
en: phone of users: req 92607046-baeb-dfec-7e3a-8af8ed61ffb4 | cell size and pi 333.7432103 | 333.7432103
en: netmask 255.255.255.0 | 0.1.2.3 | ATU13585628 | holiday inn 123456789012
en: ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n8
en: 20-05536168-3 | GODE561231GR7 | order (20 5536168) | TJRabPrwbZy45sbavfcjinPJC18kjpRTv7 | RFC 9110
en: sha256 4155550143 | he said 123456789 | port 4155 550143
de: Kontakt, Kundennummer 12345678 | Auftrag 12345678 | Aktenzeichen 12345678 | Anrufe: 1234567
fr: votre numéro de commande 12345678 | veuillez joindre le document 12345678 | la marque 12345678
es: al número de pedido 12345678 | la marca 12345678 | La Liga 12345678
it: chiamate 12345678 | al numero d'ordine 12345678
pl: pod numerem KRS 0000123456 | numer klienta 12345678
sv: kundnummer 12345678 | ordernumret som kom igår var 12345678
fi: asiakasnumero 12345678 | tavoitteena 12345678 euroa
tr: sipariş numaram 12345678
ru: автомобиль 12345678 | номер клиента 12345678
zh: 订单号码12345678 | 撥款12345678
ja: 注文番号は12345678です | 顧客番号 12345678
ko: 주문번호로 12345678
en: llama-3.1-8b 20240723 | my order number is 12345678 | my number is 42
en: Kennzeichen der Version 2 B 12 | boiler plate A4 PAGE 12 | nameplate 12 V 500 W | registration opens 10 AM
en: an Apple M1 8GB | on the street 42 | the zip file 123-4567 | sort by cap 12-345 | port 443-4567
en: PASS: TestFoo1 | pass: step2 | bypass: Abc123!x | pass: tests/Foo2.py | hash_password('Secret12')
en: PASS: test_Foo_12
sv: taget ur 2020-01-01
en: rg 123456789 -n, RG scan 12345678 | the shandy 12345678 | AFM 094259216 scan | Taj 131540035
en: SWIFT/BIC COBADEFFXXX | swift code BARCGB22
sv: kom 12345678 gånger | hon kom 888 gånger, 512 715 i allt
de: Megaphon 12345678 | Telefonie 1.2.3
"""


def sentences(table: str) -> list[str]:
    """Those of a table, without their languages."""
    return [said.strip() for line in table.splitlines() if line for said in line[3:].split("|")]


_ALL = NUMBERS + PLACES + PHONES + BIRTHS + PLATES + POSTCODES + IDENTIFIERS + ACCOUNTS + SECRETS + FIELDS


@pytest.mark.parametrize("said", sentences(_ALL))
def test_every_way_of_saying_it(said: str) -> None:
    """All that stands in brackets is found, whatever it is taken for."""
    before, value, behind = re.split(r"[\[\]]", said.replace(r"\n", "\n"))
    text = before + value + behind
    places = {i for match in Standard().find(text) for i in range(match.start, match.end)}
    assert {i for i, char in enumerate(value, len(before)) if char.isalnum()} <= places


@pytest.mark.parametrize("said", sentences(NONE))
def test_what_is_no_personal_number(said: str) -> None:
    """The same words about something else, words that contain them, and names of other numbers."""
    assert [match.type for match in Standard().find(said.replace(r"\n", "\n"))] == []
