"""The words that name a value, in 21 languages: what stands before or behind a number and says what it is.

One line for each kind: the kind, and its words. A kind is the name of a type, or one of these groups of types:

- `ID`: a person's number of some state (`national id`, `kennitala`); every scheme may be meant
- `PHONE`, `DOB`, `CARD`, `ACCOUNT`, `PASSPORT`, `LICENSE`, `TAX`, `PLATE`, `HEALTH`, `POSTCODE`: what they say
- `NO`: the name of something that is not personal (an order, an ISBN, a version)

Words are compared token by token, without case, punctuation and accents on the token's last letter aside; a token
that ends in `*` also stands for longer ones (inflection, compounds), one that starts with it for compounds that end
so. One with a colon counts only where a colon or an equals sign is behind it, or the value is grouped as such numbers
are.
Words in scripts that need no spaces are looked for anywhere.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LATIN", "OTHER"]

LATIN: Final = """
US_SSN: ssn, ssns, ssn number, ssid, social security, social security number, social security no, soc sec, \
social sec, us ssn
US_ITIN: itin, itin number, individual taxpayer identification number, individual taxpayer, us itin, taxpayer id
US_NPI: npi, national provider identifier, provider npi, npi number, us npi, provider id
US_MBI: mbi, medicare beneficiary identifier, medicare beneficiary, medicare id, medicaid, us mbi
MEDICAL_LICENSE: dea, dea number, medical license, medical licence, medical, certificate number, \
medical certificate
US_DRIVER_LICENSE: us driver license, us drivers license
UK_DRIVING_LICENCE: driving licence, driving licence number, driving license, uk driving licence, dvla, \
driver number
ABA_ROUTING_NUMBER: routing, routing number, aba, aba rtn, rtn, aba routing, abarouting, aba number, \
routing transit, aba routing number, transit number
US_BANK_NUMBER: checking account, savings account, us bank number, bank number
UK_NHS: nhs, nhs number, nhs no, uk nhs, national health service
UK_NINO: nino, ni number, national insurance, national insurance number, insurance no, uk nino, ni no
UK_PASSPORT: uk passport, british passport
US_PASSPORT: us passport, american passport
DE_PASSPORT: german passport, reisepass*, deutscher reisepass, de passport
DE_ID_CARD: german id card number, id card number, personalausweis*, ausweisnummer, ausweisdokument, \
german id card, identity card, id card, ausweis*, perso nr, de id card
IN_PASSPORT: indian passport, in passport
KR_PASSPORT: korean passport, kr passport
ES_PASSPORT: spanish passport, es passport
IT_PASSPORT: italian passport, it passport
IN_AADHAAR: aadhaar, aadhar, aadhaar number, uidai, in aadhaar, aadhaar no
IN_PAN: permanent account number, pan card, pan number, in pan, pan no
IN_VOTER: voter, voter id, epic, epic number, epic no, in voter, election card, voter card
IN_GSTIN: gstin, gst, gst number, in gstin, gst no, goods and services tax, gstins
AU_TFN: tfn, tax file number, tax file, au tfn, tfns
AU_ABN: abn, australian business number, au abn, business number
AU_ACN: acn, australian company number, au acn, company number
AU_MEDICARE: medicare card number, medicare, medicare number, medicare card, au medicare
CA_SIN: sin:, my sin, sin is, sin number, sin no, social insurance, social insurance number, nas:, mon nas, nas est, \
numéro d assurance sociale, ca sin, \
assurance sociale, s i n
NL_BSN: bsn, burgerservicenummer, bsn nummer, nl bsn, sofinummer, dutch bsn, citizen service number
BE_NATIONAL_NUMBER: rijksregisternummer, numéro national, numéro de registre national, registre national, insz, \
niss, be national number, belgian national number, nationaal nummer, national number, rijksregister*
DE_TAX_ID: steuer id, steuer idnr, idnr, id nr, steueridentifikationsnummer, steueridentifikation*, \
steuer identifik*, identifikationsnummer, german tax id, de tax id, steuerliche identifikationsnummer, tin
DE_TAX_NUMBER: steuernummer*, st nr, stnr, steuer nr, finanzamt, einkommensteuer, de tax number, \
german tax number, umsatzsteuernummer
DE_SOCIAL_SECURITY: sozialversicherungsnummer*, sv nummer, svnr, sv nr, rentenversicherungsnummer*, rvnr, \
rentenversicherung, sozialversicherung*, de social security, versicherungsnummer, german social security
DE_VAT_ID: ust id, ust idnr, ustid, ustidnr, umsatzsteuer id, umsatzsteuer identifikation*, german vat, \
german vat id, de vat id, uid nr
DE_HEALTH_INSURANCE: krankenversicherungsnummer, krankenversicherten*, gesundheitskarte, krankenkasse*, kvnr, \
krankenversicherung*, egk, versichertennummer, versichertennr
DE_FUEHRERSCHEIN: führerschein*, fuehrerschein*, fahrerlaubnis*
DE_LANR: lanr, arztnummer, arzt nummer, lebenslange arztnummer
DE_BSNR: bsnr, betriebsstättennummer, betriebsstätten nummer, betriebsstaettennummer
DE_HANDELSREGISTER: handelsregister*, registerauszug, hrb, hra, handelsregisternummer, registergericht
POSTCODE: plz, postleitzahl, ort, wohnort, post code, postcode, postal code, zip, zip code, zipcode, shipping, \
uk postcode, code postal, código postal, cap, postnummer, postinumero, kod pocztowy, posta kodu, cep, \
delivery address, cp, kod poczt, street, road, lane, avenue, crescent, terrace
FR_NIR: nir, numéro de sécurité sociale, sécurité sociale, sécu, insee, fr nir, numéro insee, \
french social security, french nir, numéro de sécu
ES_NIF: dni, nif, es nif, documento nacional de identidad, spanish dni, dni nif, identificación
ES_NIE: nie, es nie, número de identidad de extranjero, identidad de extranjero, spanish nie
IT_FISCAL_CODE: codice fiscale, c f, cf, cod fiscale, fiscal code, it fiscal code, italian fiscal code
IT_VAT_CODE: partita iva, p iva, piva, partitaiva, italian vat, it vat code, italian vat number, vat code
IT_IDENTITY_CARD: carta d identità, carta identità, carta d identita, it identity card, cie, carta di identità
IT_DRIVER_LICENSE: patente, patente di guida, licenza, it driver license
PT_NIF: contribuinte, nif português, número de contribuinte, pt nif, número de identificação fiscal, nif pt
BR_CPF: cpf, br cpf, cadastro de pessoa*
BR_CNPJ: cnpj, br cnpj, cadastro nacional
CL_RUT: rut, rol único tributario, cl rut, rol unico
MX_CURP: curp, mx curp, clave única
MX_RFC: mx rfc, registro federal de contribuyentes
AR_CUIT: cuit, cuil, ar cuit
PL_ID_CARD: dowód osobisty, dowodu osobistego, numer dowodu, nr dowodu, dowodu, dowodem, pl id card
IMEI: imei, imeis
PL_PESEL: pesel, pl pesel, numer pesel
SE_PERSONNUMMER: personnummer*, pnr, svenskt personnummer, swedish personal number, se personnummer, \
samordningsnummer, person nr, personnr
SE_ORGANISATIONSNUMMER: organisationsnummer*, orgnr, orgnummer, org nr, företagsnummer*, company identity code, \
se organisationsnummer
NO_FNR: fødselsnummer*, fodselsnummer*, fnr, no fnr, norwegian national id, norwegian birth number, \
birth number, personnummeret mitt, fødselsnr, fodselsnr
DK_CPR: cpr, cpr nummer, cpr nr, dk cpr, danish cpr, cpr number
FI_PERSONAL_IDENTITY_CODE: henkilötunnu*, hetu, personbeteckning*, finnish personal identity code, \
personal identity code, fi personal identity code, sotu
TR_NATIONAL_ID: tc:, tc kimlik, tc kimlik no, tckn, t c kimlik, kimlik no, kimlik numara*, tr national id, kimlik, \
turkish national id, tc no, t c no, t c kimlik no, tc numaram
IE_PPSN: ppsn, pps, pps number, pps no, ie ppsn, personal public service
CH_AHV: ahv, ahv nummer, avs, ch ahv, swiss ahv, ahv nr, numéro avs, ahvn13, navs
GR_AFM: afm:, afm number, greek afm, greek tax number, gr afm, greek vat
GR_AMKA: amka, gr amka, greek social security number
HU_TAJ: taj:, taj szám, taj száma, taj számom, tajszám*, taj number, taj kártya, \
társadalombiztosítási azonosító*, hu taj
HU_TAX_ID: adóazonosító*, adóazonosító jel, hungarian tax id, hu tax id
UA_RNOKPP: rnokpp, rntrc, ukrainian tax id, ukrainian tax number, ua rnokpp
BR_RG: rg:, meu rg, seu rg, rg nº, rg no, número do rg, numero do rg, número de rg, rg e cpf, registro geral, \
carteira de identidade, br rg
IL_ID_NUMBER: israeli id, teudat zehut, mispar zehut, mispar zeut, il id number, israeli id number
ZA_ID_NUMBER: south african id, rsa id, sa id, za id number, sa id number, rsa id number, refugee id
JP_MY_NUMBER: my number, mynumber, individual number, jp my number, japanese my number, kojin bango
KR_RRN: rrn, resident registration number, korean rrn, kr rrn, resident registration, \
korean resident registration
KR_FRN: frn, foreigner registration number, kr frn, foreigner registration, alien registration
KR_BRN: brn, business registration number, kr brn
KR_DRIVER_LICENSE: korean driver license, kr driver license
CN_RESIDENT_ID: resident id, chinese id, chinese resident id, cn resident id, resident identity card, \
shenfenzheng
HK_HKID: hkid, hong kong id, hk hkid, hong kong identity card, hkid number
TW_NATIONAL_ID: taiwan id, taiwanese id, tw national id, taiwan national id
SG_NRIC_FIN: nric, fin, nric fin, sg nric fin, singapore id, fin number, nric number
SG_UEN: uen, unique entity number, business registration, sg uen
TH_TNIN: thai id, tnin, th tnin, thai national id, thai id number
PH_TIN: ph tin, bir tin
NG_NIN: nin, national identification number, ng nin
ID: egn, iin, inn:, snils, nuss, número de la seguridad social, seguridad social, \
national id, national identity, national identity number, national identification, national insurance id, \
id number, id no, id nummer, identity number, identity card number, personal number, personal id, \
identification number, identifikation*, govt id, government id, numéro d identité, numero d identité, \
número de identidad, documento de identidad, documento d identità, \
bilhete de identidade, cédula, cedula, isikukood, rodné číslo, oib, jmbg, cnp, \
identiteitsnummer, identitetsnummer, henkilönumero, personas kods, personas kodu, personas koda, emšo, emso, \
r č, rč, kimliğim, national id number, citizen id, kennitala, egn, asmens kodas, steuer id nummer, \
national registration number, numero di identità, legitimasjon
TAX: cif, tax id, tax number, tax identification, tax, tax no, vat, vat number, vat id, vat no, vat registration, \
tva, numéro de tva, nº iva, iva, btw, btw nummer, moms, momsnummer, alv, nip, numer nip, vergi no, \
vergi numarası, numéro fiscal, nit, rfc, ust, mwst, taxpayer identification, fiscal number, ein, \
identificación fiscal
PHONE: phone, phone number, phone no, telephone, tel, telefon*, teléfono*, telefono*, téléphone*, telefone*, \
telefoon*, puhelin*, puhelinnumero*, mobil*, mobilnummer*, handy*, handynummer, cell, cell number, cellphone, \
cellulare, celular, móvil, movil, portable, mobiel*, gsm, fax, faks, whatsapp, sms, call, call me, ring, \
ring me, text me, dial, dial in, rufen, anrufen, ruf, appelez, appelez moi, appeler, llámame, llamar, llámeme, \
chiama, chiamami, chiamare, ligue, ligar, bel, bellen, zadzwoń, zadzwon, dzwoń, numer telefonu, komórka, \
komórkowy, telefonu, tlf, ring meg, ring mig, soita, ara, arayın, cep, cep no, cep telefonu, hotline, helpline, \
reached on, reached at, reach me, reach us, contact number, desk, office, home phone, work phone, phones, mob, \
tél, numéro de téléphone, telefonnummer*, rufnummer*, nummer erreichbar, gsm nummer, ph, ph no, contact no, \
kontakt telefon, phone nr, zavolej*, volejte, hívj*, sunați*, sunati*, telepon, nomor telepon, điện thoại, \
số điện thoại, sđt, whats app, landline, reachable, reach him, reach her, reach them, me a bell, rückruf*, \
zurückrufen, erreichbar, unter der nummer, meine nummer, durchwahl, anruf unter, anruf auf, festnetz*, natel, \
me joindre, nous joindre, joindre au, joignable, joignez, rappelez, rappeler, téléphonez, mon numéro est, \
ton numéro est, son numéro est, mon numéro c est, son numéro c est, au numéro, mi número es, su número es, \
al número, marca al, marque al, marcar el, llama al, llame al, llámanos, llamadme, wasap, whatsap, tfno, tlfno, \
telf, me liga, liga para, liga pra, liga no, zap, zapzap, wpp, contacto, contato, telemóvel, telemovel, \
meu número é, seu número é, fone, mio numero è, suo numero è, al numero, recapito, recapiti, telefonami, \
telefonate, chiamatemi, mijn nummer, op nummer, bereikbaar, te bereiken, telnr, 06 nummer, pod numer, \
pod numerem, dzwonić, mój numer, kontakt, tel kom, telefonicz*, nås på, mitt nummer, mobilnr, slå en signal, \
mit nummer, nummeret mitt, tlfnr, træffes, ringe, numerosta, numeroon, numeroni, puh, puhnro, matkapuhelin*, \
tavoitat, tavoittaa, tavoitettavissa, numaramdan, numarasından, ulaşabil*, hubungi, no hp, nomor hp, telp, \
bitte unter, contactez moi, contacter au, contattatemi, contattami, contattarmi, fale comigo, falar comigo, \
bereiken op, appje, når mig på, når meg på, fange mig, soittakaa, soittaa, ulaşın, reach out at, my digits, \
me a text, us a call, *telefon, *telefonen, *telefonnummer, *telefonnumret, *telefonnummeret, *telefonnr, \
*telefonszám, *telefoon, *telefoonnummer, *telefoonnr, *puhelin, *puhelimen, *puhelimeni, *puhelinnumero, \
*puhelinnumeroni, *handy, *handynummer, *handynr, *rufnummer, *mobilnummer, *mobilnr, *kontaktnummer, \
*faxnummer, *telefax, privatmobil*, jobbmobil*, jobmobil*, arbetsmobil*, arbejdsmobil*, notfallnummer*, kom:, \
port:, iletişim, emergency contact, bei fragen, bei rückfragen, für rückfragen
DOB: dob, d o b, date of birth, birth date, birthdate, birthday, born, born on, geboren*, geburtsdatum*, \
geburtstag*, geb, né, née, né le, née le, naissance, date de naissance, nato, nata, nato il, nata il, \
data di nascita, nascita, nacido*, nacida*, nació, fecha de nacimiento, nacimiento, nasceu, nascido*, nascida*, \
data de nascimento, nascimento, geboorte*, geboortedatum, urodzon*, urodzenia, data urodzenia, urodził*, född*, \
födelse*, født, fødsels*, fødselsdato, fødselsdag, født den, syntym*, synt, doğum*, dogum*, doğdu*, bday, birth, \
fecha nac, nac, ddn, nací, nasci, syntyny*, narozen*, született, születés*, născut*, nașter*, rođen*, ngày sinh, \
tanggal lahir, naiss, nasc, sinh ngày
CARD: card, card number, card no, credit card*, creditcard, debit card, kreditkarte*, karte*, kartennummer, \
carte, carte bancaire, carte bleue, tarjeta*, carta di credito, cartão, cartao, kaart*, creditcard*, karta*, \
karty, kartę, kredittkort*, kort*, kortnummer, luottokort*, kredi kart*, kart, kartım, visa, mastercard, amex, \
american express, cc, cc number, card num, pan
ACCOUNT: account, account number, account no, acct, acct no, acc no, acc number, acct number, sort code, \
sortcode, bank details, bankverbindung, coordonnées bancaires, datos bancarios, coordinate bancarie, \
*kontonummer, dados bancários, bankgegevens, *kontonr, bank account, bank account number, konto*, \
kontonummer*, compte, compte bancaire, numéro de compte, cuenta, cuenta bancaria, conto, conto corrente, \
conta, conta bancária, rekening*, rachunek, numer rachunku, konta, bankkonto, tili*, tilinumero, hesap, \
hesap no, banka hesabı, iban, checking, savings, payout, direct deposit, bank acct, a c
PASSPORT: passport, passport number, passport no, passports, passport num, passeport*, pasaporte*, passaporto*, \
passaporte*, paspoort*, pass nr, passnummer, passnr, paszport*, pasaport*, passi, passin, pas nr, \
número de pasaporte, travel document, travel passport
LICENSE: driver license, driver s license, drivers license, driver licence, driver s licence, \
driver s license number, license number, licence number, license, licence, dl number, dl, dl no, driver, \
driver license number, permis de conduire, permiso de conducir, carnet de conducir, carta de condução, \
rijbewijs*, prawo jazdy, prawa jazdy, körkort*, førerkort*, kørekort*, ajokort*, ehliyet*, drivers licence, \
licencia de conducir, licencia, cnh
PLATE: licence plate, license plate, number plate, plate, plate number, registration number, \
vehicle registration, vehicle, reg no, kennzeichen, kfz kennzeichen, kennz, nummernschild, autokennzeichen, \
fahrzeug, kfz, plaka*, tr plaka, plaka no, rto, immatriculation, plaque, matrícula, targa, \
tablica rejestracyjna, registreringsnummer, rekisterinumero, nr rejestracyjny, kenteken, nummerplade, regnummer, \
regnr, car reg, bike, vehicles, registration, car registration, vrm
HEALTH: mrn, medical record, medical record no, medical record number, patient number, patient no, \
patienten nr, patientennummer, patientennr, numéro de patient, historia clínica, nhc, ipp, nr pacjenta, potilasnumero, \
health insurance, health card, health number, patient id, insurance number, member id, health id, ohip, \
phn
URL: website, web site, homepage, home page, profile link, profile, profile url, personal site, blog, webpage, \
portfolio, linkedin, site web, sitio web, sito web, strona, hemsida, nettside, webseite
USERNAME: username
MAC: mac, mac address, hardware address, hwaddr, device mac, ethernet, bssid, nic
NO: order, order no, order id, order number, orders, bestellung*, bestellnummer, commande*, pedido*, encomenda, \
ordine*, ordini, bestelling*, zamówieni*, zamowieni*, beställning*, bestilling*, ordre, tilaus*, sipariş*, \
siparis*, invoice*, invoice no, rechnung*, rechnungsnummer, facture*, factura*, fatura*, fattura*, factuur*, \
faktura*, faktury, lasku*, tracking, tracking no, tracking number, sendungsnummer, sendung*, suivi, seguimiento, \
spedizione, zending, przesyłk*, isbn, issn, ean, gtin, upc, asin, sku, part no, part number, article, artikel*, \
artículo, articolo, artigo, version, versión, versione, versão, versie, wersj*, versjon, versio*, sürüm*, \
app version, build, release, firmware, commit, revision, rev, sha, hash, checksum, md5, uuid, guid, trace, \
trace id, request id, req id, session id, txid, txn, transaction, transaction id, tx hash, ticket*, case, \
case id, case number, serial, serial no, serial number, lot, batch, ref, ref no, reference, reference no, \
référence*, referenz*, referencia, riferimento, referência, referentie, referens, viite*, referanse, ocr, price, \
amount, total, betrag, montant, importe, importo, valor, bedrag, kwot*, kwotę, belopp, beløb, tutar*, summa, \
sum, subtotal, balance, budget, cost, kost, kostet, coûte, cuesta, costa, custa, qty, quantity, epoch, \
timestamp, ts, created, updated, created at, updated at, offset, partition, meeting, meeting id, \
conference id, room, flight, booking, booking code, gate, seat, customer id, customer no, customer number, \
client id, contract, contrat, contrato, contratto, vertrag*, umow*, lat, lon, latitude, longitude, geo, \
coordinates, altitude, doi, arxiv, rfc, cve, width, height, size, bytes, page, error, code, status, nonce, \
difficulty, index, chapter, vol, score, torque, iso, din, item, item no, product, product id, model, po, \
purchase order, id, job, user id, account id, message id, msgid, thread id, transaction ref, payment ref, \
delivery, shipment, shipped, parcel, cost centre, cost center, policy, receipt, isin, wkn, sedol, cusip, kurs, \
rate, rows, shard, krs, regon, took, pid, tid, seed, start date, due, due date, since version, kundennummer, \
kundennr, kunden nr, auftrag*, vorgang*, aktenzeichen, lieferschein*, seriennummer, klantnummer, klantnr, \
serienummer, dossiernummer, numéro client, numéro de client, numéro de série, número de cliente, \
número de serie, número de série, expediente, numero cliente, codice cliente, numero di serie, protocollo, \
kundnummer, kundenummer, ärendenummer, sagsnummer, saksnummer, asiakasnumero*, sarjanumero, numer klienta, \
numer sprawy, numer seryjny, müşteri no, müşteri numarası, seri no
"""

OTHER: Final = """
US_SSN: 社会安全号, 社会安全号码, 社会保障番号
CN_RESIDENT_ID: 身份证, 身份证号, 身份证号码, 居民身份证, 公民身份号码, 证件号
TW_NATIONAL_ID: 身分證, 身分證字號, 身分證號
HK_HKID: 香港身份證, 香港身份证, 香港身分證
JP_MY_NUMBER: マイナンバー, 個人番号
KR_RRN: 주민등록번호, 주민등록 번호, 주민번호
KR_FRN: 외국인등록번호, 외국인번호
KR_BRN: 사업자등록번호, 사업자번호
KR_DRIVER_LICENSE: 운전면허번호, 운전면허
TH_TNIN: เลขประจำตัวประชาชน, เลขบัตรประชาชน, บัตรประชาชน, หมายเลขประชาชน, เลขประจำตัว
IN_AADHAAR: आधार
IN_PAN: पैन नंबर, पैन कार्ड, पैन
IN_VOTER: मतदाता, वोटर
GR_AFM: ΑΦΜ, αφμ, Α.Φ.Μ, αριθμός φορολογικού μητρώου
GR_AMKA: ΑΜΚΑ, αμκα, Α.Μ.Κ.Α
UA_RNOKPP: РНОКПП, рнокпп, ІПН, іпн, ідентифікаційний номер, ідентифікаційний код, податковий номер
IL_ID_NUMBER: תעודת זהות, תעודת הזהות, מספר זהות, ת"ז, מספר הזהות, ת.ז, ת״ז
ID: 国民ID, 証明書番号, 증명번호, رقم الهوية, الهوية الوطنية, هوية, паспортные данные, снилс, инн, ИНН, СНИЛС, ЕГН, \
егн, ИИН, ІНН, هويت, पहचान संख्या
PASSPORT: 护照, 護照, パスポート, 旅券, 여권, паспорт, Паспорт, جواز السفر, جواز, דרכון, หนังสือเดินทาง, \
พาสปอร์ต, पासपोर्ट
LICENSE: 驾驶证, 驾照, 運転免許, 免許証, водительск, رخصة القيادة, רישיון נהיגה, ใบขับขี่, लाइसेंस
PHONE: 电话, 電話, 手机, 手機, 联系方式, 携帯, 连絡先, 連絡先, 전화, 휴대폰, 핸드폰, 연락처, 휴대전화, телефон, \
тел., Телефон, моб., позвон, звон, هاتف, جوال, الهاتف, موبايل, اتصل, טלפון, נייד, פלאפון, โทร, เบอร์, มือถือ, \
फोन, फ़ोन, मोबाइल, दूरभाष, τηλέφωνο, Τηλέφωνο, τηλ., Τηλ., κινητό, Κινητό, зателефон, Зателефон, τηλεφών, \
Τηλεφών, мой мобил, Мой мобил, мій мобіл, Мій мобіл, Мобильн, Мобільн, мобильный:, набер, Набер, טל', טל׳, कॉल, \
拨打, 撥打, 請撥, 致电, 致電, 打给, 打給, 我的号码, 我的號碼, 私の番号, 제 번호, मेरा नंबर, संपर्क:, ご連絡, \
сот., для связи, τηλέφωνό, 微信同号, 微信同號, טל., 请联系, 請聯繫, Контакты, контакты
DOB: 出生, 生日, 生年月日, 誕生日, 生まれ, 생년월일, 생일, 출생, 생), 태어난, 태어났, 태어나, рожден, родил, Рожден, \
д.р., д. р., дата рожд, Дата рожд, народж, народив, Народ, γεννήθ, γέννησ, Γέννησ, Γεννήθ, 诞生, الميلاد, ميلاد, \
ولد, תאריך לידה, לידה, נולד, วันเกิด, เกิดวันที่, เกิด, जन्म, जन्मतिथि, 生于, 生於
CARD: 信用卡, 银行卡, 卡号, 銀行卡, 卡, クレジットカード, カード, カード番号, 카드, 신용카드, карт, Карт, بطاقة, \
כרטיס, บัตรเครดิต, บัตร, क्रेडिट कार्ड, कार्ड
ACCOUNT: 账户, 账号, 帳號, 銀行帳, 口座, 계좌, счёт, счет, счета, الحساب, حساب, חשבון, บัญชี, खाता
POSTCODE: 〒, 邮编, 郵遞區號, 郵便番号, 우편번호, индекс, รหัสไปรษณีย์, पिन कोड
NO: 订单, 訂單, 单号, 注文, 주문, 송장, заказ, Заказ, طلب, הזמנה, คำสั่งซื้อ, ऑर्डर, 版本, バージョン, 버전, \
верси, إصدار, גרסה, เวอร์ชัน, संस्करण, 金额, 金額, 금액, сумм, مبلغ, סכום, จำนวน, राशि, 发票, 請求書, 请求, \
фактур, فاتورة, חשבונית, 快递, 追跡, 运单, 物流, трек, артикул, 商品, 序列号, 型号, कीमत, ราคา, 가격, 参考, \
客户编号, 客戶編號, 工单, 顧客番号, 会員番号, 伝票番号, 고객번호, 접수번호, 예약번호, номер клиента, серийн, \
رقم العميل, מספר לקוח, หมายเลขลูกค้า, ग्राहक संख्या
"""
